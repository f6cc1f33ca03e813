"""fence_nova_gate as Pacemaker's fencer and as a person run it."""

import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from agentnode import ROOT, Node, Result
from novaha.adapters.brakestate import BRAKE_PREFIX, PASSED_PREFIX, RELEASE_PREFIX
from novaha.adapters.cib import PROPERTY_SET
from novaha.core.brakestate import CLUSTER, COLD_START, Brake, Passed, Release
from novaha.core.incarnation import Incarnation
from novaha.core.names import NodeName
from novaha.core.properties import RECOVERY_PREFIX
from novaha.specs.fence_nova_gate import PARAMS, SPEC
from worlds import proven

AGENT = "fence/fence_nova_gate"
A = NodeName("compute-1")
GATE = """<primitive id="gate" class="stonith" type="fence_nova_gate"><instance_attributes>
 <nvpair name="groups" value="rack-1"/><nvpair name="pcmk_host_list" value="compute-2 compute-3"/>
</instance_attributes></primitive>"""

QUICK = "import os, time; real, by = time.sleep, float(os.environ.get('SPEED', 20))\n"
QUICK += "time.sleep = lambda seconds: real(seconds / by)\n"
REAL_TIME = {"SPEED": "1"}


@pytest.fixture
def gate(node: Node) -> Node:
    """Return a node whose cluster has a gate before compute-1's power device."""
    text = node.cib.read_text().replace('<primitive id="ipmi-1"', f'{GATE}<primitive id="ipmi-1"')
    node.cib.write_text(text.replace('index="1" devices="ipmi', 'index="1" devices="gate,ipmi', 1))
    (node.folder / "sitecustomize.py").write_text(QUICK)
    node.environ["PYTHONPATH"] += f":{node.folder}"
    return node


def run(node: Node, action: str, *lines: str, **environ: str) -> Result:
    wait = [] if any(line.startswith("wait=") for line in lines) else ["wait=1"]
    stdin = "\n".join((f"action={action}", "nodename=compute-1", *wait, *lines, ""))
    return node.run(AGENT, stdin=stdin, environ=environ)


def lost(node: Node, *names: str) -> None:
    Path(f"{node.cib}.lost").write_text(" ".join(names))


