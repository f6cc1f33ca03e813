"""How often Nova is looked at: often while things change, ever more rarely while nothing does.

A recovery of N instances may cost 2 N + 20 requests, however slow Nova is. With a fixed interval
a slow Nova would be asked most; so the interval grows with the time for which nothing changed.
A host on its way back is looked for more often: customers wait for the room on it.
"""

from novaha.core.model import RefusedChange, View
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy

QUIET_SHARE = 0.4
"""An answer is late by at most this part of the time it took to come about."""

RETURN_LAST_S = 6.0
"""Most between two looks at the services for a host on its way back: one list serves all hosts."""


def pause_s(view: View, policy: Policy, host: ComputeHost, asked_s: float) -> float:
    """Return how long to wait after a look at a host, given when that was.

    Once some have ended, when another one should have, as fast as they end now: so there are hardly
    more looks than evacuations, and a slot that is free is not free for long.
    """
    quiet_s = asked_s - view.memory.changed_s.get(host, view.memory.started_s)
    gap_s = view.memory.gap_s.get(host)
    usual_s = policy.poll_s if gap_s is None else max(gap_s, policy.poll_s / 2)
    return min(max(usual_s, quiet_s * QUIET_SHARE), policy.poll_last_s)


def records_due_s(view: View, policy: Policy, host: ComputeHost) -> float:
    """Return when to look at a host's evacuation records again, in monotonic seconds."""
    records = view.memory.migrations.get(host)
    if records is None:
        return view.now_s
    return records.asked_s + pause_s(view, policy, host, records.asked_s)


def services_due(view: View, policy: Policy, host: ComputeHost | None) -> bool:
    """Tell whether it is time to look at the services again, on behalf of a host where known."""
    services = view.memory.services
    if services is None:
        return True
    pause = 0.0 if host is None else pause_s(view, policy, host, services.asked_s)
    at_most_s = min(pause, RETURN_LAST_S)
    return view.now_s - services.asked_s >= max(at_most_s, policy.return_poll_s)


def most_in_flight(view: View, policy: Policy) -> int:
    """Return how many evacuations may be in flight now; Nova decides when it is overloaded."""
    return max(policy.max_in_flight >> view.memory.strain.halvings, 1)


def refusal_pause_s(policy: Policy, refused: RefusedChange) -> float:
    """Return how long to leave a service alone that Nova refused to change."""
    refused_s = (refused.last_s - refused.since_s) * QUIET_SHARE
    return min(max(policy.return_poll_s, refused_s), policy.poll_last_s)
