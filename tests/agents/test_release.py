"""`nova-ha release` against fakes of Pacemaker's tools, and what the gate makes of it."""

import json
import os
import re
import syslog
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from agentnode import Node
from novaha.adapters.brakestate import BRAKE_PREFIX, RELEASE_PREFIX
from novaha.adapters.cib import PROPERTY_SET
from novaha.cli.main import main
from novaha.core.brakestate import CLUSTER, COLD_START, Brake, parse_release
from novaha.core.names import NodeName
from novaha.core.properties import RECOVERY_PREFIX
from novaha.core.recovery import Proven, Recovery
from worlds import proven, recovery

A, B, C = (NodeName(f"compute-{number}") for number in (1, 2, 3))
GATE = """<primitive id="gate" class="stonith" type="fence_nova_gate"><instance_attributes>
 <nvpair name="groups" value="rack-1"/><nvpair name="pcmk_host_list" value="compute-1 compute-2"/>
</instance_attributes></primitive>"""
HOSTILE = "dead: <b>&\"'; rm -rf $HOME ü"


@pytest.fixture
def held(node: Node, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a cluster that has lost three hosts; the brake holds them, and one that is back."""
    for name, value in node.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    Path(f"{node.cib}.lost").write_text("compute-1 compute-2 compute-3")
    now_s = time.time()
    on = Brake(CLUSTER, now_s - 60, now_s, 300, 2, (A, B, C, NodeName("compute-8")))
    text = node.cib.read_text().replace("<resources>", f"<resources>{GATE}")
    name = BRAKE_PREFIX + CLUSTER
    pair = f'<nvpair id="{name}" name="{name}" value="{on.to_value()}"/>'
    whole = f'<cluster_property_set id="{PROPERTY_SET}">{pair}</cluster_property_set>'
    empty = f'<cluster_property_set id="{PROPERTY_SET}"/>'
    assert empty in text
    node.cib.write_text(text.replace(empty, whole))
    return node


def released(node: Node) -> dict[str, tuple[str, str, float]]:
    root = ET.fromstring(node.cib.read_text())  # noqa: S314
    found = {}
    for pair in root.iter("nvpair"):
        name = pair.get("name", "")
        if name.startswith(RELEASE_PREFIX):
            kept = parse_release(name.removeprefix(RELEASE_PREFIX), pair.get("value", ""))
            found[str(kept.node)] = (kept.by, kept.why, kept.lasts_s)
    return found


def test_it_shows_first_and_changes_nothing(held: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release"]) == 0
    shown = capsys.readouterr()
    assert "storm brake of the cluster: on for 60 s, 2 hosts may be fenced" in shown.out
    for host in (A, B):
        assert f"{host}  lost, of rack-1, held by the brake of the cluster, would be" in shown.out
    assert "compute-8  not lost any more, held by the brake of the cluster\n" in shown.out
    assert "nothing was changed; --yes releases them" in shown.err
    assert released(held) == {}


def test_with_yes_all_that_are_lost_and_held_are_released_in_one_change(
    held: Node, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda _, text: logged.append(text))
    assert main(["release", "--yes", "--why", HOSTILE, "--for", "90"]) == 0
    assert released(held) == dict.fromkeys((A, B, C), ("alice", HOSTILE, 90))
    assert "released now" in capsys.readouterr().out
    assert sum("--modify" in call for call in held.calls()) == 1
    assert logged == [f"alice released compute-1, compute-2, compute-3: {HOSTILE}"]


def test_only_those_that_are_named(held: Node) -> None:
    assert main(["release", "compute-2", "compute-2", "--yes", "--why", "no power"]) == 0
    assert released(held).keys() == {B}


def test_only_those_of_a_group(held: Node) -> None:
    assert main(["release", "--group", "rack-1", "--yes", "--why", "no power"]) == 0
    assert released(held).keys() == {A, B}


def test_the_gate_lets_through_what_was_released_and_shows_who_did_it(
    held: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    off = "action=off\nnodename=compute-1\nwait=1\ncluster_limit=2\n"
    assert held.run("fence/fence_nova_gate", stdin=off).rc == 1
    assert main(["release", "compute-1", "--yes", "--why", "no power"]) == 0
    assert held.run("fence/fence_nova_gate", stdin=off).rc == 0
    capsys.readouterr()
    assert main(["release", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    by_name = {host["node"]: host for host in told["hosts"]}
    assert by_name[A]["release"]["by"] == "alice"
    assert by_name[A]["release"]["why"] == "no power"
    assert told["release"] == [B, C]
    assert told["changed"] is False


def test_where_nothing_is_held_it_says_so(held: Node, capsys: pytest.CaptureFixture[str]) -> None:
    Path(f"{held.cib}.lost").write_text("")
    held.cib.write_text(held.cib.read_text().replace("seen=", "seen=1"))
    assert main(["release", "--yes", "--why", "no power"]) == 0
    assert (
        capsys.readouterr().out
        == "the storm brake holds nothing, no host is lost, and no recovery waits\n"
    )
    assert released(held) == {}


def test_a_host_whose_recovery_waits_is_released_in_the_same_way(
    held: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    only_record(held, proven(NodeName("compute-7")))
    assert main(["release"]) == 0
    shown = capsys.readouterr()
    assert "compute-7  fenced, its recovery has not begun, would be released" in shown.out
    assert main(["release", "compute-7", "--yes", "--why", "the rack is dark"]) == 0
    assert released(held) == {"compute-7": ("alice", "the rack is dark", 3600)}
    assert main(["release", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.split("\n", 1)[1])["release"] == []


def test_a_host_on_its_way_back_is_shown_and_released_by_its_name_only(
    held: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    only_record(held, recovery(NodeName("compute-7"), phase="returning"))
    assert main(["release", "--yes", "--why", "x"]) == 0
    assert "compute-7  back, does not serve yet\n" in capsys.readouterr().out
    assert released(held) == {}
    assert main(["release", "compute-7", "--yes", "--why", "new memory"]) == 0
    assert released(held) == {"compute-7": ("alice", "new memory", 3600)}


def test_a_host_that_is_being_evacuated_cannot_be_released(
    held: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    only_record(held, recovery(NodeName("compute-7"), phase="evacuating"))
    assert main(["release", "compute-7", "--yes", "--why", "x"]) == 2
    assert "that are: none" in capsys.readouterr().err
    assert released(held) == {}


def only_record(held: Node, record: Proven | Recovery) -> None:
    """Have no host lost, and one recovery."""
    Path(f"{held.cib}.lost").write_text("")
    text = held.cib.read_text().replace("seen=", "seen=1")
    name = f"{RECOVERY_PREFIX}{record.node}"
    pair = f'<nvpair id="{name}" name="{name}" value="{record.to_value()}"/>'
    held.cib.write_text(text.replace("</cluster_property_set>", f"{pair}</cluster_property_set>"))


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--yes"], "--yes needs --why"),
        (["compute-1", "--group", "rack-1"], "not both"),
        (["compute-7"], "or on its way back: compute-7; that are: compute-1, compute-2"),
        (["<a>; rm", "--yes", "--why", "x"], "not lost, held or on"),
        (["--group", "rack-9"], "no host of the group rack-9 is held"),
    ],
)
def test_what_makes_no_sense_gets_code_2_and_changes_nothing(
    held: Node, argv: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release", *argv]) == 2
    assert complaint in capsys.readouterr().err
    assert released(held) == {}


@pytest.mark.parametrize(
    "argv",
    [
        ["--why", ""],
        ["--why", " "],
        ["--why", "two\nlines"],
        ["--why", "x" * 201],
        ["--for", "59"],
        ["--for", "86401"],
        ["--for", "1h"],
        ["--for", "-60"],
        ["--what"],
    ],
)
def test_bad_input_gets_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["release", *argv])
    assert ended.value.code == 2
    assert "usage: nova-ha" in capsys.readouterr().err


@pytest.mark.parametrize("tool", ["FAKE_CRM_MON", "FAKE_CIBADMIN"])
def test_a_cluster_without_an_answer_gets_code_1(
    held: Node,
    tool: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(tool, "fail")
    assert main(["release", "--yes", "--why", "no power"]) == 1
    assert "nova-ha: c" in capsys.readouterr().err
    assert released(held) == {}


def test_only_root_may(held: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["release"]) == 1
    assert held.calls() == []


def test_a_host_that_has_not_come_since_the_cluster_began_is_asked_for_when_released(
    held: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(f"{held.cib}.lost").write_text("")
    now_s = time.time()
    cold = Brake(COLD_START, now_s - 20, now_s - 20, 300, 0, (A,)).to_value()
    name = BRAKE_PREFIX + COLD_START
    pair = f'<nvpair id="{name}" name="{name}" value="{cold}"/>'
    set_ = re.search(
        r"<cluster_property_set.*?>.*(?=</cluster_property_set>)", held.cib.read_text()
    )
    assert set_ is not None
    head = f'<cluster_property_set id="{PROPERTY_SET}">'
    state = f'<node_state id="{A}" uname="{A}" in_ccm="false" remote_node="true"/>'
    text = held.cib.read_text().replace(set_[0], f"{head}{pair}")
    text = text.replace("<resources>", f'<resources><primitive id="{A}" type="remote"/>')
    held.cib.write_text(text.replace("<status>", f"<status>{state}"))
    assert main(["release"]) == 0
    shown = capsys.readouterr().out
    assert " s ago, 300 s are waited" in shown
    assert f"{A}  not come yet, of rack-1, held by the brake of the cold start" in shown
    assert state[:30] in held.cib.read_text()
    assert main(["release", A, "--yes", "--why", "it has no power supply"]) == 0
    assert released(held).keys() == {A}
    assert state[:30] not in held.cib.read_text()
