"""What every cluster port keeps: Pacemaker's and the simulator's, by the same steps."""

from dataclasses import replace

import pytest
from novaha.core.incarnation import Incarnation
from novaha.core.model import ClusterView, FencingEvent, HoldMark
from novaha.core.names import ComputeHost, NodeName
from novaha.core.proof import successes_of
from novaha.core.receipt import Receipt
from novaha.core.recovery import Found, Proof, Proven, Recovery
from stage import Stage
from test_cloud_port import come_back

PROOF = Proof("0123456789ab", "reboot", 1_700_000_000, "ctl", ("ipmi-1", "ipmi-2"), Incarnation())
FREE = Found(enabled=True, forced_down=False)


def receipt_of(stage: Stage, node: NodeName) -> Receipt:
    """Return the receipt of a node, once it is there."""
    return stage.until(
        f"a receipt of {node}", lambda: stage.cluster.observe().receipt_of(node), 60.0
    )


def successes(view: ClusterView, node: NodeName) -> list[FencingEvent]:
    """Return the successful fencings of a node that the history shows; it must have answered."""
    assert view.events is not None
    return successes_of(node, view.events)


def witness(stage: Stage) -> None:
    """Have a receipt that needs proof on the last node, so that the history is always asked for."""
    stage.write_receipt_by_hand(stage.nodes[-1])
    receipt_of(stage, stage.nodes[-1])


def test_records_are_kept_written_over_and_deleted_only_as_they_are(stage: Stage) -> None:
    node, other = stage.nodes[1], stage.nodes[2]
    proven = Proven(node, PROOF)
    recovery = Recovery(node, PROOF, ComputeHost("host-1"), "evacuating", FREE, 17)
    stage.cluster.write_record(proven)
    stage.cluster.write_record(replace(proven, node=other))
    assert set(stage.cluster.observe().records) == {proven, replace(proven, node=other)}
    stage.cluster.write_record(recovery)
    stage.cluster.delete_record(proven)
    assert stage.cluster.observe().record_of(node) == recovery
    stage.cluster.write_record(recovery.released("2026-11-25T12:00:00.000000"))
    stage.cluster.delete_record(recovery)
    assert stage.cluster.observe().record_of(node) != recovery
    stage.cluster.delete_record(recovery.released("2026-11-25T12:00:00.000000"))
    stage.cluster.delete_record(replace(proven, node=other))
    assert stage.cluster.observe().records == ()
    stage.cluster.delete_record(recovery)


def test_a_calm_cluster_shows_its_levels_its_members_and_no_history(stage: Stage) -> None:
    view = stage.cluster.observe()
    assert view.quorate
    assert (view.receipts, view.records, view.marks, view.malformed) == ((), (), (), ())
    assert view.events is None
    assert view.online == {*stage.nodes, *stage.controllers}
    assert view.lives.keys() == set(stage.nodes)
    assert all(life.starts for life in view.lives.values())
    for node in stage.nodes:
        (level,) = (level for level in view.levels if level.covers(node))
        assert [device.agent for device in level.devices] == ["fence_ipmilan", "fence_nova"]


