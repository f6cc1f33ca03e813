"""Where each server of a fenced host stands, and what the host needs next."""

from dataclasses import dataclass
from enum import Enum

from novaha.core.actions import (
    AskMigrations,
    AskServers,
    AskServices,
    Decision,
    Disable,
    Evacuate,
    ForceDown,
    Hold,
    Reason,
    Release,
)
from novaha.core.memory import ended_badly, newest_by_server
from novaha.core.model import Answer, Migration, Server, Service, View
from novaha.core.names import ComputeHost
from novaha.core.policy import ENDED_WELL, IN_FLIGHT, Policy
from novaha.core.receipt import Receipt
from novaha.core.recovery import OUR_REASON, Recovery


class Stand(Enum):
    """Where one server stands on its way off the host."""

    READY = "may be evacuated now"
    IN_FLIGHT = "Nova is moving it, or a request is on the wire"
    UNSURE = "a request may still take effect: nothing may be sent"
    MOVED = "its record says that it left; the list of servers is older than that"
    WAITING = "the last try failed; the next one is not due"


@dataclass(frozen=True)
class Fate:
    """A server, where it stands, and for a failed one: how often, until when, Nova's words."""

    server: Server
    stand: Stand
    failures: int = 0
    due_s: float = 0.0
    text: str = ""
    refused: bool = False


@dataclass(frozen=True)
class HostPlan:
    """What a host needs now; ready are evacuations that want a slot, busy how many have one."""

    decisions: tuple[Decision, ...]
    ready: tuple[Evacuate, ...] = ()
    busy: int = 0
    after_evacuations: tuple[Decision, ...] = ()


def plan(view: View, policy: Policy, recovery: Recovery, receipt: Receipt | None) -> HostPlan:
    """Return what the evacuation of a proven fenced host needs next."""
    memory = view.memory
    if memory.services is None:
        return HostPlan((AskServices(),))
    service = find_service(memory.services.value, recovery.host)
    if service is None:
        text = f"Nova no longer lists the nova-compute service of {recovery.host}"
        return HostPlan((AskServices(), Hold(recovery.host, Reason.HOST_UNKNOWN, text)))
    if not service.forced_down:
        return HostPlan((ForceDown(service),))
    servers = memory.servers.get(recovery.host)
    migrations = memory.migrations.get(recovery.host)
    if servers is None or migrations is None:
        return HostPlan((AskServers(recovery.host), AskMigrations(recovery.host)))
    return _Evacuation(view, policy, recovery, receipt, service, servers, migrations).plan()


def find_service(services: tuple[Service, ...], host: ComputeHost) -> Service | None:
    """Return the host's service, or None when Nova does not list it."""
    return next((service for service in services if service.host == host), None)


