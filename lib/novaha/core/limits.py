"""Which of the hosts that are proven must not be recovered yet: too many, or disarmed.

Many evacuations at once are a storm of their own: instances boot together, on storage and networks
that may be what broke the hosts. So no more hosts than `max_recoveries` are in recovery in the
whole cluster, and no more of an aggregate than its nova_ha:max_failures says. A recovery counts
from its beginning until its host is released. Who waits keeps its proof, so nothing is lost; those
that were proven earlier come first. A person lets a host through with `nova-ha release`.

What a person has disarmed (core/disarm.py) waits in the same way, released or not, and takes no
place.

A cloud that gives no answer lets nothing through: no recovery begins before the aggregates were
read anew (core/decide.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from novaha.core.actions import AskRules, Hold
from novaha.core.disarm import Disarm
from novaha.core.model import ClusterView, View
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery
from novaha.core.segments import MAX_FAILURES, SEGMENT, Aggregate
from novaha.core.services import listed_host
from novaha.core.standing import Standing, concerned, stand
from novaha.core.states import RecoveryState as State

UNREADABLE_LIMIT = 1
"""What counts where an aggregate's limit is no number: the segment goes on, and the typo shows."""


def standings(view: View, policy: Policy) -> list[Standing]:
    """Return the state of every node, with the hold of those whose recovery must not begin yet."""
    found = [stand(view, policy, node) for node in concerned(view.cluster)]
    queue = sorted(_queue(found))
    if not queue:
        return found
    places = _Places(view, policy)
    places.take_those_in_recovery(queue)
    held = {turn.node: barred for turn in queue if (barred := places.barred(turn))}
    return [
        replace(s, hold=held[s.node].hold, ask=held[s.node].ask) if s.node in held else s
        for s in found
    ]


class _Turn(NamedTuple):
    """Whose turn it is: those that were proven earlier, then by name."""

    ended_s: int
    node: NodeName
    receipt_id: str


class _Barred(NamedTuple):
    """Why a recovery must not begin, and what has to be read again, because that rests on it."""

    hold: Hold
    ask: tuple[AskRules, ...] = ()


def _queue(found: Iterable[Standing]) -> Iterator[_Turn]:
    for standing in found:
        proof = standing.cited
        if proof and standing.state in (State.FENCED, State.PROVEN):
            yield _Turn(proof.ended_s, standing.node, proof.receipt_id)


@dataclass
class _Places:
    """The places that are taken, by node; a host is None while Nova was not asked for it."""

    view: View
    policy: Policy
    taken: dict[NodeName, ComputeHost | None] = field(default_factory=dict)

    def take_those_in_recovery(self, queue: list[_Turn]) -> None:
        """Count the recoveries that have begun, those too that a CIB read late does not show.

        A node that is fenced anew, its last recovery being void, waits for its turn like others.
        """
        waiting = {turn.node for turn in queue}
        self.taken = {
            r.node: r.host
            for r in self.view.cluster.records
            if isinstance(r, Recovery) and r.phase == "evacuating" and r.node not in waiting
        }
        begun = self.view.memory.begun
        self.taken |= {t.node: self.host_of(t.node) for t in queue if t.receipt_id in begun}

    def barred(self, turn: _Turn) -> _Barred | None:
        """Return why there is no place for the next node, or give it one."""
        node = turn.node
        if node in self.taken:
            return None
        if disarmed := self.disarmed(node):
            return disarmed
        if node not in self.view.cluster.released and (barred := self.full(node)):
            return barred
        host = self.host_of(node)
        if host or self.view.memory.services is None:
            self.taken[node] = host  # one of which Nova knows no host must not keep others waiting
        return None

    def disarmed(self, node: NodeName) -> _Barred | None:
        """Return whose word keeps a node from being recovered."""
        for disarm in self.view.cluster.disarmed:
            by_rules = disarm.scope.reach == "segment"
            if disarm.scope.covers(node, self.segments_of(node) if by_rules else ()):
                text = f"is fenced, and not recovered: {disarm}"
                hold = Hold(node, Reason.DISARMED, text)
                return _Barred(hold, self.rules_again() if by_rules else ())
        return None

    def segments_of(self, node: NodeName) -> frozenset[str]:
        """Return the segments of a node's host; none while Nova has not told them.

        Nothing begins before it has.
        """
        rules, host = self.view.memory.rules, self.host_of(node)
        found = rules.value.of(host).aggregates if rules and host else ()
        return frozenset(a.metadata[SEGMENT] for a in found if SEGMENT in a.metadata)

    def full(self, node: NodeName) -> _Barred | None:
        """Return for which limit there is no place, that of the cluster or of an aggregate."""
        if len(self.taken) >= self.policy.max_recoveries:
            return _Barred(_over(node, self.cluster_is_full()))
        text = next(self.full_aggregates(node), None)
        return _Barred(_over(node, text), self.rules_again()) if text else None

    def cluster_is_full(self) -> str:
        limit = self.policy.max_recoveries
        return f"hosts in recovery: {len(self.taken)}, max_recoveries is {limit}"

    def full_aggregates(self, node: NodeName) -> Iterator[str]:
        """Yield why there is no place, for each aggregate of the node's host without one."""
        rules, host = self.view.memory.rules, self.host_of(node)
        if rules is None or host is None:
            return
        for aggregate in rules.value.of(host).aggregates:
            limit, said = limit_of(aggregate)
            count = sum(other in aggregate.hosts for other in self.taken.values())
            if limit is not None and count >= limit:
                hosts = f"hosts of aggregate {aggregate.name} in recovery: {count}"
                yield f"{hosts}, its {MAX_FAILURES} is {said}"

    def rules_again(self) -> tuple[AskRules, ...]:
        """Return the question for the aggregates, where a person may have changed them since."""
        rules = self.view.memory.rules
        asked_s = rules.asked_s if rules else float("-inf")
        old = self.view.now_s - asked_s >= self.policy.look_again_s
        return (AskRules(),) if old else ()

    def host_of(self, node: NodeName) -> ComputeHost | None:
        """Return the Nova host of a node, None while it is not known, or where there is none."""
        return listed_host(self.view, self.policy, node)


def disarms_shown(cluster: ClusterView, found: Iterable[Standing]) -> tuple[Hold, ...]:
    """Return what an operator is told of the disarms themselves, whether they hold a host or not.

    Of a host that is held for its own disarm that is told already.
    """
    held = {s.node for s in found if s.hold and s.hold.reason is Reason.DISARMED}
    holds = (Hold(_subject(d), Reason.DISARMED, str(d)) for d in cluster.disarmed)
    return tuple(hold for hold in holds if hold.subject not in held)


def _subject(disarm: Disarm) -> str:
    return disarm.scope.name if disarm.scope.reach == "host" else disarm.scope.word


def limit_of(aggregate: Aggregate) -> tuple[int | None, str]:
    """Return how many hosts of an aggregate may be in recovery, and how that is said.

    None where it says nothing; 0 is a number, too: then a person releases each.
    """
    text = aggregate.metadata.get(MAX_FAILURES)
    if text is None:
        return None, ""
    if text.isascii() and text.isdigit():
        return int(text), text
    return UNREADABLE_LIMIT, f"no number, {text[:40]!r}, so {UNREADABLE_LIMIT}"


def _over(node: NodeName, why: str) -> Hold:
    # What to do comes early: pcs status shows some 127 characters.
    text = f"is fenced, its recovery waits; to begin it: nova-ha release {node}; {why}"
    return Hold(node, Reason.RECOVERY_LIMIT, text)
