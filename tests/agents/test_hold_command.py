"""`nova-ha hold` on a compute, with a fake of the cluster's tools."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from agentnode import Node
from novaha.adapters.cib import PROPERTY_SET
from novaha.cli.main import main
from novaha.core.names import NodeName
from novaha.hold import Marker
from worlds import recovery

GUEST = f"stale-{os.getpid()}"
"""A guest of this name runs on no machine but in these tests."""
RECEIPT = (
    "v3 id=0123456789ab time=1700000000 writer=controller-1 by=fenced before=0 life=-"
    " devices=ipmi-1"
)


@pytest.fixture
def compute(node: Node, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a compute that nothing holds."""
    for name, value in node.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return node


def put(node: Node, kind: str, value: str) -> None:
    name = f"nova-ha-{kind}-compute-1"
    pair = f'<nvpair id="{name}" name="{name}" value="{value}"/>'
    opened = f'<cluster_property_set id="{PROPERTY_SET}"'
    text = node.cib.read_text().replace(f"{opened}/>", f"{opened}>{pair}</cluster_property_set>")
    node.cib.write_text(text)


@contextmanager
def guest(name: str) -> Iterator[None]:
    """Run a process that looks like a guest of libvirt to whoever reads command lines."""
    program = [sys.executable, "-c", "input()", "-name", f"guest={name},debug-threads=on"]
    process = subprocess.Popen(program, stdin=subprocess.PIPE)
    yield
    process.communicate()


def test_nothing_holds_a_compute_without_a_recovery(
    compute: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compute.calls() == []
    assert main(["hold"]) == 0
    assert capsys.readouterr().out == "nothing holds this node\n"


@pytest.mark.parametrize("argv", [["hold"], ["hold", "--wait", "1"]])
def test_an_open_receipt_holds(
    compute: Node, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    put(compute, "receipt", RECEIPT)
    assert main(argv) == 1
    assert "fenced and not yet recovered (receipt 0123456789ab" in capsys.readouterr().err


def test_a_cluster_without_an_answer_holds_and_is_waited_for_so_long(
    compute: Node, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CIBADMIN", "fail")
    assert main(["hold", "--wait", "6"]) == 1
    assert "still held: the cluster gives no answer (cibadmin" in capsys.readouterr().err
    assert len(compute.calls()) > 1


def test_guests_hold_the_way_back_and_not_a_second_start(
    compute: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    put(compute, "recovery", recovery(phase="returning", node=NodeName("compute-1")).to_value())
    wait = ["hold", "--wait", "1", "--guest-names", GUEST]
    with guest(GUEST):
        assert main(wait) == 1
        assert f"nova-compute did not start: {GUEST};" in capsys.readouterr().err
    assert main(wait) == 0
    with guest(GUEST):
        assert main(wait) == 0


def test_a_person_lets_it_go_and_takes_that_back(
    compute: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    put(compute, "receipt", RECEIPT)
    assert main(["hold", "--let-go", "the cluster is stopped"]) == 0
    assert main(["hold", "--wait", "1"]) == 0
    assert capsys.readouterr().out.endswith("let go by alice: the cluster is stopped\n")
    assert compute.run("agents/NovaComputeUnfence", "start").rc == 0
    assert main(["hold", "--take-back"]) == 1


def test_its_word_lies_where_the_agent_looks(compute: Node) -> None:
    assert main(["hold", "--let-go", "why"]) == 0
    assert Marker(f"{compute.run_root}/hold/let-go").text() == "alice: why"


@pytest.mark.parametrize(
    "argv",
    [
        ["--wait", "0"],
        ["--wait", "51"],
        ["--wait", "soon"],
        ["--let-go", ""],
        ["--let-go", "two\nlines"],
        ["--guest-names", "("],
        ["--wait", "1", "--take-back"],
    ],
)
def test_nonsense_is_refused_and_nothing_happens(compute: Node, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hold", *argv])
    assert ended.value.code == 2
    assert compute.calls() == []
    assert not compute.run_root.exists()


def test_only_root_may_ask(compute: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["hold"]) == 1
    assert compute.calls() == []


def test_the_drop_in_runs_what_there_is() -> None:
    drop_in = Path(__file__).parents[2] / "packaging/systemd/40-nova-ha.conf"
    (line,) = [line for line in drop_in.read_text().splitlines() if "ExecStartPre" in line]
    program, *argv = line.removeprefix("ExecStartPre=+").split()
    assert program == "/usr/sbin/nova-ha"
    assert argv == ["hold", "--wait", "20"]
