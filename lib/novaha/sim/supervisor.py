"""NovaEvacuate: one recovery process on a controller, waited for, woken, killed, started again."""

from functools import partial
from math import ceil, inf

from novaha.app.cycle import Reconciler
from novaha.core.actions import Decision, Hold
from novaha.core.facts import ServiceTaken
from novaha.core.model import ClusterView
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.errors import ClusterUnavailable
from novaha.ports import Ports, PostResult
from novaha.sim.book import Book
from novaha.sim.cib import Cib
from novaha.sim.cluster import Cluster
from novaha.sim.doors import Life, SimClock, SimCloud, SimCluster, SimPosts
from novaha.sim.engine import Engine, Jitter
from novaha.sim.fencer import Fencer
from novaha.sim.members import Members
from novaha.sim.nova import Nova
from novaha.sim.watch import Watch
from novaha.sim.wire import CALL_S, Killed, Wire

INTERVAL_S = 5.0
ALERT_INTERVAL_S = 0.5
ALERT_S = 15.0
WAKE_S = 0.02
RESTART_S = 5.0
"""How long Pacemaker takes to find a process dead, or its controller, and to start another."""
MISLED_S = 15.0
"""For so long what a process was told wrongly may show in what it believes."""
STALL_S = 120.0
"""A process without progress for so long is killed by its monitor."""

TIMELESS = frozenset(
    {
        Reason.NO_QUORUM,
        Reason.MALFORMED,
        Reason.BY_HAND,
        Reason.NO_REAL_DEVICE,
        Reason.HISTORY_UNKNOWN,
        Reason.STORM_BRAKE,
        Reason.COLD_START,
        Reason.FENCE_FAILED,
        Reason.FENCE_UNPROVEN,
        Reason.RECEIPT_VOID,
        Reason.HOST_OFF,
    }
)
"""What a process holds for, and nothing but a change in the cluster ends; no time does."""


class Watched(Reconciler):
    """The shipped loop; its journal sees what each decision looks at."""

    def decide(self, cluster: ClusterView, began_s: float) -> tuple[Decision, ...]:
        """Decide as shipped."""
        decisions = super().decide(cluster, began_s)
        if self.view is not None and isinstance(self.ports.journal, Watch):
            self.ports.journal.look(self.view)
        return decisions


class Process:
    """One life of the recovery process."""

    __slots__ = ("controller", "life", "posts", "reconciler")

    def __init__(
        self, controller: NodeName, life: Life, posts: SimPosts, reconciler: Reconciler
    ) -> None:
        """Begin to live."""
        self.controller = controller
        self.life = life
        self.posts = posts
        self.reconciler = reconciler


