"""The journal port, and what changes from one cycle to the next: states, holds, silence."""

from math import inf

from novaha.core.actions import (
    Action,
    AddToAggregate,
    BeginRecovery,
    BootCanary,
    DeleteCanary,
    Disable,
    DropHold,
    DropWithdrawn,
    Enable,
    EndRecovery,
    EndStarts,
    Evacuate,
    ForceDown,
    ForceUp,
    Hold,
    KeepFound,
    KeepProof,
    KeepStarts,
    KeepWithdrawn,
    LiveMigrate,
    Release,
    RemoveFromAggregate,
    SetStandby,
    SetUse,
    Start,
)
from novaha.core.facts import Silent
from novaha.core.fates import fates
from novaha.core.model import ClusterView, Memory, View
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import Policy
from novaha.core.recovery import Recovery
from novaha.core.segments import TRUE
from novaha.core.standing import concerned, stand
from novaha.core.states import InstanceState, RecoveryState
from novaha.core.unshown import unshown
from novaha.sim.book import Book
from novaha.sim.engine import Engine


class Watch:
    """Sees every cycle of every process. held: what the last one waits for."""

    def __init__(self, engine: Engine, book: Book, policy: Policy) -> None:
        """Begin with nothing to recover."""
        self._engine = engine
        self._book = book
        self._policy = policy
        self._states: dict[NodeName, RecoveryState] = {}
        self._instances: dict[NodeName, dict[ServerId, InstanceState]] = {}
        self._shown: dict[tuple[str, str], Hold] = {}
        self._fresh_until_s = inf
        self._looked: tuple[ClusterView | None, Memory | None] = (None, None)
        self.held: tuple[Hold, ...] = ()
        self.acted_s = 0.0

    # The journal

    def action(self, action: Action, outcome: str) -> None:
        """Note an action and how it ended."""
        self.acted_s = self._engine.now_s
        text = describe(action)
        self._book.say("nova-ha", text if outcome == "done" else f"{text}: {outcome}")

    def holds(self, holds: tuple[Hold, ...]) -> None:
        """Note each hold when it begins and when it ends."""
        if not holds and not self._shown:
            self.held = holds
            return
        held = {(hold.subject, hold.reason.code): hold for hold in holds}
        for key, hold in held.items():
            if key not in self._shown:
                self._book.say("nova-ha", f"holds {hold.subject}, {key[1]}: {hold.text}")
        for subject, code in self._shown:
            if (subject, code) not in held:
                self._book.say("nova-ha", f"no longer holds {subject}, {code}")
        self._shown, self.held = held, holds

    # What a cycle shows

    def end(self, view: View | None, holds: tuple[Hold, ...]) -> None:
        """Judge the end of a cycle: silence about what is left to recover breaks a law."""
        if view is not None and view.cluster.quorate:
            for node in unshown(view, self._policy, holds):
                self._book.see(Silent(self._engine.now_s, node))

    def forget(self, for_s: float = 0.0) -> None:
        """Begin anew, now or for a while: what was seen before, or is seen then, is no change."""
        self._states, self._instances = {}, {}
        self._fresh_until_s = self._engine.now_s + for_s

    def look(self, view: View) -> None:
        """Compare what a decision looks at with the one before."""
        if not view.cluster.quorate:
            self.forget()
            return
        if view.cluster is self._looked[0] and view.memory is self._looked[1]:
            return
        self._looked = (view.cluster, view.memory)
        nodes = concerned(view.cluster)
        for node in [n for n in self._states if n not in nodes]:
            self._node(node, RecoveryState.OVER)
        for node in nodes:
            standing = stand(view, self._policy, node)
            self._node(node, standing.state)
            if standing.state is RecoveryState.EVACUATING:
                record = standing.record
                if isinstance(record, Recovery):
                    self._fates(node, view, record)
            elif node in self._instances:
                self._leave(node, standing.state)
        if self._engine.now_s >= self._fresh_until_s:
            self._fresh_until_s = inf

    def _node(self, node: NodeName, state: RecoveryState) -> None:
        before = self._states.get(node, RecoveryState.OVER)
        if before is state:
            return
        self._change(node, before.name, state.name)
        if state is RecoveryState.OVER:
            del self._states[node]
            self._instances.pop(node, None)
        else:
            self._states[node] = state

    def _fates(self, node: NodeName, view: View, recovery: Recovery) -> None:
        listed = view.memory.servers.get(recovery.host)
        if listed is None or view.memory.migrations.get(recovery.host) is None:
            return
        before = self._instances.get(node, {})
        now = {fate.server.id: fate.state for fate in fates(view, self._policy, recovery)}
        if before == now:
            return
        for server, state in now.items():
            was = before.get(server)
            if was is None:
                self._book.say("nova-ha", f"{server}: {state.name}")
            elif was is not state:
                self._change(server, was.name, state.name)
        for server, was in before.items():
            if server not in now:
                self._change(server, was.name, InstanceState.GONE.name)
        self._instances[node] = now

    def _leave(self, node: NodeName, state: RecoveryState) -> None:
        """Note the instances that left a released host; those that stay are ours no more."""
        stay = (
            InstanceState.WAITING,
            InstanceState.CHECKING,
            InstanceState.STAYS,
            InstanceState.UNPROTECTED,
        )
        for server, was in self._instances.pop(node).items():
            if state in _RELEASED and was not in stay:
                self._change(server, was.name, InstanceState.GONE.name)

    def _change(self, name: str, before: str, after: str) -> None:
        if self._fresh_until_s < inf:
            self._book.say("nova-ha", f"{name}: {after}")
            return
        self._book.outcome.changes[before, after] += 1
        self._book.say("nova-ha", f"{name}: {before} -> {after}")


