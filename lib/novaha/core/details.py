"""What Nova's detailed list tells of an instance, as immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flavor:
    """The flavor that an instance was made with, as Nova keeps it with the instance.

    disk_gib, ephemeral_gib, swap_mib: what it takes of its host's local disk, unless it boots from
    a volume. specs: the extra specs; none where Nova's policy does not show them.
    Source: Compute API "List Servers Detailed", microversion 2.47 onward.
    """

    name: str = ""
    vcpus: int = 0
    ram_mib: int = 0
    disk_gib: int = 0
    ephemeral_gib: int = 0
    swap_mib: int = 0
    specs: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Details:
    """How an instance stands and what it is.

    vm_state, task_state: Nova's own words; task_state "" where no task runs. image: the id of the
    image it was made from, "" where it boots from a volume. image_properties: none where Nova does
    not tell them. addresses: some at which it may be reached. Source: Compute API "List Servers
    Detailed"; tags from microversion 2.26, the flavor from 2.47, image properties from 2.98.
    """

    vm_state: str = "active"
    task_state: str = ""
    locked: bool = False
    project: str = ""
    image: str = ""
    image_properties: Mapping[str, str] = field(default_factory=dict, hash=False)
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    tags: frozenset[str] = frozenset()
    flavor: Flavor = Flavor()
    addresses: tuple[str, ...] = ()
