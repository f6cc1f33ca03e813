"""Where each server of a fenced host stands, and what the host needs next."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from novaha.core.actions import (
    AskMigrations,
    AskServers,
    AskServices,
    Decision,
    Disable,
    Evacuate,
    ForceDown,
    Hold,
    KeepFound,
    Release,
)
from novaha.core.flights import Flights, flights_of, settled
from novaha.core.memory import ended_badly, newest_by_server
from novaha.core.model import Answer, Migration, Server, Service, View
from novaha.core.names import ComputeHost, ServerId
from novaha.core.pace import pause_s, records_due_s, refusal_pause_s, services_due
from novaha.core.policy import ENDED_WELL, IN_FLIGHT, Policy
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt
from novaha.core.recovery import OUR_REASON, Recovery
from novaha.core.states import InstanceState


@dataclass(frozen=True)
class Fate:
    """A server, where it stands, and for a failed one: how often, until when, Nova's words."""

    server: Server
    state: InstanceState
    failures: int = 0
    due_s: float = 0.0
    text: str = ""
    refused: bool = False


@dataclass(frozen=True)
class HostPlan:
    """What a host needs now; ready are evacuations that want a slot, busy how many have one.

    One that is stuck has none: it costs Nova nothing, and must not keep the others waiting.

    Questions stand beside all that can be decided without their answers, so that a Nova which is
    slower than we ask holds nothing up.
    """

    decisions: tuple[Decision, ...]
    ready: tuple[Evacuate, ...] = ()
    busy: int = 0
    after_evacuations: tuple[Decision, ...] = ()


def plan(view: View, policy: Policy, recovery: Recovery, receipt: Receipt | None) -> HostPlan:
    """Return what the evacuation of a proven fenced host needs next."""
    memory = view.memory
    flights = flights_of(view, policy, recovery.host, recovery.after_migration)
    busy = flights.busy
    if memory.services is None:
        return HostPlan((AskServices(),), busy=busy)
    service = find_service(memory.services.value, recovery.host)
    if service is None:
        text = f"Nova no longer lists the nova-compute service of {recovery.host}"
        hold = Hold(recovery.host, Reason.HOST_UNKNOWN, text)
        return HostPlan((*services_again(view, policy), hold), busy=busy)
    if not service.forced_down:
        return HostPlan(_force_down(view, policy, recovery, service), busy=busy)
    servers = memory.servers.get(recovery.host)
    migrations = memory.migrations.get(recovery.host)
    if servers is None or migrations is None:
        return HostPlan((AskServers(recovery.host), AskMigrations(recovery.host)), busy=busy)
    newest = flights.newest
    evacuation = _Evacuation(view, policy, recovery, receipt, service, servers, migrations, newest)
    return evacuation.plan(flights)


def _force_down(
    view: View, policy: Policy, recovery: Recovery, service: Service
) -> tuple[Decision, ...]:
    """Force the service down; where a person had, and took it back since, that is kept first."""
    found = replace(recovery.found, forced_down=False)
    theirs = recovery.found.forced_down
    note = (KeepFound(replace(recovery, found=found)),) if theirs else ()
    return (*note, refused_change(view, policy, service.host) or ForceDown(service))


def fates(view: View, policy: Policy, recovery: Recovery) -> tuple[Fate, ...]:
    """Return where each server that Nova lists on a fenced host stands; none while unknown."""
    memory, host = view.memory, recovery.host
    service = find_service(memory.services.value if memory.services else (), host)
    servers, migrations = memory.servers.get(host), memory.migrations.get(host)
    if service is None or servers is None or migrations is None:
        return ()
    newest = newest_by_server(migrations.value)
    evacuation = _Evacuation(view, policy, recovery, None, service, servers, migrations, newest)
    return tuple(evacuation.fate(server) for server in servers.value)


def find_service(services: tuple[Service, ...], host: ComputeHost) -> Service | None:
    """Return the host's service, or None when Nova does not list it."""
    return next((service for service in services if service.host == host), None)


def services_again(
    view: View, policy: Policy, host: ComputeHost | None = None
) -> tuple[AskServices, ...]:
    """Return the question for the services, if their list has some age."""
    return (AskServices(),) if services_due(view, policy, host) else ()


