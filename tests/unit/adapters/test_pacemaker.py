"""The cluster port: CIB and fencing history as Pacemaker's tools print them, good and bad."""

import time
from collections.abc import Callable

import pytest
from novaha.adapters import cib, pacemaker
from novaha.adapters.pacemaker import Pacemaker, clean_up
from novaha.core.brakestate import Release
from novaha.core.incarnation import Incarnation
from novaha.core.model import ClusterView, Device, FencingEvent, Level
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.starts import Starts
from novaha.errors import ClusterUnavailable
from worlds import NODE, mark, receipt, recovery

RECEIPT = receipt()
RECOVERY = recovery()

WHOLE = f"""
<cib have-quorum="1" epoch="7">
 <configuration>
  <crm_config>
   <cluster_property_set id="cib-bootstrap-options">
    <nvpair id="other" name="nova-ha-receipt-compute-9" value="not in our set"/>
   </cluster_property_set>
   <cluster_property_set id="{cib.PROPERTY_SET}">
    <nvpair id="r" name="nova-ha-receipt-compute-1" value="{RECEIPT.to_value()}"/>
    <nvpair id="v" name="nova-ha-recovery-compute-1" value="{RECOVERY.to_value()}"/>
    <nvpair id="x" name="something-else" value="1"/>
   </cluster_property_set>
  </crm_config>
  <resources>
   <primitive id="bmc-1" class="stonith" type="fence_ipmilan"/>
   <group id="g"><primitive id="receipts" class="stonith" type="fence_nova"/></group>
   <primitive id="gate" class="ocf" provider="heartbeat" type="Dummy"/>
  </resources>
  <constraints>
   <rsc_location id="{mark().id}" rsc="unfence-clone" node="compute-1" score="-INFINITY"/>
   <rsc_location id="location-by-a-person" rsc="x" node="compute-1" score="INFINITY"/>
  </constraints>
  <fencing-topology>
   <fencing-level id="1" target="compute-1" index="1" devices="bmc-1, receipts"/>
   <fencing-level id="2" target-pattern="compute-.*" index="2" devices="gate,gone,receipts"/>
   <fencing-level id="3" target-attribute="rack" target-value="1" index="1" devices="bmc-1"/>
  </fencing-topology>
 </configuration>
 <status>
  <node_state uname="controller-1" in_ccm="true"/>
  <node_state uname="controller-2" in_ccm="1700000000"/>
  <node_state uname="compute-1" in_ccm="false" remote_node="true"/>
  <node_state uname="compute-2" in_ccm="0"/>
  <node_state uname="compute-3"/>
 </status>
</cib>
"""

HISTORY = """
<pacemaker-result api-version="2.25" request="stonith_admin">
  <list name="fencing history" count="3">
    <fence_event action="reboot" target="compute-1" client="pacemaker-controld.37"
      origin="controller-3" status="success" delegate="controller-1"
      completed="2026-11-22 17:40:49Z"/>
    <fence_event action="reboot" target="compute-1" status="pending"/>
    <fence_event action="off" target="compute-1" status="failed" exit-reason="no device"
      completed="2026-11-22 18:40:49.123456 +01:00"/>
  </list>
  <status code="0" message="OK"/>
</pacemaker-result>
"""

FAILURES = """
<pacemaker-result api-version="2.25" request="crm_mon">
  <failures>
    <failure op_key="evac_monitor_10000" node="controller-2" exitcode="190"
      exitreason="compute-1 is lost" exitstatus="OCF_DEGRADED" task="monitor"/>
    <failure op_key="evac_monitor_0" node="controller-3" exitcode="190"/>
    <failure op_key="evac_monitor_10000" node="controller-1" exitcode="1" exitstatus="error"/>
    <failure op_key="other_evac_monitor_10000" node="controller-1" exitcode="190"/>
    <failure node="controller-1" exitcode="190"/>
  </failures>
  <status code="0" message="OK"/>
</pacemaker-result>
"""

Observe = Callable[..., ClusterView]


