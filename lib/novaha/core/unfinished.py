"""Evacuations that are in flight off hosts whose recovery cannot go on, or was taken away."""

from novaha.core.actions import AskMigrations, AskServers
from novaha.core.flights import flights_of
from novaha.core.hostplan import HostPlan
from novaha.core.model import View
from novaha.core.names import ComputeHost
from novaha.core.pace import records_due_s
from novaha.core.policy import Policy
from novaha.core.recovery import Recovery
from novaha.core.services import listed_host
from novaha.core.silence import long_silent
from novaha.core.standing import Standing
from novaha.core.states import RecoveryState as State

_STOPPED = (State.UNREADABLE, State.VOID)


def unfinished(view: View, policy: Policy, standings: list[Standing]) -> list[HostPlan]:
    """Return a plan for each such host: its evacuations keep their slots until they are over.

    Nova works on them all the same; a process that has just started has to ask for them, and
    counts on the worst until it knows, or Nova has told nothing of them for long.
    """
    recoveries = [(s.state, s.record) for s in standings if isinstance(s.record, Recovery)]
    going = {recovery.host for state, recovery in recoveries if state not in _STOPPED}
    first = {recovery.host: recovery.after_migration for _, recovery in recoveries}
    stopped = [_host_of(s, view, policy) for s in standings if s.state in _STOPPED]
    if not stopped and going >= view.memory.migrations.keys():
        return []
    hosts = dict.fromkeys(filter(None, stopped))
    unknown = [host for host in hosts if not _is_known(view, host)]
    ask = [_ask(view, policy, host) for host in unknown]
    left = [h for h in view.memory.migrations if h not in going and h not in unknown]
    return ask + [_plan(view, policy, host, first.get(host)) for host in left]


def _ask(view: View, policy: Policy, host: ComputeHost) -> HostPlan:
    """Return the questions for a host of which nothing is known; not for ever with every slot."""
    busy = 0 if long_silent(view, host) else policy.max_in_flight
    return HostPlan((AskMigrations(host), AskServers(host)), busy=busy)


def _is_known(view: View, host: ComputeHost) -> bool:
    return host in view.memory.servers and host in view.memory.migrations


def _host_of(standing: Standing, view: View, policy: Policy) -> ComputeHost | None:
    if isinstance(standing.record, Recovery):
        return standing.record.host
    return listed_host(view, policy, standing.node)


def _plan(view: View, policy: Policy, host: ComputeHost, first: int | None) -> HostPlan:
    records = view.memory.migrations[host].value
    newest = max((migration.id for migration in records), default=0)
    flights = flights_of(view, policy, host, newest if first is None else first)
    busy = flights.busy
    due = busy and view.now_s >= records_due_s(view, policy, host)
    return HostPlan((AskMigrations(host),) if due else (), busy=busy, flights=flights)
