"""Nova's API and what lies behind it: services, instances, evacuation records.

Every list is built when it is asked for and kept until something in it changes. What evacuations go
through is in sim/moves.py.
"""

from collections.abc import Callable, Iterable

from novaha.core.actions import LiveMigrate, Request, Start
from novaha.core.canary import Canary
from novaha.core.capacity import Room
from novaha.core.details import Details, Flavor
from novaha.core.facts import By, Deleted, LiveAsked
from novaha.core.model import Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import Target
from novaha.core.policy import in_flight
from novaha.core.rules import AFFINITY, Rules, ServerGroup
from novaha.errors import CloudRefused, CloudUnavailable, NotInTwoPhases
from novaha.sim.aggregates import Aggregates
from novaha.sim.book import Book
from novaha.sim.canaries import Canaries
from novaha.sim.engine import EPOCH_S, Engine
from novaha.sim.guests import Guests
from novaha.sim.power import Power
from novaha.sim.records import (
    AS_EVER,
    Compute,
    Evacuation,
    How,
    Instance,
    LiveMigration,
    ServiceState,
)

BEAT_S = 10.0
"""Nova's report_interval."""
DOWN_S = 60.0
"""Nova's service_down_time: without a beat for so long a service counts as down."""


EVACUATED = frozenset({"active", "stopped", "error"})
"""The vm_states in which Nova evacuates an instance; it does not look at the task."""


NO_HOST = "No valid host was found."
LIVE = frozenset({"active", "paused"})
"""The vm_states in which Nova live-migrates an instance, where no task runs."""

FLAVOR = Flavor("small", 1, 1024)
ADDRESSES = ("192.0.2.1",)
MANY = 1_000_000


