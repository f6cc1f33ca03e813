"""A segment in Nova: a host aggregate with metadata of ours. The only place that knows the keys.

A segment is a group of hosts that are recovered by the same rules. Nova keeps it: nothing else has
to, and the people who may change aggregates may change segments.
"""

from collections.abc import Mapping
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

MAX_LENGTH = 255
"""Of names, keys and values. Source: nova/api/validation/parameter_types.py, 34.0."""

KEYS = (
    (SEGMENT, "a name", "makes the aggregate a segment, and names it"),
    (ENABLED, "true or false", "whether its hosts are recovered; true where it is missing"),
    (METHOD, "", "where instances go; auto where it is missing"),
    (f"{RESERVED}HOST", "true", "HOST is kept free to take over a failed host of this segment"),
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
    RecoveryMethod.RESERVED_HOST: "to a reserved host",
    RecoveryMethod.AUTO_PRIORITY: "by the scheduler, what it refuses to a reserved host",
    RecoveryMethod.RH_PRIORITY: "to a reserved host, what it refuses by the scheduler",
}


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


def metadata_of(segment: Segment) -> dict[str, str]:
    """Return what stands for a segment in its aggregate."""
    return {
        SEGMENT: segment.name,
        ENABLED: "true" if segment.enabled else "false",
        METHOD: segment.method,
        **{f"{RESERVED}{host.name}": "true" for host in segment.hosts if host.reserved},
    }
