"""How often Nova is looked at: often while things change, ever more rarely while nothing does.

A recovery of N instances may cost 2 N + 20 requests, however slow Nova is. With a fixed interval
a slow Nova would be asked most; so the interval grows with the time for which nothing changed, and
evacuations are looked at when they should have ended (core/flow.py).
A host on its way back is looked for more often: customers wait for the room on it.
"""

from collections.abc import Iterable

from novaha.core.actions import Decision, Hold
from novaha.core.model import RefusedChange, View
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.reasons import Reason

QUIET_SHARE = 0.4
"""An answer is late by at most this part of the time it took to come about."""

RETURN_LAST_S = 6.0
"""Most between two looks at the services for a host on its way back: one list serves all hosts."""


_LASTING = frozenset({Reason.PROBATION, Reason.CANARY_FAILED})
"""Waits of hours, which a person ends or time does."""


def pause_s(view: View, policy: Policy, host: ComputeHost, asked_s: float) -> float:
    """Return how long to wait after a look at a host, given when that was."""
    usual_s = max(policy.poll_s, _quiet_s(view, host, asked_s) * QUIET_SHARE)
    return min(usual_s, policy.poll_last_s)


def _quiet_s(view: View, host: ComputeHost, asked_s: float) -> float:
    return asked_s - view.memory.changed_s.get(host, view.memory.started_s)


def records_due_s(view: View, policy: Policy, host: ComputeHost) -> float:
    """Return when to look at a host's evacuation records again, in monotonic seconds.

    For what this process has sent when it should have ended; for what it found now and then.
    """
    records, flow = view.memory.migrations.get(host), view.memory.flows.get(host)
    if records is None:
        return view.now_s
    asked_s = records.asked_s
    if flow is None or not flow.sent_s:
        return asked_s + pause_s(view, policy, host, asked_s)
    due_s = flow.next_look_s(policy, asked_s, _quiet_s(view, host, asked_s))
    return min(due_s, asked_s + policy.poll_last_s)


def services_due(view: View, policy: Policy, host: ComputeHost | None) -> bool:
    """Tell whether it is time to look at the services again, on behalf of a host where known."""
    services = view.memory.services
    if services is None:
        return True
    pause = 0.0 if host is None else pause_s(view, policy, host, services.asked_s)
    at_most_s = min(pause, RETURN_LAST_S)
    return view.now_s - services.asked_s >= max(at_most_s, policy.return_poll_s)


def return_pause_s(policy: Policy, needed: Iterable[Decision]) -> float:
    """Return how long what was asked of a returning host is good for, given what it needs next."""
    lasting = any(isinstance(each, Hold) and each.reason in _LASTING for each in needed)
    return policy.look_again_s if lasting else policy.return_poll_s


def most_in_flight(view: View, policy: Policy) -> int:
    """Return how many evacuations may be in flight now; Nova decides when it is overloaded."""
    return max(policy.max_in_flight >> view.memory.strain.halvings, 1)


def refusal_pause_s(policy: Policy, refused: RefusedChange) -> float:
    """Return how long to leave a service alone that Nova refused to change."""
    refused_s = (refused.last_s - refused.since_s) * QUIET_SHARE
    return min(max(policy.return_poll_s, refused_s), policy.poll_last_s)