class Nova:
    """One cloud. down, slow, unauthorized: how its API is at present.

    checks_groups: whether computes look at the affinity group of what arrives, as Nova has it.
    old: a nova-compute somewhere is too old to leave an evacuated instance stopped.
    """

    def __init__(self, engine: Engine, book: Book, guests: Guests) -> None:
        """Begin with nothing in it."""
        self._engine = engine
        self._book = book
        self._guests = guests
        self.down = self.slow = self.unauthorized = False
        self.states: dict[NodeName, ServiceState] = {}
        self.computes: dict[NodeName, Compute] = {}
        self.instances: dict[ServerId, Instance] = {}
        self.evacuations: list[Evacuation] = []
        self.lives: list[LiveMigration] = []
        self.listeners: list[Callable[[], None]] = []
        self.begin_move: Callable[[Instance, By, NodeName | None, How], None] = lambda *_: None
        self.begin_live: Callable[[Instance, By], None] = lambda *_: None
        self.checks_groups = True
        self.old = False
        self._canaries = Canaries(engine)
        self.power = Power(engine, book, guests, self.instances, self.computes, self._changed_at)
        self._nodes: dict[ComputeHost, NodeName] = {}
        self.aggregates = Aggregates(engine, book, self._nodes.get, lambda: self.changed(()))
        self._services: dict[NodeName, tuple[float, bool, Service]] = {}
        self._servers: dict[tuple[ComputeHost, bool], tuple[Server, ...]] = {}
        self._migrations: dict[ComputeHost, tuple[Migration, ...]] = {}

    def add_host(self, compute: Compute) -> None:
        """Let a host with its service exist, up and beating."""
        number = len(self.states)
        self.computes[compute.name] = compute
        self.states[compute.name] = ServiceState(f"service-{number}", compute.name, compute.host)
        self.states[compute.name].beats_from_s = -BEAT_S * number / 4
        self._nodes[compute.host] = compute.name

    def node_of(self, host: ComputeHost) -> NodeName:
        """Return the node whose nova-compute has a host's name."""
        return self._nodes[host]

    # What the API answers

    def services(self) -> tuple[Service, ...]:
        """List the nova-compute services."""
        return tuple(map(self._service, self.states.values()))

    def tell(self, host: ComputeHost) -> None:
        """Raise what Nova answers where its lists of a host fail."""
        node = self._nodes.get(host)
        if node is not None and self.states[node].untold:
            self._book.outcome.faults["lists-fail"] += 1
            msg = "Nova answered 500"
            raise CloudUnavailable(msg)

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        """List the instances that Nova has on a host."""
        found = self._servers.get((host, details))
        if found is None:
            node = self._nodes.get(host)
            here = [i for i in self.instances.values() if i.node == node and not i.deleted]
            found = tuple(_server(i, details=details) for i in here)
            self._servers[host, details] = found
        return found

    def rooms(self) -> tuple[Room, ...]:
        """Tell what is free: on a host that is full nothing, on others more than anybody needs."""
        open_ = (s for s in self.states.values() if s.enabled and not s.forced_down)
        return tuple(Room(s.host, 0, 0) if s.full else Room(s.host, MANY, MANY) for s in open_)

    def answering(self, targets: Iterable[Target]) -> frozenset[ServerId]:
        """Tell whose port answers, where its guest runs on the host that Nova has it on."""
        there = ((one.server, self.instances[one.server].node) for one in targets)
        return frozenset(server for server, node in there if self._guests.listens(server, node))

    def rules(self) -> Rules:
        """List the aggregates of the world, and the groups of its instances."""
        members: dict[tuple[str, str], set[ServerId]] = {}
        for instance in self.instances.values():
            for policy, name in (("anti-affinity", instance.group), (AFFINITY, instance.together)):
                if name and not instance.deleted:
                    members.setdefault((policy, name), set()).add(instance.id)
        groups = (
            ServerGroup(name, name, policy, 1, frozenset(ids))
            for (policy, name), ids in members.items()
        )
        return Rules(self.aggregates.all, tuple(groups))

    def canaries(self, host: ComputeHost) -> tuple[Canary, ...]:
        """List the canaries of a host."""
        return self._canaries.list(host)

    def boot_canary(self, host: ComputeHost, receipt_id: str) -> None:
        """Boot one on exactly this host, whatever its service is set to."""
        node = self._nodes[host]
        fault = NO_HOST if self.states[node].full else ""
        self._canaries.boot(self.computes[node], receipt_id, fault)

    def delete_canary(self, server: ServerId) -> None:
        """Delete one."""
        self._canaries.delete(server)

    def migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List the evacuation records of a host, the newest first."""
        found = self._migrations.get(host)
        if found is None:
            # Nova deletes the records of an instance with it (seen with 34.0).
            kept = (e for e in reversed(self.evacuations) if not e.instance.deleted)
            mine = [e for e in kept if e.source.host == host]
            found = self._migrations[host] = tuple(map(_record, mine))
        return found

    def live_migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List the live migration records of a host, the newest first."""
        kept = (live for live in reversed(self.lives) if not live.instance.deleted)
        return tuple(
            Migration(
                live.id, live.instance.id, host, live.to.host if live.to else None, live.status
            )
            for live in kept
            if live.source.host == host
        )

    def set_forced_down(self, host: ComputeHost, *, forced_down: bool) -> Service:
        """Force a service down or up; up is refused while records are not completed."""
        node = self._nodes[host]
        mine = (e for e in self.evacuations if e.source.name == node and not e.instance.deleted)
        if not forced_down and any(e.status == "done" for e in mine):
            msg = f"Service {host} has evacuations that are not completed (400)"
            raise CloudRefused(msg, 400)
        state = self.states[node]
        state.forced_down = forced_down
        self._service_changed(state)
        return self._service(state)

    def set_enabled(self, host: ComputeHost, *, enabled: bool, reason: str = "") -> Service:
        """Enable a service, or disable it with a reason."""
        state = self.states[self._nodes[host]]
        state.enabled, state.reason = enabled, "" if enabled else reason
        self._service_changed(state)
        return self._service(state)

    def evacuate(
        self, server: ServerId, by: By, to: ComputeHost | None = None, how: How = AS_EVER
    ) -> None:
        """Accept an evacuate request or raise what Nova answers instead; to: the only host."""
        instance = self.instances.get(server)
        if instance is None or instance.deleted:
            msg = f"Instance {server} could not be found (404)"
            raise CloudRefused(msg, 404)
        if how.stops and self.old:
            msg = "To evacuate please use an older microversion (400)"
            raise NotInTwoPhases(msg, 400)
        if instance.chokes:
            instance.chokes -= 1
            msg = f"Nova answered 500 to POST /servers/{server}/action"
            raise CloudUnavailable(msg)
        state = self.states[instance.node]
        if self.is_up(state):
            msg = f"Compute service of {state.host} is still in use (400)"
            raise CloudRefused(msg, 400)
        if instance.refusals:
            instance.refusals -= 1
            msg = f"Cannot 'evacuate' instance {server} while it is in this state (409)"
            raise CloudRefused(msg, 409)
        if instance.vm_state not in EVACUATED:
            msg = f"Cannot 'evacuate' instance {server} while it is {instance.vm_state} (409)"
            raise CloudRefused(msg, 409)
        if to is not None and to not in self._nodes:
            msg = f"Compute host {to} could not be found (404)"
            raise CloudRefused(msg, 404)
        self.begin_move(instance, by, None if to is None else self._nodes[to], how)

    def live_migrate(self, server: ServerId, by: By, sent_s: float) -> None:
        """Accept a request for a live migration or raise what Nova answers instead."""
        instance = self.instances.get(server)
        if instance is None or instance.deleted:
            msg = f"Instance {server} could not be found (404)"
            raise CloudRefused(msg, 404)
        self._book.see(LiveAsked(self._engine.now_s, server, sent_s, by))
        if instance.vm_state not in LIVE or instance.task_state:
            how = f"{instance.vm_state} {instance.task_state}"
            msg = f"Cannot 'os-migrateLive' instance {server} while it is {how} (409)"
            raise CloudRefused(msg, 409)
        self.begin_live(instance, by)

    def is_moving(self, instance: Instance) -> bool:
        """Tell whether an evacuation of an instance is in flight, or over a moment ago only."""
        mine = [each for each in self.evacuations if each.instance is instance]
        ends = any(each.status == "done" and each.source.name == instance.node for each in mine)
        return ends or any(in_flight(each.status) for each in mine)

    def reset_state(self, instance: Instance) -> None:
        """Set an instance active, whatever runs."""
        instance.vm_state, instance.task_state, instance.moves_to = "active", "", None
        self.changed((self.computes[instance.node],))

    def answer(
        self, request: Request, by: By, sent_s: float
    ) -> CloudRefused | CloudUnavailable | None:
        """Return the error that answers a request that is not waited for, None for 200.

        Where a state is to be reset, that was a request before it.
        """
        server = request.server
        try:
            match request:
                case Start():
                    self.power.start(server)
                case LiveMigrate():
                    self.live_migrate(server, by, sent_s)
                case _:
                    if request.reset and server in self.instances:
                        self.reset_state(self.instances[server])
                    how = How(forced=request.forced, stops=request.stopped)
                    self.evacuate(server, by, request.to, how)
        except (CloudRefused, CloudUnavailable) as error:
            return error
        return None

    # What happens behind the API

    def is_up(self, state: ServiceState) -> bool:
        """Tell whether Nova believes that a service is up."""
        return not state.forced_down and self._engine.now_s - self._beat_s(state) < DOWN_S

    def had_room(self, instance: Instance, for_s: float) -> bool:
        """Tell whether one that found no host would have found one for so long."""
        since_s = self._engine.now_s - for_s
        others = (state for state in self.states.values() if state.node != instance.node)
        open_ = (s for s in others if s.enabled and self.is_up(s) and not s.full)
        roomy = any(s.roomy_s <= since_s and self.computes[s.node].serving for s in open_)
        return roomy and instance.fault == NO_HOST and not (instance.group or instance.together)

    def beats(self, node: NodeName) -> None:
        """Let a nova-compute report from now on."""
        self.states[node].beats_from_s = self._engine.now_s

    def beats_no_more(self, node: NodeName) -> None:
        """Let a nova-compute report no more."""
        state = self.states[node]
        state.last_beat_s = self._beat_s(state)
        state.beats_from_s = None
        self.changed(())

    def delete(self, instance: Instance) -> None:
        """Delete an instance; its copy ends where a nova-compute is reached that can do it."""
        instance.deleted = True
        self._book.see(Deleted(self._engine.now_s, instance.id))
        for compute in self.computes.values():
            if compute.serving and compute.reachable:
                self._guests.end(instance.id, compute.name)
        sources = (e.source for e in self.evacuations if e.instance is instance)
        self.changed((self.computes[instance.node], *sources))

    def _changed_at(self, compute: Compute) -> None:
        self.changed((compute,))

    def changed(self, sources: Iterable[Compute]) -> None:
        """Forget the lists of some hosts, for something in them changed."""
        for compute in sources:
            self._migrations.pop(compute.host, None)
            self._servers.pop((compute.host, False), None)
            self._servers.pop((compute.host, True), None)
        for listener in self.listeners:
            listener()

    def _service_changed(self, state: ServiceState) -> None:
        self._services.pop(state.node, None)
        self.changed(())

    def _beat_s(self, state: ServiceState) -> float:
        since_s = state.beats_from_s
        if since_s is None:
            return state.last_beat_s
        return since_s + (self._engine.now_s - since_s) // BEAT_S * BEAT_S

    def _service(self, state: ServiceState) -> Service:
        beat_s, up = self._beat_s(state), self.is_up(state)
        known = self._services.get(state.node)
        if known is not None and known[:2] == (beat_s, up):
            return known[2]
        service = Service(
            id=state.id,
            host=state.host,
            enabled=state.enabled,
            disabled_reason=state.reason,
            forced_down=state.forced_down,
            heartbeat=f"{EPOCH_S + beat_s:.3f}",
            up=up,
        )
        self._services[state.node] = (beat_s, up, service)
        return service


def _server(instance: Instance, *, details: bool) -> Server:
    if not details:
        return Server(instance.id, instance.id)
    shown = Details(
        instance.vm_state,
        instance.task_state,
        image=instance.image,
        metadata=dict(instance.metadata),
        flavor=FLAVOR,
        addresses=ADDRESSES,
    )
    return Server(instance.id, instance.id, instance.fault, shown)


def _record(evacuation: Evacuation) -> Migration:
    shown = evacuation.shown
    if shown is None or shown.status != evacuation.status:
        to = evacuation.to.host if evacuation.to else None
        shown = evacuation.shown = Migration(
            evacuation.id,
            evacuation.instance.id,
            evacuation.source.host,
            to,
            evacuation.status,
        )
    return shown