@pytest.fixture
def observe(monkeypatch: pytest.MonkeyPatch) -> Observe:
    def answer(whole: str, history: str | Exception = HISTORY) -> ClusterView:
        def tools(argv: list[str], **_: object) -> str:
            assert argv[0] in ("cibadmin", "stonith_admin")
            out = whole if argv[0] == "cibadmin" else history
            if isinstance(out, Exception):
                raise out
            return out

        monkeypatch.setattr(cib, "run", tools)
        monkeypatch.setattr(pacemaker, "run", tools)
        return Pacemaker().observe()

    return answer


def test_all_that_decisions_need_is_read_from_one_cib(observe: Observe) -> None:
    seen = observe(WHOLE)
    assert seen.quorate
    assert seen.receipts == (RECEIPT,)
    assert seen.records == (RECOVERY,)
    assert seen.malformed == ()
    assert seen.marks == (mark(),)
    assert seen.online == {"controller-1", "controller-2"}


def test_levels_know_their_devices_agents_and_a_device_that_is_not_there_has_none(
    observe: Observe,
) -> None:
    real, receipts = Device("bmc-1", "fence_ipmilan"), Device("receipts", "fence_nova")
    pattern = Level(
        "compute-.*", 2, (Device("gate", None), Device("gone", None), receipts), pattern=True
    )
    assert observe(WHOLE).levels == (Level("compute-1", 1, (real, receipts)), pattern)


@pytest.mark.parametrize("whole", ["<cib/>", "<cib have-quorum='0'><configuration/></cib>"])
def test_missing_sections_are_empty_and_quorum_is_never_assumed(
    observe: Observe, whole: str
) -> None:
    assert observe(whole) == ClusterView(quorate=False)


def test_a_release_counts_for_as_long_as_it_is_good(observe: Observe) -> None:
    now_s = time.time()
    pairs = "".join(
        f'<nvpair name="nova-ha-release-{kept.node}" value="{kept.to_value()}"/>'
        for kept in (
            Release(NODE, now_s - 30, 60, "alice", "dead"),
            Release(NodeName("compute-2"), now_s - 90, 60, "alice", "dead"),
        )
    )
    seen = observe(WHOLE.replace('<nvpair id="x"', f'{pairs}<nvpair id="x"'))
    assert seen.released == {NODE}


@pytest.mark.parametrize("value", ["", "v9 new format", "&lt;", "x" * 500])
def test_a_malformed_receipt_is_told_with_the_command_that_removes_it(
    observe: Observe, value: str
) -> None:
    seen = observe(WHOLE.replace(RECEIPT.to_value(), value))
    ((node, text),) = seen.malformed
    assert node == NODE
    assert "cibadmin -D -X" in text
    assert "nova-ha-receipt-compute-1" in text
    assert seen.receipts == ()
    assert seen.records == (RECOVERY,)


def test_a_malformed_recovery_is_told_too(observe: Observe) -> None:
    seen = observe(WHOLE.replace(RECOVERY.to_value(), "v2 receipt="))
    assert [node for node, _ in seen.malformed] == [NODE]
    assert "nova-ha-recovery-compute-1" in seen.malformed[0][1]
    assert seen.receipts == (RECEIPT,)


def test_the_history_is_not_asked_for_a_receipt_that_has_its_recovery(observe: Observe) -> None:
    assert observe(WHOLE, AssertionError("was asked")).events is None


def unproven() -> str:
    return WHOLE.replace(RECOVERY.to_value(), recovery(id_="e" * 12).to_value())


def test_the_history_is_read_with_its_times_in_any_zone(observe: Observe) -> None:
    moment_s = 1795369249.0
    assert observe(unproven()).events == (
        FencingEvent(
            NODE,
            "reboot",
            "success",
            moment_s,
            origin="controller-3",
            delegate="controller-1",
            client="pacemaker-controld.37",
        ),
        FencingEvent(NODE, "reboot", "pending", None),
        FencingEvent(NODE, "off", "failed", moment_s + 0.123456, "no device"),
    )


@pytest.mark.parametrize("time", ["yesterday", "", "2026-13-41 00:00:00Z"])
def test_a_time_that_cannot_be_read_counts_as_not_completed(observe: Observe, time: str) -> None:
    seen = observe(unproven(), HISTORY.replace("2026-11-22 17:40:49Z", time))
    assert seen.events is not None
    assert seen.events[0].completed_s is None


