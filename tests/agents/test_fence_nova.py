"""fence_nova as Pacemaker's fencer and as a person run it."""

import re
import subprocess
import sys
import time
from xml.etree import ElementTree as ET

import pytest
from agentnode import ROOT, Node, Result
from novaha.adapters.cib import PROPERTY_SET
from novaha.core.incarnation import Incarnation
from novaha.core.names import NodeName
from novaha.core.receipt import parse_receipt

AGENT = "fence/fence_nova"
UNDER_FENCED = {"PCMK_service": "pacemaker-fenced"}
RECEIPT_PATH = f".//cluster_property_set[@id='{PROPERTY_SET}']/nvpair"


def _fence(node: Node, action: str, *lines: str, **environ: str) -> Result:
    stdin = "\n".join((f"action={action}", *lines, ""))
    return node.run(AGENT, stdin=stdin, environ=UNDER_FENCED | environ)


def _receipts(node: Node) -> dict[str, str]:
    root = ET.fromstring(node.cib.read_text())  # noqa: S314
    return {pair.get("name", ""): pair.get("value", "") for pair in root.iterfind(RECEIPT_PATH)}


def test_off_writes_the_receipt_and_the_hold(node: Node) -> None:
    assert _fence(node, "off", "nodename=compute-1", "plug=compute-1").rc == 0
    receipts = _receipts(node)
    assert list(receipts) == ["nova-ha-receipt-compute-1"]
    value = receipts["nova-ha-receipt-compute-1"]
    assert re.fullmatch(
        r"v3 id=[0-9a-f]{12} time=\d{10} writer=\S+ by=fenced before=0 life=- devices=ipmi-1", value
    )
    root = ET.fromstring(node.cib.read_text())  # noqa: S314
    hold = root.find(".//rsc_location[@node='compute-1']")
    assert hold is not None
    assert (hold.get("rsc"), hold.get("score")) == ("unfence-clone", "-INFINITY")


def test_each_fencing_has_a_receipt_of_its_own(node: Node) -> None:
    _fence(node, "off", "nodename=compute-1")
    first = _receipts(node)
    _fence(node, "off", "nodename=compute-1")
    assert list(_receipts(node)) == list(first)
    assert _receipts(node) != first


def test_a_receipt_written_by_hand_says_so(node: Node) -> None:
    assert node.run(AGENT, "-o", "off", "-n", "compute-1").rc == 0
    assert _receipts(node)["nova-ha-receipt-compute-1"].endswith(
        " by=hand before=0 life=- devices=ipmi-1"
    )


FENCED = (
    '<fence_event target="compute-1" action="{}" status="{}" completed="2026-11-22 17:40:49Z"/>'
)


def test_the_receipt_counts_the_successful_fencings_before_it(node: Node) -> None:
    lines = [FENCED.format(*of) for of in (("reboot", "success"), ("off", "success"))]
    lines[1] = lines[1].replace("17:40:49", "17:20:00")
    lines.append(lines[0])  # one fencing, for which two had asked
    lines += [FENCED.format("reboot", "failed"), FENCED.format("on", "success")]
    lines += [lines[0].replace("compute-1", "compute-2"), '<fence_event status="pending"/>']
    assert _fence(node, "off", "plug=compute-1", FAKE_HISTORY="".join(lines)).rc == 0
    assert " before=2 " in _receipts(node)["nova-ha-receipt-compute-1"]


@pytest.mark.parametrize("behaviour", ["fail", "hang"])
def test_a_fencer_that_cannot_tell_its_history_costs_no_receipt(node: Node, behaviour: str) -> None:
    began_s = time.monotonic()
    assert _fence(node, "off", "plug=compute-1", FAKE_STONITH_ADMIN=behaviour).rc == 0
    assert " before=? " in _receipts(node)["nova-ha-receipt-compute-1"]
    assert time.monotonic() - began_s < 20  # it hangs for a minute