def _who(recovery: Recovery) -> str:
    return "we have" if recovery.raised else "a person has"


def describe(action: Action) -> str:  # noqa: C901, PLR0911, PLR0912  (one line for each kind of action)
    """Return what an action does, in words."""
    match action:
        case KeepProof(proven):
            proof = proven.proof
            return f"keeps the proof of {proven.node} (receipt {proof.receipt_id}, {proof.action})"
        case BeginRecovery(recovery):
            return f"begins the recovery of {recovery.node} (receipt {recovery.receipt_id})"
        case KeepFound(recovery):
            return f"notes that {_who(recovery)} forced up {recovery.host}"
        case Evacuate(server, host):
            reset = "resets the state of and " if action.reset else ""
            to = f" to {action.to}" if action.to else ""
            past = ", past the scheduler" if action.forced else ""
            left = ", to be left stopped" if action.stopped else ""
            return f"{reset}evacuates {server} off {host}{to}{past}{left}"
        case KeepStarts(starts):
            return f"writes down to start {' '.join(sorted(starts.servers))} of {starts.node}"
        case Start(server, host):
            return f"starts {server} on {host}"
        case EndStarts(starts):
            return f"ends the record of starts of {starts.node}"
        case LiveMigrate(server, host):
            return f"live-migrates {server} off {host}"
        case KeepWithdrawn(withdrawn):
            return f"keeps of {withdrawn.node}: {withdrawn.to_value()}"
        case DropWithdrawn(withdrawn):
            return f"has given back {withdrawn.node}"
        case SetStandby(node, on):
            return f"{'sets' if on else 'takes'} {node} {'in' if on else 'out of'} standby"
        case SetUse(segment, reserved, use):
            value = use.to_value() if use else TRUE
            return f"writes of {reserved} in segment {segment.name}: {value}"
        case AddToAggregate(aggregate, host):
            return f"adds {host} to aggregate {aggregate.name}"
        case RemoveFromAggregate(aggregate, host):
            return f"takes {host} out of aggregate {aggregate.name}"
        case Release(recovery):
            return f"releases {recovery.node}"
        case BootCanary(host):
            return f"boots a canary on {host}"
        case DeleteCanary(host, _, server, passed, why):
            verdict = ", which ran" if passed else f": {why}" if why else ""
            return f"deletes {server} on {host}{verdict}"
        case DropHold(mark):
            return f"drops the hold of {mark.node} (receipt {mark.receipt_id}), which nothing needs"
        case EndRecovery(recovery):
            return f"ends the recovery of {recovery.node}"
        case ForceDown(service) | Disable(service) | ForceUp(service) | Enable(service):
            return f"{_VERBS[type(action)]} {service.host}"


_RELEASED = frozenset({RecoveryState.RELEASING, RecoveryState.RETURNING})

_VERBS = {
    ForceDown: "forces down",
    Disable: "disables",
    ForceUp: "forces up",
    Enable: "enables",
}
