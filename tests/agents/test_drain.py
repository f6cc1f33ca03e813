"""`nova-ha drain` and `nova-ha undrain` against fakes of Pacemaker's tools and of Nova."""

import json
import os
from xml.etree import ElementTree as ET

import pytest
from agentnode import Node
from novaha.adapters.cib import PROPERTY_SET
from novaha.adapters.clock import MonotonicClock
from novaha.adapters.drain import DRAIN_PREFIX
from novaha.adapters.pacemaker import Pacemaker
from novaha.cli import asking
from novaha.cli.asking import Eye
from novaha.cli.main import main
from novaha.core.capacity import Room
from novaha.core.details import Flavor
from novaha.core.drain import Drain, Phase, Withdrawn, parse_drain
from novaha.core.model import Memory, Migration, Server, Service, View
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.properties import WITHDRAWN_PREFIX
from novaha.core.rules import Rules
from novaha.errors import CloudUnavailable
from worlds import server, service

REMOTES = "".join(f'<primitive id="compute-{n}" class="ocf" type="remote"/>' for n in (1, 2))
HOSTILE = "new RAM: <b>&\"'; rm -rf $HOME ü"
FLAVOR = Flavor("f", 1, 1000)
DOWN = "it is down: openstack server migrate moves it, down; or start it"
NODE, HOST = NodeName("compute-1"), ComputeHost("compute-1")


class FakeNova:
    """Two hosts; the first has four instances, and the second has room for two."""

    def __init__(self) -> None:
        self.down = False

    def services(self) -> tuple[Service, ...]:
        if self.down:
            msg = "Nova gives no answer"
            raise CloudUnavailable(msg)
        return service(), service(ComputeHost("compute-2"))

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        assert (host, details) == (HOST, True)
        active = [server(number, flavor=FLAVOR) for number in (1, 2, 3)]
        return (*active, server(4, vm_state="stopped"))

    def live_migrations(self, _host: ComputeHost) -> tuple[Migration, ...]:
        return ()

    def rules(self) -> Rules:
        return Rules()

    def rooms(self) -> tuple[Room, ...]:
        return (Room("compute-1", 99, 99_000), Room("compute-2", 9, 2000))


