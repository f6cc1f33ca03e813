"""The receipt: what `fence_nova` leaves in the CIB when a fencing level reached its end.

A receipt alone starts nothing. It says that every device before `fence_nova` in the level
succeeded; the recovery also asks Pacemaker's fencing history, and the level for a real device.
"""

import re
from dataclasses import dataclass
from typing import Literal

from novaha.core.incarnation import Incarnation, parse_incarnation, text_of
from novaha.core.names import NodeName

Writer = Literal["fenced", "hand", "person"]

_FIELDS = re.compile(
    r"v3 id=([0-9a-f]{12}) time=(\d{1,12}) writer=(\S+) by=(fenced|hand|person)"
    r" before=(\d{1,6}|\?) life=([0-9a-f,]+|-|\?) devices=(\S+)"
)


class MalformedReceipt(ValueError):
    """The CIB holds a receipt that cannot be read; the text quotes it."""


@dataclass(frozen=True)
class Receipt:
    """One fencing of one node, as far as `fence_nova` knows it.

    id: 12 hex digits, new for each fencing. written_s: seconds since the epoch on the writer's
    clock, good for people and for a coarse comparison only. writer: the node that ran the device.
    by: "fenced" when Pacemaker's fencer ran it, "hand" when a person did, "person" when it stands
    for a person's word that the node is off (core/confirmation.py). before: successful fencings of
    the node in the writer's history at that moment, None when it gave no answer; one more proves
    this one, whatever the clocks say. life: the incarnation that was fenced. devices: the real
    devices that stood before `fence_nova` in the node's levels at that moment, () where a level had
    none, for a topology mended later makes no old fencing real; or whose word stands for one. Both
    are None when the CIB gave no answer.
    """

    id: str
    node: NodeName
    written_s: int
    writer: NodeName
    by: Writer
    before: int | None = None
    life: Incarnation | None = None
    devices: tuple[str, ...] | None = None

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        before = "?" if self.before is None else self.before
        devices = "?" if self.devices is None else ",".join(self.devices) or "-"
        return (
            f"v3 id={self.id} time={self.written_s} writer={self.writer} by={self.by}"
            f" before={before} life={text_of(self.life)} devices={devices}"
        )


def parse_receipt(node: NodeName, value: str) -> Receipt:
    """Read a receipt of a node back; raises MalformedReceipt."""
    match = _FIELDS.fullmatch(value)
    try:
        life = parse_incarnation(match[6]) if match else None
    except ValueError:
        match = None
    if match is None:
        msg = f"receipt of {node} is malformed: {value[:120]!r}"
        raise MalformedReceipt(msg)
    writers: dict[str, Writer] = {"fenced": "fenced", "hand": "hand", "person": "person"}
    by = writers[match[4]]
    before = None if match[5] == "?" else int(match[5])
    writer, devices = NodeName(match[3]), _devices(match[7])
    return Receipt(match[1], node, int(match[2]), writer, by, before, life, devices)


def _devices(text: str) -> tuple[str, ...] | None:
    if text == "?":
        return None
    return () if text == "-" else tuple(text.split(","))
