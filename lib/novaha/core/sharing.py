"""Who gets a free slot: the evacuations of all hosts together, in their order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from novaha.core.actions import Decision, Evacuate, Hold
from novaha.core.capacity import without_room
from novaha.core.flights import Flights
from novaha.core.hostplan import Candidate, HostPlan
from novaha.core.model import Migration, View
from novaha.core.names import ServerId, some_of
from novaha.core.order import Waits, waits
from novaha.core.pace import most_in_flight
from novaha.core.policy import Policy, in_flight
from novaha.core.probing import ask_ports
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.waiting import open_rooms

TOLD = 3
"""So many of those that wait are named in one line."""


def share(view: View, policy: Policy, plans: Sequence[HostPlan]) -> tuple[Decision, ...]:
    """Put the plans of all hosts together: what fits into the free slots is sent."""
    decisions = chain.from_iterable(plan.decisions for plan in plans)
    if not any(plan.ready or plan.after_evacuations or plan.pool for plan in plans):
        return tuple(decisions)
    ordered = any(one.wish.after and not one.at_once for plan in plans for one in plan.ready)
    everyone = chain.from_iterable(plan.members() for plan in plans) if ordered else ()
    waiting = waits(everyone, view.now_s)
    rules = view.memory.rules.value if view.memory.rules else Rules()
    slots = _Slots(most_in_flight(view, policy), policy.max_per_destination, plans, rules)
    chosen: list[Evacuate] = []
    late: list[Candidate] = []
    for candidate in in_order(plans):
        if _is_early(candidate, waiting, view, policy):
            late.append(candidate)
        elif slots.take(candidate):
            chosen.append(candidate.evacuate)
    after = chain.from_iterable(plan.after_evacuations for plan in plans)
    strained = view.memory.strain.halvings > 0
    holds = (*slots.holds(strained), *_order_holds(late, waiting), *_room_holds(view, plans))
    ports = ask_ports(view, policy, waiting) if late else ()
    return (*ports, *decisions, *chosen, *after, *holds)


def in_order(plans: Sequence[HostPlan]) -> list[Candidate]:
    """Return all candidates, the most important first.

    Inside a priority they go round the hosts, so that none waits for another.
    """
    placed: list[tuple[int, int, int, Candidate]] = []
    for number, plan in enumerate(plans):
        rounds: Counter[int] = Counter()
        for candidate in plan.ready:
            tier = candidate.rank.less_important
            placed.append((tier, rounds[tier], number, candidate))
            rounds[tier] += 1
    return [candidate for *_, candidate in sorted(placed, key=lambda row: row[:3])]


class _Slots:
    """The free slots, the groups of which one is on its way, and the room at each destination."""

    def __init__(self, most: int, at_one: int, plans: Sequence[HostPlan], rules: Rules) -> None:
        moving = list(_records_in_flight(plans))
        self._most = most
        self._free = max(most - sum(plan.busy for plan in plans), 0)
        self._room = at_one - _most_at_one(moving)
        self._apart, together = rules.apart, rules.together
        posted = tuple(_posted(plans))
        self._groups = {self._apart[s] for s in posted if s in self._apart}
        self._groups |= {together[s].id for s in posted if s in together}
        self._queued = self._kept_apart = self._following = 0

    def take(self, candidate: Candidate) -> bool:
        """Give a candidate a slot, if it can have one."""
        group = candidate.alone or self._apart.get(candidate.evacuate.server)
        if group in self._groups:
            self._following += candidate.alone is not None
            self._kept_apart += candidate.alone is None
            return False
        if self._free < 1 or self._room < 1:
            self._queued += 1
            return False
        self._free -= 1
        self._room -= 1
        if group is not None:
            self._groups.add(group)
        return True

    def holds(self, strained: bool) -> tuple[Hold, ...]:  # noqa: FBT001
        """Return what those without a slot wait for."""
        slower = f"; Nova is overloaded, so only {self._most} at once" if strained else ""
        queued = f"{self._queued} instances wait for a free slot{slower}"
        apart = f"{self._kept_apart} instances wait for a member of their anti-affinity group"
        first = f"{self._following} instances wait for the first of their affinity group"
        return (
            *((Hold("nova", Reason.QUEUED, queued),) if self._queued else ()),
            *((Hold("nova", Reason.APART, apart),) if self._kept_apart else ()),
            *((Hold("nova", Reason.TOGETHER, first),) if self._following else ()),
        )


def _flights(plans: Iterable[HostPlan]) -> Iterator[Flights]:
    return (plan.flights for plan in plans if plan.flights is not None)


def _records_in_flight(plans: Iterable[HostPlan]) -> Iterator[Migration]:
    """Yield the records of what moves, as far as they are known; not of what is stuck."""
    for flights in (each for each in _flights(plans) if not each.unseen):
        for server, record in flights.newest.items():
            if in_flight(record.status) and server not in flights.stuck:
                yield record


def _posted(plans: Iterable[HostPlan]) -> Iterator[ServerId]:
    """Yield all servers that move, or may move once a request arrives."""
    for flights in _flights(plans):
        yield from (server for server in flights.moving if server not in flights.stuck)


def _most_at_one(moving: Iterable[Migration]) -> int:
    """Return how many may be on their way to one destination.

    Nova may send one that has no destination yet to any.
    """
    to = Counter(record.destination for record in moving)
    unscheduled = to.pop(None, 0)
    return unscheduled + max(to.values(), default=0)


def _room_holds(view: View, plans: Sequence[HostPlan]) -> tuple[Hold, ...]:
    """Return which instances will find no room; they are tried all the same, in their order."""
    rooms, services = view.memory.room, view.memory.services
    pool = sorted(chain.from_iterable(plan.pool for plan in plans))
    if rooms is None or rooms.value is None or services is None or not pool:
        return ()
    free = open_rooms(view.memory)
    lacking = [pool[n] for n in without_room(tuple(mover.need for mover in pool), free)]
    names = [mover.rank.name for mover in lacking if mover.here]
    if not names:
        return ()
    text = f"{len(names)} of {len(pool)} instances find no room: {some_of(names, TOLD)}"
    return (Hold("nova", Reason.NO_ROOM, text),)


def _is_early(candidate: Candidate, waiting: Waits, view: View, policy: Policy) -> bool:
    """Tell whether an instance has to wait for others; not for ever."""
    patient = view.now_s < candidate.since_s + policy.order_wait_s
    patient = patient and not candidate.at_once
    return patient and candidate.evacuate.server in waiting.waiting


def _order_holds(late: Sequence[Candidate], waiting: Waits) -> tuple[Hold, ...]:
    told = [f"{c.rank.name} for {' '.join(waiting.waiting[c.evacuate.server])}" for c in late]
    out = []
    if late:
        text = f"{len(late)} instances wait for others: {some_of(told, TOLD)}"
        out.append(Hold("nova", Reason.AFTER, text))
    if waiting.cycle:
        ids = ", ".join(sorted(waiting.cycle))
        text = f"{len(waiting.cycle)} instances wait for each other: {ids}"
        out.append(Hold("nova", Reason.CYCLE, text))
    return tuple(out)
