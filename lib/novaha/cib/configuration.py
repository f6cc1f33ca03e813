"""The abstract configuration: what all three ways of writing it have in common.

Names and values only; ids of attribute sets and pairs are the business of each way.
"""

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Operation:
    """One operation of a resource; interval_s is 0 for start and stop."""

    name: str
    interval_s: int
    timeout_s: int


ALONE: Pairs = (("requires", "nothing"),)
"""Of what is started while a host waits for its fencing: one such host must not hold it up."""

DEVICE_MONITOR = (Operation("monitor", 60, 20),)


@dataclass(frozen=True)
class Primitive:
    """A resource or, with the class stonith, a fence device. agent: class:[provider:]type."""

    id: str
    agent: str
    params: Pairs
    operations: tuple[Operation, ...]
    meta: Pairs = ()
    clone: Pairs | None = None

    @property
    def top_id(self) -> str:
        """Return the id that constraints name: that of the clone where there is one."""
        return self.id if self.clone is None else f"{self.id}-clone"

    @property
    def is_device(self) -> bool:
        """Tell a fence device from a resource."""
        return self.agent.startswith("stonith:")


@dataclass(frozen=True)
class Level:
    """A fencing level of one node; the devices are used in order."""

    node: str
    index: int
    devices: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return its id, as pcs makes it."""
        return f"fl-{self.node}-{self.index}"


@dataclass(frozen=True)
class Location:
    """Where a resource may run at all: on nodes of one kind, "cluster" or "remote".

    is_probed: whether Pacemaker looks for it on the other nodes too.
    """

    id: str
    resource: str
    kind: str
    is_probed: bool = False

    @property
    def rule(self) -> tuple[str, str]:
        """Return the score of its rule, and the operation that compares a node's kind."""
        return ("-INFINITY", "ne") if self.is_probed else ("0", "eq")


@dataclass(frozen=True)
class Order:
    """One resource starts after another."""

    id: str
    first: str
    then: str


@dataclass(frozen=True)
class Colocation:
    """One resource runs only where another does."""

    id: str
    resource: str
    with_resource: str


@dataclass(frozen=True)
class Configuration:
    """All that a cluster needs for nova-ha."""

    properties: Pairs
    defaults: Pairs
    primitives: tuple[Primitive, ...]
    levels: tuple[Level, ...]
    locations: tuple[Location, ...]
    orders: tuple[Order, ...]
    colocations: tuple[Colocation, ...]
    alerts: Pairs