def refused_change(view: View, policy: Policy, host: ComputeHost) -> Hold | None:
    """Return a hold while Nova's last refusal to change the host's service is fresh."""
    refused = view.memory.service_refused.get(host)
    if refused is None or view.now_s - refused.last_s >= refusal_pause_s(policy, refused):
        return None
    return Hold(host, Reason.BLOCKED, f"Nova refuses to change its service: {refused.text}")


@dataclass(frozen=True)
class _Evacuation:
    view: View
    policy: Policy
    recovery: Recovery
    receipt: Receipt | None
    service: Service
    servers: Answer[tuple[Server, ...]]
    migrations: Answer[tuple[Migration, ...]]
    newest: Mapping[ServerId, Migration]

    def plan(self, flights: Flights) -> HostPlan:
        """Return what is needed while these are in flight."""
        moving, busy = len(flights.moving), flights.busy
        fates = [self.fate(server) for server in self.servers.value]
        disable = self.disable()
        if not fates and not moving and not self.stale():
            return HostPlan((*disable, Release(self.recovery, self.receipt)))
        decisions: tuple[Decision, ...] = (
            *self.ask_migrations(fates, moving),
            *self.ask_servers(fates, flights),
            *self.holds(fates, flights),
            *self.give_back(fates, moving),
        )
        return HostPlan(decisions, self.ready(fates), busy, disable)

    @cached_property
    def failures(self) -> dict[ServerId, list[Migration]]:
        """The records of this recovery that ended badly, by server, the newest one last."""
        failures: dict[ServerId, list[Migration]] = {}
        for m in sorted(self.migrations.value, key=lambda m: m.id):
            if m.id > self.recovery.after_migration and ended_badly(m):
                failures.setdefault(m.server, []).append(m)
        return failures

    def fate(self, server: Server) -> Fate:
        """Return where a server stands, from its newest record, our request and the clock."""
        post = self.view.memory.posts.get(server.id)
        newest = self.newest.get(server.id)
        if newest is not None and newest.status in IN_FLIGHT:
            return Fate(server, InstanceState.IN_FLIGHT)
        if post is not None and post.state == "sent":
            return Fate(server, InstanceState.IN_FLIGHT)
        if post is not None and not self.settled(post.at_s):
            return Fate(server, InstanceState.UNSURE)
        if newest is not None and newest.status in ENDED_WELL and self.is_of_now(newest):
            return Fate(server, InstanceState.MOVED)
        return self.failed(server)

    def is_of_now(self, m: Migration) -> bool:
        """Tell whether a record that ended well tells of this loss: ours, or seen in flight."""
        moving = self.view.memory.moving.get(m.id)
        return m.id > self.recovery.after_migration or (moving is not None and moving.flew)

    def failed(self, server: Server) -> Fate:
        """Return the fate of a server that nothing is moving: tried before, or never."""
        memory = self.view.memory
        bad = self.failures.get(server.id, [])
        refusal = memory.refusals.get(server.id)
        failures = len(bad) + (refusal.count if refusal else 0)
        if failures == 0:
            return Fate(server, InstanceState.READY)
        last_s = max((memory.failed_at.get(m.id, 0.0) for m in bad), default=0.0)
        text = f"its evacuation {bad[-1].id} ended '{bad[-1].status}'" if bad else ""
        if server.fault:
            text = f"{text}: {server.fault}"
        refused = False
        if refusal is not None and refusal.last_s >= last_s:
            last_s, text, refused = refusal.last_s, refusal.text, not refusal.lost
        due_s = last_s + self.policy.backoff_s(failures)
        return Fate(server, self.due(due_s), failures, due_s, text, refused)

    def due(self, due_s: float) -> InstanceState:
        """Return where a server stands that is to be tried again at some time.

        Meanwhile a person may have moved or deleted it, so both lists must be newer than that.
        """
        if self.view.now_s < due_s:
            return InstanceState.WAITING
        fresh = min(self.servers.asked_s, self.migrations.asked_s) >= due_s
        return InstanceState.READY if fresh else InstanceState.CHECKING

    def settled(self, since_s: float) -> bool:
        return settled(self.policy, self.migrations, since_s)

    def stale(self) -> bool:
        """Tell whether the list of servers is older than that of the records."""
        return self.servers.asked_s < self.migrations.asked_s

    def ask_migrations(self, fates: list[Fate], moving: int) -> tuple[AskMigrations, ...]:
        """Return the cheap question: polled while something moves, and before each new try."""
        host = self.recovery.host
        poll = moving and self.view.now_s >= records_due_s(self.view, self.policy, host)
        settle = self.settling() and self.settle_over()
        checking = any(fate.state is InstanceState.CHECKING for fate in fates)
        return (AskMigrations(host),) if poll or settle or checking else ()

    def ask_servers(self, fates: list[Fate], flights: Flights) -> tuple[AskServers, ...]:
        """Return the dear question: once every server came to an end, and before each new try.

        And where the lost host's own nova-compute says that an evacuation is over.
        """
        states = {fate.state for fate in fates}
        ask = (AskServers(self.recovery.host),)
        if InstanceState.CHECKING in states:
            return (AskServers(self.recovery.host, faults=True),)
        host, asked_s = self.recovery.host, self.servers.asked_s
        again = self.stale() or self.view.now_s - asked_s >= pause_s(
            self.view, self.policy, host, asked_s
        )
        if flights.claimed and again:
            return ask
        if flights.busy or InstanceState.READY in states:
            return ()
        left = InstanceState.MOVED in states and again
        return ask if left or (not fates and self.stale()) else ()

    def adopted(self) -> bool:
        """Tell whether an earlier process began this recovery, which may have had requests out."""
        return self.recovery.receipt_id not in self.view.memory.begun

    def settling(self) -> bool:
        """Tell whether requests of an earlier process may still arrive, for all we have read."""
        return self.adopted() and not self.settled(self.view.memory.started_s)

    def settle_over(self) -> bool:
        return self.view.now_s >= self.view.memory.started_s + self.policy.settle_s

    def ready(self, fates: list[Fate]) -> tuple[Evacuate, ...]:
        """Return the evacuations that may be posted, those that failed least before the others.

        Never beside a predecessor's requests.
        """
        if self.settling():
            return ()
        ready = [fate for fate in fates if fate.state is InstanceState.READY]
        ready.sort(key=lambda fate: fate.failures)
        return tuple(Evacuate(fate.server.id, self.recovery.host) for fate in ready)

    def disable(self) -> tuple[Disable, ...]:
        """Return the disabling of the service, unless a person did it before, or Nova refuses."""
        if not self.service.enabled or refused_change(self.view, self.policy, self.recovery.host):
            return ()
        return (Disable(self.service, f"{OUR_REASON} fenced, receipt {self.recovery.receipt_id}"),)

    def holds(self, fates: list[Fate], flights: Flights) -> tuple[Hold, ...]:
        """Return what is being waited for: one line for the host, one for each blocked server."""
        host = self.recovery.host
        failed = (InstanceState.WAITING, InstanceState.CHECKING)
        out = [self.blocked(fate) for fate in fates if fate.state in failed]
        out += [self.stuck(m) for m in flights.stuck.values()]
        refused = refused_change(self.view, self.policy, host)
        out += [refused] if refused else []
        waiting = sum(fate.state is InstanceState.READY for fate in fates)
        if waiting and self.settling():
            wait_s = self.view.memory.started_s + self.policy.settle_s - self.view.now_s
            text = f"{waiting} instances wait up to {max(wait_s, 0):.0f} s for requests of before"
            out.append(Hold(host, Reason.SETTLING, text))
        moved = [fate.server.id for fate in fates if fate.state is InstanceState.MOVED]
        if flights.busy:
            text = f"{flights.busy} instances are being evacuated"
            out.append(Hold(host, Reason.IN_FLIGHT, text))
        elif not fates or any(server not in flights.stuck for server in moved):
            out.append(Hold(host, Reason.ASKING, "is evacuated; Nova's list does not show it yet"))
        return tuple(out)

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

        Such instances exist on this host only, and Nova will never take them elsewhere: holding it
        any longer would keep them down without an end.
        """
        back = self.recovery.node in self.view.cluster.online
        if back and not moving and fates and all(_will_stay(fate) for fate in fates):
            return (Release(self.recovery, self.receipt),)
        return ()


def _will_stay(fate: Fate) -> bool:
    return fate.state is InstanceState.WAITING and fate.refused
