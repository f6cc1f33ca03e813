"""The ports of one process of ours: each call goes over the wire into the world."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from novaha.core.actions import Evacuate, LiveMigrate, Request, Start
from novaha.core.canary import Canary, Recipe
from novaha.core.capacity import Room
from novaha.core.drain import Withdrawn
from novaha.core.facts import By
from novaha.core.model import ClusterView, HoldMark, Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import Target
from novaha.core.receipt import Receipt
from novaha.core.recovery import Record
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.starts import Starts
from novaha.errors import CloudRefused, CloudUnavailable
from novaha.ports import PostResult
from novaha.sim.cib import Cib
from novaha.sim.cluster import Cluster
from novaha.sim.engine import Engine, Jitter
from novaha.sim.nova import Nova
from novaha.sim.wire import LATE_S, NO_KEYSTONE, SLOW_S, Door, Wire

T = TypeVar("T")

TRAVEL_S = 0.1
"""One way of an evacuate request."""


class Life:
    """Whether a process lives; everything it holds asks here."""

    __slots__ = ("ended",)

    def __init__(self) -> None:
        """Begin to live."""
        self.ended = False

    def lives(self) -> bool:
        """Tell whether it lives."""
        return not self.ended


class SimCluster:
    """The cluster port on one controller."""

    def __init__(
        self, wire: Wire, life: Life, cluster: Cluster, cib: Cib, controller: NodeName
    ) -> None:
        """Look from one controller."""
        self._wire = wire
        self._life = life
        self._cluster = cluster
        self._cib = cib
        self._controller = controller

    def observe(self) -> ClusterView:
        """Return the cluster as it is now."""
        return self._wire.call(
            "observe",
            Door.CLUSTER,
            self._life.lives,
            lambda: self._cluster.observe(self._controller),
            kept_as="observe",
        )

    def write_record(self, record: Record) -> None:
        """Keep the record of a recovery."""
        self._do("write-record", lambda: self._cib.write_record(record))

    def delete_receipt(self, receipt: Receipt) -> None:
        """Delete exactly this receipt."""
        self._do("delete-receipt", lambda: self._cib.delete_receipt(receipt))

    def delete_record(self, record: Record) -> None:
        """Delete exactly this record."""
        self._do("delete-record", lambda: self._cib.delete_record(record))

    def delete_hold(self, mark: HoldMark) -> None:
        """Delete a hold."""
        self._do("delete-hold", lambda: self._cib.delete_mark(mark))

    def write_starts(self, starts: Starts) -> None:
        """Keep what has to be started."""
        self._do("write-starts", lambda: self._cib.write_starts(starts))

    def delete_starts(self, starts: Starts) -> None:
        """Delete exactly this record of starts."""
        self._do("delete-starts", lambda: self._cib.delete_starts(starts))

    def write_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Keep what was taken of a node."""
        self._do("write-withdrawn", lambda: self._cib.write_withdrawn(withdrawn))

    def delete_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Delete exactly this."""
        self._do("delete-withdrawn", lambda: self._cib.delete_withdrawn(withdrawn))

    def set_standby(self, node: NodeName, *, on: bool) -> None:
        """Set a node in standby, or take that back."""
        self._do("set-standby", lambda: self._cluster.set_standby(node, on=on))

    def _do(self, name: str, effect: Callable[[], None]) -> None:
        self._wire.call(name, Door.CLUSTER, self._life.lives, effect)


class SimCloud:
    """The cloud port."""

    def __init__(
        self, wire: Wire, life: Life, nova: Nova, took: Callable[[ComputeHost], None]
    ) -> None:
        """Talk to one cloud; took: is told of each change that reached it."""
        self._wire = wire
        self._life = life
        self._nova = nova
        self._took = took

    def services(self) -> tuple[Service, ...]:
        """List the services."""
        return self._wire.call(
            "services", Door.CLOUD, self._life.lives, self._nova.services, kept_as="services"
        )

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        """List the servers of a host."""
        listed = partial(self._nova.servers, host, details=details)
        return self._list("servers", host, listed, f"servers {host} {details}")

    def rooms(self) -> tuple[Room, ...]:
        """Tell what is free."""
        return self._wire.call("rooms", Door.CLOUD, self._life.lives, self._nova.rooms)

    def leaves_stopped(self) -> bool:
        """Tell whether the API has that; it was asked when the process began."""
        return True

    def answering(self, targets: tuple[Target, ...]) -> frozenset[ServerId]:
        """Tell whose port answers; Nova has no part in it."""
        return self._nova.answering(targets)

    def rules(self) -> Rules:
        """List the aggregates and the groups."""
        return self._wire.call(
            "rules", Door.CLOUD, self._life.lives, self._nova.rules, kept_as="rules"
        )

    def migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List the evacuation records of a host."""
        listed = partial(self._nova.migrations, host)
        return self._list("migrations", host, listed, f"migrations {host}")

    def live_migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List the live migration records of a host."""
        listed = partial(self._nova.live_migrations, host)
        return self._list("live-migrations", host, listed, f"live-migrations {host}")

    def _list(self, name: str, host: ComputeHost, listed: Callable[[], T], kept_as: str) -> T:
        def effect() -> T:
            self._nova.tell(host)
            return listed()

        return self._wire.call(name, Door.CLOUD, self._life.lives, effect, kept_as=kept_as)

    def set_forced_down(self, service: Service, *, forced_down: bool) -> Service:
        """Force a service down or up."""
        return self._wire.call(
            "force-down" if forced_down else "force-up",
            Door.CLOUD,
            self._life.lives,
            lambda: self._changed(
                self._nova.set_forced_down(service.host, forced_down=forced_down)
            ),
        )

    def set_enabled(self, service: Service, *, enabled: bool, reason: str = "") -> Service:
        """Enable or disable a service."""
        return self._wire.call(
            "enable" if enabled else "disable",
            Door.CLOUD,
            self._life.lives,
            lambda: self._changed(
                self._nova.set_enabled(service.host, enabled=enabled, reason=reason)
            ),
        )

    def canaries(self, host: ComputeHost) -> tuple[Canary, ...]:
        """List the canaries of a host."""
        return self._wire.call(
            "canaries", Door.CLOUD, self._life.lives, lambda: self._nova.canaries(host)
        )

    def boot_canary(self, host: ComputeHost, receipt_id: str, recipe: Recipe) -> None:
        """Boot one; of what is all the same here."""
        del recipe
        self._canary("boot-canary", lambda: self._nova.boot_canary(host, receipt_id))

    def delete_canary(self, host: ComputeHost, server: ServerId) -> None:
        """Delete one."""
        del host
        self._canary("delete-canary", lambda: self._nova.delete_canary(server))

    def _canary(self, name: str, effect: Callable[[], None]) -> None:
        self._wire.call(name, Door.CLOUD, self._life.lives, effect)

    def set_aggregate_metadata(self, id_: int, metadata: Mapping[str, str]) -> Aggregate:
        """Set keys of an aggregate."""
        aggregates = self._nova.aggregates
        return self._aggregate("set-metadata", lambda: aggregates.set_metadata(id_, metadata))

    def add_to_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        """Have a host join an aggregate."""
        return self._aggregate("add-host", lambda: self._nova.aggregates.join(id_, host))

    def remove_from_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        """Take a host out of an aggregate."""
        return self._aggregate("remove-host", lambda: self._nova.aggregates.leave(id_, host))

    def _aggregate(self, name: str, effect: Callable[[], Aggregate]) -> Aggregate:
        return self._wire.call(name, Door.CLOUD, self._life.lives, effect)

    def _changed(self, service: Service) -> Service:
        self._took(service.host)
        return service


class SimPosts:
    """Requests of one process: its death loses the answers, not the effects."""

    def __init__(
        self,
        wire: Wire,
        life: Life,
        nova: Nova,
        engine: Engine,
        jitter: Jitter,
        heard: Callable[[PostResult], None],
    ) -> None:
        """Begin with nothing on the wire; heard: called when a result is there to be taken."""
        self._wire = wire
        self._life = life
        self._nova = nova
        self._engine = engine
        self._jitter = jitter
        self._heard = heard
        self._ended: list[PostResult] = []

    def send(self, request: Request) -> None:
        """Send one request; what strikes it decides when it arrives and what is heard of it."""
        fault, dies = self._wire.strike(_CALLS[type(request)])
        travel_s = self._jitter.spread(TRAVEL_S)
        if fault == "slow" or self._nova.slow:
            travel_s += SLOW_S / 2
        late = fault == "late" or dies is not None
        if fault not in _NO_EFFECT:
            arrives_s = self._jitter.up_to(LATE_S) if late else travel_s
            heard = fault not in ("late", "reply-lost")
            self._engine.later(
                arrives_s, self._arrive, request, heard, travel_s, self._engine.now_s
            )
        if dies is not None:
            self._wire.die(f"after {_CALLS[type(request)]}")
        if fault in _HEARD:
            self._engine.later(2 * travel_s, self._hear, PostResult(request, _HEARD[fault]()))

    def results(self) -> list[PostResult]:
        """Return, once, what ended since the last call."""
        if not self._ended:
            return []
        ended, self._ended = self._ended, []
        return ended

    def any_ended(self) -> bool:
        """Tell whether a result is there to be taken."""
        return bool(self._ended)

    def _arrive(self, request: Request, heard: bool, travel_s: float, sent_s: float) -> None:  # noqa: FBT001
        down = self._wire.down()
        by: By = "process" if self._life.lives() else "orphan"
        error = CloudUnavailable(down) if down else self._nova.answer(request, by, sent_s)
        if heard:
            self._engine.later(travel_s, self._hear, PostResult(request, error))

    def _hear(self, result: PostResult) -> None:
        if self._life.lives():
            self._ended.append(result)
            self._heard(result)


_NO_EFFECT = frozenset({"unanswered", "conflict", "unauthorized"})

_HEARD: dict[str, Callable[[], Exception]] = {
    "unanswered": lambda: CloudUnavailable("no answer", busy=True),
    "late": lambda: CloudUnavailable("no answer", busy=True),
    "reply-lost": lambda: CloudUnavailable("the answer was lost"),
    "conflict": lambda: CloudRefused("conflict (409)", 409),
    "unauthorized": lambda: CloudUnavailable(NO_KEYSTONE),
}


class SimClock:
    """The clock port."""

    def __init__(self, engine: Engine) -> None:
        """Show virtual time."""
        self._engine = engine

    def monotonic_s(self) -> float:
        """Return virtual seconds."""
        return self._engine.now_s


_CALLS = {Evacuate: "evacuate", Start: "start", LiveMigrate: "live-migrate"}
