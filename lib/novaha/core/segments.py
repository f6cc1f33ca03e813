"""A segment in Nova: a host aggregate with metadata of ours. The only place that knows the keys.

A segment is a group of hosts that are recovered by the same rules. Nova keeps it: nothing else has
to, and the people who may change aggregates may change segments.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from novaha.core import storage
from novaha.core.names import ComputeHost

PREFIX = "nova_ha:"
"""The scheduler's filters take keys of flavors and images only, none of which begins so."""

SEGMENT = f"{PREFIX}segment"
ENABLED = f"{PREFIX}enabled"
METHOD = f"{PREFIX}recovery_method"
MAX_FAILURES = f"{PREFIX}max_failures"
STORAGE = f"{PREFIX}storage"
RESERVED = f"{PREFIX}reserved:"
"""The host follows. A key for each, because a value holds 255 characters only."""
ADD_RESERVED = f"{PREFIX}add_reserved"

TRUE = "true"

MAX_LENGTH = 255
"""Of names, keys and values. Source: nova/api/validation/parameter_types.py, 34.0."""

KEYS = (
    (SEGMENT, "a name", "makes the aggregate a segment, and names it"),
    (ENABLED, "true or false", "whether its hosts are recovered; true where it is missing"),
    (METHOD, "", "where instances go; auto where it is missing"),
    (f"{RESERVED}HOST", TRUE, "HOST is kept free to take over a failed host of this segment"),
    (
        ADD_RESERVED,
        TRUE,
        "a reserved host joins the other aggregates of the host that it takes over",
    ),
    (MAX_FAILURES, "a number", "over so many hosts in recovery at once, others are held"),
    (
        STORAGE,
        storage.WORDS,
        "where its hosts' image-booted instances have their disks; else what NovaEvacuate says",
    ),
)
"""Key, value, meaning: for the reference."""


class RecoveryMethod(Enum):
    """Where the instances of a failed host go; the value is its name, with Masakari's meaning."""

    AUTO = "auto"
    RESERVED_HOST = "reserved_host"
    AUTO_PRIORITY = "auto_priority"
    RH_PRIORITY = "rh_priority"


METHODS = {
    RecoveryMethod.AUTO: "where Nova's scheduler puts them",
    RecoveryMethod.RESERVED_HOST: "to a reserved host, and nowhere else",
    RecoveryMethod.AUTO_PRIORITY: "by the scheduler, what failed to a reserved host, and in turns",
    RecoveryMethod.RH_PRIORITY: "to a reserved host, what failed by the scheduler, and in turns",
}

_USE = re.compile(r"(taking|used):([^;\s]+)(;enabled)?(?:;added:(\d+(?:,\d+)*))?")


@dataclass(frozen=True)
class SegmentHost:
    """A host of a segment as Masakari has it."""

    name: ComputeHost
    reserved: bool = False
    on_maintenance: bool = False


@dataclass(frozen=True)
class Segment:
    """A segment as Masakari has it. method: as it is written there."""

    name: str
    method: str
    enabled: bool
    hosts: tuple[SegmentHost, ...]


@dataclass(frozen=True)
class Aggregate:
    """A host aggregate of Nova; its zone is one of its metadata."""

    id: int
    name: str
    hosts: frozenset[ComputeHost] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> str | None:
        """Return the availability zone that it makes of its hosts, or None."""
        return self.metadata.get("availability_zone")


@dataclass(frozen=True)
class Use:
    """For whom a reserved host is used: what stands as the value of its key instead of `true`.

        taking:HOST;enabled;added:3,7    it is enabled, and added to these aggregates
        used:HOST;enabled;added:3,7      that was done, and is undone when HOST is back

    ready: the second. host: the failed one. enabled, added: what of it we change.
    """

    host: ComputeHost
    ready: bool = False
    enabled: bool = False
    added: tuple[int, ...] = ()

    def to_value(self) -> str:
        """Return the value of the reserved host's key."""
        ids = ",".join(map(str, self.added))
        enabled = ";enabled" if self.enabled else ""
        added = f";added:{ids}" if ids else ""
        return f"{'used' if self.ready else 'taking'}:{self.host}{enabled}{added}"


def use_of(value: str) -> Use | None:
    """Return for whom a reserved host is used, None where it is free, or nobody can tell."""
    match = _USE.fullmatch(value)
    if match is None:
        return None
    added = tuple(map(int, match[4].split(","))) if match[4] else ()
    return Use(ComputeHost(match[2]), match[1] == "used", match[3] is not None, added)


def reserved_of(aggregate: Aggregate) -> dict[ComputeHost, str]:
    """Return the reserved hosts of a segment, by name, each with the value of its key."""
    return {
        ComputeHost(key.removeprefix(RESERVED)): value
        for key, value in sorted(aggregate.metadata.items())
        if key.startswith(RESERVED)
    }


def segment_of(aggregates: Iterable[Aggregate]) -> Aggregate | None:
    """Return the first segment of a host's aggregates, which come in the order of their names."""
    return next((each for each in aggregates if SEGMENT in each.metadata), None)


def method_of(segment: Aggregate) -> RecoveryMethod | None:
    """Return where instances of a segment go, None where nobody can tell."""
    try:
        return RecoveryMethod(segment.metadata.get(METHOD, RecoveryMethod.AUTO.value))
    except ValueError:
        return None


def adds_reserved(segment: Aggregate) -> bool:
    """Tell whether a reserved host joins the aggregates of the host that it takes over."""
    return segment.metadata.get(ADD_RESERVED, "").lower() == TRUE


def metadata_of(segment: Segment) -> dict[str, str]:
    """Return what stands for a segment in its aggregate."""
    return {
        SEGMENT: segment.name,
        ENABLED: TRUE if segment.enabled else "false",
        METHOD: segment.method,
        **{f"{RESERVED}{host.name}": TRUE for host in segment.hosts if host.reserved},
    }
