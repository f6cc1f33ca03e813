"""The mutable things of a world: computes, instances, Nova's services and evacuation records."""

from dataclasses import dataclass, field
from typing import NamedTuple

from novaha.core.drain import Health
from novaha.core.model import Migration
from novaha.core.names import ComputeHost, NodeName, ServerId


@dataclass(slots=True, eq=False)
class Compute:
    """A compute node: its machine, its connection to the cluster and its nova-compute.

    powered, up: has power; its system runs. life: grows with every end of what ran on it. serving:
    nova-compute runs. via: the controller that holds its connection. starts: what the CIB shows of
    that. seen: it was connected, or fenced, since the cluster began. unclean: lost, and not fenced
    since. lost_s: when that began. undisturbed: nothing but the devices' own time has delayed its
    fencing. attempt: grows with each fencing that is begun or broken off. health, standby: node
    attributes; a fencing erases the former. failing_s: when the first of the fencings began that
    fail now, None otherwise. fails_after_s: how long each of those
    takes. asked: a person asked for its fencing.
    """

    name: NodeName
    host: ComputeHost
    via: NodeName
    boot_s: float
    powered: bool = True
    up: bool = True
    isolated: bool = False
    life: int = 1
    serving: bool = True
    starting: bool = False
    autostart: bool = False
    connected: bool = True
    seen: bool = True
    connected_life: int = 1
    starts: frozenset[str] = frozenset()
    may_connect_s: float = 0.0
    unclean: bool = False
    lost_s: float = 0.0
    undisturbed: bool = True
    fencing: bool = False
    attempt: int = 0
    failing_s: float | None = None
    fails_after_s: float = 0.0
    asked: bool = False
    failures: int = 0
    bmc: str = "works"
    level: str = "real"
    stay_off: bool = False
    power_on_fails: bool = False
    health: Health = Health.GREEN
    standby: bool = False

    @property
    def reachable(self) -> bool:
        """Tell whether its system runs and the network gets there."""
        return self.up and not self.isolated

    @property
    def commanded(self) -> bool:
        """Tell whether Pacemaker's operations reach it: what it knows of the node is still so."""
        return self.connected and self.reachable and self.connected_life == self.life


@dataclass(slots=True, eq=False)
class Instance:
    """An instance; node: where Nova has it. outcomes, refusals, chokes: of its next evacuations.

    group, together: its anti-affinity group, and its affinity group. failing_starts: so many of its
    next starts come to nothing. stopped: by a person, since its last evacuation. move_s: how long
    the next one takes, None for as long as any. fault: Nova's words about it. live_outcomes:
    of its next live migrations. image: "" where it
    boots from a volume. vm_state, task_state: Nova's words, too. moves_to: where a live migration
    takes it, which has got so far that it runs there once its host is dead.
    """

    id: ServerId
    node: NodeName
    group: str = ""
    image: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    together: str = ""
    outcomes: list[str] = field(default_factory=list)
    live_outcomes: list[str] = field(default_factory=list)
    refusals: int = 0
    chokes: int = 0
    failing_starts: int = 0
    stopped: bool = False
    move_s: float | None = None
    fault: str = ""
    vm_state: str = "active"
    task_state: str = ""
    moves_to: Compute | None = None
    deleted: bool = False


@dataclass(slots=True, eq=False)
class ServiceState:
    """A nova-compute service. beats_from_s: since when it beats, None while it does not.

    roomy_s: since when instances fit there, while it is not full. untold: Nova's lists of its
    instances, and of what leaves it, fail.
    """

    id: str
    node: NodeName
    host: ComputeHost
    enabled: bool = True
    reason: str = ""
    forced_down: bool = False
    beats_from_s: float | None = 0.0
    last_beat_s: float = 0.0
    full: bool = False
    roomy_s: float = 0.0
    untold: bool = False


class How(NamedTuple):
    """What a request to evacuate asks for besides.

    forced: the scheduler is not asked. stops: the instance is left stopped.
    """

    forced: bool = False
    stops: bool = False


AS_EVER = How()


@dataclass(slots=True, eq=False)
class Evacuation:
    """An evacuation record, what it will come to, and the destination's life it began in.

    only: where the request says that it must go.
    """

    id: int
    instance: Instance
    source: Compute
    outcome: str
    move_s: float
    only: NodeName | None = None
    how: How = AS_EVER
    to: Compute | None = None
    to_life: int = 0
    status: str = "accepted"
    shown: Migration | None = None


@dataclass(slots=True, eq=False)
class LiveMigration:
    """A live migration record, what it will come to, and the lives of its ends it began in."""

    id: int
    instance: Instance
    source: Compute
    source_life: int
    outcome: str
    move_s: float
    to: Compute | None = None
    to_life: int = 0
    status: str = "accepted"
