"""What a fenced host needs next, given where each of its servers stands (core/fates.py)."""

from dataclasses import dataclass, replace
from functools import partial

from novaha.core.actions import (
    AskMigrations,
    AskRoom,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    Disable,
    ForceDown,
    Hold,
    KeepFound,
    Release,
)
from novaha.core.eligibility import Kept
from novaha.core.fates import Fate, Reading
from novaha.core.flights import Flights, flights_of
from novaha.core.hostplan import HostPlan
from novaha.core.model import Migration, Service, View
from novaha.core.pace import pause_s, records_due_s
from novaha.core.placing import Placing
from novaha.core.placing import placing as places_for
from novaha.core.policy import ENDED_WELL, Policy
from novaha.core.queueing import candidates, members, pool
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt
from novaha.core.recovery import FENCED_REASON, Recovery
from novaha.core.services import behind_a_down_cell, find_service, refused_change
from novaha.core.states import InstanceState
from novaha.core.together import asks_before_the_first
from novaha.core.twophase import ask_phases, keep_starts, placing
from novaha.core.unlisted import unlisted


def plan(view: View, policy: Policy, recovery: Recovery, receipt: Receipt | None) -> HostPlan:
    """Return what the evacuation of a proven fenced host needs next."""
    memory = view.memory
    flights = flights_of(view, policy, recovery.host, recovery.after_migration)
    busy = flights.busy
    if memory.services is None:
        return HostPlan((AskServices(),), busy=busy)
    if unseen := behind_a_down_cell(view, policy, recovery.host):
        return HostPlan(unseen, busy=busy)
    service = find_service(memory.services.value, recovery.host)
    if service is None:
        return HostPlan(unlisted(view, policy, recovery, receipt, flights), busy=busy)
    if not service.forced_down:
        return HostPlan(_force_down(view, policy, recovery, service), busy=busy)
    servers = memory.servers.get(recovery.host)
    migrations = memory.migrations.get(recovery.host)
    phases = ask_phases(view, policy)
    if servers is None or migrations is None or memory.rules is None or phases:
        ask = (AskServers(recovery.host, details=True), AskMigrations(recovery.host), AskRules())
        return HostPlan((*ask, *phases), busy=busy, placing=True)
    rules = memory.rules.value.of(recovery.host)
    reading = Reading(view, policy, recovery, servers, migrations, flights.newest, rules)
    return _Evacuation(view, policy, recovery, receipt, service, reading).plan(flights)


def _force_down(
    view: View, policy: Policy, recovery: Recovery, service: Service
) -> tuple[Decision, ...]:
    """Force the service down; where a person had, and took it back since, that is kept first."""
    found = replace(recovery.found, forced_down=False)
    theirs = recovery.found.forced_down
    note = (KeepFound(replace(recovery, found=found)),) if theirs else ()
    return (*note, refused_change(view, policy, service.host) or ForceDown(service))


