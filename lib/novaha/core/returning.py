"""The way back: from the release of a host until it serves as it did before."""

from dataclasses import replace

from novaha.core.actions import (
    AskMigrations,
    AskServices,
    Decision,
    Enable,
    EndRecovery,
    ForceUp,
    Hold,
    Reason,
)
from novaha.core.evacuation import find_service, refused_change, services_again
from novaha.core.model import Migration, Service, View
from novaha.core.pace import records_due
from novaha.core.policy import Policy
from novaha.core.recovery import OUR_REASON, Recovery

HEARTBEAT_S = 15.0
"""A running nova-compute beats within this time (report_interval is 10 s by default)."""


def returning(view: View, policy: Policy, recovery: Recovery) -> tuple[Decision, ...]:
    """Return what a released host needs next.

    nova-compute starts while its service is still forced down, destroys what was evacuated and
    marks those records `completed`; only then does Nova accept to take the force-down back
    (400 before that, from Nova 24.0).
    """
    if recovery.node not in view.cluster.online:
        return (Hold(recovery.node, Reason.HOST_OFF, "is evacuated and released, and still off"),)
    records = view.memory.migrations.get(recovery.host)
    if records is None or view.memory.services is None:
        return (AskMigrations(recovery.host), AskServices())
    service = find_service(view.memory.services.value, recovery.host)
    if service is None:
        return (*services_again(view, policy, recovery.host), EndRecovery(recovery))
    if not _completed(records.value, recovery) and not recovery.beats_since(service.heartbeat):
        return (*_look_again(view, policy, recovery), _starting(recovery))
    # Beside the actions, for a Nova that is slower than this must not keep the host forced down.
    stale = view.now_s - view.memory.services.asked_s >= policy.return_poll_s
    ask = (AskServices(),) if stale else ()
    return (*ask, *_give_back(view, policy, recovery, service))


def _completed(records: tuple[Migration, ...], recovery: Recovery) -> bool:
    """Tell whether nova-compute has finished with every evacuation of this recovery.

    That shows up to ten seconds earlier than its next heartbeat.
    """
    ours = [m.status for m in records if m.id > recovery.after_migration]
    return "completed" in ours and "done" not in ours


def _look_again(view: View, policy: Policy, recovery: Recovery) -> tuple[Decision, ...]:
    """Ask what tells that nova-compute started: its records, and rarely its heartbeat.

    The heartbeat decides alone where there is no record, or one that will never be completed: that
    of an instance which was deleted meanwhile.
    """
    host = recovery.host
    records = view.memory.migrations[host].value
    ask = (AskMigrations(host),) if records_due(view, policy, host) else ()
    quiet_s = view.now_s - view.memory.changed_s.get(host, view.memory.started_s)
    if quiet_s < HEARTBEAT_S and any(m.id > recovery.after_migration for m in records):
        return ask
    return (*ask, *services_again(view, policy, host))


def _starting(recovery: Recovery) -> Hold:
    text = "is released; nova-compute not yet up"
    return Hold(recovery.host, Reason.HOST_STARTING, text)


def _give_back(
    view: View, policy: Policy, recovery: Recovery, service: Service
) -> tuple[Decision, ...]:
    refused = refused_change(view, policy, service.host)
    if service.forced_down and not recovery.found.forced_down:
        not_yet = refused and replace(refused, reason=Reason.RECORDS_OPEN)
        return (not_yet or ForceUp(service),)
    # Ours says enough: we disable only what is enabled, and so what a person wants enabled.
    if not service.enabled and service.disabled_reason.startswith(OUR_REASON):
        return (refused or Enable(service),)
    return (EndRecovery(recovery),)
