"""`nova-ha disarm` and `nova-ha arm` against fakes of Pacemaker's tools."""

import json
import os
import time
from xml.etree import ElementTree as ET

import pytest
from agentnode import Node
from novaha.adapters.cib import PROPERTY_SET
from novaha.adapters.disarm import DISARM_PREFIX
from novaha.adapters.pacemaker import Pacemaker
from novaha.cli import asking
from novaha.cli.main import main
from novaha.core.disarm import Disarm, Scope, parse_disarm
from novaha.errors import CloudUnavailable

REMOTES = "".join(f'<primitive id="compute-{n}" class="ocf" type="remote"/>' for n in (1, 2))
HOSTILE = "new PDU: <b>&\"'; rm -rf $HOME ü"
HOURS = ["--for", "2h", "--why", HOSTILE, "--yes"]


@pytest.fixture
def root(node: Node, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a cluster with two computes, and be root on it; Nova has a segment."""
    for name, value in node.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(asking, "segments", lambda: frozenset({"rack 1"}))
    text = node.cib.read_text().replace("<resources>", f"<resources>{REMOTES}")
    node.cib.write_text(text)
    return node


def kept(node: Node) -> list[Disarm]:
    found = ET.fromstring(node.cib.read_text()).iter("nvpair")  # noqa: S314
    pairs = [pair for pair in found if pair.get("name", "").startswith(DISARM_PREFIX)]
    disarms = [parse_disarm(pair.get("value", "")) for pair in pairs]
    assert [p.get("name") for p in pairs] == [DISARM_PREFIX + d.scope.key for d in disarms]
    return disarms


def put(node: Node, name: str, value: str) -> None:
    """Have something stand in the CIB already."""
    text = node.cib.read_text()
    empty = f'<cluster_property_set id="{PROPERTY_SET}"/>'
    if empty in text:
        text = text.replace(
            empty, f'<cluster_property_set id="{PROPERTY_SET}"></cluster_property_set>'
        )
    pair = f'<nvpair id="{name}" name="{name}" value="{value}"/>'
    node.cib.write_text(text.replace("</cluster_property_set>", f"{pair}</cluster_property_set>"))


def test_it_shows_first_and_changes_nothing(root: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disarm"]) == 0
    assert capsys.readouterr().out == "nothing is disarmed\n"
    assert main(["disarm", "--all", "--for", "90m"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("all hosts would be disarmed by alice until 20")
    assert "nothing was changed; --yes" in shown.err
    assert kept(root) == []


@pytest.mark.parametrize(
    ("argv", "scopes"),
    [
        (["compute-1", "compute-2", "compute-1"], ["compute-1", "compute-2"]),
        (["--segment", "rack 1"], [Scope("segment", "rack 1")]),
        (["--all"], [Scope("all")]),
    ],
)
def test_with_yes_it_is_kept_in_one_change_and_logged(
    root: Node, argv: list[str], scopes: list[Scope | str], logged: list[str]
) -> None:
    before_s = time.time()
    assert main(["disarm", *argv, *HOURS]) == 0
    wanted = [Scope("host", s) if isinstance(s, str) else s for s in scopes]
    assert [disarm.scope for disarm in kept(root)] == wanted
    assert sum("--modify" in call for call in root.calls()) == 1
    for disarm in kept(root):
        assert (disarm.by, disarm.why, disarm.lasts_s) == ("alice", HOSTILE, 7200)
        assert abs(disarm.at_s - before_s) < 60
    assert len(logged) == len(wanted)
    assert f"disarmed by alice until {kept(root)[0].until}: {HOSTILE}" in logged[0]


def test_the_recovery_process_sees_it_until_its_time_is_over(root: Node) -> None:
    main(["disarm", "--all", *HOURS])
    main(["disarm", "compute-2", "--for", "1d", "--why", "later", "--yes"])
    assert {d.scope.reach for d in Pacemaker().observe().disarmed} == {"all", "host"}
    root.cib.write_text(root.cib.read_text().replace("for=7200", "for=0"))
    assert {d.scope.reach for d in Pacemaker().observe().disarmed} == {"host"}


def test_explain_shows_what_is_disarmed(root: Node, capsys: pytest.CaptureFixture[str]) -> None:
    main(["disarm", "--all", *HOURS])
    capsys.readouterr()
    assert main(["explain"]) == 0
    told = f"disarmed\n  {kept(root)[0]}\n"
    assert told in capsys.readouterr().out
    assert main(["explain", "compute-1"]) == 0
    assert told in capsys.readouterr().out
    assert main(["explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["disarmed"][0]["why"] == HOSTILE


def test_one_of_the_same_scope_takes_the_place_of_the_first(root: Node) -> None:
    main(["disarm", "compute-1", *HOURS])
    main(["disarm", "compute-1", "--for", "7d", "--why", "longer", "--yes"])
    (disarm,) = kept(root)
    assert (disarm.lasts_s, disarm.why) == (604_800, "longer")


def test_programs_read_the_same(root: Node, capsys: pytest.CaptureFixture[str]) -> None:
    main(["disarm", "--segment", "rack 1", *HOURS, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["changed"] is True
    assert told["disarmed"][0]["scope"] == {"reach": "segment", "name": "rack 1"}
    assert main(["arm", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["arm"][0]["why"] == HOSTILE
    assert told["changed"] is False
    assert len(kept(root)) == 1


def test_arm_takes_away_what_is_named_and_tells_what_stays(
    root: Node, logged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["disarm", "--all", *HOURS])
    main(["disarm", "compute-1", *HOURS])
    capsys.readouterr()
    assert main(["arm", "compute-1"]) == 0
    shown = capsys.readouterr()
    assert "host compute-1 would be armed; it was disarmed by alice" in shown.out
    assert "nothing was changed; --yes arms" in shown.err
    assert main(["arm", "compute-1", "--yes"]) == 0
    assert [disarm.scope for disarm in kept(root)] == [Scope("all")]
    shown = capsys.readouterr()
    assert "host compute-1 is armed" in shown.out
    assert f"{kept(root)[0]}: that stays" in shown.out
    assert logged[-1] == "alice armed host compute-1"


def test_arm_without_a_word_takes_all_away_what_is_over_or_cannot_be_read_too(
    root: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    put(root, f"{DISARM_PREFIX}all", Disarm(Scope("all"), 1, 60, "x", "bob", "old").to_value())
    put(root, f"{DISARM_PREFIX}host.x", "nonsense")
    assert main(["disarm"]) == 0
    assert "nova-ha-disarm-host.x cannot be read and disarms nothing" in capsys.readouterr().out
    assert Pacemaker().observe().disarmed == ()
    assert main(["arm", "--yes"]) == 0
    assert DISARM_PREFIX not in root.cib.read_text()
    assert main(["arm"]) == 0
    assert capsys.readouterr().out.endswith("nothing is disarmed\n")


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["disarm", "--yes"], "--yes needs what to disarm"),
        (["disarm", "--all"], "say for how long: --for 2h"),
        (["disarm", "--all", "--yes", "--for", "2h"], "--yes needs --why"),
        (["disarm", "--all", "compute-1", "--for", "2h"], "not more than one"),
        (["disarm", "--all", "--segment", "rack 1", "--for", "2h"], "not more than one"),
        (["disarm", "compute-7", *HOURS], "no such node: compute-7; known: compute-1, compute-2"),
        (["disarm", "<a>; rm", *HOURS], "no such node: <a>; rm"),
        (["disarm", "--segment", "rack 2", *HOURS], "no such segment: rack 2; known: rack 1"),
        (["arm", "compute-1", "--yes"], "not disarmed: host compute-1; disarmed: nothing is"),
        (["arm", "--all", "--segment", "x"], "not more than one"),
    ],
)
def test_what_makes_no_sense_gets_code_2_and_changes_nothing(
    root: Node, argv: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert complaint in capsys.readouterr().err
    assert kept(root) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--for", "59"],
        ["--for", "0"],
        ["--for", "8d"],
        ["--for", "-2h"],
        ["--for", "2 h"],
        ["--for", "1w"],
        ["--why", "two\nlines"],
        ["--why", ""],
        ["--segment", ""],
        ["--what"],
    ],
)
def test_bad_input_gets_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["disarm", *words])
    assert ended.value.code == 2
    assert "usage: nova-ha" in capsys.readouterr().err


def test_a_segment_can_be_disarmed_while_nova_gives_no_answer(
    root: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent() -> frozenset[str]:
        msg = "Nova gives no answer"
        raise CloudUnavailable(msg)

    monkeypatch.setattr(asking, "segments", silent)
    assert main(["disarm", "--segment", "rack 9", *HOURS]) == 0
    assert "whether Nova has this segment is not known: Nova gives" in capsys.readouterr().err
    assert len(kept(root)) == 1


@pytest.mark.parametrize("command", ["disarm", "arm"])
def test_a_cluster_without_an_answer_gets_code_1(
    root: Node, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_CIBADMIN", "fail")
    assert main([command]) == 1
    assert "nova-ha: cibadmin failed" in capsys.readouterr().err
    assert kept(root) == []


@pytest.mark.parametrize("command", ["disarm", "arm"])
def test_only_root_may(root: Node, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main([command]) == 1
    assert root.calls() == []
