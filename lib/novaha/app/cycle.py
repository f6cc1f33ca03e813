"""One cycle: observe, decide, answer the questions, apply; until nothing more is to be done now.

What is remembered between cycles makes them cheap and is never needed for safety: a process that
starts with an empty memory reads the same truth from the cluster and from Nova.
"""

from dataclasses import dataclass, field, replace

from novaha.app.apply import apply, ask
from novaha.app.results import take_results
from novaha.core import memory as remember
from novaha.core.actions import Action, Decision, Hold, Question
from novaha.core.decide import decide, questions
from novaha.core.model import ClusterView, Memory, View
from novaha.core.names import ComputeHost
from novaha.core.pace import records_due_s
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.returning import back_ids
from novaha.core.silence import WAIT_S
from novaha.ports import Ports

PASSES = 40
"""More than any recovery needs in one go; a bound, so that a cycle always ends."""

SOON_S = 0.05
"""At once, but not in a loop without a pause."""

FENCE_POLL_S = 0.2
"""Between the receipt and the end of its fencing, should the alert hook not wake us."""


@dataclass
class Reconciler:
    """The application: a memory that may be lost, and the cycle that works on it.

    view: what the last decision looked at, None before the first.
    """

    ports: Ports
    policy: Policy
    memory: Memory = field(init=False)
    view: View | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin with an empty memory, now."""
        self.memory = Memory(started_s=self.ports.clock.monotonic_s())

    def cycle(self) -> tuple[Hold, ...]:
        """Do all that can be done now and return what is being waited for.

        A question is asked once between two actions or results: a Nova that takes longer to answer
        than the answer stays fresh must not keep the actions waiting. Raises ClusterUnavailable;
        Nova's troubles are remembered and returned as a Hold.
        """
        cluster: ClusterView | None = None
        holds: tuple[Hold, ...] = ()
        answered: set[Question] = set()
        began_s = self.ports.clock.monotonic_s()
        for _ in range(PASSES):
            taken = take_results(self.memory, self.ports)
            if taken is not self.memory:
                self.memory = taken
                answered.clear()
            if cluster is None:
                cluster = self._observe()
            decisions = self.decide(cluster, began_s)
            holds = tuple(d for d in decisions if isinstance(d, Hold))
            asked = tuple(q for q in questions(decisions) if q not in answered)
            if asked:
                answered.update(asked)
                doors = (self.ports.cloud, self.ports.clock, self.ports.alive)
                self.memory = ask(self.memory, asked, *doors)
                continue
            actions = _actions(decisions)
            if not actions:
                break
            cluster = None
            answered.clear()
            self._apply(actions)
        self.ports.journal.holds(holds)
        return holds

    def wait_s(self, holds: tuple[Hold, ...], interval_s: float) -> float:
        """Return how long the next cycle may wait, given what this one waits for."""
        waits = {
            Reason.FENCE_PENDING: FENCE_POLL_S,
            Reason.CLOUD: WAIT_S,
            Reason.UNANSWERED: WAIT_S,
            Reason.ASKING: self.policy.poll_s,
            Reason.SETTLING: self.policy.poll_s,
            Reason.AFTER: self.policy.return_poll_s,
            Reason.STARTING: self.policy.poll_s,
            Reason.HOST_STARTING: self.policy.return_poll_s,
            Reason.NO_HEARTBEAT: self.policy.return_poll_s,
            Reason.RECORDS_OPEN: self.policy.return_poll_s,
            Reason.CANARY: self.policy.return_poll_s,
            Reason.DRAINING: self.policy.return_poll_s,
            Reason.GIVING_BACK: self.policy.return_poll_s,
        }
        waits_s = [waits[hold.reason] for hold in holds if hold.reason in waits]
        moving = [ComputeHost(h.subject) for h in holds if h.reason is Reason.IN_FLIGHT]
        return min([interval_s, *waits_s, *map(self._until_records_due_s, moving)])

    def _until_records_due_s(self, host: ComputeHost) -> float:
        """Return how long until the records of a host are to be looked at again."""
        if self.view is None or self.memory.trouble is not None:
            return self.policy.poll_s
        due_s = records_due_s(replace(self.view, memory=self.memory), self.policy, host)
        return max(due_s - self.ports.clock.monotonic_s(), SOON_S)

    def _observe(self) -> ClusterView:
        cluster = self.ports.cluster.observe()
        now_s = self.ports.clock.monotonic_s()
        ids = [receipt.id for receipt in cluster.receipts]
        ids += [record.proof.receipt_id for record in cluster.records]
        ids += back_ids(cluster)
        self.memory = remember.saw_receipts(self.memory, ids, now_s)
        return cluster

    def decide(self, cluster: ClusterView, began_s: float) -> tuple[Decision, ...]:
        """Decide on all that is known now."""
        self.view = View(self.ports.clock.monotonic_s(), cluster, self.memory, began_s)
        return decide(self.view, self.policy)

    def _apply(self, actions: tuple[Action, ...]) -> None:
        """Apply the actions in order; the first that fails ends it, for later ones rest on it."""
        for action in actions:
            self.memory, done = apply(self.memory, action, self.ports)
            self.ports.alive()
            if not done:
                break


def _actions(decisions: tuple[Decision, ...]) -> tuple[Action, ...]:
    return tuple(d for d in decisions if isinstance(d, Action))
