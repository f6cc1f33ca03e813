"""What a person, or its health, wants of a host that is well: no new instances, or none at all.

    nova-ha drain NODE          a person's word, kept in the CIB until nova-ha undrain
    #health-…: red              the same, as long as the attribute says so
    #health-…: yellow           no new instances; those that are there stay

What we took of a host to do so stands in the CIB from before the first change until all of it is
given back (Withdrawn), so that any controller can go on, and give back. Its service is disabled by
us once: a person who enables it then is not contradicted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from novaha.core.names import ComputeHost, NodeName

_DRAIN = re.compile(r"v1 time=(\d{1,12}) by=(\S+) standby=(yes|no) why=(.*)")
_WITHDRAWN = re.compile(r"v1 phase=(\w+) found=(enabled|disabled) host=(\S+) after=(\d{1,18})")


class Health(IntEnum):
    """What the worst of a node's #health attributes says."""

    GREEN = 0
    YELLOW = 1
    RED = 2


def health_of(values: Iterable[str]) -> Health:
    """Return the worst of some colours, in whatever letters; what is no colour says nothing.

    Source: Pacemaker Explained, "Tracking Node Health" (2.1).
    """
    known = {health.name.lower(): health for health in Health}
    said = (known.get(value.strip().lower(), Health.GREEN) for value in values)
    return max(said, default=Health.GREEN)


@dataclass(frozen=True)
class Drain:
    """A person's word that a node shall be emptied; standby: and set in standby after that.

    raw: as the CIB has it, where nobody can read that.
    """

    node: NodeName
    at_s: float
    by: str
    why: str = ""
    standby: bool = False
    raw: str = field(default="", compare=False)

    def __str__(self) -> str:
        """Return who wants it, and why, as people read it."""
        return f"{self.by}: {self.why}" if self.why else self.by

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        standby = "yes" if self.standby else "no"
        return self.raw or f"v1 time={self.at_s:.0f} by={self.by} standby={standby} why={self.why}"


def parse_drain(node: NodeName, value: str) -> Drain:
    """Read a drain back; what cannot be read is one all the same, for its name says so."""
    match = _DRAIN.fullmatch(value)
    if match is None:
        return Drain(node, 0, "somebody", "the word cannot be read", raw=value)
    time, by, standby, why = match.groups()
    return Drain(node, int(time), by, why, standby == "yes")


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a node: no new instances, and perhaps that the others leave.

    said: who says so, in words.
    """

    node: NodeName
    said: str
    empty: bool = False
    standby: bool = False


class Phase(IntEnum):
    """How far we went with a host; what an -ING announces is done between it and the next."""

    CLOSING = 1
    CLOSED = 2
    PARKING = 3
    PARKED = 4


@dataclass(frozen=True)
class Withdrawn:
    """What we have taken of a host that is to serve less, or not at all.

    phase: CLOSED: its service is disabled, if it was not; PARKED: it is in standby. enabled: how
    its service was found. after: the highest live migration record of the host when that began;
    higher ones tell what has left it. raw: as the CIB has it, where nobody can read that.
    """

    node: NodeName
    host: ComputeHost
    phase: Phase
    enabled: bool = True
    after: int = 0
    raw: str = field(default="", compare=False)

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        found = "enabled" if self.enabled else "disabled"
        phase = self.phase.name.lower()
        return self.raw or f"v1 phase={phase} found={found} host={self.host} after={self.after}"


def parse_withdrawn(node: NodeName, value: str) -> Withdrawn:
    """Read what was taken of a node.

    What cannot be read was written by us all the same: something was taken. The service's own
    reason tells whether we had disabled it, so that much is given back in any case.
    """
    match = _WITHDRAWN.fullmatch(value)
    phases = {phase.name.lower(): phase for phase in Phase}
    if match is None or match[1] not in phases:
        return Withdrawn(node, ComputeHost(""), Phase.PARKED, raw=value)
    host, after = ComputeHost(match[3]), int(match[4])
    return Withdrawn(node, host, phases[match[1]], match[2] == "enabled", after)
