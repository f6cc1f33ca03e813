"""A host that was fenced again and again is not trusted at once: it serves later each time."""

from novaha.core.actions import Hold
from novaha.core.model import View
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery

MINUTE_S = 60.0
HOUR_S = 3600.0


def probation(view: View, policy: Policy, recovery: Recovery) -> Hold | None:
    """Return the hold of a host that stays disabled for a while, or None.

    How often it was fenced stands in its proof, from Pacemaker's history of then. The wait counts
    from when this process first saw the receipt: one that has just started begins anew, and the
    host waits longer.
    """
    wait_s = probation_s(policy, recovery.proof.fencings)
    if not wait_s or recovery.node in view.cluster.released:
        return None
    begun_s = view.memory.first_seen.get(recovery.receipt_id, view.memory.started_s)
    left_s = begun_s + wait_s - view.now_s
    if left_s <= 0:
        return None
    text = (
        f"was fenced {recovery.proof.fencings} times within {policy.flap_window_s / HOUR_S:.0f} h:"
        f" it is up, and stays disabled for {left_s / MINUTE_S:.0f} min more;"
        f" nova-ha release {recovery.node} ends that"
    )
    return Hold(recovery.host, Reason.PROBATION, text)


def probation_s(policy: Policy, fencings: int) -> float:
    """Return how long a host stays disabled after so many fencings, doubling with each."""
    if not policy.flap_limit or fencings < policy.flap_limit:
        return 0.0
    doublings = min(fencings - policy.flap_limit, 16)
    return float(min(policy.flap_wait_s * 2**doublings, policy.flap_last_s))
