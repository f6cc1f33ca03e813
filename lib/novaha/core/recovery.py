"""The record of a recovery: what must be known about a fenced host and is written nowhere else.

It is kept in the CIB from the moment a fencing is proven, before the first change to Nova, until
the host serves again, so that any controller can go on where another stopped, so that the proof
outlives the fencing history, and so that what an operator had set is found again.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from novaha.core.incarnation import Incarnation, parse_incarnation, text_of
from novaha.core.names import ComputeHost, NodeName

Phase = Literal["evacuating", "returning"]

OUR_REASON = "nova-ha:"
"""Every `disabled_reason` of ours starts with this; one that does not belongs to a person."""
FENCED_REASON = f"{OUR_REASON} fenced"
"""So begins the one of a recovery; a drain has others, and forces nothing down."""
RESERVED_REASON = f"{OUR_REASON} reserved"
"""So begins the one of a reserved host that is kept free; a person sets it, and so do we."""

_PROOF = (
    r"v2 receipt=([0-9a-f]{12}) fencing=([a-z]+)@(\d{1,12})/(\S+) devices=(\S+) life=(\S+)"
    r"(?: fencings=(?P<fencings>\d{1,6}))?"
)
_FOUND = r"found=(enabled|disabled),(free|forced)"
_PROVEN = re.compile(rf"{_PROOF} phase=proven (?:{_FOUND}|found=-)")
_RECOVERY = re.compile(
    rf"{_PROOF} phase=(evacuating|returning) {_FOUND} host=(\S+) after=(\d+) heartbeat=(\S+)"
    r"(?P<raised> raised)?"
)


class MalformedRecovery(ValueError):
    """The CIB holds a recovery record that cannot be read; the text quotes it."""


@dataclass(frozen=True)
class Proof:
    """What a recovery cites: which fencing of which life of the node, by what.

    action, ended_s, origin: the line of Pacemaker's history: "reboot" or "off", epoch seconds on
    the clock of the controller that read it, the controller that asked for it. devices: the real
    devices of the node's levels that write receipts. life: None when fence_nova could not read it.
    fencings: how often the node was fenced lately, as the history told it then.
    """

    receipt_id: str
    action: str
    ended_s: int
    origin: str
    devices: tuple[str, ...]
    life: Incarnation | None
    fencings: int = 1

    def to_text(self) -> str:
        """Return the beginning of a record."""
        often = f" fencings={self.fencings}" if self.fencings > 1 else ""
        return (
            f"v2 receipt={self.receipt_id} fencing={self.action}@{self.ended_s}/{self.origin}"
            f" devices={','.join(self.devices)} life={text_of(self.life)}{often}"
        )


@dataclass(frozen=True)
class Found:
    """How the Nova service stood before we touched it; what a person had set is left so (L6)."""

    enabled: bool
    forced_down: bool

    def to_text(self) -> str:
        """Return one field of a record."""
        enabled = "enabled" if self.enabled else "disabled"
        return f"found={enabled},{'forced' if self.forced_down else 'free'}"


@dataclass(frozen=True)
class Proven:
    """A fencing that is proven and whose host Nova was not asked about yet.

    found: what the recovery found that this one takes over, with all that it had set.
    """

    node: NodeName
    proof: Proof
    found: Found | None = None

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        found = self.found.to_text() if self.found else "found=-"
        return f"{self.proof.to_text()} phase=proven {found}"


@dataclass(frozen=True)
class Recovery:
    """The recovery of one node.

    after_migration: the highest evacuation record of the host when the recovery began; higher ones
    belong to this recovery. heartbeat: the service's last heartbeat when the host was released, as
    Nova printed it; "-" before that. raised: our force-down was taken back since, so that one that
    is there later is a person's.
    """

    node: NodeName
    proof: Proof
    host: ComputeHost
    phase: Phase
    found: Found
    after_migration: int
    heartbeat: str = "-"
    raised: bool = False

    @property
    def receipt_id(self) -> str:
        """Return the receipt of the fencing it answers."""
        return self.proof.receipt_id

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        return (
            f"{self.proof.to_text()} phase={self.phase} {self.found.to_text()}"
            f" host={self.host} after={self.after_migration} heartbeat={self.heartbeat}"
            f"{' raised' if self.raised else ''}"
        )

    def released(self, heartbeat: str) -> "Recovery":
        """Return the record of the same recovery once the host may start nova-compute again."""
        return replace(self, phase="returning", heartbeat=_one_word(heartbeat))

    def beats_since(self, heartbeat: str) -> bool:
        """Tell whether nova-compute gave a sign of life after its release."""
        return _one_word(heartbeat) not in (self.heartbeat, "-")


def is_ours(reason: str) -> bool:
    """Tell whether we disabled a service because its host was lost."""
    return reason.startswith(OUR_REASON) and not reason.startswith(RESERVED_REASON)


Record = Proven | Recovery
"""What may stand in the CIB for a node; never both."""


def _one_word(heartbeat: str) -> str:
    return heartbeat.replace(" ", "T") or "-"


def parse_record(node: NodeName, value: str) -> Record:
    """Read the record of a node back; raises MalformedRecovery."""
    try:
        return _parse(node, value)
    except ValueError as error:
        msg = f"recovery record of {node} is malformed: {value[:120]!r}"
        raise MalformedRecovery(msg) from error


def _parse(node: NodeName, value: str) -> Record:
    proven = _PROVEN.fullmatch(value)
    if proven is not None:
        found = _found(proven[8], proven[9]) if proven[8] else None
        return Proven(node, _proof(proven), found)
    match = _RECOVERY.fullmatch(value)
    if match is None:
        msg = "neither a proof nor a recovery"
        raise ValueError(msg)
    phase: Phase = "evacuating" if match[8] == "evacuating" else "returning"
    host, found = ComputeHost(match[11]), _found(match[9], match[10])
    after, heartbeat, raised = int(match[12]), match[13], match["raised"] is not None
    return Recovery(node, _proof(match), host, phase, found, after, heartbeat, raised)


def _proof(match: re.Match[str]) -> Proof:
    devices = tuple(match[5].split(","))
    life, fencings = parse_incarnation(match[6]), int(match["fencings"] or 1)
    return Proof(match[1], match[2], int(match[3]), match[4], devices, life, fencings)


def _found(enabled: str, forced: str) -> Found:
    return Found(enabled=enabled == "enabled", forced_down=forced == "forced")
