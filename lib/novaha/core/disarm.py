"""Disarming: a person's word that hosts shall not be recovered for a while, and when that ends.

    what is lost meanwhile      fenced as ever; its proof is kept; shown, not acted upon
    what is in recovery         is finished
    afterwards                  what was kept is recovered, as if it had been lost then

It is about recoveries, not about fencing: Pacemaker has its own maintenance mode for that. Times
are seconds since the epoch on the writer's clock, and are good for so long only, counted in both
directions: a clock that was wrong by years must not disarm for years.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2s
from typing import Literal

from novaha.core.names import NodeName

Reach = Literal["all", "segment", "host"]

LONGEST_S = 7 * 86_400
"""No disarm holds for longer, whatever stands in the CIB: who forgets it is armed again."""

_VALUE = re.compile(
    r"v1 time=(\d{1,12}) for=(\d{1,6}) until=(\S+) by=(\S+)"
    r" scope=(?:all|segment:(\S+)|host:(\S+)) why=(.*)"
)
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_CODED = re.compile(rb"%([0-9A-F]{2})")


class MalformedDisarm(ValueError):
    """The CIB holds something as a disarm that cannot be read; the text quotes it."""


@dataclass(frozen=True)
class Scope:
    """The hosts that a disarm is about; name: of the segment or the node, "" for all hosts."""

    reach: Reach
    name: str = ""

    @property
    def key(self) -> str:
        """Return a name for it that the CIB can keep: names of segments may have any letters."""
        match self.reach:
            case "all":
                return "all"
            case "segment":
                return f"segment.{blake2s(self.name.encode(), digest_size=6).hexdigest()}"
            case "host":
                return f"host.{self.name}"

    @property
    def word(self) -> str:
        """Return it as one word."""
        return "all" if self.reach == "all" else f"{self.reach}:{_coded(self.name)}"

    def __str__(self) -> str:
        """Return it as people read it."""
        return "all hosts" if self.reach == "all" else f"{self.reach} {self.name}"

    def covers(self, node: NodeName, segments: Collection[str]) -> bool:
        """Tell whether it is about a node, given the segments of its host."""
        match self.reach:
            case "all":
                return True
            case "segment":
                return self.name in segments
            case "host":
                return self.name == node


@dataclass(frozen=True)
class Disarm:
    """A disarm: for so many seconds, who said it, and why.

    until: when it ends, in one word, for people; what counts is at_s and lasts_s.
    """

    scope: Scope
    at_s: float
    lasts_s: float
    until: str
    by: str
    why: str

    def holds(self, now_s: float) -> bool:
        """Tell whether it is still good."""
        return abs(now_s - self.at_s) < self.lasts_s

    def __str__(self) -> str:
        """Return who disarmed what, until when and why, as people read it."""
        return f"{self.scope} disarmed by {self.by} until {self.until}: {self.why}"

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        return (
            f"v1 time={self.at_s:.0f} for={self.lasts_s:.0f} until={self.until} by={self.by}"
            f" scope={self.scope.word} why={self.why}"
        )


def parse_disarm(value: str) -> Disarm:
    """Read a disarm back; raises MalformedDisarm."""
    match = _VALUE.fullmatch(value)
    if match is None:
        msg = f"this is no disarm: {value[:120]!r}"
        raise MalformedDisarm(msg)
    time, lasts, until, by, segment, host, why = match.groups()
    scope = Scope("segment", _decoded(segment)) if segment else Scope("all")
    scope = Scope("host", host) if host else scope
    return Disarm(scope, int(time), min(int(lasts), LONGEST_S), until, by, why)


def _coded(name: str) -> str:
    return _PLAIN.sub(lambda match: "".join(f"%{b:02X}" for b in match[0].encode()), name)


def _decoded(word: str) -> str:
    raw = _CODED.sub(lambda match: bytes([int(match[1], 16)]), word.encode())
    return raw.decode(errors="replace")
