"""The way back: from the release of a host until it serves as it did before."""

from dataclasses import replace

from novaha.core.actions import (
    AskServices,
    Decision,
    Enable,
    EndRecovery,
    ForceUp,
    Hold,
    KeepFound,
    KeepWithdrawn,
)
from novaha.core.drain import Phase, Withdrawn
from novaha.core.model import ClusterView, Service, View
from novaha.core.names import ComputeHost
from novaha.core.pace import return_pause_s
from novaha.core.policy import Policy
from novaha.core.probation import probation
from novaha.core.readying import hand_back
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery, is_ours
from novaha.core.services import (
    behind_a_down_cell,
    find_service,
    refused_change,
    services_again,
)
from novaha.core.trial import trial


def returning(view: View, policy: Policy, recovery: Recovery) -> tuple[Decision, ...]:
    """Return what a released host needs next.

    nova-compute starts while its service is still forced down, destroys what was evacuated and
    marks those records `completed`; only then does Nova accept to take the force-down back (400
    before that, from Nova 24.0). The first heartbeat comes later still, and is waited for: a host
    enabled between the two got no instances for up to 60 s, because nova-compute, not listening
    yet, left the trait COMPUTE_STATUS_DISABLED on it until its next periodic task (seen with 34.0).
    """
    if recovery.node not in view.cluster.online:
        return (Hold(recovery.node, Reason.HOST_OFF, "is evacuated and released, and still off"),)
    services, again = view.memory.services, services_again(view, policy, recovery.host)
    if services is None:
        return again
    if unseen := behind_a_down_cell(view, policy, recovery.host):
        return unseen
    service = find_service(services.value, recovery.host)
    if service is None:
        return (*again, *_end(view, policy, recovery))
    if not recovery.beats_since(service.heartbeat):
        return (*again, _silent(view, policy, recovery))
    refused = refused_change(view, policy, service.host)
    needed = _give_back(view, policy, recovery, service)
    # Beside the actions, for a Nova that is slower than this must not keep the host forced down.
    old = view.now_s - services.asked_s >= return_pause_s(policy, needed)
    stale = not refused and old
    return (AskServices(), *needed) if stale else needed


def back_ids(cluster: ClusterView) -> list[str]:
    """Return the names under which the process remembers since when each released host is back."""
    released = [r for r in cluster.records if isinstance(r, Recovery) and r.phase == "returning"]
    return [_back_id(recovery) for recovery in released if recovery.node in cluster.online]


def _back_id(recovery: Recovery) -> str:
    return f"back-{recovery.receipt_id}"


def _silent(view: View, policy: Policy, recovery: Recovery) -> Hold:
    """Return the hold for the first heartbeat; trouble when that takes too long.

    Where systemd starts nova-compute, nothing else would show that it does not.
    """
    if recovery.node in view.cluster.standby:
        text = "is released; nova-compute does not start, for the node is in standby"
        return Hold(recovery.host, Reason.HOST_STARTING, text)
    for_s = view.now_s - view.memory.first_seen.get(_back_id(recovery), view.now_s)
    if for_s < policy.stuck_s:
        text = "is released; nova-compute not yet up"
        return Hold(recovery.host, Reason.HOST_STARTING, text)
    text = f"is released and back for {for_s / 60:.0f} min, and its nova-compute is not up"
    return Hold(recovery.host, Reason.NO_HEARTBEAT, text)


def _give_back(
    view: View, policy: Policy, recovery: Recovery, service: Service
) -> tuple[Decision, ...]:
    refused = refused_change(view, policy, service.host)
    if service.forced_down and _forces(view, recovery):
        return (_not_yet(view, policy, refused) if refused else ForceUp(service),)
    if _serves_less(view, recovery):
        return (*_kept_closed(view, recovery), *_end(view, policy, recovery))
    # Ours says enough: we disable only what is enabled, and so what a person wants enabled.
    if not service.enabled and is_ours(service.disabled_reason):
        wait = refused or probation(view, policy, recovery)
        waits = (wait,) if wait else trial(view, policy, recovery)
        # Who waits may be another process by then, which has not seen the force-up.
        unsaid = not recovery.raised and not recovery.found.forced_down
        note = (KeepFound(replace(recovery, raised=True)),) if unsaid else ()
        return (*note, *waits) if waits else (Enable(service),)
    return _end(view, policy, recovery)


def _forces(view: View, recovery: Recovery) -> bool:
    """Tell whether a force-down of the host is ours, and no person's after we took ours back."""
    taken_back = recovery.raised or recovery.host in view.memory.raised
    return not recovery.found.forced_down and not taken_back


def _serves_less(view: View, recovery: Recovery) -> bool:
    """Tell whether a person, or its health, keeps a host closed; core/withdrawing.py opens it."""
    return view.cluster.wanted(recovery.node) is not None


def _kept_closed(view: View, recovery: Recovery) -> tuple[KeepWithdrawn, ...]:
    """Return what has that written down, so that nobody forgets to open it."""
    if view.cluster.withdrawn_of(recovery.node):
        return ()
    enabled = recovery.found.enabled
    return (KeepWithdrawn(Withdrawn(recovery.node, recovery.host, Phase.CLOSING, enabled)),)


def _end(view: View, policy: Policy, recovery: Recovery) -> tuple[Decision, ...]:
    """End the recovery once its reserved host is free again, which is known by its record only.

    Nor is a canary left that nobody waits for any more.
    """
    left = trial(view, policy, recovery, wanted=False)
    return left or hand_back(view, policy, recovery.host) or (EndRecovery(recovery),)


def _not_yet(view: View, policy: Policy, refused: Hold) -> Hold:
    """Return the hold for records that are not completed; trouble when that takes too long.

    nova-compute completes those that are done when it starts, and never again: one that started
    beside its own evacuations has to be started once more.
    """
    since_s = view.memory.service_refused[ComputeHost(refused.subject)].since_s
    if view.now_s - since_s < policy.stuck_s:
        return replace(refused, reason=Reason.RECORDS_OPEN)
    return replace(refused, text=f"restart nova-compute on it. {refused.text}")