@pytest.mark.parametrize("history", [ClusterUnavailable("no answer"), "", "not xml", "<unclosed>"])
def test_a_history_without_an_answer_is_unknown_and_not_empty(
    observe: Observe, history: str | Exception
) -> None:
    assert observe(unproven(), history).events is None


@pytest.mark.parametrize("whole", ["", "no xml", "<cib>"])
def test_a_cib_that_is_none_is_a_cluster_without_an_answer(observe: Observe, whole: str) -> None:
    with pytest.raises(ClusterUnavailable, match="cibadmin printed no XML"):
        observe(whole)


def test_the_whole_history_is_asked_for_at_once_and_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without --verbose stonith_admin shows only the newest success of what it is asked for."""
    asked = []

    def tool(argv: list[str], **_: object) -> str:
        asked.append(argv)
        return HISTORY

    monkeypatch.setattr(cib, "run", lambda *_, **__: unproven())
    monkeypatch.setattr(pacemaker, "run", tool)
    Pacemaker().observe()
    (argv,) = asked
    assert argv[:4] == ["stonith_admin", "--history", "*", "--verbose"]


STARTED = '<lrm_rsc_op operation="start" rc-code="0" transition-key="{}"/>'
LRM = """<node_state uname="{}"><lrm><lrm_resources>
 <lrm_resource id="compute-1" type="remote">{}</lrm_resource>
 <lrm_resource id="x" type="Dummy">{}</lrm_resource>
</lrm_resources></lrm></node_state>"""


def test_a_life_is_every_start_of_the_connection_that_any_controller_shows(
    observe: Observe,
) -> None:
    states = LRM.format("controller-8", STARTED.format("1:1:0:a"), STARTED.format("9:9:0:a"))
    states += LRM.format("controller-9", STARTED.format("2:2:0:b"), "")
    remotes = '<primitive id="compute-1" type="remote"/><primitive id="compute-2" type="remote"/>'
    whole = WHOLE.replace("<status>", f"<status>{states}").replace(
        "<resources>", f"<resources>{remotes}"
    )
    assert observe(whole).lives == {
        NODE: Incarnation.of(frozenset({"1:1:0:a", "2:2:0:b"})),
        NodeName("compute-2"): Incarnation(),
    }


def test_what_is_shown_as_degraded_is_forgotten_where_it_is_and_a_failure_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[list[str]] = []

    def tools(argv: list[str], **_: object) -> str:
        if argv[0] == "crm_mon":
            return FAILURES
        told.append(argv)
        return ""

    monkeypatch.setattr(pacemaker, "run", tools)
    assert clean_up("evac") == {"controller-2", "controller-3"}
    assert [argv[1:] for argv in told] == [
        ["--cleanup", "--resource", "evac", "--node", node]
        for node in ("controller-2", "controller-3")
    ]
    told.clear()
    assert clean_up("evacuate") == frozenset()
    assert told == []


def test_changes_go_to_the_cib(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def tool(argv: list[str], **_: object) -> str:
        ran.append(argv)
        return ""

    monkeypatch.setattr(cib, "run", tool)
    cluster = Pacemaker()
    cluster.write_record(RECOVERY)
    cluster.delete_receipt(RECEIPT)
    cluster.delete_hold(mark())
    cluster.delete_record(RECOVERY)
    assert [argv[1] for argv in ran] == ["--modify", "--delete", "--delete", "--delete"]
    assert RECEIPT.to_value() in ran[1][-1]
    assert mark().id in ran[2][-1]
    assert RECOVERY.to_value() in ran[3][-1]


def test_what_has_to_be_started_is_read_and_a_malformed_one_is_told(observe: Observe) -> None:
    starts = Starts(NODE, ComputeHost("compute-1"), 3, frozenset({ServerId("a-1")}))
    pair = f'<nvpair id="s" name="nova-ha-starts-compute-1" value="{starts.to_value()}"/>'
    more = WHOLE.replace('<nvpair id="x"', f'{pair}<nvpair id="x"')
    assert observe(more).starts == (starts,)
    seen = observe(more.replace(starts.to_value(), "v1 servers="))
    assert (seen.starts, [node for node, _ in seen.malformed]) == ((), [NODE])
    assert "nova-ha-starts-compute-1" in seen.malformed[0][1]