@pytest.fixture
def root(node: Node, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a cluster with two computes, and be root on it."""
    for name, value in node.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    text = node.cib.read_text().replace("<resources>", f"<resources>{REMOTES}")
    node.cib.write_text(text)
    return node


@pytest.fixture(autouse=True)
def nova(monkeypatch: pytest.MonkeyPatch) -> FakeNova:
    fake, clock = FakeNova(), MonotonicClock()

    def eye() -> Eye:
        now_s = clock.monotonic_s()
        return Eye(View(now_s, Pacemaker().observe(), Memory(now_s)), Policy(), fake, clock)  # type: ignore[arg-type]

    monkeypatch.setattr(asking, "seen_by_a_person", eye)
    return fake


def kept(node: Node) -> list[Drain]:
    found = ET.fromstring(node.cib.read_text()).iter("nvpair")  # noqa: S314
    pairs = [(pair.get("name", ""), pair.get("value", "")) for pair in found]
    mine = [(name, value) for name, value in pairs if name.startswith(DRAIN_PREFIX)]
    return [parse_drain(NodeName(name.removeprefix(DRAIN_PREFIX)), value) for name, value in mine]


def put(node: Node, name: str, value: str) -> None:
    """Have something stand in the CIB already."""
    root = ET.fromstring(node.cib.read_text())  # noqa: S314
    properties = root.find(f".//cluster_property_set[@id='{PROPERTY_SET}']")
    assert properties is not None
    ET.SubElement(properties, "nvpair", id=name, name=name, value=value)
    node.cib.write_text(ET.tostring(root, encoding="unicode"))


def test_it_foretells_what_leaves_and_what_stays_and_changes_nothing(
    root: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drain"]) == 0
    assert capsys.readouterr().out == "nothing is drained\n"
    assert main(["drain", "compute-1", "--why", "RAM"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "compute-1 would be drained by alice: RAM",
        "  its service is enabled; it would be disabled, and enabled again by nova-ha undrain",
        "  leave: vm-1, vm-2",
        f"  stays: vm-4 (server-4): stopped: {DOWN}",
        "  stays: vm-3 (server-3): Placement shows no room for it elsewhere",
    ]
    assert "nothing was changed; --yes drains" in shown.err
    assert kept(root) == []


def test_with_yes_it_is_kept_in_one_change_and_logged(root: Node, logged: list[str]) -> None:
    assert main(["drain", "compute-1", "--why", HOSTILE, "--standby", "--yes"]) == 0
    (drain,) = kept(root)
    assert (drain.node, drain.by, drain.why, drain.standby) == ("compute-1", "alice", HOSTILE, True)
    assert sum("--modify" in call for call in root.calls()) == 1
    assert logged == [f"compute-1 drained by alice: {HOSTILE}"]
    assert Pacemaker().observe().wanted(NODE)


def test_no_reason_is_needed_and_the_later_word_counts(root: Node) -> None:
    main(["drain", "compute-1", "--yes"])
    main(["drain", "compute-1", "--why", "later", "--yes"])
    assert [drain.why for drain in kept(root)] == ["later"]


def test_nova_s_silence_hinders_nobody(
    root: Node, nova: FakeNova, capsys: pytest.CaptureFixture[str]
) -> None:
    nova.down = True
    assert main(["drain", "compute-1", "--yes"]) == 0
    assert "what would leave it is not known: Nova gives no answer" in capsys.readouterr().err
    assert len(kept(root)) == 1


def test_programs_read_the_same(root: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drain", "compute-1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["forecast"]["leave"] == ["vm-1", "vm-2"]
    assert [each["id"] for each in told["forecast"]["stay"]] == ["server-4", "server-3"]
    assert not told["changed"]
    put(root, f"{DRAIN_PREFIX}compute-1", "v1 time=1 by=bob standby=no why=x")
    assert main(["undrain", "compute-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["undrain"][0]["by"] == "bob"


def test_undrain_takes_back_exactly_that_and_tells_what_is_given(
    root: Node, logged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["drain", "compute-1", "--why", "RAM", "--yes"])
    put(root, f"{WITHDRAWN_PREFIX}compute-1", Withdrawn(NODE, HOST, Phase.CLOSED).to_value())
    capsys.readouterr()
    assert main(["undrain", "compute-1"]) == 0
    shown = capsys.readouterr()
    assert "compute-1 would be undrained; it was drained by alice: RAM" in shown.out
    assert "gets its service enabled" in shown.out
    assert len(kept(root)) == 1
    assert main(["undrain", "compute-1", "--yes"]) == 0
    assert kept(root) == []
    assert logged[-1] == "compute-1, drained by alice: RAM, undrained by alice"
    assert Pacemaker().observe().withdrawn, "that is the recovery process's"


def test_what_nobody_can_read_drains_and_is_taken_back(
    root: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    put(root, f"{DRAIN_PREFIX}compute-2", "please <&\"'>")
    assert main(["drain"]) == 0
    assert "compute-2 is drained by somebody: the word cannot be read" in capsys.readouterr().out
    assert main(["undrain", "compute-2", "--yes"]) == 0
    assert kept(root) == []


@pytest.mark.usefixtures("root")
def test_explain_shows_what_is_drained(capsys: pytest.CaptureFixture[str]) -> None:
    main(["drain", "compute-1", "--why", "RAM", "--yes"])
    capsys.readouterr()
    assert main(["explain"]) == 0
    assert "compute-1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["drain", "--yes"], "say which node"),
        (["drain", "--why", "x"], "say which node"),
        (["drain", "compute-9"], "no such node: compute-9; known: compute-1, compute-2"),
        (["drain", "controller-1", "--yes"], "no such node"),
        (["drain", "'/><x", "--yes"], "no such node"),
        (["undrain", "compute-1"], "not drained: compute-1; drained: nothing is"),
    ],
)
def test_what_makes_no_sense_gets_code_2_and_changes_nothing(
    root: Node, argv: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert complaint in capsys.readouterr().err
    assert kept(root) == []


@pytest.mark.parametrize(
    "argv",
    [
        ["drain", "compute-1", "--why", "two\nlines"],
        ["drain", "compute-1", "--why", ""],
        ["drain", "compute-1", "compute-2"],
        ["drain", "--what"],
        ["undrain"],
    ],
)
def test_bad_input_gets_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: nova-ha" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["drain"], ["drain", "compute-1", "--yes"], ["undrain", "x"]])
def test_a_cluster_without_an_answer_gets_code_1(
    root: Node, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_CIBADMIN", "fail")
    assert main(argv) == 1
    assert "nova-ha: cibadmin failed" in capsys.readouterr().err
    assert kept(root) == []


@pytest.mark.parametrize("argv", [["drain"], ["undrain", "compute-1"]])
def test_only_root_may(root: Node, argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(argv) == 1
    assert root.calls() == []