class Supervisor:
    """Has a process run where it may. wake_s: when its next cycle is due, infinity without one.

    idle: nothing but a change in the cluster lets its next cycle differ from the last one, so that
    there is none until then.
    """

    def __init__(
        self,
        engine: Engine,
        book: Book,
        cib: Cib,
        members: Members,
        cluster: Cluster,
        fencer: Fencer,
        nova: Nova,
        wire: Wire,
        jitter: Jitter,
        policy: Policy,
    ) -> None:
        """Start a process at once."""
        self._engine = engine
        self._book = book
        self._cib = cib
        self._members = members
        self._cluster = cluster
        self._fencer = fencer
        self._nova = nova
        self._wire = wire
        self._jitter = jitter
        self._policy = policy
        self._process: Process | None = None
        self._starting = 0
        self._alert_until_s = 0.0
        self._woken = False
        self._cycling = False
        self._seen: tuple[int, ...] = ()
        self._rest_s = 0.0
        self.watch = Watch(engine, book, policy)
        self.enabled = True
        self.idle = False
        self.wake_s = inf
        wire.kill = self.kill
        wire.mislead = partial(self.watch.forget, MISLED_S)
        self._start(0)

    @property
    def runs(self) -> bool:
        """Tell whether there is a process."""
        return self._process is not None

    @property
    def controller(self) -> NodeName | None:
        """Return where the process runs."""
        return self._process.controller if self._process else None

    def cycle(self) -> None:
        """Let the process do one cycle, and wait for what it then waits for."""
        process = self._process
        if process is None:
            self.wake_s = inf
            return
        calls = len(self._book.outcome.calls)
        self._woken, self._cycling = False, True
        try:
            holds = self._one_cycle(process)
        except Killed:
            return
        finally:
            self._cycling = False
        self._wait(process, holds, len(self._book.outcome.calls) - calls)

    def _one_cycle(self, process: Process) -> tuple[Hold, ...] | None:
        """Return what is held after a cycle, None where the cluster gave no answer."""
        self._wire.wait(0.0, process.life.lives)
        try:
            holds = process.reconciler.cycle()
        except ClusterUnavailable as error:
            self._book.say("nova-ha", f"gets no answer of the cluster: {error}")
            self.watch.forget()
            return None
        self.watch.end(process.reconciler.view, holds)
        return holds

    def _wait(self, process: Process, holds: tuple[Hold, ...] | None, calls: int) -> None:
        now_s = self._engine.now_s
        alert = now_s < self._alert_until_s
        interval_s = ALERT_INTERVAL_S if alert else INTERVAL_S
        self.wake_s = now_s + process.reconciler.wait_s(holds or (), interval_s)
        if self._woken:
            self.wake_s = now_s + WAKE_S
            return
        answered = calls == 1 and holds is not None
        timeless = answered and all(hold.reason in TIMELESS for hold in holds or ())
        calm = not self._growing() and not process.posts.any_ended()
        self.idle = timeless and not self._wire.armed and calm
        if self.idle:
            self._seen, self._rest_s = self._cluster.shown, now_s
            self.wake_s = inf

    def _growing(self) -> bool:
        """Tell whether the history that is looked at grows without an event of the world."""
        return self._fencer.fails() and bool(self._cib.receipts)

    def changed(self) -> None:
        """Let a process whose cycles are skipped have the next one, if it can be different."""
        if self.idle and (self._wire.armed or self._cluster.seen() != self._seen):
            self.idle = False
            self.wake_s = self._due_s()

    def _due_s(self) -> float:
        """Return when the next cycle would be, had none been skipped."""
        now_s, rest_s = self._engine.now_s, self._rest_s
        short_s, long_s = ALERT_INTERVAL_S + CALL_S, INTERVAL_S + CALL_S
        turns = max(ceil((min(now_s, self._alert_until_s) - rest_s) / short_s), 0)
        due_s = rest_s + turns * short_s
        if due_s >= now_s:
            return due_s
        return due_s + max(ceil((now_s - due_s) / long_s), 0) * long_s

    # What wakes it

    def alert(self) -> None:
        """Wake the process as the alert hook does."""
        if self._process is None:
            return
        self._alert_until_s = self._engine.now_s + ALERT_S
        self.notify()

    def heard(self, result: PostResult) -> None:
        """Wake the process as a sender does whose request came to nothing.

        What was accepted waits for the next cycle; here there may be none before that.
        """
        if result.error is not None or self.idle:
            self.notify()

    def notify(self) -> None:
        """Wake the process."""
        if self._cycling:
            self._woken = True
        elif self._process is not None:
            self.idle = False
            self.wake_s = min(self.wake_s, self._engine.now_s + WAKE_S)

    # What ends and starts it

    def kill(self) -> None:
        """End the process at once; Pacemaker starts another."""
        if self._process is not None:
            self._process.life.ended = True
            self._process = None
            self.wake_s = inf
            self.idle = False
            self.start_later(RESTART_S)

    def disable(self) -> None:
        """Have Pacemaker end the process and start none."""
        self.enabled = False
        self.kill()

    def enable(self) -> None:
        """Have Pacemaker start a process again."""
        self.enabled = True
        self.start_later(CALL_S)

    def start_later(self, seconds: float) -> None:
        """Have Pacemaker start a process, if by then one may run and none does."""
        self._starting += 1
        self._engine.later(seconds, self._start, self._starting)

    def pause(self, seconds: float) -> None:
        """Give the process no processor for a while; its monitor kills it if that is long."""
        process = self._process
        self._wire.paused_until_s = self._engine.now_s + seconds
        if process is not None and seconds > STALL_S:
            self._engine.later(STALL_S, self._stalled, process)
        self.wake_s = max(self.wake_s, self._wire.paused_until_s)

    def _stalled(self, process: Process) -> None:
        if process is self._process:
            self._book.say("cluster", "the monitor of NovaEvacuate finds no progress")
            self._wire.paused_until_s = self._engine.now_s
            self.kill()

    def _took(self, host: ComputeHost) -> None:
        self._book.see(ServiceTaken(self._engine.now_s, self._nova.node_of(host)))

    def _start(self, number: int) -> None:
        first = self._members.first
        barred = self._process is not None or not self.enabled or number != self._starting
        if barred or first is None or not self._members.quorate:
            return
        life = Life()
        posts = SimPosts(self._wire, life, self._nova, self._engine, self._jitter, self.heard)
        ports = Ports(
            SimCluster(self._wire, life, self._cluster, self._cib, first),
            SimCloud(self._wire, life, self._nova, self._took),
            posts,
            SimClock(self._engine),
            self.watch,
        )
        if number:
            self._book.say("cluster", f"NovaEvacuate is started on {first}")
        self.watch.forget()
        self._process = Process(first, life, posts, Watched(ports, self._policy))
        self.wake_s = self._engine.now_s
        self.idle = False
