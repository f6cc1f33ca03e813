"""What goes into a simulation and what comes out of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from novaha.core.actions import Hold
from novaha.core.invariants import Violation
from novaha.core.model import Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.policy import Policy

__all__ = ["Event", "GateSpec", "Instance", "Outcome", "TraceLine", "Violation", "WorldSpec"]


DOMAIN = "example.org"
"""Hosts of Nova have another name than their nodes, so that no type is taken for the other."""


def host_of(node: NodeName) -> ComputeHost:
    """Return the Nova host of a compute."""
    return ComputeHost(f"{node}.{DOMAIN}")


@dataclass(frozen=True)
class Instance:
    """An instance at the beginning; group: its anti-affinity group, together: its affinity group.

    image: which it was booted from, "" for a volume. metadata: of the server in Nova.
    """

    id: ServerId
    node: NodeName
    group: str = ""
    image: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    together: str = ""


@dataclass(frozen=True)
class AggregateSpec:
    """A host aggregate, by the nodes of its hosts."""

    name: str
    nodes: tuple[NodeName, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class GateSpec:
    """The storm brake: parameters of fence_nova_gate; racks are its groups."""

    cluster_limit: int = 4
    group_limit: int = 2
    window_s: float = 600.0
    wait_s: float = 6.0
    cooldown_s: float = 300.0
    grace_s: float = 300.0
    racks: Mapping[str, tuple[NodeName, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class WorldSpec:
    """A world at second 0, all of it calm.

    boot_s: from power on to the remote connection. move_s: of one evacuation in Nova. detect_s:
    from the loss of a node to its fencing. fence_s: of a real device. spare: computes to which
    nothing bad is scripted may still be named in a script. microversion_top: what Nova offers.
    gate: None where levels do not begin with it.
    """

    computes: tuple[NodeName, ...]
    controllers: tuple[NodeName, ...] = tuple(map(NodeName, ("ctl-1", "ctl-2", "ctl-3")))
    instances: tuple[Instance, ...] = ()
    boot_s: float = 12.0
    move_s: float = 4.0
    detect_s: float = 3.0
    fence_s: float = 1.5
    policy: Policy = field(default_factory=Policy)
    aggregates: tuple[AggregateSpec, ...] = ()
    gate: GateSpec | None = None


@dataclass(frozen=True)
class Event:
    """Something a script lets happen: a word of sim/words.py with its arguments, already checked.

    line: where it stands in the script, 0 when it was made by a seed.
    """

    at_s: float
    word: str
    arguments: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class TraceLine:
    """One line of the incident report; who: cluster, fencer, nova, nova-ha, operator or fault."""

    at_s: float
    who: str
    text: str


@dataclass
class Outcome:
    """What a simulation came to.

    calls: the external calls of our processes, in order, by name. faults: how often each kind of
    fault struck. changes: the changes of state that were seen, (before, after) by their names.
    calm: whether, at the end, nothing was left to recover or every rest is shown as blocked.
    services: as Nova shows them at the end. holds: what the process waited for in its last cycle.
    """

    trace: list[TraceLine] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended_s: float = 0.0
    calm: bool = False
    hosts: Mapping[ServerId, str] = field(default_factory=dict)
    accepted: Counter[ServerId] = field(default_factory=Counter)
    services: tuple[Service, ...] = ()
    holds: tuple[Hold, ...] = ()
