"""The ports of the fake world, the details that strike them, and a process that runs on them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar

from fakeworld import World
from novaha.app.cycle import Reconciler
from novaha.core.actions import Action, Evacuate, Hold, Request
from novaha.core.canary import Canary, Recipe
from novaha.core.capacity import Room
from novaha.core.drain import Withdrawn
from novaha.core.model import ClusterView, HoldMark, Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import Target
from novaha.core.policy import Policy
from novaha.core.receipt import Receipt
from novaha.core.recovery import Record
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.starts import Starts
from novaha.errors import CloudRefused, CloudUnavailable, ClusterUnavailable, NovaHaError
from novaha.ports import Ports, PostResult

T = TypeVar("T")

CALL_S = 0.02
SLOW_S = 2.5
LATE_S = 12.0
"""How long after its reply was lost a request may still take effect: below Policy.settle_s."""
INTERVAL_S = 5.0


class Killed(BaseException):
    """The process is gone; nothing of it may catch this."""


class Fault(Enum):
    """What strikes one call of a port."""

    NONE = auto()
    NOT_DONE = auto()
    """No answer and no effect."""
    REPLY_LOST = auto()
    """No answer, yet the effect is there."""
    REFUSED = auto()
    SLOW = auto()
    KILL_BEFORE = auto()
    KILL_AFTER = auto()


@dataclass
class Wire:
    """Where each call of a port meets its fault and takes its time."""

    world: World
    details: Iterator[Fault]
    calls: list[str] = field(default_factory=list)

    def strike(self, what: str) -> Fault:
        """Count a call and return what strikes it; dies here if it dies before the effect."""
        self.calls.append(what)
        fault = next(self.details, Fault.NONE)
        self.world.advance(SLOW_S if fault is Fault.SLOW else CALL_S)
        if fault is Fault.KILL_BEFORE:
            raise Killed
        return fault

    def call(self, what: str, effect: Callable[[], T], error: type[NovaHaError]) -> T:
        fault = self.strike(what)
        down = self.world.nova_down and error is CloudUnavailable
        if down or fault is Fault.NOT_DONE:
            raise error(what + ": no answer")
        if fault is Fault.REFUSED and error is CloudUnavailable:
            raise CloudRefused(what + ": conflict", 409)
        value = effect()
        if fault is Fault.KILL_AFTER:
            raise Killed
        if fault is Fault.REPLY_LOST:
            raise error(what + ": reply lost")
        return value


@dataclass
class FakeCluster:
    wire: Wire

    def observe(self) -> ClusterView:
        return self._call("observe", self.wire.world.observe)

    def write_record(self, recovery: Record) -> None:
        recoveries = self.wire.world.recoveries
        self._call("write_record", lambda: recoveries.update({recovery.node: recovery}))

    def delete_receipt(self, receipt: Receipt) -> None:
        self._call("delete_receipt", lambda: _drop(self.wire.world.receipts, receipt.node, receipt))

    def delete_record(self, recovery: Record) -> None:
        recoveries = self.wire.world.recoveries
        self._call("delete_record", lambda: _drop(recoveries, recovery.node, recovery))

    def delete_hold(self, mark: HoldMark) -> None:
        self._call("delete_hold", lambda: _drop(self.wire.world.marks, mark.id, mark))

    def write_starts(self, starts: Starts) -> None:
        raise NotImplementedError

    def delete_starts(self, starts: Starts) -> None:
        raise NotImplementedError

    def write_withdrawn(self, withdrawn: Withdrawn) -> None:
        raise NotImplementedError  # nothing is drained in this world

    def delete_withdrawn(self, withdrawn: Withdrawn) -> None:
        raise NotImplementedError

    def set_standby(self, node: NodeName, *, on: bool) -> None:
        raise NotImplementedError

    def _call(self, what: str, effect: Callable[[], T]) -> T:
        return self.wire.call(what, effect, ClusterUnavailable)


K = TypeVar("K")


def _drop(of: dict[K, T], key: K, value: T) -> None:
    """Compare and delete."""
    if of.get(key) == value:
        del of[key]


@dataclass
class FakeCloud:
    wire: Wire

    def services(self) -> tuple[Service, ...]:
        return self._call("services", lambda: tuple(self.wire.world.services.values()))

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        return self._call("servers", lambda: self.wire.world.servers(host, details=details))

    def rooms(self) -> tuple[Room, ...]:
        return self._call("rooms", tuple)

    def rules(self) -> Rules:
        return self._call("rules", Rules)

    def leaves_stopped(self) -> bool:
        return False

    def answering(self, targets: tuple[Target, ...]) -> frozenset[ServerId]:
        return frozenset(target.server for target in targets)

    def migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        return self._call("migrations", lambda: self.wire.world.records(host))

    def live_migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        raise NotImplementedError

    def set_forced_down(self, service: Service, *, forced_down: bool) -> Service:
        what = "force_down" if forced_down else "force_up"
        world = self.wire.world
        effect = lambda: world.set_forced_down(service.host, forced_down=forced_down)  # noqa: E731
        return self._call(what, effect)

    def set_enabled(self, service: Service, *, enabled: bool, reason: str = "") -> Service:
        what = "enable" if enabled else "disable"
        world = self.wire.world
        effect = lambda: world.set_enabled(  # noqa: E731
            service.host, enabled=enabled, reason=reason
        )
        return self._call(what, effect)

    def canaries(self, host: ComputeHost) -> tuple[Canary, ...]:
        raise NotImplementedError

    def boot_canary(self, host: ComputeHost, receipt_id: str, recipe: Recipe) -> None:
        raise NotImplementedError

    def delete_canary(self, host: ComputeHost, server: ServerId) -> None:
        raise NotImplementedError

    def set_aggregate_metadata(self, id_: int, metadata: Mapping[str, str]) -> Aggregate:
        raise NotImplementedError

    def add_to_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        raise NotImplementedError

    def remove_from_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        raise NotImplementedError

    def _call(self, what: str, effect: Callable[[], T]) -> T:
        return self.wire.call(what, effect, CloudUnavailable)


@dataclass
class FakePosts:
    """Requests of one process: its death loses the answers, not the effects."""

    wire: Wire
    ended: list[PostResult] = field(default_factory=list)
    on_the_wire: int = 0

    def send(self, request: Request) -> None:
        assert isinstance(request, Evacuate)
        evacuate = request
        world = self.wire.world
        fault = self.wire.strike("send")
        self.on_the_wire += not world.nova_down and fault not in (Fault.NOT_DONE, Fault.REFUSED)
        lost = PostResult(evacuate, CloudUnavailable("no answer"))
        if world.nova_down or fault is Fault.NOT_DONE:
            world.later(0.3, lambda: self.ended.append(lost))
        elif fault is Fault.REFUSED:
            refused = PostResult(evacuate, CloudRefused("conflict", 409))
            world.later(0.3, lambda: self.ended.append(refused))
        elif fault is Fault.REPLY_LOST:
            world.later(LATE_S, lambda: self._arrive(evacuate))
            world.later(0.3, lambda: self.ended.append(lost))
        elif fault is Fault.KILL_AFTER:
            world.later(LATE_S, lambda: self._arrive(evacuate))
            raise Killed
        else:
            world.later(0.1, lambda: self.ended.append(self._arrive(evacuate)))

    def _arrive(self, evacuate: Evacuate) -> PostResult:
        self.on_the_wire -= 1
        try:
            self.wire.world.evacuate(evacuate.server)
        except (CloudRefused, CloudUnavailable) as error:
            return PostResult(evacuate, error)
        return PostResult(evacuate, None)

    def results(self) -> list[PostResult]:
        out, self.ended = self.ended, []
        return out


@dataclass
class FakeClock:
    world: World

    def monotonic_s(self) -> float:
        return self.world.now_s


@dataclass
class ListJournal:
    """Keeps what was done and what was held, for the tests to look at."""

    actions: list[tuple[Action, str]] = field(default_factory=list)
    held: tuple[Hold, ...] = ()

    def action(self, action: Action, outcome: str) -> None:
        self.actions.append((action, outcome))

    def holds(self, holds: tuple[Hold, ...]) -> None:
        self.held = holds


@dataclass
class Process:
    """The recovery process in a world, started again whenever it is killed."""

    world: World
    details: Iterable[Fault] = ()
    policy: Policy = field(default_factory=Policy)
    journal: ListJournal = field(default_factory=ListJournal)
    starts: int = 0

    def __post_init__(self) -> None:
        self.wire = Wire(self.world, iter(self.details))
        self.start()

    def start(self) -> None:
        """Begin with nothing but what the cluster and the cloud hold."""
        self.starts += 1
        self.posts = FakePosts(self.wire)
        ports = Ports(
            FakeCluster(self.wire),
            FakeCloud(self.wire),
            self.posts,
            FakeClock(self.world),
            self.journal,
        )
        self.reconciler = Reconciler(ports, self.policy)

    def step(self) -> float:
        """Run one cycle and return how long it wants to wait."""
        try:
            return self.reconciler.wait_s(self.reconciler.cycle(), INTERVAL_S)
        except ClusterUnavailable:
            return INTERVAL_S
        except Killed:
            self.world.orphans += self.posts.on_the_wire
            self.start()
            return 1.0

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Cycle for some time, or until something is so; a result of a request wakes it."""
        end_s = self.world.now_s + seconds
        while self.world.now_s < end_s and not (until is not None and until()):
            wake_s = self.world.now_s + self.step()
            while self.world.now_s < wake_s and not self.posts.ended:
                self.world.advance(min(0.2, wake_s - self.world.now_s))

    def run_to_rest(self, seconds: float = 20_000.0) -> None:
        """Cycle until nothing is left to recover and every node serves."""
        self.run(seconds, self.at_rest)

    def at_rest(self) -> bool:
        world = self.world
        left = bool(world.receipts or world.recoveries or world.marks)
        return not left and all(node.serving for node in world.nodes.values())
