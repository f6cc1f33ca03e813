"""The second phase: what was placed stopped is started, in its order.

What has to be started is written in the CIB (core/starts.py). Where an instance is by now its
evacuation record tells, and how it stands there the list of that host. The lost host waits for none
of this: it is released as soon as all have left it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from novaha.core.actions import (
    AskMigrations,
    AskPlaced,
    Decision,
    EndStarts,
    Hold,
    KeepStarts,
    Start,
)
from novaha.core.flights import settled, telling
from novaha.core.hostplan import HostPlan
from novaha.core.model import Migration, Server, StartTry, View
from novaha.core.names import ComputeHost, NodeName, ServerId, some_of
from novaha.core.order import Member, Rank, Waits, rank, waits, wish_of
from novaha.core.pace import QUIET_SHARE, most_in_flight, records_due_s
from novaha.core.policy import ENDED_WELL, Policy, in_flight
from novaha.core.probing import ask_ports
from novaha.core.queueing import member_of
from novaha.core.reasons import Reason
from novaha.core.records import ended_badly
from novaha.core.recovery import Recovery
from novaha.core.reserve import lost_hosts
from novaha.core.rules import Rules
from novaha.core.sharing import TOLD
from novaha.core.starts import Starts

DONE = "done"
HOPS = 8
"""So many hosts that were lost one after the other are followed."""


@dataclass(frozen=True)
class _Lot:
    """The instances of one lost host that have to be started; plan: None once it is evacuated."""

    view: View
    policy: Policy
    entry: Starts
    plan: HostPlan | None

    @cached_property
    def left(self) -> frozenset[ServerId]:
        """Those that are not known to run, or to need no start any more."""
        known = self.view.memory.up.keys() | self.view.memory.needless
        return self.entry.servers - known - self.stayed

    @cached_property
    def newest(self) -> Mapping[ServerId, Migration] | None:
        """The record of each, None where they are not known."""
        records = self.view.memory.migrations.get(self.entry.host)
        if records is None:
            return None
        first = self.entry.after_migration
        mine = telling(records.value, first)
        return {server: m for server, m in mine.items() if m.id > first}

    @cached_property
    def listed(self) -> frozenset[ServerId] | None:
        """Those that Nova still has on the lost host, None where that is not known."""
        if self.plan is None:
            return frozenset()
        servers = self.view.memory.servers.get(self.entry.host)
        return None if servers is None else frozenset(server.id for server in servers.value)

    @cached_property
    def stayed(self) -> frozenset[ServerId]:
        """Those that were never placed and are gone: moved or deleted, or left on their host."""
        memory, host = self.view.memory, self.entry.host
        if self.newest is None or self.listed is None:
            return frozenset()
        records, servers = memory.migrations[host], memory.servers.get(host)
        if self.plan and (servers is None or records.asked_s < servers.asked_s):
            return frozenset()
        posts = memory.posts.items()
        sent = {s for s, post in posts if not settled(self.policy, records, post.at_s)}
        gone = self.entry.servers - self.listed - sent
        newest = self.newest
        return frozenset(s for s in gone if s not in newest or ended_badly(newest[s]))

    @cached_property
    def places(self) -> Mapping[ServerId, ComputeHost]:
        """Where those are that have arrived; not where their new host is not there either.

        Nova shows one as it was there, until it is evacuated once more; and a start is lost where
        no nova-compute is there to hear it.
        """
        if self.newest is None or self.listed is None:
            return {}
        over = ((s, m) for s, m in self.newest.items() if s in self.left and m.destination)
        # The word of the lost host's own nova-compute counts once the list shows it, too.
        arrived = {s: m for s, m in over if m.status == DONE or s not in self.listed}
        there = {s: self.home(m) for s, m in arrived.items() if m.status in ENDED_WELL}
        away = lost_hosts(self.view, self.policy)
        return {s: host for s, host in there.items() if host and host not in away}

    def home(self, record: Migration) -> ComputeHost | None:
        """Return where an instance is; that host may have been lost since, and the next one."""
        for _ in range(HOPS):
            if record.destination is None:
                break
            records = self.view.memory.migrations.get(record.destination)
            newest = telling(records.value if records else (), record.id).get(record.server)
            if newest is None or newest.id <= record.id or newest.status not in ENDED_WELL:
                break
            record = newest
        return record.destination

    @cached_property
    def late(self) -> bool:
        """Tell whether nothing is waited for any more."""
        memory, record = self.view.memory, self.view.cluster.record_of(self.entry.node)
        begun_s = memory.started_s
        if record is not None:
            begun_s = memory.first_seen.get(record.proof.receipt_id, begun_s)
        return self.view.now_s >= begun_s + self.policy.order_wait_s

    @property
    def opened(self) -> bool:
        """Tell whether all are placed that can be; what fails holds up nobody."""
        return self.late or self.plan is None or not self.plan.placing

    def ask(self) -> Iterator[AskMigrations]:
        """Yield the question for the records, where no evacuation of the host asks it."""
        if self.newest is None:
            yield AskMigrations(self.entry.host)
        elif self.plan is None:
            flying = any(in_flight(m.status) for s, m in self.newest.items() if s in self.left)
            if flying and self.view.now_s >= records_due_s(self.view, self.policy, self.entry.host):
                yield AskMigrations(self.entry.host)

    def shrunk(self) -> tuple[KeepStarts, ...]:
        """Return the record without those that are over, once the others take long.

        An owner may stop one of them next week, and nothing may start it then.
        """
        if not (self.late and self.left and self.left < self.entry.servers):
            return ()
        node, host, first = self.entry.node, self.entry.host, self.entry.after_migration
        return (KeepStarts(Starts(node, host, first, self.left)),)


@dataclass(frozen=True)
class _Placed:
    """An instance that has arrived; server: as its host's list shows it, None where it does not."""

    lot: _Lot
    id: ServerId
    host: ComputeHost
    asked_s: float
    server: Server | None

    @property
    def name(self) -> str:
        return self.server.name if self.server else self.id

    @cached_property
    def rules(self) -> Rules:
        """What is said, with the aggregates of the host that was lost."""
        rules = self.lot.view.memory.rules
        return rules.value.of(self.lot.entry.host) if rules else Rules()

    @property
    def rank(self) -> Rank:
        server = self.server or Server(self.id, self.id)
        return rank(server, wish_of(server.details, self.rules), self.tried.tries)

    @property
    def tried(self) -> StartTry:
        return self.lot.view.memory.start_tries.get(self.id, StartTry("refused", float("-inf")))

    @property
    def due_s(self) -> float:
        """When it may be tried, or tried again; one that Nova works on not until that is stuck.

        A start that its host lost leaves it `powering-on` until nova-compute starts there again.
        """
        count, at_s = self.tried.tries, self.tried.at_s
        due_s = at_s + self.lot.policy.backoff_s(count) if count else at_s
        return due_s if self.idle else max(at_s, self.came_s) + self.lot.policy.stuck_s

    @property
    def came_s(self) -> float:
        """Since when its evacuation is over, as far as this process has seen."""
        memory, record = self.lot.view.memory, (self.lot.newest or {}).get(self.id)
        known = memory.moving.get(record.id) if record else None
        return known.since_s if known else memory.started_s

    @property
    def idle(self) -> bool:
        """Tell whether Nova does nothing with it, as far as its list shows."""
        return not (self.server and self.server.details and self.server.details.task_state)

    @property
    def away(self) -> bool:
        """Tell whether Nova has it on a lost host: that is where a start would be lost."""
        if self.server is not None:
            return False
        view = self.lot.view
        lists = (view.memory.servers.get(host) for host in _evacuating(view))
        return any(self.id == server.id for known in lists if known for server in known.value)

    @property
    def starting(self) -> bool:
        """Tell whether it may come up any moment: a request is out, or Nova works on it."""
        tried, now_s = self.tried, self.lot.view.now_s
        if tried.state == "refused" or now_s - tried.at_s >= self.lot.policy.stuck_s:
            return False
        if tried.state == "sent" or self.away or not self.idle:
            return True
        return tried.state == "accepted" and self.asked_s <= tried.at_s

    @property
    def failed(self) -> bool:
        """Tell whether the last try came to nothing."""
        return self.tried.tries > 0 and not self.starting

    def member(self) -> Member:
        server = self.server or Server(self.id, self.id)
        return member_of(server, wish_of(server.details, self.rules), None, self.lot.view.memory)

    def hold(self) -> Hold:
        """Return what is shown of one whose start failed."""
        tried, wait_s = self.tried, max(self.due_s - self.lot.view.now_s, 0.0)
        state = self.server.details.vm_state if self.server and self.server.details else "missing"
        why = tried.text or f"Nova accepted to start it, and it is {state}"
        text = f"({self.name}) was evacuated to {self.host} and does not run: {why}"
        return Hold(
            self.id, Reason.NOT_STARTED, f"{text}; {tried.tries} tries, next in {wait_s:.0f} s"
        )


