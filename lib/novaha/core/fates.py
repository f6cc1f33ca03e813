"""Where each server of a fenced host stands: the one place where that is recognised."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from novaha.core.eligibility import Kept
from novaha.core.flights import settled, telling
from novaha.core.memory import LONG_AGO_S
from novaha.core.model import Answer, Migration, Server, View
from novaha.core.names import ServerId
from novaha.core.order import Wish
from novaha.core.policy import ENDED_WELL, Policy, in_flight
from novaha.core.reasons import Reason
from novaha.core.records import ended_badly
from novaha.core.recovery import Recovery
from novaha.core.reserve import Reserve, reserve_of
from novaha.core.rules import Rules, ServerGroup
from novaha.core.states import InstanceState
from novaha.core.verdict import verdict

TRIES_BEFORE_ITS_HOST = 3
"""After so many evacuations that failed, an instance may go back to a host that is there again."""

BOUND = (
    "as a rule Nova lets no member of its affinity group {0.name} leave first;"
    " its host brings it back, or give the group up: openstack server group delete {0.id}"
)


@dataclass(frozen=True)
class Fate:
    """A server, where it stands, and for a failed one: how often, until when, Nova's words.

    One that its affinity group binds shares the failed evacuations of the others, for one tries for
    all. own: how often it failed itself. refused: the last try was refused outright. kept: why it
    is not evacuated. reset: its state has to be reset before. note: what is said of it in Nova that
    nobody can understand.
    """

    server: Server
    state: InstanceState
    failures: int = 0
    own: int = 0
    due_s: float = 0.0
    text: str = ""
    refused: bool = False
    kept: Kept | None = None
    reset: bool = False
    note: str = ""

    @property
    def lets_go(self) -> bool:
        """Tell whether it exists on its host only, and goes back to it when that returns.

        So does what failed often enough: on its own host it would run, and nowhere else it does.
        """
        if self.kept is not None:
            return self.kept.lets_go
        often = self.failures >= TRIES_BEFORE_ITS_HOST
        return self.state is InstanceState.WAITING and (self.refused or often)


def fates(view: View, policy: Policy, recovery: Recovery) -> tuple[Fate, ...]:
    """Return where each server that Nova lists on a fenced host stands; none while unknown."""
    memory, host = view.memory, recovery.host
    servers, migrations = memory.servers.get(host), memory.migrations.get(host)
    hosts = [service.host for service in memory.services.value] if memory.services else []
    if host not in hosts or servers is None or migrations is None or memory.rules is None:
        return ()
    newest = telling(migrations.value, recovery.after_migration)
    rules = memory.rules.value.of(host)
    reading = Reading(view, policy, recovery, servers, migrations, newest, rules)
    return tuple(map(reading.fate, servers.value))


@dataclass(frozen=True)
class Reading:
    """What is known of a fenced host's servers.

    newest: the record of each that tells where it is. rules: with the aggregates of the host.
    """

    view: View
    policy: Policy
    recovery: Recovery
    servers: Answer[tuple[Server, ...]]
    migrations: Answer[tuple[Migration, ...]]
    newest: Mapping[ServerId, Migration]
    rules: Rules

    def fate(self, server: Server) -> Fate:
        """Return where a server stands."""
        moving = self.moving(server)
        return Fate(server, moving) if moving is not None else self.at_rest(server)

    def moving(self, server: Server) -> InstanceState | None:
        """Return how a server is on its way, from its newest record and our request."""
        post = self.view.memory.posts.get(server.id)
        newest = self.newest.get(server.id)
        if newest is not None and in_flight(newest.status):
            return InstanceState.IN_FLIGHT
        if post is not None and post.state == "sent":
            return InstanceState.IN_FLIGHT
        if post is not None and not self.settled(post.at_s):
            return InstanceState.UNSURE
        return InstanceState.MOVED if self.has_left(server.id) else None

    def has_left(self, server: ServerId) -> bool:
        """Tell whether an evacuation of this loss has ended well; Nova has set its host by then."""
        newest = self.newest.get(server)
        return newest is not None and newest.status in ENDED_WELL and self.is_of_now(newest)

    def bound(self, server: ServerId) -> ServerGroup | None:
        """Return the affinity group of a server while none of it has left (core/together.py)."""
        group = self.together.get(server)
        return None if group is None or group.id in self.loose else group

    @property
    def together(self) -> Mapping[ServerId, ServerGroup]:
        """The affinity group of each server that is in one."""
        return self.view.memory.rules.value.together if self.view.memory.rules else {}

    @cached_property
    def loose(self) -> frozenset[str]:
        """The affinity groups of which one has left."""
        mine = (server for server in self.newest if server in self.together)
        return frozenset(self.together[server].id for server in mine if self.has_left(server))

    def is_of_now(self, m: Migration) -> bool:
        """Tell whether a record that ended well tells of this loss: ours, or seen in flight."""
        moving = self.view.memory.moving.get(m.id)
        return m.id > self.recovery.after_migration or (moving is not None and moving.flew)

    def settled(self, since_s: float) -> bool:
        """Tell whether a request of that moment cannot take effect any more."""
        return settled(self.policy, self.migrations, since_s)

    def at_rest(self, server: Server) -> Fate:
        """Return the fate of a server that nothing is moving."""
        if server.details is None:
            return Fate(server, InstanceState.CHECKING)
        why, note, reset, _ = verdict(server, server.details, self.rules, self.policy)
        if why is not None:
            unprotected = why.reason is Reason.UNPROTECTED
            state = InstanceState.UNPROTECTED if unprotected else InstanceState.STAYS
            return Fate(server, state, text=why.text, kept=why, note=note)
        fate = self.tried(server, reset=reset, note=note)
        if fate.state is InstanceState.READY and self.reserve.lacks:
            waits = Kept(Reason.NO_RESERVED, f"waits for a reserved host: {self.reserve.why}")
            return replace(fate, state=InstanceState.STAYS, text=waits.text, kept=waits)
        return fate

    @cached_property
    def reserve(self) -> Reserve:
        """The reserved host that its instances go to, or why there is none."""
        return reserve_of(self.view, self.policy, self.recovery.host)

    def wish(self, server: Server) -> Wish:
        """Return what is said about the order of a server; nothing while nothing is known of it."""
        if server.details is None:
            return Wish()
        return verdict(server, server.details, self.rules, self.policy).wish

    def tried(self, server: Server, *, reset: bool, note: str) -> Fate:
        """Return the fate of a server that may be evacuated: tried before, or never."""
        memory, group = self.view.memory, self.bound(server.id)
        mine = self.failures.get(server.id, [])
        bad = self.failures_together.get(group.id, []) if group else mine
        refusal = memory.refusals.get(server.id)
        refusals = refusal.count if refusal else 0
        failures, own = len(bad) + refusals, len(mine) + refusals
        if failures == 0:
            return Fate(server, self.due(LONG_AGO_S), reset=reset, note=note)
        last_s = max((memory.failed_at.get(m.id, 0.0) for m in bad), default=LONG_AGO_S)
        text = _ended(bad[-1], server) if bad else ""
        if server.fault:
            text = f"{text}: {server.fault}"
        refused = False
        if refusal is not None and refusal.last_s >= last_s:
            last_s, text, refused = refusal.last_s, refusal.text, not refusal.lost
        text = f"{text}; {BOUND.format(group)}" if group and len(group.members) > 1 else text
        woken = last_s == LONG_AGO_S
        due_s = memory.woken_s if woken else last_s + self.policy.backoff_s(failures)
        state = self.due(due_s)
        return Fate(server, state, failures, own, due_s, text, refused, reset=reset, note=note)

    @cached_property
    def failures(self) -> dict[ServerId, list[Migration]]:
        """The records of this recovery that ended badly, by server, the newest one last."""
        failures: dict[ServerId, list[Migration]] = {}
        for m in sorted(self.migrations.value, key=_number):
            if m.id > self.recovery.after_migration and ended_badly(m):
                failures.setdefault(m.server, []).append(m)
        return failures

    @cached_property
    def failures_together(self) -> dict[str, list[Migration]]:
        """The same by affinity group."""
        failures: dict[str, list[Migration]] = {}
        mine = (server for server in self.failures if server in self.together)
        for m in sorted(chain.from_iterable(map(self.failures.__getitem__, mine)), key=_number):
            failures.setdefault(self.together[m.server].id, []).append(m)
        return failures

    def due(self, due_s: float) -> InstanceState:
        """Return where a server stands that is to be tried, or tried again, at some time.

        Meanwhile a person may have moved or deleted it, so both lists must be newer than that; and
        one that could not be evacuated before the aggregates changed may be moved by a person.
        """
        if self.view.now_s < due_s:
            return InstanceState.WAITING
        said_s = min(self.view.memory.rules_since_s, self.view.cycle_s)
        fresh = min(self.servers.asked_s, self.migrations.asked_s) >= due_s
        fresh = fresh and self.migrations.asked_s >= said_s
        return InstanceState.READY if fresh else InstanceState.CHECKING


def _number(m: Migration) -> int:
    return m.id


def _ended(m: Migration, server: Server) -> str:
    whose = "its evacuation" if m.server == server.id else "another member's evacuation"
    return f"{whose} {m.id} ended '{m.status}'"
