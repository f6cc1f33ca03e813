"""A whole world on a virtual clock, and where it is simpler than reality.

    machines, guests      power, system, network, nova-compute; which copy of which instance runs
    members, cluster      corosync's membership; connections to computes; what the tools show
    fencer, history       levels of devices, receipts, retries, the history
    gate                  the storm brake, before all devices of a level
    cib                   receipts, records, holds, what the storm brake keeps
    nova, moves, live     the API; what evacuations go through, and live migrations
    aggregates            host aggregates, and who is used as a reserved host
    wire, doors           our external calls, what strikes them; the ports
    supervisor, watch     the recovery process; what it does and says
    wishes                what owners and operators want of each instance
    power                 instances that are started and stopped, by us and by their owners
    book                  the trace, and the facts for the judge of core/invariants.py

Simpler than reality:

- A cluster notices every loss after the same time. A lost controller is not fenced; the survivors
  go on after 4 s with its connections, after 5 s with the recovery process. There is never more
  than one process: what keeps a second one away (fencing, a lock) is not part of this world.
- All controllers see the CIB at the same moment; a stale answer is a fault of its own.
- For a host that has not come since the cluster began, a gate's refusal ends its fencing, and the
  gate's monitor has it asked for in the very moment in which the grace is over.
- Each fencing begins when its node is lost. Pacemaker computes nothing new while one is at work, so
  that while a gate waits, the fencing of another host may begin up to that much later.
- Nobody changes a node's levels between its real device and the receipt, less than a second later.
- A device answers always after the same time. A fencing that fails each time is tried again one
  second later without an alert, though its lines are in the history.
- Each fencing has one line in the history. Pacemaker has one for each who asked for it, on the
  controller that joined their requests; core/proof.py counts them as one.
- nova-compute is started by one resource: the hold acts on it at once, and stopping it leaves its
  guests alone. A starting one takes up the guests of all instances that Nova sees on its host, even
  of those that are being evacuated: the most dangerous configuration there is.
- A request to a nova-compute that died is lost and not found in a queue when it is back, so that
  the evacuation's record stays in flight for ever.
- All records of a host that are due are completed by one start of nova-compute; Nova completes
  the newest of each instance only (_destroy_evacuated_instances), so that a host with two `done`
  records of one instance is forced up after a second start at the earliest.
- Aggregates are no availability zones: any host may join and leave any of them.
- The scheduler takes the host with the fewest instances. Nothing is booted or resized. A live
  migration takes as long as an evacuation, and its end is one moment.
- Nova's API is down, slow or refuses as a whole; nova-conductor and the message queue never fail.
- A controller's monotonic clock never stops, and no call times out by itself: "no answer" comes as
  soon as an answer would have come.
"""

from collections.abc import Iterator

from novaha.core.facts import (
    DrainLeft,
    InstanceLeft,
    ReservedOnly,
    ServiceLeft,
    ServiceSet,
    Silent,
    Together,
)
from novaha.core.names import NodeName, ServerId
from novaha.core.reasons import Reason
from novaha.core.segments import Aggregate
from novaha.sim.book import Book
from novaha.sim.cib import Cib
from novaha.sim.cluster import Cluster
from novaha.sim.engine import Engine, Jitter
from novaha.sim.fencer import Fencer
from novaha.sim.gate import Gate
from novaha.sim.guests import Guests
from novaha.sim.live import LiveMoves
from novaha.sim.machines import Machines
from novaha.sim.members import Members
from novaha.sim.moves import Moves
from novaha.sim.nova import Nova
from novaha.sim.records import Compute, Instance
from novaha.sim.spec import WorldSpec, host_of
from novaha.sim.supervisor import Supervisor
from novaha.sim.wire import Wire
from novaha.sim.wishes import reserved_only, wished

RESTING = frozenset(
    {
        Reason.HOST_OFF,
        Reason.UNPROTECTED,
        Reason.DISARMED,
        Reason.HAND_BACK,
        Reason.STARTING,
        Reason.CLOSED,
        Reason.DRAINED,
        Reason.DRAIN_WAITS,
    }
)
"""What is no trouble, and for which nothing is done."""

