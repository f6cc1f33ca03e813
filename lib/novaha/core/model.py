"""What a decision looks at: the cluster and the cloud at one moment, as immutable values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from novaha.core.brakestate import Brake
from novaha.core.canary import CanaryMemory
from novaha.core.capacity import Room
from novaha.core.details import Details
from novaha.core.disarm import Disarm
from novaha.core.drain import Drain, Health, Wanted, Withdrawn
from novaha.core.flow import Flow
from novaha.core.incarnation import Incarnation
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.receipt import Receipt
from novaha.core.recovery import Record
from novaha.core.rules import Rules
from novaha.core.starts import Starts

T = TypeVar("T")

HOLD_PREFIX = "nova-ha-hold-"
"""How the ids of our location constraints begin; the node and the receipt follow."""


@dataclass(frozen=True)
class FencingEvent:
    """One line of Pacemaker's fencing history.

    completed_s: epoch seconds on the clock of the controller that was asked, None while pending.
    origin: the controller that asked for the fencing. delegate: which one did it, or "a human".
    client: the program there that did: the cluster itself is pacemaker-controld.
    """

    target: NodeName
    action: str
    status: str
    completed_s: float | None
    reason: str = ""
    origin: str = ""
    delegate: str = ""
    client: str = ""


@dataclass(frozen=True)
class Device:
    """A fence device in a level; agent is None when the CIB does not define the device."""

    id: str
    agent: str | None


@dataclass(frozen=True)
class Level:
    """A level of the fencing topology, its devices in the order Pacemaker runs them.

    target: a node name, or a regular expression when pattern is true.
    """

    target: str
    index: int
    devices: tuple[Device, ...]
    pattern: bool = False

    def covers(self, node: NodeName) -> bool:
        """Tell whether Pacemaker uses this level for the node.

        Pacemaker's patterns are POSIX ones; one that cannot be read here may cover any node.
        """
        if not self.pattern:
            return self.target == node
        try:
            return re.search(self.target, node) is not None
        except re.error:
            return True


@dataclass(frozen=True)
class HoldMark:
    """The location constraint that keeps nova-compute off a fenced node."""

    id: str
    node: NodeName
    receipt_id: str

    @staticmethod
    def of(node: NodeName, receipt_id: str) -> "HoldMark":
        """Return the hold that is written together with a receipt."""
        return HoldMark(f"{HOLD_PREFIX}{node}.{receipt_id}", node, receipt_id)


@dataclass(frozen=True)
class ClusterView:
    """The cluster as one controller sees it.

    malformed: (node, text) of every receipt or record that cannot be read. online: nodes that are
    connected. lives: the incarnation of each remote node. events: the whole fencing history, None
    when it was not asked for or gave no answer. braked: hosts that the storm brake holds.
    released: those that a person has released from brake and limits. disarmed: the disarms that
    hold now. failing: lost nodes whose fencing fails each time, and the fencer's last reason.
    starts: what has to be started once it is placed, one of a node at most.
    drains: a person's words. withdrawn: what we took of hosts. health: of remote nodes that are not
    green. standby: remote nodes that are in Pacemaker's standby.
    """

    quorate: bool
    receipts: tuple[Receipt, ...] = ()
    records: tuple[Record, ...] = ()
    malformed: tuple[tuple[NodeName, str], ...] = ()
    marks: tuple[HoldMark, ...] = ()
    levels: tuple[Level, ...] = ()
    online: frozenset[NodeName] = frozenset()
    lives: Mapping[NodeName, Incarnation] = field(default_factory=dict)
    events: tuple[FencingEvent, ...] | None = None
    braked: tuple[tuple[NodeName, Brake], ...] = ()
    released: frozenset[NodeName] = frozenset()
    disarmed: tuple[Disarm, ...] = ()
    failing: tuple[tuple[NodeName, str], ...] = ()
    starts: tuple[Starts, ...] = ()
    drains: tuple[Drain, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    health: Mapping[NodeName, Health] = field(default_factory=dict)
    standby: frozenset[NodeName] = frozenset()

    def starts_of(self, node: NodeName) -> Starts | None:
        """Return what has to be started of a node's instances."""
        return next((starts for starts in self.starts if starts.node == node), None)

    def receipt_of(self, node: NodeName) -> Receipt | None:
        """Return the open receipt of a node."""
        return next((receipt for receipt in self.receipts if receipt.node == node), None)

    def record_of(self, node: NodeName) -> Record | None:
        """Return what stands in the CIB of the node's recovery."""
        return next((record for record in self.records if record.node == node), None)

    def withdrawn_of(self, node: NodeName) -> Withdrawn | None:
        """Return what we have taken of a node."""
        return next((taken for taken in self.withdrawn if taken.node == node), None)

    def wanted(self, node: NodeName) -> Wanted | None:
        """Return what is wanted of a node, None where it is to serve as ever."""
        drain = next((drain for drain in self.drains if drain.node == node), None)
        health = self.health.get(node, Health.GREEN)
        if drain is not None:
            return Wanted(node, f"drained by {drain}", empty=True, standby=drain.standby)
        if health is Health.GREEN:
            return None
        return Wanted(node, f"its health is {health.name.lower()}", empty=health is Health.RED)