def kept(node: Node) -> dict[str, str]:
    root = ET.fromstring(node.cib.read_text())  # noqa: S314
    pairs = root.iterfind(f".//cluster_property_set[@id='{PROPERTY_SET}']/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def put(node: Node, name: str, value: str) -> None:
    root = ET.fromstring(node.cib.read_text())  # noqa: S314
    found = root.find(f".//cluster_property_set[@id='{PROPERTY_SET}']")
    assert found is not None
    ET.SubElement(found, "nvpair", id=name, name=name, value=value)
    node.cib.write_text(ET.tostring(root, encoding="unicode"))


@pytest.mark.parametrize("action", ["off", "reboot"])
def test_one_lost_host_is_let_through_after_the_wait_and_noted(gate: Node, action: str) -> None:
    lost(gate, "compute-1")
    began_s = time.monotonic()
    assert run(gate, action, **REAL_TIME).rc == 0
    assert time.monotonic() - began_s >= 1
    (name,) = kept(gate)
    assert name == PASSED_PREFIX + "compute-1"
    assert re.fullmatch(r"v1 time=\d{10} by=\S+", kept(gate)[name])


def test_too_many_lost_hosts_are_held_and_shown(gate: Node) -> None:
    lost(gate, "compute-1", "compute-2", "compute-3")
    result = run(gate, "off", "cluster_limit=2", "group_limit=9")
    assert result.rc == 1
    assert "fence_nova_gate: storm brake holds compute-1: 3 hosts of the cluster" in result.err
    (value,) = kept(gate).values()
    assert value.endswith("for=300 limit=2 hosts=compute-1,compute-2,compute-3")
    assert list(kept(gate)) == [BRAKE_PREFIX + CLUSTER]


def test_who_is_lost_is_read_first_and_who_passes_is_written_last(gate: Node) -> None:
    lost(gate, "compute-1")
    assert run(gate, "off").rc == 0
    calls = [call.split()[0] for call in gate.calls()]
    look, tidy, write = ["crm_mon", "--query"], ["--query"], ["--modify"]
    assert calls == [*look, *tidy, *look, *write]


def test_a_storm_that_unfolds_during_the_wait_is_seen(gate: Node) -> None:
    lost(gate, "compute-1")
    storm = threading.Timer(1.0, lost, (gate, "compute-1", "compute-2", "compute-3"))
    storm.start()
    assert run(gate, "off", "cluster_limit=2", "wait=3", **REAL_TIME).rc == 1
    storm.join()


def test_controllers_are_no_part_of_a_storm(gate: Node) -> None:
    lost(gate, "compute-1")
    assert run(gate, "off", "cluster_limit=1").rc == 0


def test_the_groups_of_others_are_those_of_their_gates(gate: Node) -> None:
    lost(gate, "compute-1", "compute-2", "compute-3")
    limits = ("cluster_limit=9", "group_limit=2")
    assert run(gate, "off", *limits).rc == 0
    result = run(gate, "off", *limits, "groups=rack-1")
    assert result.rc == 1
    assert "3 hosts of group rack-1" in result.err


def test_those_let_through_a_moment_ago_count(gate: Node) -> None:
    for name in ("compute-2", "compute-3"):
        put(gate, PASSED_PREFIX + name, Passed(NodeName(name), time.time() - 9, "c").to_value())
    assert run(gate, "off", "cluster_limit=3").rc == 0
    assert run(gate, "off", "cluster_limit=2").rc == 1


def test_a_release_opens_at_once_and_lets_others_go_on(gate: Node) -> None:
    lost(gate, "compute-1", "compute-2", "compute-3")
    value = Release(A, time.time(), 3600, "alice", "all <dead> & gone").to_value()
    put(gate, RELEASE_PREFIX + "compute-1", value)
    began_s = time.monotonic()
    assert run(gate, "off", "cluster_limit=2", "wait=20", **REAL_TIME).rc == 0
    assert time.monotonic() - began_s < 10
    assert run(gate, "off", "nodename=compute-2", "cluster_limit=2").rc == 0


PENDING = '<fence_event target="{}" action="reboot" status="{}" client="{}"/>'


@pytest.mark.parametrize(
    ("event", "rc"),
    [
        (("compute-1", "pending", "stonith_admin.4711"), 0),
        (("compute-1", "pending", "pacemaker-controld.12"), 1),
        (("compute-1", "success", "stonith_admin.4711"), 1),
        (("compute-2", "pending", "stonith_admin.4711"), 1),
    ],
)
def test_a_fencing_that_a_person_asks_for_is_let_through(
    gate: Node, event: tuple[str, str, str], rc: int
) -> None:
    lost(gate, "compute-1", "compute-2", "compute-3")
    result = run(gate, "off", "cluster_limit=2", FAKE_HISTORY=PENDING.format(*event))
    assert result.rc == rc


@pytest.mark.parametrize(("behaviour", "limit", "rc"), [("fail", 2, 1), ("hang", 3, 0)])
def test_a_history_that_cannot_tell_opens_nothing_and_stops_nothing(
    gate: Node, behaviour: str, limit: int, rc: int
) -> None:
    lost(gate, "compute-1", "compute-2", "compute-3")
    assert run(gate, "off", f"cluster_limit={limit}", FAKE_STONITH_ADMIN=behaviour).rc == rc


def test_a_host_that_is_proven_off_is_let_through_at_once(gate: Node) -> None:
    lost(gate, "compute-1", "compute-2", "compute-3")
    before = Incarnation.of(frozenset({"1"}))
    record = proven()
    record = replace(record, node=A, proof=replace(record.proof, life=before))
    put(gate, RECOVERY_PREFIX + "compute-1", record.to_value())
    assert run(gate, "off", "cluster_limit=2").rc == 1, "its connection is not known at all"
    remote = '<primitive id="compute-1" class="ocf" type="remote"/>'
    gate.cib.write_text(gate.cib.read_text().replace("<resources>", f"<resources>{remote}"))
    assert run(gate, "off", "cluster_limit=2", "wait=20").rc == 0
    start = '<lrm_rsc_op operation="start" rc-code="0" transition-key="2"/>'
    lrm = f'<lrm><lrm_resources><lrm_resource id="compute-1">{start}</lrm_resource>'
    state = f'<node_state uname="c">{lrm}</lrm_resources></lrm></node_state>'
    gate.cib.write_text(gate.cib.read_text().replace("<status>", f"<status>{state}"))
    assert run(gate, "off", "cluster_limit=2").rc == 1, "it has joined since"


def begun(node: Node, ago_s: float, state: str = "") -> None:
    """Let the cluster have begun so long ago, and compute-2 not have come."""
    connection = '<primitive id="compute-2" class="ocf" type="remote"/>'
    op = f'<lrm_rsc_op operation="monitor" rc-code="7" last-rc-change="{time.time() - ago_s:.0f}"/>'
    lrm = f'<lrm><lrm_resources><lrm_resource id="x">{op}</lrm_resource></lrm_resources></lrm>'
    text = node.cib.read_text().replace("<resources>", f"<resources>{connection}")
    states = f'<status><node_state uname="c-1" in_ccm="true">{lrm}</node_state>{state}'
    node.cib.write_text(text.replace("<status>", states))


CAME_NOT = '<node_state id="compute-2" uname="compute-2" in_ccm="false" remote_node="true"/>'


def test_a_host_that_has_not_come_since_the_cluster_began_is_refused_at_once(gate: Node) -> None:
    begun(gate, 100, CAME_NOT)
    began_s = time.monotonic()
    result = run(gate, "off", "nodename=compute-2", "wait=20", **REAL_TIME)
    assert result.rc == 1
    assert time.monotonic() - began_s < 10
    assert "compute-2 has not come yet since the cluster began" in result.err
    assert list(kept(gate)) == [BRAKE_PREFIX + COLD_START]
    assert run(gate, "off", "nodename=compute-2", "grace=0").rc == 0


@pytest.mark.parametrize(
    ("ago_s", "state"),
    [(400, CAME_NOT), (100, CAME_NOT.replace("false", "true"))],
    ids=["the grace is over", "it was there"],
)
def test_otherwise_it_is_fenced_as_ever(gate: Node, ago_s: float, state: str) -> None:
    begun(gate, ago_s, state)
    lost(gate, "compute-2")
    assert run(gate, "off", "nodename=compute-2").rc == 0


@pytest.mark.parametrize(("ago_s", "left"), [(100, 1), (400, 0)])
def test_monitor_has_a_host_asked_for_when_the_grace_is_over(
    gate: Node, ago_s: float, left: int
) -> None:
    begun(gate, ago_s, CAME_NOT)
    assert run(gate, "monitor").rc == 0
    assert gate.cib.read_text().count('uname="compute-2"') == left


def test_monitor_leaves_a_host_alone_that_is_being_fenced(gate: Node) -> None:
    begun(gate, 400, CAME_NOT)
    event = PENDING.format("compute-2", "pending", "pacemaker-controld.12")
    assert run(gate, "monitor", FAKE_HISTORY=event).rc == 0
    assert 'uname="compute-2"' in gate.cib.read_text()


def test_monitor_is_well_where_nobody_lets_it_ask(gate: Node) -> None:
    begun(gate, 400)
    assert run(gate, "monitor").rc == 0


def test_hosts_that_are_being_fenced_are_counted_though_they_look_online(gate: Node) -> None:
    events = "".join(
        PENDING.format(f"compute-{number}", "pending", "pacemaker-controld.12")
        for number in (1, 2, 3)
    )
    assert run(gate, "off", "cluster_limit=3", FAKE_HISTORY=events).rc == 0
    by_hand = events.replace("pacemaker-controld", "stonith_admin")
    assert run(gate, "off", "nodename=compute-4", "cluster_limit=2", FAKE_HISTORY=by_hand).rc == 0
    assert run(gate, "off", "cluster_limit=3", FAKE_HISTORY=events).rc == 1


def test_what_is_over_and_what_nobody_can_read_is_deleted(gate: Node) -> None:
    long_ago_s = time.time() - 90_000
    put(gate, PASSED_PREFIX + "old", Passed(NodeName("old"), long_ago_s, "c").to_value())
    put(gate, PASSED_PREFIX + "odd", "what is this?")
    put(gate, BRAKE_PREFIX + CLUSTER, Brake(CLUSTER, 1, long_ago_s, 60, 2, (A,)).to_value())
    put(gate, RELEASE_PREFIX + "old", Release(A, long_ago_s, 60, "a", "b").to_value())
    put(gate, "nova-ha-receipt-old", "what is this?")
    new = Passed(NodeName("new"), time.time(), "c").to_value()
    put(gate, PASSED_PREFIX + "new", new)
    assert run(gate, "off").rc == 0
    names = {PASSED_PREFIX + "new", PASSED_PREFIX + "compute-1", "nova-ha-receipt-old"}
    assert kept(gate).keys() == names


@pytest.mark.parametrize(
    "environ",
    [
        {"FAKE_CRM_MON": "fail"},
        {"FAKE_CRM_MON": "garbage"},
        {"FAKE_CIBADMIN": "fail"},
        {"FAKE_CIBADMIN": "garbage"},
    ],
)
def test_a_cluster_that_gives_no_answer_lets_nothing_through(
    gate: Node, environ: dict[str, str]
) -> None:
    assert run(gate, "off", **environ).rc == 1
    assert run(gate, "monitor", **environ).rc == 1
    assert kept(gate) == {}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("cluster_limit=0", "must be a whole number from 1 to 1000"),
        ("cluster_limit=two", "must be a whole number"),
        ("group_limit=-1", "must be a whole number"),
        ("window=1h", "must be a whole number of seconds from 60"),
        ("wait=31", "must be a whole number of seconds from 1 to 30"),
        ("cooldown=0", "must be a whole number of seconds from 60"),
        ("grace=-1", "must be a whole number of seconds from 0"),
        ("grace=8000", "must be a whole number of seconds from 0"),
        ("groups=a b a", "names the group a twice"),
        ("groups=../a", "is no group"),
        ("groups=" + "a" * 5000, "at most 4096"),
        ("nodename=<a>", "must be a node name"),
        ("nodename=x y", "must be a node name"),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_is_asked(
    gate: Node, line: str, complaint: str
) -> None:
    result = run(gate, "off", line)
    assert result.rc == 1
    assert complaint in result.err
    assert gate.calls() == []


def test_off_without_a_node_fails(gate: Node) -> None:
    result = gate.run(AGENT, "-o", "off")
    assert result.rc == 1
    assert "plug is missing" in result.err


def test_on_and_status_ask_nobody(gate: Node) -> None:
    assert run(gate, "on", FAKE_CIBADMIN="hang", FAKE_CRM_MON="hang").rc == 0
    assert run(gate, "status", FAKE_CIBADMIN="hang", FAKE_CRM_MON="hang").rc == 0
    assert gate.calls() == []


def test_monitor_sees_that_the_cluster_answers(gate: Node) -> None:
    assert run(gate, "monitor").rc == 0


def test_list_names_the_nodes_whose_level_begins_with_a_gate(gate: Node) -> None:
    assert run(gate, "list").out == "compute-1,\n"


def test_metadata_shows_every_parameter(gate: Node) -> None:
    root = ET.fromstring(gate.run(AGENT, "-o", "metadata").out)  # noqa: S314
    shown = {each.get("name") for each in root.iter("parameter")}
    assert shown == {"plug", *(param.name for param in PARAMS)}
    assert {each.get("name") for each in root.iter("action")} == set(SPEC.actions)


def test_nothing_of_it_can_talk_to_nova(gate: Node) -> None:
    program = (
        "import runpy, sys; runpy.run_path(sys.argv[1], run_name='gate');"
        "import novaha.adapters.brake, novaha.adapters.brakestate;"
        "print([m for m in sys.modules if m.split('.')[0] in ('openstack', 'keystoneauth1', 'http')"
        " or m in ('novaha.adapters.nova', 'socket', 'ssl')])"
    )
    argv = [sys.executable, "-c", program, str(ROOT / AGENT)]
    told = subprocess.check_output(argv, text=True, env=gate.environ)
    assert told == "[]\n"


def test_it_is_thin_and_runs_by_its_first_line(gate: Node) -> None:
    assert gate.run_by_path(AGENT, "-o", "metadata", environ={}).rc == 0