@dataclass(frozen=True)
class _Evacuation:
    view: View
    policy: Policy
    recovery: Recovery
    receipt: Receipt | None
    service: Service
    reading: Reading

    def plan(self, flights: Flights) -> HostPlan:
        """Return what is needed while these are in flight."""
        moving, busy = len(flights.moving), flights.busy
        fates = [self.reading.fate(server) for server in self.reading.servers.value]
        awaited = [fate for fate in fates if fate.state is not InstanceState.UNPROTECTED]
        disable = self.disable()
        over = not awaited and not moving and not self.stale()
        if over and (not fates or self.may_leave_some()):
            return HostPlan((*disable, Release(self.recovery, self.receipt)))
        where = self.where(fates)
        decisions: tuple[Decision, ...] = (
            *where.decisions,
            *self.ask_migrations(fates, moving),
            *self.ask_servers(fates, flights),
            *self.ask_rules(fates),
            *self.ask_services(fates),
            *self.ask_room(fates),
            *self.holds(awaited, flights),
            *self.unprotected(len(fates) - len(awaited), alone=not awaited),
            *self.give_back(awaited, moving),
            *keep_starts(self.reading, fates),
        )
        blind = self.settling() or flights.unseen
        ready = () if blind else candidates(self.reading, fates, where)
        others = partial(members, self.reading, fates)
        movers = tuple(pool(self.reading, fates)) if self.view.memory.room else ()
        on_the_way = placing(self.reading, fates, flights.stuck)
        return HostPlan(decisions, ready, busy, disable, flights, others, movers, on_the_way)

    def stale(self) -> bool:
        """Tell whether the list of servers is older than that of the records."""
        return self.reading.servers.asked_s < self.reading.migrations.asked_s

    def ask_migrations(self, fates: list[Fate], moving: int) -> tuple[AskMigrations, ...]:
        """Return the cheap question: polled while something moves, and before each new try."""
        host = self.recovery.host
        poll = moving and self.view.now_s >= records_due_s(self.view, self.policy, host)
        settle = self.settling() and self.settle_over()
        states = {fate.state for fate in fates}
        again = states & _MENDABLE and (self.old() or self.rules_old())
        before = not moving and self.leaves_some(fates) and not self.fresh()
        checking = InstanceState.CHECKING in states
        return (AskMigrations(host),) if poll or settle or checking or again or before else ()

    def ask_servers(self, fates: list[Fate], flights: Flights) -> tuple[AskServers, ...]:
        """Return the dear question: once every server came to an end, and before each new try.

        And where the lost host's own nova-compute says that an evacuation is over.
        """
        states = {fate.state for fate in fates}
        ask = (AskServers(self.recovery.host),)
        if InstanceState.CHECKING in states or (states & _MENDABLE and self.old()):
            return (AskServers(self.recovery.host, details=True),)
        host, asked_s = self.recovery.host, self.reading.servers.asked_s
        again = self.stale() or self.view.now_s - asked_s >= pause_s(
            self.view, self.policy, host, asked_s
        )
        if flights.claimed and again:
            return ask
        if flights.busy or InstanceState.READY in states:
            return ()
        left = InstanceState.MOVED in states and again
        over = states <= {InstanceState.UNPROTECTED}
        return ask if left or (over and self.stale()) else ()

    def ask_rules(self, fates: list[Fate]) -> tuple[AskRules, ...]:
        """Return the question for what is said of instances, while some of them wait for long."""
        if not self.rules_old():
            return ()
        waits = any(f.state in _MENDABLE | {InstanceState.CHECKING} for f in fates)
        bound = any(self.reading.bound(fate.server.id) for fate in fates)
        return (AskRules(),) if waits or bound else ()

    def rules_old(self) -> bool:
        """Tell whether aggregates may have changed since they were read."""
        rules = self.view.memory.rules
        return rules is not None and self.view.now_s - rules.asked_s >= self.policy.look_again_s

    def ask_services(self, fates: list[Fate]) -> tuple[AskServices, ...]:
        """Return the question that shows a host for what failed, before its next try is due."""
        services = self.view.memory.services
        waits = any(f.state is InstanceState.WAITING and not f.refused for f in fates)
        first = asks_before_the_first(self.reading, fates)
        if first or not waits or services is None:
            return first
        due_s = services.asked_s + self.policy.look_again_s / 2
        return (AskServices(),) if self.view.now_s >= due_s else ()

    def ask_room(self, fates: list[Fate]) -> tuple[AskRoom, ...]:
        """Return the question whether what failed has room by now."""
        room = self.view.memory.room
        waits = any(f.state is InstanceState.WAITING and not f.refused for f in fates)
        due = room is None or self.view.now_s - room.asked_s >= self.policy.look_again_s
        return (AskRoom(),) if waits and due else ()

    def old(self) -> bool:
        """Tell whether a person may have mended the state of an instance since it was read."""
        read_s = self.view.memory.detailed_s.get(self.recovery.host, 0.0)
        return self.view.now_s - read_s >= self.policy.look_again_s

    def adopted(self) -> bool:
        """Tell whether an earlier process began this recovery, which may have had requests out."""
        return self.recovery.receipt_id not in self.view.memory.begun

    def settling(self) -> bool:
        """Tell whether requests of an earlier process may still arrive, for all we have read."""
        return self.adopted() and not self.reading.settled(self.view.memory.started_s)

    def settle_over(self) -> bool:
        return self.view.now_s >= self.view.memory.started_s + self.policy.settle_s

    def where(self, fates: list[Fate]) -> Placing:
        """Return where instances go; nothing is readied beside a predecessor's requests."""
        reserve = self.reading.reserve
        if self.settling() and not reserve.lacks:
            return Placing(reserve)
        return places_for(self.view, self.policy, self.recovery.host, reserve, fates)

    def disable(self) -> tuple[Disable, ...]:
        """Return the disabling of the service, unless a person did it before, or Nova refuses."""
        if not self.service.enabled or refused_change(self.view, self.policy, self.recovery.host):
            return ()
        return (Disable(self.service, f"{FENCED_REASON}, receipt {self.recovery.receipt_id}"),)

    def holds(self, fates: list[Fate], flights: Flights) -> tuple[Hold, ...]:
        """Return what is being waited for: one line for the host, one for each blocked server."""
        host = self.recovery.host
        failed = (InstanceState.WAITING, InstanceState.CHECKING)
        out = [self.blocked(fate) for fate in fates if fate.state in failed and fate.failures]
        kept = [(fate, fate.kept) for fate in fates if fate.kept]
        out += [_stays(*each) for each in kept if each[1].reason is not Reason.NO_RESERVED]
        out += [self.stuck(m) for m in flights.stuck.values()]
        refused = refused_change(self.view, self.policy, host)
        out += [refused] if refused else []
        waiting = sum(fate.state is InstanceState.READY for fate in fates)
        if waiting and self.settling():
            out.append(self.settles(f"{waiting} instances wait"))
        moved = [fate.server.id for fate in fates if fate.state is InstanceState.MOVED]
        if flights.busy:
            text = f"{flights.busy} instances are being evacuated"
            out.append(Hold(host, Reason.IN_FLIGHT, text))
        elif (not fates and self.stale()) or any(server not in flights.stuck for server in moved):
            out.append(Hold(host, Reason.ASKING, "is evacuated; Nova's list does not show it yet"))
        return tuple(out)

    def settles(self, who: str) -> Hold:
        wait_s = max(self.view.memory.started_s + self.policy.settle_s - self.view.now_s, 0.0)
        text = f"{who} up to {wait_s:.0f} s for requests of before"
        return Hold(self.recovery.host, Reason.SETTLING, text)

    def unprotected(self, count: int, *, alone: bool) -> tuple[Hold, ...]:
        """Return one line for all that are left on the host, for there may be a thousand.

        alone: nothing else is on it; then only what a predecessor sent can keep it from release.
        """
        if not count:
            return ()
        text = f"{count} instances on it are not protected and stay; nova-ha explain tells why"
        settles = (self.settles("it waits"),) if alone and self.settling() else ()
        return (Hold(self.recovery.host, Reason.UNPROTECTED, text), *settles)

    def stuck(self, m: Migration) -> Hold:
        for_s = self.view.now_s - self.view.memory.moving[m.id].since_s
        text = f"its evacuation {m.id} to {m.destination or '?'} is '{m.status}'"
        still = f", and Nova still lists it on {m.source}" if m.status in ENDED_WELL else ""
        return Hold(m.server, Reason.STUCK, f"{text} for {for_s / 60:.0f} min{still}")

    def blocked(self, fate: Fate) -> Hold:
        wait_s = max(fate.due_s - self.view.now_s, 0.0)
        text = (
            f"({fate.server.name}) is still on {self.recovery.host}:"
            f" {fate.text or 'no reason given'}; {fate.failures} tries, next in {wait_s:.0f} s"
        )
        return Hold(fate.server.id, Reason.BLOCKED, text)

    def give_back(self, fates: list[Fate], moving: int) -> tuple[Release, ...]:
        """Release a host that is back while Nova refuses to move what is left on it.

        Such instances exist on this host only, and Nova will never take them elsewhere, in the
        state they are in: holding it any longer would keep them down without an end.
        """
        if not moving and self.leaves_some(fates) and self.may_leave_some():
            return (Release(self.recovery, self.receipt),)
        return ()

    def leaves_some(self, fates: list[Fate]) -> bool:
        """Tell whether a host may go with what is on it: nothing protected, or it is back."""
        alone = all(fate.state is InstanceState.UNPROTECTED for fate in fates)
        back = self.recovery.node in self.view.cluster.online
        return bool(fates) and (alone or (back and all(fate.lets_go for fate in fates)))

    def may_leave_some(self) -> bool:
        """Tell whether nothing moves what is left on a host: neither a predecessor nor a person."""
        return self.fresh() and not self.settling()

    def fresh(self) -> bool:
        """Tell whether an evacuation that a person began would have been seen."""
        fresh_s = min(self.view.now_s - self.policy.poll_s, self.view.cycle_s)
        return self.reading.migrations.asked_s >= fresh_s


def _stays(fate: Fate, why: Kept) -> Hold:
    note = f"; {fate.note}" if fate.note else ""
    return Hold(fate.server.id, why.reason, f"({fate.server.name}) {why.text}{note}")


_MENDABLE = frozenset({InstanceState.STAYS, InstanceState.UNPROTECTED})
"""Where a person may say or mend something, so that an instance is evacuated after all."""