@dataclass(frozen=True)
class Service:
    """A nova-compute service; heartbeat is the text Nova prints as `updated_at`.

    up: what Nova believes of it, which after a crash is wrong for a minute. hidden: its cell gives
    Nova no answer, so all but the host is unknown.

    Source: Compute API "List Compute Services", microversion 2.53 onward, "Handling Down Cells".
    """

    id: str
    host: ComputeHost
    enabled: bool
    disabled_reason: str
    forced_down: bool
    heartbeat: str
    up: bool = True
    hidden: bool = False


@dataclass(frozen=True)
class Server:
    """A Nova server as a list of its host shows it.

    fault: Nova's words about one in ERROR. details: what it is and how it stands, None until the
    detailed list was read once.
    """

    id: ServerId
    name: str
    fault: str = ""
    details: Details | None = None


@dataclass(frozen=True)
class Migration:
    """The record of an evacuation, or of a live migration.

    Source: Compute API "List Migrations", microversion 2.59 onward.
    """

    id: int
    server: ServerId
    source: ComputeHost
    destination: ComputeHost | None
    status: str


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A fact and when it was asked for (monotonic seconds); what came later is not in it."""

    value: T
    asked_s: float


PostState = Literal["sent", "accepted", "lost"]


@dataclass(frozen=True)
class Post:
    """A request to move a server whose migration record has not been seen yet.

    sent: no answer so far. accepted: Nova said 200. lost: no usable answer came, so it may or may
    not have taken effect. at_s: monotonic seconds of the last change of state. host: where the
    server was; only that host's records tell of the request. after: the highest record
    of the server there that was known when the request was sent.
    """

    state: PostState
    at_s: float
    host: ComputeHost
    after: int


@dataclass(frozen=True)
class Refusal:
    """How often in a row a request for a server came to nothing, when last, and Nova's words.

    lost: the last one had no usable answer, which is no refusal: Nova may take the next.
    """

    count: int
    last_s: float
    text: str
    lost: bool = False


class Moving(NamedTuple):
    """The status that an evacuation record shows, and since when (monotonic seconds).

    flew: it was seen in flight.
    """

    status: str
    since_s: float
    flew: bool


class Strain(NamedTuple):
    """How often the evacuations at once were halved because Nova was overloaded, and when last."""

    halvings: int = 0
    since_s: float = 0.0


class StartTry(NamedTuple):
    """The last try to start a server, how many there were, and Nova's words to it.

    state: as of a Post, or refused. at_s: monotonic seconds of its last change.
    """

    state: PostState | Literal["refused"]
    at_s: float
    tries: int = 0
    text: str = ""


class Placed(NamedTuple):
    """How servers stand on a host; of: those that were asked for. Those not listed are missing."""

    asked_s: float
    of: frozenset[ServerId]
    servers: Mapping[ServerId, Server]


@dataclass(frozen=True)
class RefusedChange:
    """Since when Nova refuses to change a host's service, when it did last, and its words."""

    since_s: float
    last_s: float
    text: str


class Topic(NamedTuple):
    """What Nova is asked about; host: "" where it is about all of them."""

    what: str
    host: str


@dataclass(frozen=True)
class Silence:
    """Why there was no answer; tries: how often, since the first, while others were answered."""

    text: str
    since_s: float
    last_s: float
    until_s: float
    tries: int


@dataclass(frozen=True)
class DrainMemory:
    """What this process knows of live migrations; as with Memory, all of it may be lost.

    records: of live migrations, by their source. changed_s: when those of a host last changed, or a
    request was sent. failed_at: when a record that ended badly was first seen, by its number.
    flying_s: since when a record in flight shows the status it has. begun: nodes that this process
    itself withdrew, so that no earlier one can have a request on the wire.
    """

    records: Mapping[ComputeHost, Answer[tuple[Migration, ...]]] = field(default_factory=dict)
    changed_s: Mapping[ComputeHost, float] = field(default_factory=dict)
    posts: Mapping[ServerId, Post] = field(default_factory=dict)
    refusals: Mapping[ServerId, Refusal] = field(default_factory=dict)
    failed_at: Mapping[int, float] = field(default_factory=dict)
    flying_s: Mapping[tuple[int, str], float] = field(default_factory=dict)
    begun: frozenset[NodeName] = frozenset()