ROOM_SEEN_S = 150.0
"""Within this room that appears is seen and used: Placement is asked once a minute."""

Setting = tuple[bool, str, bool]
"""Of a service: enabled, the reason why not, forced down."""


class World:
    """All parts of a world, put together as a specification says."""

    def __init__(self, spec: WorldSpec, seed: int) -> None:
        """Build it, all of it calm."""
        self.spec = spec
        self.engine = engine = Engine()
        jitter = Jitter(seed)
        self.book = book = Book(engine, spec.policy)
        self.cib = Cib()
        self.guests = Guests(engine, book)
        self.members = Members(engine, spec.controllers)
        self.nova = Nova(engine, book, self.guests)
        self.moves = Moves(engine, book, self.guests, self.nova, jitter, spec.move_s)
        self.moves.left = self.note_wish
        self.machines = Machines(engine, book, self.cib, self.guests, self.nova, self.moves)
        self.machines.jitter = jitter
        self.live = LiveMoves(engine, book, self.guests, self.moves, jitter)
        self.machines.restarted = self.live.restarted
        parts = (engine, book, self.cib, self.members, self.machines)
        self.gate = Gate(*parts, spec.gate)
        self.fencer = Fencer(*parts, self.gate)
        self.fencer.detect_s, self.fencer.fence_s = spec.detect_s, spec.fence_s
        self.fencer.jitter = jitter
        self.cluster = Cluster(engine, book, self.cib, self.members, self.machines, self.fencer)
        self._wanted: dict[NodeName, Setting] = {}
        self._populate()
        self.wire = Wire(engine, book, self.nova)
        self.supervisor = Supervisor(
            engine,
            book,
            self.cib,
            self.members,
            self.cluster,
            self.fencer,
            self.nova,
            self.wire,
            jitter,
            spec.policy,
        )
        self.fencer.alert = self.supervisor.alert
        self.cib.listeners.append(self.wire.past.note)
        self.nova.listeners.append(self.wire.past.note)

    def _populate(self) -> None:
        for number, name in enumerate(self.spec.computes):
            via = self.spec.controllers[number % len(self.spec.controllers)]
            compute = Compute(name, host_of(name), via, self.spec.boot_s)
            self.cluster.add_compute(compute)
            self.nova.add_host(compute)
            self.person_set(name)
            if reserved_only(name, self.spec):
                self.book.see(ReservedOnly(self.engine.now_s, name))
        self.nova.aggregates.all = tuple(
            Aggregate(number, given.name, frozenset(map(host_of, given.nodes)), given.metadata)
            for number, given in enumerate(self.spec.aggregates, 1)
        )
        for given in self.spec.instances:
            metadata = dict(given.metadata)
            instance = Instance(
                given.id, given.node, given.group, given.image, metadata, given.together
            )
            self.nova.instances[given.id] = instance
            if given.together:
                self.book.see(Together(self.engine.now_s, given.id, given.together))
            self.guests.start(given.id, given.node)
            self.note_wish(instance)

    def note_wish(self, instance: Instance) -> None:
        """Let the judge know what is wanted of an instance by now."""
        self.book.see(wished(self.engine.now_s, instance, self.spec))

    def compute(self, name: str) -> Compute:
        """Return a compute."""
        return self.machines.all[NodeName(name)]

    def instance(self, name: str) -> Instance:
        """Return an instance."""
        return self.nova.instances[ServerId(name)]

    def person_set(self, node: NodeName, before: Setting | None = None) -> None:
        """Note what of a node's service a person has set by now.

        before: how it stood before the person's last change; only what differs was set by a person.
        """
        state = self.nova.states[node]
        enabled, reason, forced_down = state.enabled, state.reason, state.forced_down
        if before is not None:
            wanted = self._wanted[node]
            if (enabled, reason) == before[:2]:
                enabled, reason = wanted[:2]
            if forced_down == before[2]:
                forced_down = wanted[2]
        self._want(node, (enabled, reason, forced_down))

    def person_keeps(self, node: NodeName) -> None:
        """Note that a person wants a reserved host that is used to stay enabled."""
        self._want(node, (True, "", self._wanted[node][2]))

    def _want(self, node: NodeName, wanted: Setting) -> None:
        self._wanted[node] = wanted
        self.book.see(ServiceSet(self.engine.now_s, node, *wanted))

    def keep_past(self) -> None:
        """Keep what the answers were, for the stale ones to come."""
        hosts = [compute.host for compute in self.machines.all.values()]
        first = self.spec.controllers[0]

        def take() -> dict[str, object]:
            answers: dict[str, object] = {
                "observe": self.cluster.observe(self.supervisor.controller or first),
                "services": self.nova.services(),
                "rules": self.nova.rules(),
            }
            for host in hosts:
                answers[f"migrations {host}"] = self.nova.migrations(host)
                answers[f"live-migrations {host}"] = self.nova.live_migrations(host)
                for details in (False, True):
                    answers[f"servers {host} {details}"] = self.nova.servers(host, details=details)
            return answers

        self.wire.past.take = take
        self.wire.past.note()

    # The end

    def shown(self) -> bool:
        """Tell whether all that is left is shown to a person, or waits for one to switch it on."""
        if not self.cib.holds_anything():
            return True
        held = self.supervisor.watch.held
        by_a_person = not self.supervisor.enabled
        resting = all(hold.reason.trouble or hold.reason in RESTING for hold in held)
        resting = resting and not self.nova.power.pending()
        return by_a_person or (bool(held) and resting)

    def judge_end(self) -> None:
        """Let the judge see how everything stands."""
        now_s = self.engine.now_s
        held = self.supervisor.watch.held
        of_a_person = (h for h in held if h.reason.trouble or h.reason is Reason.DISARMED)
        subjects = {hold.subject for hold in of_a_person}
        everything = "nova" in subjects or "cluster" in subjects or not self.supervisor.enabled
        for instance in self.nova.instances.values():
            compute = self.machines.all[instance.node]
            names = {instance.id, compute.name, compute.host}
            shown = everything or not subjects.isdisjoint(names)
            shown = shown and not self._passed_over(instance)
            running = self.guests.runs(instance.id, instance.node)
            self.book.see(InstanceLeft(now_s, instance.id, instance.node, running, shown))
        for node in self._unspoken() if not everything else ():
            self.book.see(Silent(now_s, node))
        for node, state in self.nova.states.items():
            if not self.cib.concerns(node):
                left = ServiceLeft(now_s, node, state.enabled, state.reason, state.forced_down)
                self.book.see(left)
            acts = self.supervisor.runs and self.machines.all[node].connected
            if acts and not self.cib.recovers(node):
                self.book.see(DrainLeft(now_s, node, state.enabled))

    def _passed_over(self, instance: Instance) -> bool:
        """Tell whether one waits for room that has long been there, so that it is no excuse.

        One whose evacuation is stuck is not sent a second time.
        """
        held = self.supervisor.watch.held
        stuck = any(h.subject == instance.id and h.reason is Reason.STUCK for h in held)
        hindered = stuck or reserved_only(instance.node, self.spec) or not self.supervisor.runs
        return not hindered and self.nova.had_room(instance, ROOM_SEEN_S)

    def _unspoken(self) -> Iterator[NodeName]:
        """Yield the nodes that are off with instances on them, and of which nobody knows.

        What is said of an instance is said of its node.
        """
        said = {hold.subject for hold in self.supervisor.watch.held}
        listed = [i for i in self.nova.instances.values() if not i.deleted]
        for compute in self.machines.all.values():
            here = {instance.id for instance in listed if instance.node == compute.name}
            known = self.cib.concerns(compute.name)
            known = known or not said.isdisjoint({compute.name, compute.host, *here})
            if here and not compute.up and not known:
                yield compute.name

    def describe_end(self) -> None:
        """Write down in the outcome how everything stands."""
        outcome = self.book.outcome
        outcome.hosts = {i.id: "" if i.deleted else i.node for i in self.nova.instances.values()}
        outcome.services = self.nova.services()
        outcome.holds = self.supervisor.watch.held if self.supervisor.runs else ()
