"""How fast a host's evacuations come to their ends, so that Nova is looked at when one should have.

Evacuations that are sent together end together, and between such bursts a look finds nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from novaha.core.names import ServerId
from novaha.core.policy import Policy

FINE_SHARE = 0.2
"""One that is late is seen to have ended late by at most this part of that, while looks are few."""

COARSE_SHARE = 0.4
"""The same once there were so many looks that they are no longer few."""

FEW = 0.9
"""So many looks for each evacuation that was sent are few; a recovery asks other things, too."""

EARLY = 0.95
"""The next one may be so much faster than the last ones, and is looked for from then on."""

FAILED_S = 4.0
"""What fails does so early: it is looked for after so long, or halfway where an end is far."""

LAST = 8
"""So many of the last ones tell how long one takes now."""


@dataclass(frozen=True)
class Flow:
    """The evacuations of a host in this recovery, all times in monotonic seconds.

    sent_s: when those in flight were sent by this process. took_s: of the last ones that moved, how
    long each had been in flight when it was seen there for the last time. ended, looks: how many
    have ended, and how often their records were looked at, last at looked_s.
    """

    sent_s: Mapping[ServerId, float] = field(default_factory=dict)
    took_s: tuple[float, ...] = ()
    ended: int = 0
    looks: int = 0
    looked_s: float = 0.0

    def sent(self, server: ServerId, now_s: float) -> "Flow":
        """Note that a request is about to be sent."""
        return replace(self, sent_s={**self.sent_s, server: now_s})

    def looked(
        self, asked_s: float, flying: Collection[ServerId], moved: Collection[ServerId]
    ) -> "Flow":
        """Note what a look at the records showed.

        flying: what is still in flight. moved: what is not, and has moved; how long that took tells
        how long the next will take, a failure does not. A look that came late must not make later
        ones late, so it counts up to the look before.
        """
        over_s = (self.looked_s - at_s for server, at_s in self.sent_s.items() if server in moved)
        took_s = (*self.took_s, *(flew_s for flew_s in over_s if flew_s > 0))
        sent_s = {server: at_s for server, at_s in self.sent_s.items() if server in flying}
        ended = self.ended + len(self.sent_s) - len(sent_s)
        return Flow(sent_s, took_s[-LAST:], ended, self.looks + 1, asked_s)

    def next_look_s(self, policy: Policy, asked_s: float, quiet_s: float) -> float:
        """Return when to look again after a look at asked_s, for what this process has sent.

        quiet_s: for how long nothing had changed then. When the next one may have ended, as the
        last ones did; soon, where one is late.
        """
        if not self.took_s:
            return asked_s + max(policy.poll_s, quiet_s * self._share)
        due_s = min(self._due_s(asked_s, at_s) for at_s in self.sent_s.values())
        return max(due_s, asked_s + self._soon_s(policy))

    def _due_s(self, asked_s: float, sent_s: float) -> float:
        """Return when to look at one that is in flight since sent_s."""
        usual_s = min(self.took_s) * EARLY
        late_s = asked_s - sent_s - usual_s
        if late_s >= 0:
            return asked_s + late_s * self._share
        return min(asked_s - late_s, asked_s + max(FAILED_S, usual_s / 2))

    @property
    def _few(self) -> bool:
        return self.looks < FEW * (self.ended + len(self.sent_s))

    @property
    def _share(self) -> float:
        return FINE_SHARE if self._few else COARSE_SHARE

    def _soon_s(self, policy: Policy) -> float:
        """Return the least time between two looks: once they are no longer few, as between ends."""
        quick_s = policy.poll_s / 2
        if self._few:
            return quick_s
        return max(quick_s, sum(self.took_s) / len(self.took_s) / max(len(self.sent_s), 1))
