"""The receipt: what `fence_nova` leaves in the CIB when a fencing level reached its end.

A receipt alone starts nothing. It says that every device before `fence_nova` in the level
succeeded; the recovery also asks Pacemaker's fencing history, and the level for a real device.
"""

import re
from dataclasses import dataclass
from typing import Literal

from novaha.core.names import NodeName

Writer = Literal["fenced", "hand"]

_FIELDS = re.compile(r"v1 id=([0-9a-f]{12}) time=(\d{1,12}) writer=(\S+) by=(fenced|hand)")


class MalformedReceipt(ValueError):
    """The CIB holds a receipt that cannot be read; the text quotes it."""


@dataclass(frozen=True)
class Receipt:
    """One fencing of one node, as far as `fence_nova` knows it.

    id: 12 hex digits, new for each fencing. written_s: seconds since the epoch on the writer's
    clock, good for people and for a coarse comparison only. writer: the node that ran the device.
    by: "fenced" when Pacemaker's fencer ran it, "hand" when a person did.
    """

    id: str
    node: NodeName
    written_s: int
    writer: NodeName
    by: Writer

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        return f"v1 id={self.id} time={self.written_s} writer={self.writer} by={self.by}"


def parse_receipt(node: NodeName, value: str) -> Receipt:
    """Read a receipt of a node back; raises MalformedReceipt."""
    match = _FIELDS.fullmatch(value)
    if match is None:
        msg = f"receipt of {node} is malformed: {value[:120]!r}"
        raise MalformedReceipt(msg)
    by: Writer = "fenced" if match[4] == "fenced" else "hand"
    return Receipt(match[1], node, int(match[2]), NodeName(match[3]), by)
