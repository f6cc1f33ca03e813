"""What of the CIB is ours; receipts, records and holds are compared before they are deleted."""

from collections.abc import Callable

from novaha.core.brakestate import Kept
from novaha.core.disarm import Disarm, Scope
from novaha.core.drain import Drain, Withdrawn
from novaha.core.model import HoldMark
from novaha.core.names import NodeName
from novaha.core.receipt import Receipt
from novaha.core.recovery import Record, Recovery
from novaha.core.starts import Starts


class Cib:
    """Survives everything but a person; version grows with each change.

    listeners: called after each change.
    """

    __slots__ = (
        "disarms",
        "drains",
        "garbled",
        "kept",
        "listeners",
        "marks",
        "receipts",
        "records",
        "starts",
        "version",
        "withdrawn",
    )

    def __init__(self) -> None:
        """Begin with nothing of ours."""
        self.receipts: dict[NodeName, Receipt] = {}
        self.records: dict[NodeName, Record] = {}
        self.starts: dict[NodeName, Starts] = {}
        self.marks: dict[str, HoldMark] = {}
        self.garbled: dict[NodeName, str] = {}
        self.kept = Kept()
        self.disarms: dict[Scope, Disarm] = {}
        self.drains: dict[NodeName, Drain] = {}
        self.withdrawn: dict[NodeName, Withdrawn] = {}
        self.listeners: list[Callable[[], None]] = []
        self.version = 0

    def holds_anything(self) -> bool:
        """Tell whether something of a recovery is left."""
        ours = (self.receipts, self.records, self.starts, self.marks, self.garbled)
        return any((*ours, self.drains, self.withdrawn))

    def concerns(self, node: NodeName) -> bool:
        """Tell whether there is a receipt or a record of a node, or it is not all given back."""
        return self.recovers(node) or node in self.withdrawn

    def recovers(self, node: NodeName) -> bool:
        """Tell whether there is a receipt or a record of a node."""
        return node in self.receipts or node in self.records or node in self.garbled

    def held(self, node: NodeName) -> bool:
        """Tell whether nova-compute is kept off: by the constraint, or by the agent's own look."""
        if node in self.receipts or node in self.garbled or self.marked(node):
            return True
        record = self.records.get(node)
        return record is not None and not (
            isinstance(record, Recovery) and record.phase == "returning"
        )

    def marked(self, node: NodeName) -> bool:
        """Tell whether a constraint keeps nova-compute off the node."""
        return any(mark.node == node for mark in self.marks.values())

    def write_receipt(self, receipt: Receipt) -> None:
        """Write a receipt over the one before, and its hold, in one change."""
        self.receipts[receipt.node] = receipt
        self.garbled.pop(receipt.node, None)
        mark = HoldMark.of(receipt.node, receipt.id)
        self.marks[mark.id] = mark
        self._changed()

    def keep(self, kept: Kept) -> None:
        """Write what the storm brake keeps."""
        self.kept = kept
        self._changed()

    def disarm(self, disarm: Disarm) -> None:
        """Write a disarm over that of the same scope."""
        self.disarms[disarm.scope] = disarm
        self._changed()

    def arm(self) -> None:
        """Delete every disarm."""
        self.disarms.clear()
        self._changed()

    def drain(self, drain: Drain) -> None:
        """Write a person's word over the one before."""
        self.drains[drain.node] = drain
        self._changed()

    def undrain(self, node: NodeName) -> None:
        """Delete a person's word."""
        if self.drains.pop(node, None) is not None:
            self._changed()

    def write_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Write what was taken of a node over what stood there."""
        self.withdrawn[withdrawn.node] = withdrawn
        self._changed()

    def delete_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Delete exactly this."""
        if self.withdrawn.get(withdrawn.node) == withdrawn:
            del self.withdrawn[withdrawn.node]
            self._changed()

    def write_record(self, record: Record) -> None:
        """Write a record over the one before."""
        self.records[record.node] = record
        self._changed()

    def write_starts(self, starts: Starts) -> None:
        """Write a record of starts over the one before."""
        self.starts[starts.node] = starts
        self._changed()

    def delete_starts(self, starts: Starts) -> None:
        """Delete exactly this record of starts."""
        if self.starts.get(starts.node) == starts:
            del self.starts[starts.node]
            self._changed()

    def delete_receipt(self, receipt: Receipt) -> None:
        """Delete exactly this receipt."""
        if self.receipts.get(receipt.node) == receipt:
            del self.receipts[receipt.node]
            self._changed()

    def delete_record(self, record: Record) -> None:
        """Delete exactly this record."""
        if self.records.get(record.node) == record:
            del self.records[record.node]
            self._changed()

    def delete_mark(self, mark: HoldMark) -> None:
        """Delete a hold; a newer one has another name."""
        if self.marks.pop(mark.id, None) is not None:
            self._changed()

    def drop_receipt(self, node: NodeName) -> bool:
        """Delete whatever stands there as the node's receipt; tell whether there was one."""
        had = self.receipts.pop(node, None) is not None
        had |= self.garbled.pop(node, None) is not None
        if had:
            self._changed()
        return had

    def drop_marks(self, node: NodeName) -> bool:
        """Delete every hold of a node; tell whether there was one."""
        ids = [id_ for id_, mark in self.marks.items() if mark.node == node]
        for id_ in ids:
            del self.marks[id_]
        if ids:
            self._changed()
        return bool(ids)

    def garble(self, node: NodeName) -> bool:
        """Make the receipt of a node unreadable; tell whether there was one."""
        receipt = self.receipts.pop(node, None)
        if receipt is None:
            return False
        text = f"malformed, delete it: receipt of {node} is malformed: {receipt.to_value()[:-4]!r}"
        self.garbled[node] = text
        self._changed()
        return True

    def _changed(self) -> None:
        self.version += 1
        for listener in self.listeners:
            listener()
