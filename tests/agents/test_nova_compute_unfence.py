"""NovaComputeUnfence as Pacemaker runs it on a compute."""

import pytest
from agentnode import Node, Result
from novaha.adapters.cib import PROPERTY_SET

AGENT = "agents/NovaComputeUnfence"
RECEIPT = (
    "v3 id=0123456789ab time=1700000000 writer=controller-1 by=fenced before=0 life=-"
    " devices=ipmi-1"
)


def _put(node: Node, name: str, value: str) -> None:
    pair = f'<nvpair id="{name}" name="{name}" value="{value}"/>'
    opened = f'<cluster_property_set id="{PROPERTY_SET}"'
    text = node.cib.read_text().replace(f"{opened}/>", f"{opened}>{pair}</cluster_property_set>")
    node.cib.write_text(text)


def _run(node: Node, operation: str, **environ: str) -> Result:
    short = {"OCF_RESKEY_CRM_meta_timeout": "3000", "OCF_RESKEY_poll": "1"}
    return node.run(AGENT, operation, environ=short | environ)


def test_a_life_from_probe_to_stop(node: Node) -> None:
    assert _run(node, "monitor").rc == 7
    assert _run(node, "start").rc == 0
    assert _run(node, "monitor").rc == 0
    assert _run(node, "start").rc == 0
    assert _run(node, "stop").rc == 0
    assert _run(node, "monitor").rc == 7
    assert _run(node, "stop").rc == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [(RECEIPT, "receipt 0123456789ab of controller-1"), ("nonsense", "is malformed: 'nonsense'")],
)
def test_an_open_receipt_holds_even_when_it_cannot_be_read(
    node: Node, value: str, reason: str
) -> None:
    _put(node, "nova-ha-receipt-compute-1", value)
    result = _run(node, "start")
    assert result.rc == 1
    assert "this node is still held" in result.reason
    assert reason in result.reason
    assert "pcs property config" in result.reason
    assert _run(node, "monitor").rc == 7


def test_a_receipt_of_another_node_does_not_hold(node: Node) -> None:
    _put(node, "nova-ha-receipt-compute-2", RECEIPT)
    assert _run(node, "start").rc == 0


def test_the_node_name_that_pacemaker_gives_counts(node: Node) -> None:
    _put(node, "nova-ha-receipt-compute-2", RECEIPT)
    assert _run(node, "start", OCF_RESKEY_CRM_meta_on_node="compute-2").rc == 1
    assert _run(node, "start", FAKE_NODE="compute-2").rc == 1


@pytest.mark.parametrize("behaviour", ["fail", "garbage"])
def test_a_cluster_without_an_answer_holds(node: Node, behaviour: str) -> None:
    result = _run(node, "start", FAKE_CIBADMIN=behaviour)
    assert result.rc == 1
    assert "the cluster gives no answer (cibadmin" in result.reason
    assert _run(node, "monitor").rc == 7


@pytest.mark.parametrize(("poll", "again"), [("1", True), ("5", False)])
def test_a_start_that_is_held_looks_again_at_its_pace(
    node: Node, poll: str, *, again: bool
) -> None:
    _put(node, "nova-ha-receipt-compute-1", RECEIPT)
    _run(node, "start", OCF_RESKEY_CRM_meta_timeout="6000", OCF_RESKEY_poll=poll)
    asked = [call for call in node.calls() if "nova-ha-receipt-compute-1" in call]
    assert (len(asked) > 1) is again


@pytest.mark.parametrize("operation", ["start", "validate-all"])
@pytest.mark.parametrize("poll", ["0", "soon", "6", "\n"])
def test_a_bad_value_is_refused_and_nothing_happens(node: Node, operation: str, poll: str) -> None:
    result = _run(node, operation, OCF_RESKEY_poll=poll)
    assert result.rc == 6
    assert "must" in result.reason
    assert node.calls() == []
    assert not node.run_root.exists()


@pytest.mark.parametrize("operation", ["stop", "monitor"])
def test_stop_and_monitor_never_ask_the_cluster(node: Node, operation: str) -> None:
    result = _run(node, operation, OCF_RESKEY_poll="nonsense", FAKE_CIBADMIN="hang")
    assert result.rc == (0 if operation == "stop" else 7)
    assert node.calls() == []


def test_validate_all_needs_nothing(node: Node) -> None:
    assert node.run(AGENT, "validate-all", environ={"OCF_CHECK_LEVEL": "10"}).rc == 0