@dataclass(frozen=True)
class _Evacuation:
    view: View
    policy: Policy
    recovery: Recovery
    receipt: Receipt | None
    service: Service
    servers: Answer[tuple[Server, ...]]
    migrations: Answer[tuple[Migration, ...]]

    def plan(self) -> HostPlan:
        fates = [self.fate(server) for server in self.servers.value]
        busy = self.in_flight(fates)
        disable = self.disable()
        question = self.question(fates, busy)
        if question is not None:
            return HostPlan((question, *disable), busy=busy)
        if not fates and not busy:
            return HostPlan((*disable, Release(self.recovery, self.receipt)))
        ready = self.ready(fates)
        return HostPlan(
            (*self.holds(fates, busy), *self.give_back(fates, busy)), ready, busy, disable
        )

    def fate(self, server: Server) -> Fate:
        """Return where a server stands, from its newest record, our request and the clock."""
        post = self.view.memory.posts.get(server.id)
        newest = newest_by_server(self.migrations.value).get(server.id)
        if newest is not None and newest.status in IN_FLIGHT:
            return Fate(server, Stand.IN_FLIGHT)
        if post is not None and post.state == "sent":
            return Fate(server, Stand.IN_FLIGHT)
        if post is not None and not self.settled(post.at_s):
            return Fate(server, Stand.UNSURE)
        ours = newest is not None and newest.id > self.recovery.after_migration
        if newest is not None and ours and newest.status in ENDED_WELL:
            return Fate(server, Stand.MOVED)
        return self.failed(server)

    def failed(self, server: Server) -> Fate:
        """Return the fate of a server that nothing is moving: tried before, or never."""
        memory = self.view.memory
        after = self.recovery.after_migration
        bad = [
            m
            for m in self.migrations.value
            if m.server == server.id and m.id > after and ended_badly(m)
        ]
        refusal = memory.refusals.get(server.id)
        failures = len(bad) + (refusal.count if refusal else 0)
        if failures == 0:
            return Fate(server, Stand.READY)
        last_s = max((memory.failed_at.get(m.id, 0.0) for m in bad), default=0.0)
        text = f"its evacuation {bad[-1].id} ended '{bad[-1].status}'" if bad else ""
        if server.fault:
            text = f"{text}: {server.fault}"
        refused = False
        if refusal is not None and refusal.last_s >= last_s:
            last_s, text, refused = refusal.last_s, refusal.text, not refusal.lost
        due_s = last_s + self.policy.backoff_s(failures)
        stand = Stand.READY if self.view.now_s >= due_s else Stand.WAITING
        return Fate(server, stand, failures, due_s, text, refused)

    def settled(self, since_s: float) -> bool:
        """Tell whether a request of that moment cannot take effect any more, as Nova shows it."""
        return self.migrations.asked_s >= since_s + self.policy.settle_s

    def in_flight(self, fates: list[Fate]) -> int:
        """Count what occupies a slot, records of servers that already left the list included."""
        listed = {fate.server.id for fate in fates}
        moving = sum(fate.stand in (Stand.IN_FLIGHT, Stand.UNSURE) for fate in fates)
        gone = {
            m.server
            for m in self.migrations.value
            if m.status in IN_FLIGHT and m.server not in listed
        }
        return moving + len(gone)

    def question(self, fates: list[Fate], busy: int) -> AskMigrations | AskServers | None:
        """Return what must be asked before anything else can be said of this host.

        The cheap list of records is polled while something moves. The list of servers is asked
        again only when every server on it came to an end, or before one is tried again.
        """
        host = self.recovery.host
        now_s = self.view.now_s
        if busy and now_s - self.migrations.asked_s >= self.policy.poll_s:
            return AskMigrations(host)
        if self.adopted() and self.settle_over() and not self.settled(self.view.memory.started_s):
            return AskMigrations(host)
        if any(self.servers.asked_s < fate.due_s <= now_s for fate in fates):
            return AskServers(host)
        open_ = busy or any(fate.stand is Stand.READY for fate in fates)
        stale = self.servers.asked_s < self.migrations.asked_s
        moved = any(fate.stand is Stand.MOVED for fate in fates) or not fates
        if not open_ and moved and (stale or now_s - self.servers.asked_s >= self.policy.poll_s):
            return AskServers(host) if fates or stale else None
        return None

    def adopted(self) -> bool:
        """Tell whether an earlier process began this recovery, which may have had requests out."""
        return self.recovery.receipt_id not in self.view.memory.begun

    def settle_over(self) -> bool:
        return self.view.now_s >= self.view.memory.started_s + self.policy.settle_s

    def ready(self, fates: list[Fate]) -> tuple[Evacuate, ...]:
        """Return the evacuations that may be posted; never beside a predecessor's requests."""
        if self.adopted() and not self.settled(self.view.memory.started_s):
            return ()
        return tuple(
            Evacuate(fate.server.id, self.recovery.host)
            for fate in fates
            if fate.stand is Stand.READY
        )

    def disable(self) -> tuple[Disable, ...]:
        """Return the disabling of the service, unless a person did it before."""
        if not self.service.enabled:
            return ()
        return (Disable(self.service, f"{OUR_REASON} fenced, receipt {self.recovery.receipt_id}"),)

    def holds(self, fates: list[Fate], busy: int) -> tuple[Hold, ...]:
        """Return what is being waited for: one line for the host, one for each blocked server."""
        host = self.recovery.host
        out = [self.blocked(fate) for fate in fates if fate.stand is Stand.WAITING]
        waiting = sum(fate.stand is Stand.READY for fate in fates)
        if waiting and self.adopted() and not self.settled(self.view.memory.started_s):
            wait_s = self.view.memory.started_s + self.policy.settle_s - self.view.now_s
            text = f"{waiting} instances wait up to {max(wait_s, 0):.0f} s for requests of before"
            out.append(Hold(host, Reason.SETTLING, text))
        if busy:
            out.append(Hold(host, Reason.IN_FLIGHT, f"{busy} instances are being evacuated"))
        return tuple(out)

    def blocked(self, fate: Fate) -> Hold:
        wait_s = max(fate.due_s - self.view.now_s, 0.0)
        text = (
            f"({fate.server.name}) is still on {self.recovery.host}:"
            f" {fate.text or 'no reason given'}; {fate.failures} tries, next in {wait_s:.0f} s"
        )
        return Hold(fate.server.id, Reason.BLOCKED, text)

    def give_back(self, fates: list[Fate], busy: int) -> tuple[Release, ...]:
        """Release a host that is back while Nova refuses to move what is left on it.

        Such instances exist on this host only, and Nova will never take them elsewhere: holding it
        any longer would keep them down without an end.
        """
        back = self.recovery.node in self.view.cluster.online
        if back and not busy and fates and all(_will_stay(fate) for fate in fates):
            return (Release(self.recovery, self.receipt),)
        return ()


def _will_stay(fate: Fate) -> bool:
    return fate.stand is Stand.WAITING and fate.refused
