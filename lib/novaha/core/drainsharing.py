"""Which live migrations begin: those of all drained hosts together, in their order.

Nothing begins beside evacuations, beyond the limits, or for which Placement shows no room.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from novaha.core.actions import AskRoom, Decision, Hold, LiveMigrate
from novaha.core.capacity import Need, need_of, without_room
from novaha.core.leaving import Leaver
from novaha.core.model import View
from novaha.core.names import ComputeHost, NodeName, some_of
from novaha.core.order import Rank, rank, wish_of
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.waiting import open_rooms

TOLD = 3
ROOM_S = 10.0
"""What Placement told must not be older, or of this cycle, when something begins."""


@dataclass(frozen=True)
class HostDrain:
    """What a host that serves less needs now; ready: instances that may leave, given a slot."""

    node: NodeName
    decisions: tuple[Decision, ...]
    ready: tuple[Leaver, ...] = ()
    moving: tuple[Leaver, ...] = ()


class _Candidate(NamedTuple):
    """An instance that may leave, in its order: inside a priority they go round the hosts."""

    less_important: int
    turn: int
    node: NodeName
    leaver: Leaver


def share_drains(
    view: View, policy: Policy, drains: Sequence[HostDrain], *, evacuates: bool
) -> tuple[Decision, ...]:
    """Put the drains of all hosts together: what fits into the free slots is sent."""
    decisions = tuple(chain.from_iterable(drain.decisions for drain in drains))
    waiting = [drain for drain in drains if drain.ready]
    if evacuates:
        text = "{} instances wait: a recovery evacuates, and that goes first"
        holds = (Hold(d.node, Reason.DRAIN_WAITS, text.format(len(d.ready))) for d in waiting)
        return (*decisions, *holds)
    slots = _Slots(view, policy, drains)
    if not waiting or not slots.free:
        return decisions
    room = view.memory.room
    if room is None or room.asked_s < min(view.now_s - ROOM_S, view.cycle_s):
        return (AskRoom(), *decisions)
    return (*decisions, *slots.fill(_in_order(view, drains)))


def in_turn(
    view: View, policy: Policy, drain: HostDrain
) -> tuple[tuple[Leaver, ...], tuple[Leaver, ...]]:
    """Return who leaves a host, in that order, and who finds no room elsewhere."""
    candidates = _in_order(view, [drain])
    lacking = _Slots(view, policy, [drain]).without_room(candidates)
    leave = (each.leaver for each in candidates if each not in lacking)
    return tuple(leave), tuple(each.leaver for each in lacking)


def _in_order(view: View, drains: Sequence[HostDrain]) -> list[_Candidate]:
    rules = view.memory.rules.value if view.memory.rules else Rules()
    found: list[_Candidate] = []
    for drain in drains:
        of_host = rules.of(_host(view, drain.node))
        ranked = [(_rank(leaver, of_host), leaver.server.id, leaver) for leaver in drain.ready]
        turns: Counter[int] = Counter()
        for ranking, _, leaver in sorted(ranked, key=lambda row: row[:2]):
            tier = ranking.less_important
            found.append(_Candidate(tier, turns[tier], drain.node, leaver))
            turns[tier] += 1
    return sorted(found, key=lambda row: row[:3])


def _rank(leaver: Leaver, rules: Rules) -> Rank:
    server = leaver.server
    return rank(server, wish_of(server.details, rules), leaver.failures)


def _host(view: View, node: NodeName) -> ComputeHost:
    withdrawn = view.cluster.withdrawn_of(node)
    return withdrawn.host if withdrawn else ComputeHost("")


@dataclass
class _Slots:
    """The free slots, the groups of which one is on its way, and the room elsewhere."""

    view: View
    policy: Policy
    drains: Sequence[HostDrain]
    free: int = field(init=False)

    def __post_init__(self) -> None:
        busy = sum(not leaver.slow for leaver in self._moving())
        to = Counter(leaver.record.destination for leaver in self._moving() if leaver.record)
        asked = sum(leaver.record is None for leaver in self._moving())
        unscheduled = to.pop(None, 0) + asked
        at_one = self.policy.max_per_destination - unscheduled - max(to.values(), default=0)
        self.free = max(min(self.policy.drain_in_flight - busy, at_one), 0)

    def _moving(self) -> Iterator[Leaver]:
        return chain.from_iterable(drain.moving for drain in self.drains)

    def fill(self, candidates: Sequence[_Candidate]) -> Iterator[Decision]:
        """Yield what is sent now, and what finds no room."""
        lacking = self.without_room(candidates)
        for node in dict.fromkeys(candidate.node for candidate in lacking):
            mine = [c.leaver.server.name for c in lacking if c.node == node]
            text = f"{len(mine)} instances find no room elsewhere: {some_of(mine, TOLD)}"
            yield Hold(node, Reason.NO_ROOM, text)
        rules = self.view.memory.rules
        apart = rules.value.apart if rules else {}
        groups = {apart[x.server.id] for x in self._moving() if x.server.id in apart}
        for candidate in (c for c in candidates if c not in lacking):
            server = candidate.leaver.server.id
            if not self.free or apart.get(server) in groups:
                continue
            self.free -= 1
            groups |= {apart[server]} if server in apart else set()
            yield LiveMigrate(server, _host(self.view, candidate.node))

    def without_room(self, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """Return those that find no room beside those that were asked for and are not placed."""
        room = self.view.memory.room
        if room is None or room.value is None:
            return []
        placed = [_need(leaver) for leaver in self._moving() if not _is_placed(leaver)]
        needs = (*placed, *(_need(candidate.leaver) for candidate in candidates))
        emptied = [withdrawn.host for withdrawn in self.view.cluster.withdrawn if withdrawn.host]
        lacking = without_room(needs, open_rooms(self.view.memory, emptied))
        return [candidates[n - len(placed)] for n in lacking if n >= len(placed)]


def _is_placed(leaver: Leaver) -> bool:
    return leaver.record is not None and leaver.record.destination is not None


def _need(leaver: Leaver) -> Need:
    details = leaver.server.details
    return need_of(details) if details else Need(0, 0, 0)