@dataclass(frozen=True)
class Memory:
    """What this process knows besides the cluster; all of it may be lost at any instant.

    begun: receipts whose recovery this process itself began, so that no earlier process can have a
    request on the wire, and the highest record of before it: a CIB that is read late shows the
    recovery as not begun, and our own records would count as older than it. room: None in an answer
    where Placement gave none. changed_s: when a record of a host last came to an end, or a request
    was sent. flows: how fast a host's evacuations come to their ends. first_seen: when a receipt
    was first seen, and when a released host was back. rules_since_s: since when the aggregates are
    as they are. failed_at: when a record that ended badly was first seen, by its number; long ago
    for what waits no longer, since woken_s. cramped: what had failed and had no room when Placement
    told last. moving: the records that did not end badly, by their numbers. service_refused: where
    Nova refuses to change a service. aggregate_refused: the same of an aggregate, by its number and
    the host that it was about. raised: where Nova took back our force-down: one that is there later
    is a person's. known: each server that a host's detailed list has shown since its recovery
    began. detailed_s: when that was asked for. answered: instances whose port answered since the
    newest recovery began. probed: when the port of each was tried last. leaves_stopped: whether
    Nova can leave what it evacuates stopped, None where it was not asked. placed: how the servers
    stand that were, on their new hosts. start_tries: their starts. up: since when each was seen to
    run. needless: those that need no start any more. drain: what is known of live migrations.
    trouble: why Nova cannot be asked before trouble_until_s. heard_s: when it answered a question
    last. silences: what it answers nothing to; not asked before hung_until_s. hidden: the hosts
    that Nova knows, and cannot tell more of, for their cell is down.
    """

    started_s: float
    services: Answer[tuple[Service, ...]] | None = None
    hidden: frozenset[ComputeHost] = frozenset()
    rules: Answer[Rules] | None = None
    room: Answer[tuple[Room, ...] | None] | None = None
    rules_since_s: float = 0.0
    servers: Mapping[ComputeHost, Answer[tuple[Server, ...]]] = field(default_factory=dict)
    known: Mapping[ComputeHost, Mapping[ServerId, Server]] = field(default_factory=dict)
    detailed_s: Mapping[ComputeHost, float] = field(default_factory=dict)
    migrations: Mapping[ComputeHost, Answer[tuple[Migration, ...]]] = field(default_factory=dict)
    changed_s: Mapping[ComputeHost, float] = field(default_factory=dict)
    flows: Mapping[ComputeHost, Flow] = field(default_factory=dict)
    posts: Mapping[ServerId, Post] = field(default_factory=dict)
    refusals: Mapping[ServerId, Refusal] = field(default_factory=dict)
    failed_at: Mapping[int, float] = field(default_factory=dict)
    woken_s: float = 0.0
    cramped: frozenset[ServerId] = frozenset()
    moving: Mapping[int, Moving] = field(default_factory=dict)
    first_seen: Mapping[str, float] = field(default_factory=dict)
    begun: Mapping[str, int] = field(default_factory=dict)
    service_refused: Mapping[ComputeHost, RefusedChange] = field(default_factory=dict)
    aggregate_refused: Mapping[tuple[int, ComputeHost], RefusedChange] = field(default_factory=dict)
    raised: frozenset[ComputeHost] = frozenset()
    strain: Strain = field(default_factory=Strain)
    answered: frozenset[ServerId] = frozenset()
    probed: Mapping[ServerId, float] = field(default_factory=dict)
    leaves_stopped: bool | None = None
    placed: Mapping[ComputeHost, Placed] = field(default_factory=dict)
    start_tries: Mapping[ServerId, StartTry] = field(default_factory=dict)
    up: Mapping[ServerId, float] = field(default_factory=dict)
    needless: frozenset[ServerId] = frozenset()
    drain: DrainMemory = field(default_factory=DrainMemory)
    canaries: Mapping[ComputeHost, CanaryMemory] = field(default_factory=dict)
    trouble: str | None = None
    trouble_until_s: float = 0.0
    heard_s: float = float("-inf")
    hung_until_s: float = 0.0
    silences: Mapping[Topic, Silence] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """Everything a decision may use; now_s: monotonic, and so cycle_s, when the cycle began."""

    now_s: float
    cluster: ClusterView
    memory: Memory
    cycle_s: float = float("inf")
