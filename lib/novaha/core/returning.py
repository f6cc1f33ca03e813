"""The way back: from the release of a host until it serves as it did before."""

from novaha.core.actions import (
    AskServices,
    Decision,
    Enable,
    EndRecovery,
    ForceUp,
    Hold,
    Reason,
)
from novaha.core.evacuation import find_service
from novaha.core.model import Service, View
from novaha.core.policy import Policy
from novaha.core.recovery import OUR_REASON, Recovery


def returning(view: View, policy: Policy, recovery: Recovery) -> tuple[Decision, ...]:
    """Return what a released host needs next.

    nova-compute starts while its service is still forced down, destroys what was evacuated and
    marks those records `completed`; only then does Nova accept to take the force-down back
    (400 before that, from Nova 24.0). A new heartbeat shows that it started.
    """
    if recovery.node not in view.cluster.online:
        return (Hold(recovery.node, Reason.HOST_OFF, "is evacuated and released, and still off"),)
    services = view.memory.services
    if services is None or view.now_s - services.asked_s >= policy.return_poll_s:
        return (AskServices(),)
    service = find_service(services.value, recovery.host)
    if service is None:
        return (EndRecovery(recovery),)
    if service.heartbeat.replace(" ", "T") == recovery.heartbeat:
        return (Hold(recovery.host, Reason.HOST_STARTING, "is released; nova-compute not yet up"),)
    return _give_back(view, policy, recovery, service)


def _give_back(
    view: View, policy: Policy, recovery: Recovery, service: Service
) -> tuple[Decision, ...]:
    if service.forced_down and not recovery.found.forced_down:
        refused = view.memory.service_refused.get(service.host)
        if refused is not None and view.now_s - refused[0] < policy.return_poll_s:
            return (Hold(service.host, Reason.RECORDS_OPEN, refused[1]),)
        return (ForceUp(service),)
    ours = service.disabled_reason.startswith(OUR_REASON)
    if not service.enabled and recovery.found.enabled and ours:
        return (Enable(service),)
    return (EndRecovery(recovery),)
