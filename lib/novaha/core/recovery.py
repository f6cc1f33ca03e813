"""The recovery record: what must be known about a fenced host and is written nowhere else.

It is kept in the CIB from before the first change to Nova until the host serves again, so that any
controller can go on where another stopped, and so that what an operator had set is found again.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from novaha.core.names import ComputeHost, NodeName

Phase = Literal["evacuating", "returning"]

OUR_REASON = "nova-ha:"
"""Every `disabled_reason` of ours starts with this; one that does not belongs to a person."""

_FIELDS = re.compile(
    r"v1 receipt=([0-9a-f]{12}) host=(\S+) phase=(evacuating|returning)"
    r" found=(enabled|disabled),(free|forced) after=(\d+) heartbeat=(\S+)"
)


class MalformedRecovery(ValueError):
    """The CIB holds a recovery record that cannot be read; the text quotes it."""


@dataclass(frozen=True)
class Found:
    """How the Nova service stood before we touched it; what a person had set is left so (L6)."""

    enabled: bool
    forced_down: bool


@dataclass(frozen=True)
class Recovery:
    """The recovery of one node.

    receipt_id: the fencing it answers. after_migration: the highest evacuation record of the host
    when the recovery began; higher ones belong to this recovery. heartbeat: the service's
    last heartbeat when the host was released, as Nova printed it; "-" before that.
    """

    node: NodeName
    receipt_id: str
    host: ComputeHost
    phase: Phase
    found: Found
    after_migration: int
    heartbeat: str = "-"

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        enabled = "enabled" if self.found.enabled else "disabled"
        forced = "forced" if self.found.forced_down else "free"
        return (
            f"v1 receipt={self.receipt_id} host={self.host} phase={self.phase}"
            f" found={enabled},{forced} after={self.after_migration} heartbeat={self.heartbeat}"
        )

    def released(self, heartbeat: str) -> "Recovery":
        """Return the record of the same recovery once the host may start nova-compute again."""
        return replace(self, phase="returning", heartbeat=_one_word(heartbeat))

    def beats_since(self, heartbeat: str) -> bool:
        """Tell whether nova-compute gave a sign of life after its release."""
        return _one_word(heartbeat) not in (self.heartbeat, "-")


def _one_word(heartbeat: str) -> str:
    return heartbeat.replace(" ", "T") or "-"


def parse_recovery(node: NodeName, value: str) -> Recovery:
    """Read the recovery record of a node back; raises MalformedRecovery."""
    match = _FIELDS.fullmatch(value)
    if match is None:
        msg = f"recovery record of {node} is malformed: {value[:120]!r}"
        raise MalformedRecovery(msg)
    phase: Phase = "evacuating" if match[3] == "evacuating" else "returning"
    found = Found(enabled=match[4] == "enabled", forced_down=match[5] == "forced")
    return Recovery(node, match[1], ComputeHost(match[2]), phase, found, int(match[6]), match[7])
