"""Pacemaker's part: connections to the computes, their loss, and what a controller's tools show."""

from novaha.core.disarm import Disarm
from novaha.core.drain import Health
from novaha.core.incarnation import Incarnation
from novaha.core.model import ClusterView, FencingEvent, Level
from novaha.core.names import NodeName
from novaha.sim.book import Book
from novaha.sim.cib import Cib
from novaha.sim.engine import Engine
from novaha.sim.fencer import Fencer
from novaha.sim.machines import Machines
from novaha.sim.members import Members
from novaha.sim.records import Compute

RECONNECT_S = 10.0
"""reconnect_interval: so long a lost connection is left alone."""
CONNECT_S = 1.0
MOVE_S = 4.0
"""From the loss of a controller to its connections on another one."""


_Of = tuple[tuple[int, ...], NodeName, frozenset[NodeName], tuple[Disarm, ...]]
"""What a view depends on: what changed, who looks, what is released and disarmed by their clock."""


class Cluster:
    """The connections of one cluster."""

    def __init__(
        self,
        engine: Engine,
        book: Book,
        cib: Cib,
        members: Members,
        machines: Machines,
        fencer: Fencer,
    ) -> None:
        """Have machines and fencer report here."""
        self._engine = engine
        self._book = book
        self._cib = cib
        self._members = members
        self._machines = machines
        self._fencer = fencer
        self._keys = 0
        self._view: tuple[_Of, ClusterView] | None = None
        self._levels: tuple[Level, ...] = ()
        self._lives: dict[NodeName, Incarnation] = {}
        self._online: frozenset[NodeName] = frozenset()
        self._health: dict[NodeName, Health] = {}
        self._standby: frozenset[NodeName] = frozenset()
        self.version = 0
        machines.lost = self._lost
        machines.back = self._back
        fencer.ended = self._fenced
        fencer.gate.dismiss, fencer.gate.missed = self._dismiss, self._missed

    def add_compute(self, compute: Compute) -> None:
        """Let a compute be connected from the beginning."""
        compute.starts = self._new_start(compute.name)
        self._machines.all[compute.name] = compute
        self.changed()

    def changed(self) -> None:
        """Note that connections or levels are not as they were."""
        self.version += 1
        all_ = self._machines.all.values()
        self._lives = {c.name: Incarnation.of(c.starts) for c in all_}
        connected = [c.name for c in all_ if c.connected]
        self._online = frozenset((*connected, *self._members.alive))
        self._health = {c.name: c.health for c in all_ if c.health is not Health.GREEN}
        self._standby = frozenset(c.name for c in all_ if c.standby)
        self._levels = self._fencer.levels()

    # What the tools show

    @property
    def shown(self) -> tuple[int, ...]:
        """Return what `seen` was when a view was shown last."""
        return self._view[0][0] if self._view else ()

    def seen(self) -> tuple[int, ...]:
        """Return what changes whenever a view would."""
        all_ = self._machines.all.values()
        history = self._fencer.history.version if self._need_proof() else 0
        failing = sum(1 << number for number, c in enumerate(all_) if c in self._fencer.failing())
        return (self._cib.version, self.version, history, self._members.version, failing)

    def observe(self, controller: NodeName) -> ClusterView:
        """Return the cluster as a controller's tools show it."""
        events: tuple[FencingEvent, ...] | None = None
        if self._need_proof():
            self._fencer.note_failures()
            events = self._fencer.history.seen_by(controller, self._fencer.pending())
        seen, cib = self.seen(), self._cib
        # Both are over by time alone, by the clock of the controller that looks.
        now_s = self._members.wall_s(controller)
        released = cib.kept.released(now_s)
        disarmed = tuple(disarm for disarm in cib.disarms.values() if disarm.holds(now_s))
        of = (seen, controller, released, disarmed)
        if self._view is not None and self._view[0] == of:
            return self._view[1]
        view = ClusterView(
            quorate=self._members.quorate,
            receipts=tuple(cib.receipts.values()),
            records=tuple(cib.records.values()),
            malformed=tuple(cib.garbled.items()),
            marks=tuple(cib.marks.values()),
            levels=self._levels,
            online=self._online,
            lives=self._lives,
            events=events,
            braked=self._fencer.gate.braked(),
            released=released,
            disarmed=disarmed,
            starts=tuple(cib.starts.values()),
            failing=tuple(
                (compute.name, f"ipmi-{compute.name} gives no answer")
                for compute in self._fencer.failing()
                if compute.name not in cib.receipts
            ),
            drains=tuple(cib.drains.values()),
            withdrawn=tuple(cib.withdrawn.values()),
            health=self._health,
            standby=self._standby,
        )
        self._view = (of, view)
        return view

    def _need_proof(self) -> bool:
        """Tell whether the history is asked for, which it is only for a receipt without record."""
        records = self._cib.records
        for node, receipt in self._cib.receipts.items():
            record = records.get(node)
            if record is None or record.proof.receipt_id != receipt.id:
                return True
        return False

    # Loss and return of computes

    def set_standby(self, node: NodeName, *, on: bool) -> None:
        """Set a compute in standby, or take that back."""
        self._machines.all[node].standby = on
        self.changed()
        self._machines.reconsider()

    def fence(self, compute: Compute) -> None:
        """Fence a node because a person asked for it."""
        if not (compute.unclean or compute.fencing):
            compute.lost_s, compute.undisturbed = self._engine.now_s, True
        compute.asked = True
        self._fencer.fence(compute)
        self._fencer.gate.reconsider()

    def _lost(self, compute: Compute) -> None:
        if compute.connected and not self._members.down:
            self._engine.later(self._fencer.detect_s, self._notice, compute, self._engine.now_s)

    def _notice(self, compute: Compute, lost_s: float) -> None:
        same = compute.reachable and compute.connected_life == compute.life
        if not compute.connected or same or self._members.down:
            return
        compute.connected = False
        compute.starts = frozenset()
        self._book.say("cluster", f"loses the connection to {compute.name}")
        self.changed()
        if not compute.fencing:
            compute.unclean = compute.undisturbed = True
            compute.lost_s = lost_s
            self._fencer.fence(compute)
        self._fencer.alert()

    def _back(self, compute: Compute) -> None:
        if not compute.connected:
            at_s = max(self._engine.now_s, compute.may_connect_s) + CONNECT_S
            self._engine.at(at_s, self._connect, compute, compute.life)

    def _connect(self, compute: Compute, life: int) -> None:
        barred = compute.connected or compute.unclean or compute.fencing
        early = self._engine.now_s < compute.may_connect_s
        if not (barred or compute.seen or compute.reachable):
            self._engine.later(self._fencer.detect_s, self._missed, compute)  # it died meanwhile
        if barred or early or compute.life != life or not compute.reachable:
            return
        if not self._members.quorate:
            return
        compute.connected, compute.connected_life = True, life
        compute.seen = True
        compute.starts = self._new_start(compute.name)
        self._book.say("cluster", f"{compute.name} joins")
        self.changed()
        self._machines.reconsider()

    def _fenced(self, compute: Compute) -> None:
        compute.unclean = False
        compute.connected = False
        compute.seen = True
        compute.starts = frozenset()
        compute.health = Health.GREEN
        compute.may_connect_s = self._engine.now_s + RECONNECT_S
        self.changed()
        if compute.reachable:
            self._back(compute)

    def _new_start(self, node: NodeName) -> frozenset[str]:
        self._keys += 1
        return frozenset({f"{node}:{self._keys}"})

    # Loss and return of controllers

    def lose(self, controller: NodeName) -> None:
        """Let a controller die: what it asked for is forgotten, what it held moves."""
        origin = self._members.first
        self._members.leave(controller)
        for compute in self._machines.all.values():
            if compute.fencing and controller == origin:
                self._fencer.break_off(compute)
                compute.unclean = True
        self.changed()
        self._engine.later(MOVE_S, self.act)

    def act(self) -> None:
        """Do what waited for quorum, or for a living controller."""
        self.changed()
        if not self._members.quorate:
            return
        for compute in self._machines.all.values():
            if compute.unclean:
                self._fencer.fence(compute)
            elif not compute.connected and compute.reachable:
                self._back(compute)
            elif compute.connected and compute.via not in self._members.alive:
                self._move(compute)

    def _move(self, compute: Compute) -> None:
        """Connect a compute from another controller: a new start, and nothing was fenced."""
        alive = self._members.alive
        compute.via = alive[len(compute.name) % len(alive)]
        if compute.reachable:
            compute.starts = self._new_start(compute.name)
            self.changed()

    def stop(self) -> None:
        """Switch the whole cluster off: history, status section and plans are lost."""
        self._members.down = True
        for compute in self._machines.all.values():
            self._fencer.break_off(compute)
            compute.connected = compute.unclean = compute.seen = False
            compute.starts = frozenset()
            compute.may_connect_s = 0.0
        self._fencer.history.lose()
        self.changed()

    def begin(self) -> None:
        """Switch it on again: each compute is connected, or lost."""
        self._members.down = False
        self._members.began_s = self._engine.now_s
        self.changed()
        for compute in self._machines.all.values():
            if compute.reachable:
                self._back(compute)
            else:
                self._engine.later(self._fencer.detect_s, self._missed, compute)

    def _dismiss(self, compute: Compute) -> None:
        """Forget that a host has to be fenced: the gate refused, and the connection is tried."""
        self._fencer.break_off(compute)
        compute.unclean = False
        self.changed()
        if compute.reachable:
            self._back(compute)

    def _missed(self, compute: Compute) -> None:
        if compute.reachable or compute.connected or self._members.down:
            return
        compute.unclean = True
        compute.lost_s = self._engine.now_s
        compute.undisturbed = False
        self._book.say("cluster", f"cannot connect to {compute.name}")
        self._fencer.fence(compute)
        self._fencer.alert()
