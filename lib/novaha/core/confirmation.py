"""A person's word that a lost node is off, where no fence device can be had to say so.

Pacemaker has its own confirmation (`stonith_admin --confirm`): it then takes the node for fenced,
and its history has a success of "a human". That alone starts no recovery, for whoever confirms by
Pacemaker's tools may only want the cluster to go on. `nova-ha confirm-off` leaves a receipt before
it, with the hold, in which the person stands in place of a device; both together prove the fencing.

Seen with Pacemaker 2.1.5: the confirmation takes 20 ms, is in every controller's history in the
same words, and is accepted for names that are no nodes; an attempt of a device that was at work
ends after it, as failed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from novaha.core.model import FencingEvent
from novaha.core.names import NodeName
from novaha.core.proof import A_HUMAN, POWER_ACTIONS, successes_of


@dataclass(frozen=True)
class Confirmed:
    """Who said that a node is off, what they saw, when; receipt_id: of the receipt it goes with."""

    node: NodeName
    at_s: float
    by: str
    receipt_id: str
    saw: str

    def to_value(self) -> str:
        """Return the text kept in the CIB, for those who ask later."""
        return f"v1 time={self.at_s:.0f} by={self.by} receipt={self.receipt_id} saw={self.saw}"


@dataclass(frozen=True)
class Sight:
    """What is known of a node that is said to be off.

    known: it is a remote node of the cluster. unclean: Pacemaker wants it fenced. fenced: Pacemaker
    takes it for fenced, and it has not joined since. braked: the storm brake holds it. open:
    something of a recovery stands in the CIB. events: its lines of the fencing history, None where
    the fencer gave no answer.
    """

    node: NodeName
    known: bool
    online: bool
    unclean: bool
    fenced: bool
    braked: bool
    open: bool
    events: tuple[FencingEvent, ...] | None

    @property
    def failures(self) -> tuple[FencingEvent, ...]:
        """Return the attempts that failed since its last success."""
        return failures_of(self.node, self.events or ())

    @property
    def by_hand(self) -> bool:
        """Tell whether it was confirmed by Pacemaker's own tools, which starts no recovery."""
        successes = successes_of(self.node, self.events or ())
        human = bool(successes) and successes[-1].delegate == A_HUMAN
        return human and self.fenced and not self.unclean and not self.open


def failures_of(node: NodeName, events: Iterable[FencingEvent]) -> tuple[FencingEvent, ...]:
    """Return a node's fencings that failed since its last success, the newest one last."""
    events = tuple(events)
    successes = successes_of(node, events)
    since_s = (successes[-1].completed_s or 0.0) if successes else float("-inf")
    failed = [
        event
        for event in events
        if (event.target, event.status) == (node, "failed") and event.action in POWER_ACTIONS
    ]
    newer = [event for event in failed if (event.completed_s or 0.0) > since_s]
    return tuple(sorted(newer, key=lambda event: event.completed_s or 0.0))


def refusal(sight: Sight, *, anyway: bool) -> str | None:
    """Return why the node must not be confirmed off, and what to do instead; None where it may.

    anyway: the person insists though no attempt has failed; what may run is refused all the same.
    """
    return _not_lost(sight) or (None if anyway or sight.by_hand else _too_early(sight))


def _not_lost(sight: Sight) -> str | None:
    node = sight.node
    if not sight.known:
        return f"{node} is no compute node of this cluster"
    if sight.online:
        return f"{node} is online: it runs; to have it fenced: pcs stonith fence {node}"
    if sight.events is None:
        return "the fencer gives no answer about its history, so nothing could be proven by it"
    if not sight.unclean and not sight.by_hand:
        return f"{node} is not lost: Pacemaker does not want it fenced"
    return None


def _too_early(sight: Sight) -> str | None:
    node = sight.node
    if sight.braked:
        return f"the storm brake holds {node}, no device was tried: nova-ha release, or --anyway"
    if not sight.failures:
        return f"no fencing of {node} has failed yet: wait for its devices, or say --anyway"
    return None