def test_a_receipt_comes_with_its_hold_which_keeps_nova_compute_off_until_both_are_gone(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    stage.write_receipt_by_hand(node)
    view = stage.cluster.observe()
    receipt = view.receipt_of(node)
    assert receipt is not None
    assert (receipt.by, receipt.life) == ("hand", view.lives[node])
    mark = HoldMark.of(node, receipt.id)
    assert view.marks == (mark,)
    stage.until("nova-compute to be stopped", lambda: not stage.serves(node))

    stage.cluster.delete_receipt(replace(receipt, id="ffffffffffff"))
    stage.cluster.delete_receipt(replace(receipt, written_s=receipt.written_s + 1))
    stage.cluster.delete_hold(HoldMark.of(node, "ffffffffffff"))
    kept = stage.cluster.observe()
    assert (kept.receipts, kept.marks) == ((receipt,), (mark,))

    stage.cluster.delete_receipt(receipt)
    stage.cluster.delete_receipt(receipt)
    assert stage.cluster.observe().receipts == ()
    assert not stage.serves(node)
    stage.cluster.delete_hold(mark)
    stage.cluster.delete_hold(mark)
    assert stage.cluster.observe().marks == ()
    stage.until("nova-compute to run again", lambda: stage.serves(node))


def test_a_receipt_is_overwritten_by_the_next_one_and_each_keeps_its_own_hold(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    stage.write_receipt_by_hand(node)
    first = receipt_of(stage, node)
    stage.write_receipt_by_hand(node)
    view = stage.cluster.observe()
    second = view.receipt_of(node)
    assert second is not None
    assert second.id != first.id
    assert view.receipts == (second,)
    assert set(view.marks) == {HoldMark.of(node, first.id), HoldMark.of(node, second.id)}


def test_the_history_is_asked_for_only_while_a_receipt_is_not_cited_by_a_record(
    stage: Stage,
) -> None:
    witness(stage)
    receipt = receipt_of(stage, stage.nodes[-1])
    assert stage.cluster.observe().events is not None
    stage.cluster.write_record(Proven(receipt.node, replace(PROOF, receipt_id=receipt.id)))
    assert stage.cluster.observe().events is None
    stage.cluster.write_record(Proven(receipt.node, PROOF))
    assert stage.cluster.observe().events is not None


def test_a_receipt_that_cannot_be_read_is_shown_and_is_no_receipt(stage: Stage) -> None:
    node = stage.nodes[0]
    stage.write_receipt_by_hand(node)
    stage.garble_receipt(node)
    view = stage.cluster.observe()
    assert view.receipts == ()
    ((named, text),) = view.malformed
    assert named == node
    assert text.startswith("malformed, delete")
    stage.drop_receipt(node)
    assert stage.cluster.observe().malformed == ()


def test_a_fencing_is_pending_then_one_success_more_and_its_node_comes_back_as_another_life(
    stage: Stage,
) -> None:
    witness(stage)
    lost, others = stage.nodes[0], stage.nodes[1:]
    calm = stage.cluster.observe()
    before = len(successes(calm, lost))
    stage.crash(lost)
    pending = stage.until("its fencing to be pending", lambda: pending_of(stage, lost))
    # While a level's devices are gone through, a reboot is shown as the off that it begins with.
    assert (pending.status, pending.action in {"reboot", "off"}) == ("pending", True)
    receipt = receipt_of(stage, lost)
    assert (receipt.by, receipt.before) == ("fenced", before)
    assert HoldMark.of(lost, receipt.id) in stage.cluster.observe().marks
    assert_one_more(stage, receipt)

    back = stage.until("the node to join again", lambda: _joined(stage, lost))
    assert receipt.life is not None
    assert back.lives[lost].joined_since(receipt.life)
    assert back.lives[lost].joined_since(calm.lives[lost])
    assert all(back.lives[node] == calm.lives[node] for node in others)
    for _ in range(5):
        assert stage.cluster.observe().lives == back.lives
        assert not stage.serves(lost)


def pending_of(stage: Stage, node: NodeName) -> FencingEvent | None:
    """Return the fencing of a node that has not ended."""
    events = stage.cluster.observe().events or ()
    return next((e for e in events if e.target == node and e.completed_s is None), None)


def assert_one_more(stage: Stage, receipt: Receipt) -> None:
    """The fencing ends with exactly one success more than its receipt counted."""
    node, before = receipt.node, receipt.before or 0

    def ended() -> bool:
        return len(successes(stage.cluster.observe(), node)) > before

    stage.until("the fencing to succeed", ended)
    found = successes(stage.cluster.observe(), node)
    assert len(found) == before + 1
    assert found[-1].action == "reboot"
    assert found[-1].origin in stage.controllers
    # The history has whole seconds.
    assert (found[-1].completed_s or 0.0) >= receipt.written_s - 1


def _joined(stage: Stage, node: NodeName) -> ClusterView | None:
    view = stage.cluster.observe()
    return view if node in view.online and view.lives[node].starts else None


def test_a_fencing_counts_once_however_many_asked_for_it(stage: Stage) -> None:
    """A person asks, then the cluster, which sees the node go: two lines on one controller."""
    node = stage.nodes[0]
    for _ in range(2):
        # Fenced while something starts there, Pacemaker 2.1.5 fences it once more later on.
        come_back(stage, node)
        stage.fence(node)
        view = stage.cluster.observe()
        receipt = view.receipt_of(node)
        assert receipt is not None
        assert receipt.before is not None
        assert len(successes(view, node)) == receipt.before + 1


@pytest.mark.long
def test_a_restart_of_the_whole_cluster_empties_the_history_and_nothing_of_ours(
    stage: Stage,
) -> None:
    held, other = stage.nodes[0], stage.nodes[1]
    stage.crash(held)
    stage.until("a success in the history", lambda: _fenced(stage, held))
    stage.cluster.write_record(Proven(other, PROOF))
    kept = stage.until("the node to join again", lambda: _joined(stage, held))
    stage.restart_cluster()

    def all_back() -> ClusterView | None:
        # A node shows as online a moment before the start of its connection does.
        view = stage.cluster.observe()
        anew = all(view.lives[node].joined_since(kept.lives[node]) for node in stage.nodes)
        return view if anew and view.quorate and view.online >= set(stage.nodes) else None

    view = stage.until("all computes to join anew", all_back)
    assert view.events == ()
    assert (view.receipts, view.records, view.marks) == (kept.receipts, kept.records, kept.marks)
    assert not stage.serves(held)


def _fenced(stage: Stage, node: NodeName) -> bool:
    view = stage.cluster.observe()
    return view.receipt_of(node) is not None and bool(successes(view, node))