def _evacuating(view: View) -> set[ComputeHost]:
    """Return the hosts that are being evacuated."""
    records = view.cluster.records
    return {r.host for r in records if isinstance(r, Recovery) and r.phase == "evacuating"}


def _listed_on_lost(view: View) -> set[ServerId]:
    """Return the instances that Nova lists on the hosts that are being evacuated."""
    lists = (view.memory.servers.get(host) for host in _evacuating(view))
    return {server.id for known in lists if known for server in known.value}


def starting(
    view: View, policy: Policy, plans: Mapping[NodeName, HostPlan]
) -> tuple[Decision, ...]:
    """Return what the second phase needs; plans: of the hosts that are being evacuated."""
    if not view.cluster.starts:
        return ()
    lots = [
        _Lot(view, policy, entry, _plan_of(view, entry, plans)) for entry in view.cluster.starts
    ]
    ask = tuple(chain.from_iterable(lot.ask() for lot in lots))
    left = [lot for lot in lots if lot.left]
    if not left and not ask and all(lot.newest is not None for lot in lots):
        return tuple(EndStarts(lot.entry) for lot in lots)
    placed = [one for lot in left if lot.opened for one in _placed(lot)]
    asked = _ask_placed(view, policy, left)
    shrunk = chain.from_iterable(lot.shrunk() for lot in lots)
    return (
        *ask,
        *asked,
        *_ask_missing(view, placed),
        *shrunk,
        *_in_order(view, policy, placed, plans),
        *map(_waits, left),
    )


