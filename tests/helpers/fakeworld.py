"""A small world on a virtual clock: nodes, the CIB and Nova, as faithful as the laws need it.

What is true of Nova here: a POST is answered before anything moves; the migration record goes
accepted, pre-migrating, then done or failed; the server's host changes last, after `done`; a second
POST while the first is in flight is accepted and ruins the instance; a force-up is refused while
`done` records exist; a starting nova-compute destroys what left it, marks those records `completed`
and beats. Simpler than reality: each node is off and on at once, the scheduler takes turns, and
nothing is ever rescheduled.

`violations` is what the laws forbid, found where it happens.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from novaha.core.details import Details
from novaha.core.incarnation import Incarnation
from novaha.core.model import ClusterView, FencingEvent, HoldMark, Level, Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.policy import in_flight
from novaha.core.proof import real_devices
from novaha.core.receipt import Receipt, Writer
from novaha.core.recovery import Record, Recovery
from novaha.errors import CloudRefused, CloudUnavailable
from worlds import level, service

EPOCH_S = 1_700_000_000
MOVE_S = 4.0
BOOT_S = 12.0
LEAVES_LIST_S = 0.7
"""How long after `done` the server is still listed on its old host."""


@dataclass
class FakeNode:
    """dirty: something of it may run that no fencing has ended. boots: how often it was fenced."""

    name: NodeName
    host: ComputeHost
    online: bool = True
    serving: bool = True
    dirty: bool = True
    boots: int = 0
    beats: int = 0


@dataclass
class Instance:
    """outcomes, refusals: what its next evacuations come to, the first one first.

    chokes: Nova answers each request for it with 500, and does nothing.
    """

    id: ServerId
    host: ComputeHost
    outcomes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    chokes: bool = False
    ruined: bool = False
    posts: int = 0


@dataclass
class World:
    """limit: the most evacuations that may be in flight. back_s: from fence to online.

    orphans: requests whose process died before they arrived; no successor can count those.
    """

    limit: int = 8
    orphans: int = 0
    back_s: float = BOOT_S
    now_s: float = 500.0
    quorate: bool = True
    nova_down: bool = False
    nodes: dict[NodeName, FakeNode] = field(default_factory=dict)
    receipts: dict[NodeName, Receipt] = field(default_factory=dict)
    starts: dict[NodeName, frozenset[str]] = field(default_factory=dict)
    recoveries: dict[NodeName, Record] = field(default_factory=dict)
    marks: dict[str, HoldMark] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)
    history: list[FencingEvent] = field(default_factory=list)
    services: dict[ComputeHost, Service] = field(default_factory=dict)
    instances: dict[ServerId, Instance] = field(default_factory=dict)
    migrations: list[Migration] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    _events: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _scheduled: int = 0

    def advance(self, seconds: float) -> None:
        """Let time pass and happen what is due."""
        end_s = self.now_s + seconds
        while self._events and self._events[0][0] <= end_s:
            self.now_s, _, happen = heapq.heappop(self._events)
            happen()
        self.now_s = end_s

    def later(self, seconds: float, happen: Callable[[], object]) -> None:
        self._scheduled += 1
        heapq.heappush(self._events, (self.now_s + seconds, self._scheduled, happen))

    # The cluster

    def add_compute(self, name: str, instances: int = 0) -> None:
        node, host = NodeName(name), ComputeHost(f"{name}.example.org")
        self.nodes[node] = FakeNode(node, host)
        self.services[host] = service(host)
        self.levels.append(level(node))
        for number in range(instances):
            id_ = ServerId(f"{name}-vm-{number}")
            self.instances[id_] = Instance(id_, host)

    def fence(self, name: str, *, history: bool = True) -> Receipt:
        """Fence a node with a real device: off, receipt, on, and a line of history."""
        node = self.nodes[NodeName(name)]
        node.online = node.serving = node.dirty = False
        node.boots += 1
        boot = node.boots
        receipt = self.leave_receipt(name)
        if history:
            self.later(0.3, lambda: self.note_fencing(node.name))
        self.later(self.back_s, lambda: self._online(node, boot))
        return receipt

    def leave_receipt(self, name: str, by: Writer = "fenced") -> Receipt:
        """Write a receipt and its hold over the one before, in one change, as fence_nova does."""
        node = NodeName(name)
        self._scheduled += 1
        id_ = f"{self._scheduled:012x}"
        written_s = EPOCH_S + int(self.now_s)
        before = sum(line.target == node for line in self.history)
        life = Incarnation(self.starts.get(node, frozenset()))
        seen = (before, life, real_devices(node, self.levels))
        receipt = Receipt(id_, node, written_s, NodeName("controller-1"), by, *seen)
        self.receipts[node] = receipt
        mark = HoldMark.of(node, id_)
        self.marks[mark.id] = mark
        return receipt

    def note_fencing(self, node: NodeName) -> None:
        self.history.append(FencingEvent(node, "reboot", "success", EPOCH_S + self.now_s))

    def observe(self) -> ClusterView:
        return ClusterView(
            quorate=self.quorate,
            receipts=tuple(self.receipts.values()),
            records=tuple(self.recoveries.values()),
            marks=tuple(self.marks.values()),
            levels=tuple(self.levels),
            online=frozenset(n.name for n in self.nodes.values() if n.online),
            lives={n: Incarnation(self.starts.get(n, frozenset())) for n in self.nodes},
            events=tuple(self.history),
        )

    def _online(self, node: FakeNode, boot: int) -> None:
        if node.boots == boot:
            node.online = True
            self.starts[node.name] = frozenset({f"{boot:08x}"})
            self._try_start(node, boot)

    def held(self, node: NodeName) -> bool:
        recovery = self.recoveries.get(node)
        released = isinstance(recovery, Recovery) and recovery.phase == "returning"
        evacuating = recovery is not None and not released
        marked = any(mark.node == node for mark in self.marks.values())
        return node in self.receipts or marked or evacuating

    # Nova

    def _try_start(self, node: FakeNode, boot: int) -> None:
        if node.boots != boot:
            return
        if self.held(node.name):
            self.later(1.0, lambda: self._try_start(node, boot))
            return
        leaving = [m.server for m in self.migrations if self._moving(m) and m.source == node.host]
        if leaving:
            self.violations.append(f"L2: nova-compute of {node.name} starts beside {leaving}")
        node.serving = node.dirty = True
        self._beat(node, boot)
        self.later(3.0, lambda: self._complete(node, boot))

    def _beat(self, node: FakeNode, boot: int) -> None:
        if node.boots == boot:
            node.beats += 1
            beat = f"2024-05-03 {node.beats:06}"
            registered = self.services.get(node.host) or service(node.host)
            self.services[node.host] = replace(registered, heartbeat=beat)
            self.later(10.0, lambda: self._beat(node, boot))

    def _complete(self, node: FakeNode, boot: int) -> None:
        if node.boots == boot:
            for m in self.migrations:
                if m.source == node.host and m.status == "done":
                    self._mark(m.id, "completed")

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        found = (i for i in self.instances.values() if i.host == host)
        return tuple(
            Server(i.id, i.id, "broken" if details else "", Details() if details else None)
            for i in found
        )

    def records(self, host: ComputeHost) -> tuple[Migration, ...]:
        """Return the records as Nova orders them: the newest first."""
        return tuple(m for m in reversed(self.migrations) if m.source == host)

    def set_forced_down(self, host: ComputeHost, *, forced_down: bool) -> Service:
        if not forced_down and any(m.status == "done" for m in self.records(host)):
            msg = "evacuations are not completed"
            raise CloudRefused(msg, 400)
        return self._set(host, forced_down=forced_down)

    def set_enabled(self, host: ComputeHost, *, enabled: bool, reason: str) -> Service:
        return self._set(host, enabled=enabled, reason="" if enabled else reason)

    def evacuate(self, id_: ServerId) -> None:
        """Accept a request, or refuse it; what it comes to happens later."""
        instance = self.instances[id_]
        if instance.chokes:
            msg = "Nova answered 500"
            raise CloudUnavailable(msg)
        if not self.services[instance.host].forced_down:
            msg = f"Compute service of {instance.host} is still in use."
            raise CloudRefused(msg, 400)
        if instance.refusals:
            raise CloudRefused(instance.refusals.pop(0), 409)
        self._judge(instance)
        instance.posts += 1
        record = Migration(
            1 + len(self.migrations), id_, instance.host, self._somewhere(instance), "accepted"
        )
        self.migrations.append(record)
        outcome = instance.outcomes.pop(0) if instance.outcomes else "done"
        self.later(MOVE_S / 4, lambda: self._mark(record.id, "pre-migrating"))
        self.later(MOVE_S, lambda: self._end(record, outcome))

    def _judge(self, instance: Instance) -> None:
        node = self.nodes[self._node_of(instance.host)]
        if node.dirty:
            self.violations.append(f"L1: {instance.id} evacuated off {node.name}, which may run")
        moving = [m.server for m in self.migrations if self._moving(m)]
        if instance.id in moving:
            self.violations.append(f"L4: second POST for {instance.id} while one is in flight")
            instance.ruined = True
        if sum(in_flight(m.status) for m in self.migrations) >= self.limit + self.orphans:
            self.violations.append(f"more than {self.limit} evacuations in flight")

    def _end(self, record: Migration, outcome: str) -> None:
        self._mark(record.id, outcome)
        if outcome == "done" and record.destination is not None:
            host = record.destination
            self.later(LEAVES_LIST_S, lambda: self._move(record.server, host))

    def _move(self, server: ServerId, host: ComputeHost) -> None:
        self.instances[server].host = host

    def _moving(self, m: Migration) -> bool:
        done = m.status == "done" and self.instances[m.server].host == m.source
        return in_flight(m.status) or done

    def _mark(self, id_: int, status: str) -> None:
        self.migrations[id_ - 1] = replace(self.migrations[id_ - 1], status=status)

    def _somewhere(self, instance: Instance) -> ComputeHost:
        up = [n.host for n in self.nodes.values() if n.serving and n.host != instance.host]
        return sorted(up)[len(self.migrations) % len(up)]

    def _node_of(self, host: ComputeHost) -> NodeName:
        return next(n.name for n in self.nodes.values() if n.host == host)

    def _set(
        self,
        host: ComputeHost,
        *,
        forced_down: bool | None = None,
        enabled: bool | None = None,
        reason: str = "",
    ) -> Service:
        now = self.services[host]
        if forced_down is not None:
            now = replace(now, forced_down=forced_down)
        if enabled is not None:
            now = replace(now, enabled=enabled, disabled_reason=reason)
        self.services[host] = now
        return now
