"""How often Nova is looked at: often while things change, ever more rarely while nothing does.

A recovery of N instances may cost 2 N + 20 requests, however slow Nova is. With a fixed interval
a slow Nova would be asked most; so the interval grows with the time for which nothing changed.
"""

from novaha.core.model import View
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy

QUIET_SHARE = 0.3
"""An answer is late by at most this part of the time it took to come about."""


def pause_s(view: View, policy: Policy, host: ComputeHost) -> float:
    """Return how long to wait between two looks at a host's records."""
    quiet_s = view.now_s - view.memory.changed_s.get(host, view.memory.started_s)
    return min(max(policy.poll_s, quiet_s * QUIET_SHARE), policy.poll_last_s)


def records_due(view: View, policy: Policy, host: ComputeHost) -> bool:
    """Tell whether it is time to look at a host's evacuation records again."""
    records = view.memory.migrations.get(host)
    return records is None or view.now_s - records.asked_s >= pause_s(view, policy, host)


def services_due(view: View, policy: Policy, host: ComputeHost | None) -> bool:
    """Tell whether it is time to look at the services again, on behalf of a host where known."""
    services = view.memory.services
    pause = policy.return_poll_s if host is None else pause_s(view, policy, host)
    return services is None or view.now_s - services.asked_s >= max(pause, policy.return_poll_s)