def _plan_of(view: View, entry: Starts, plans: Mapping[NodeName, HostPlan]) -> HostPlan | None:
    record = view.cluster.record_of(entry.node)
    same = isinstance(record, Recovery) and record.host == entry.host
    return plans.get(entry.node) if same else None


def _placed(lot: _Lot) -> Iterator[_Placed]:
    """Yield those of a lot of which is known how they stand where they are."""
    for id_, host in lot.places.items():
        answer = lot.view.memory.placed.get(host)
        if answer is not None and id_ in answer.of:
            yield _Placed(lot, id_, host, answer.asked_s, answer.servers.get(id_))


def _ask_placed(view: View, policy: Policy, lots: Iterable[_Lot]) -> Iterator[AskPlaced]:
    """Yield the question for each host on which some have arrived, when it is due."""
    at: dict[ComputeHost, set[ServerId]] = {}
    for lot in lots:
        for id_, host in (lot.places if lot.opened else {}).items():
            at.setdefault(host, set()).add(id_)
    for host, ids in sorted(at.items()):
        known = view.memory.placed.get(host)
        if known is None or not ids <= known.of or view.now_s >= _due_s(view, policy, host, ids):
            yield AskPlaced(host, frozenset(ids))


def _ask_missing(view: View, placed: Iterable[_Placed]) -> Iterator[AskMigrations]:
    """Yield the question where else those are that are not on their new host any more."""
    hosts = dict.fromkeys(one.host for one in placed if one.server is None)
    yield from (AskMigrations(host) for host in hosts if host not in view.memory.migrations)


