"""Which state the recovery of each node is in: the one place where states are recognised."""

from dataclasses import dataclass
from typing import assert_never

from novaha.core.actions import AskRules, Hold
from novaha.core.model import ClusterView, View
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.proof import is_void, prove, void
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt
from novaha.core.recovery import Found, Proof, Proven, Record, Recovery
from novaha.core.states import RecoveryState as State


@dataclass(frozen=True)
class Standing:
    """The state of one node and what it was recognised by.

    proof: of a fencing that is not written down yet. hold: why the state is left by nothing we do.
    ask: what has to be read again, because the hold rests on it.
    """

    node: NodeName
    state: State
    receipt: Receipt | None = None
    record: Record | None = None
    proof: Proof | None = None
    hold: Hold | None = None
    ask: tuple[AskRules, ...] = ()

    @property
    def found(self) -> Found | None:
        """Return what an earlier recovery of the node found and did not give back yet."""
        return self.record.found if self.record else None

    @property
    def cited(self) -> Proof | None:
        """Return the proof of its fencing: as it would be written down, or as the record has it."""
        return self.proof or (self.record.proof if self.record else None)


def concerned(cluster: ClusterView) -> list[NodeName]:
    """Return the nodes of which the CIB holds a receipt or a record."""
    if not (cluster.receipts or cluster.records or cluster.malformed):
        return []
    nodes = {receipt.node for receipt in cluster.receipts}
    nodes |= {record.node for record in cluster.records}
    return sorted(nodes | {node for node, _ in cluster.malformed})


def stand(view: View, policy: Policy, node: NodeName) -> Standing:
    """Return the state of a node.

    A newer receipt counts only when the recovery before it is over for the instances: as long as
    the host was held, what proved the first fencing still holds.
    """
    receipt, record = view.cluster.receipt_of(node), view.cluster.record_of(node)
    unreadable = next((text for bad, text in view.cluster.malformed if bad == node), None)
    if unreadable is not None:
        hold = Hold(node, Reason.MALFORMED, unreadable)
        return Standing(node, State.UNREADABLE, receipt, record, hold=hold)
    newer = receipt is not None and (record is None or record.proof.receipt_id != receipt.id)
    if receipt is not None and newer and _leaves_room(record, view):
        return _of_receipt(view, policy, receipt, record)
    if record is None:
        return Standing(node, State.OVER)
    return _of_record(view, receipt, record)


def _leaves_room(record: Record | None, view: View) -> bool:
    if isinstance(record, Recovery) and record.phase == "returning":
        return True
    return record is None or is_void(record, view)


def _of_receipt(view: View, policy: Policy, receipt: Receipt, record: Record | None) -> Standing:
    proof = prove(receipt, view, policy)
    if isinstance(proof, Proof):
        return Standing(receipt.node, State.FENCED, receipt, record, proof)
    states = {Reason.FENCE_PENDING: State.FENCING, Reason.RECEIPT_VOID: State.VOID}
    state = states.get(proof.reason, State.UNPROVEN)
    return Standing(receipt.node, state, receipt, record, hold=proof)


def _of_record(view: View, receipt: Receipt | None, record: Record) -> Standing:
    match record:
        case Recovery(phase="returning"):
            state = State.RETURNING if receipt is None else State.RELEASING
            return Standing(record.node, state, receipt, record)
        case Proven() | Recovery() if is_void(record, view):
            hold = void(view, record.node, record.proof.receipt_id, record.proof.life)
            return Standing(record.node, State.VOID, receipt, record, hold=hold)
        case Proven():
            return Standing(record.node, State.PROVEN, receipt, record)
        case Recovery():
            return Standing(record.node, State.EVACUATING, receipt, record)
        case _:
            assert_never(record)