def test_the_receipt_names_the_life_that_is_fenced(node: Node) -> None:
    start = '<lrm_rsc_op operation="start" rc-code="0" transition-key="32:2:0:uuid"/>'
    state = (
        f'<node_state uname="c"><lrm_resource id="compute-1">{start}</lrm_resource></node_state>'
    )
    node.cib.write_text(node.cib.read_text().replace("<status>", f"<status>{state}"))
    assert _fence(node, "off", "plug=compute-1").rc == 0
    receipt = parse_receipt(NodeName("compute-1"), _receipts(node)["nova-ha-receipt-compute-1"])
    assert receipt.life == Incarnation.of(frozenset({"32:2:0:uuid"}))


def test_the_receipt_is_the_node_s_even_where_the_plug_has_another_name(node: Node) -> None:
    assert _fence(node, "off", "plug=7", "nodename=compute-1").rc == 0
    assert list(_receipts(node)) == ["nova-ha-receipt-compute-1"]


def test_off_without_a_node_fails_and_writes_nothing(node: Node) -> None:
    result = _fence(node, "off")
    assert result.rc == 1
    assert "plug is missing" in result.err
    assert node.calls() == []


@pytest.mark.parametrize("plug", ["a b", "<a>", '"a"', "../a", "a&b", "a;b", "x" * 5000])
def test_a_hostile_node_name_fails_and_writes_nothing(node: Node, plug: str) -> None:
    result = _fence(node, "off", f"plug={plug}")
    assert result.rc == 1
    assert "must be a node name" in result.err or "at most" in result.err
    assert node.calls() == []


def test_input_that_is_no_text_fails_and_writes_nothing(node: Node) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / AGENT)],
        input=b"action=off\nplug=\xff\xfe\n",
        capture_output=True,
        check=False,
        env=node.environ,
    )
    assert done.returncode == 1
    assert b"must be a node name" in done.stderr
    assert node.calls() == []


def test_unknown_keys_are_ignored(node: Node) -> None:
    lines = ("nodename=compute-1", "login=x", "passwd=y", "pcmk_host_list=z", "# plug=no")
    assert _fence(node, "off", *lines).rc == 0
    assert list(_receipts(node)) == ["nova-ha-receipt-compute-1"]


def test_off_fails_when_the_cluster_does_not_take_the_receipt(node: Node) -> None:
    result = _fence(node, "off", "nodename=compute-1", FAKE_CIBADMIN="fail")
    assert result.rc == 1
    assert "cibadmin failed (102)" in result.err
    assert _receipts(node) == {}


def test_on_does_nothing_and_asks_nobody(node: Node) -> None:
    assert _fence(node, "on", "nodename=compute-1", FAKE_CIBADMIN="hang").rc == 0
    assert node.calls() == []


def test_status_is_off_while_a_receipt_is_open(node: Node) -> None:
    assert _fence(node, "status", "plug=compute-1").rc == 0
    _fence(node, "off", "plug=compute-1")
    assert _fence(node, "status", "plug=compute-1").rc == 2
    assert _fence(node, "status", "plug=compute-2").rc == 0


def test_status_is_unknown_when_the_cluster_gives_no_answer(node: Node) -> None:
    assert _fence(node, "status", "plug=compute-1", FAKE_CIBADMIN="fail").rc == 1


@pytest.mark.parametrize(("behaviour", "rc"), [("", 0), ("fail", 1), ("garbage", 1)])
def test_monitor_tells_whether_the_cib_answers(node: Node, behaviour: str, rc: int) -> None:
    assert _fence(node, "monitor", FAKE_CIBADMIN=behaviour).rc == rc


def test_list_names_only_nodes_that_a_real_device_fences_first(node: Node) -> None:
    assert _fence(node, "list").out == "compute-1,\nzone-7,\n"


def test_list_status_tells_who_has_an_open_receipt(node: Node) -> None:
    node.run(AGENT, "-o", "off", "-n", "compute-1")
    assert node.run(AGENT, "-o", "list-status").out == "compute-1,,OFF\nzone-7,,ON\n"


def test_there_is_no_reboot(node: Node) -> None:
    result = _fence(node, "reboot", "plug=compute-1")
    assert result.rc == 1
    assert "action 'reboot' is not one of" in result.err
    assert node.calls() == []


def test_it_runs_by_its_first_line_as_pacemaker_runs_it(node: Node) -> None:
    result = node.run_by_path(AGENT, "-o", "metadata", environ={})
    assert result.rc == 0
    assert result.err == ""
    assert '<resource-agent name="fence_nova"' in result.out