def _due_s(view: View, policy: Policy, host: ComputeHost, ids: Iterable[ServerId]) -> float:
    """Return when to look at a host again: often while instances start, else now and then."""
    asked_s, tries = view.memory.placed[host].asked_s, view.memory.start_tries
    mine = [tries[id_] for id_ in ids if id_ in tries]
    sent_s = [tried.at_s for tried in mine if tried.state in ("accepted", "lost")]
    if not sent_s:
        return asked_s + policy.poll_last_s
    pause_s = max(policy.poll_s, (asked_s - max(sent_s)) * QUIET_SHARE)
    return asked_s + min(pause_s, policy.poll_last_s)


def _in_order(
    view: View, policy: Policy, placed: Sequence[_Placed], plans: Mapping[NodeName, HostPlan]
) -> Iterator[Decision]:
    """Yield the starts that have a slot, what has to be known for the others, and their holds."""
    waiting = _waiting(view, placed, plans)
    late, free = [], _Slots(view, policy, placed)
    each_once = {one.id: one for one in placed}  # of two lost hosts, one after the other
    for one in sorted(each_once.values(), key=lambda each: each.rank):
        if one.failed:
            yield one.hold()
        if one.starting or one.away or view.now_s < one.due_s:
            continue
        if one.id in waiting.waiting and not one.lot.late:
            late.append(one)
        elif free.take(one.host):
            yield Start(one.id, one.host)
    if late:
        yield from ask_ports(view, policy, waiting)
        yield _after(late, waiting)


def _waiting(view: View, placed: Sequence[_Placed], plans: Mapping[NodeName, HostPlan]) -> Waits:
    mine = {one.id: one.member() for one in placed}
    if not any(member.wish.after for member in mine.values()):
        return Waits({}, frozenset())
    others = {m.id: m for m in chain.from_iterable(plan.members() for plan in plans.values())}
    started = _started(view)
    return waits({**others, **started, **mine}.values(), view.now_s)


def _started(view: View) -> dict[ServerId, Member]:
    """Return those that run by now, as the lists of their new hosts show them."""
    rules, out = view.memory.rules.value if view.memory.rules else Rules(), {}
    homes = {id_: entry.host for entry in view.cluster.starts for id_ in entry.servers}
    for answer in view.memory.placed.values():
        for id_, server in answer.servers.items():
            if id_ in view.memory.up and id_ in homes:
                up_s = view.memory.up[id_]
                out[id_] = member_of(
                    server, wish_of(server.details, rules.of(homes[id_])), up_s, view.memory
                )
    return out


class _Slots:
    """As many are started at once as may be evacuated at once, in all and on one host."""

    def __init__(self, view: View, policy: Policy, placed: Iterable[_Placed]) -> None:
        at = Counter(one.host for one in placed if one.starting)
        self._free = most_in_flight(view, policy) - at.total()
        self._at, self._most = at, policy.max_per_destination

    def take(self, host: ComputeHost) -> bool:
        """Give a slot, if there is one."""
        if self._free < 1 or self._at[host] >= self._most:
            return False
        self._free -= 1
        self._at[host] += 1
        return True


def _after(late: Sequence[_Placed], waiting: Waits) -> Hold:
    told = [f"{one.name} for {' '.join(waiting.waiting[one.id])}" for one in late]
    text = f"{len(late)} instances are placed, and wait for others: {some_of(told, TOLD)}"
    return Hold("nova", Reason.AFTER, text)


def _waits(lot: _Lot) -> Hold:
    """Return the line for a host; where nothing else is said, it is what is being waited for."""
    ahead = "" if lot.opened else ", once all of it are placed"
    text = f"{len(lot.left)} instances of it are to be started elsewhere{ahead}"
    return Hold(lot.entry.host, Reason.STARTING, text)
