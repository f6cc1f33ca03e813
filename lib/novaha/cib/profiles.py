"""How fast a loss is noticed and how patient fencing is; all times in seconds.

A host that answers nothing is lost after at most monitor_interval_s + monitor_timeout_s.
"""

from dataclasses import dataclass

OVERHEAD_S = 2
"""From the end of one try to reach a host to the next one, from another controller."""
PAUSE_S = 5
"""In which Pacemaker has to compute what it does without a host that cannot be reached."""


@dataclass(frozen=True)
class Profile:
    """The timings of a cluster.

    monitor_interval_s, monitor_timeout_s: of the remote connections. start_s: of a try to reach a
    lost one, from one controller. reconnect_s: between two such tries from the same controller.
    off_s: until a device that gives no answer is given up. on_s: how long the success of a fencing
    may wait for the power to come on again. measured: what was seen.
    """

    name: str
    monitor_interval_s: int
    monitor_timeout_s: int
    start_s: int
    reconnect_s: int
    off_s: int
    on_s: int
    measured: str

    @property
    def detection_s(self) -> int:
        """Return the longest time until a host that answers nothing counts as lost."""
        return self.monitor_interval_s + self.monitor_timeout_s

    def pause_s(self, controllers: int, attempt_s: float = 0.0) -> int:
        """Return the reconnect interval that leaves a pause between the tries to reach a host.

        Without a pause, one host that is off keeps nova-compute and NovaEvacuate from being started
        anywhere: each controller's failure is forgotten before the last controller has failed, so
        that in every transition the host is about to come, and what is looked for on it is not
        started elsewhere before (seen with 2.1.5: a clone's start waits for all of its probes).
        attempt_s: how long an attempt to fence a node may take (cib/attempts.py).
        """
        tries_s = controllers * (self.start_s + OVERHEAD_S)
        return max(self.reconnect_s, max(tries_s, int(attempt_s)) + PAUSE_S)


_FAST_SEEN = "silent host unclean after 3.6 s; under load 3.4 to 4.9 s"
_DEFAULT_SEEN = "silent host unclean after 7.5 to 8.9 s; under load 5.5 to 10.0 s"
_CALM_SEEN = "silent host unclean after 24.2 to 37.0 s; under load 33.9 to 34.9 s"
"""Three tries each, 2026-11-29 (docs/performance.md)."""
_PROFILES = (
    Profile("fast", 2, 3, 3, 20, 15, 20, _FAST_SEEN),
    Profile("default", 5, 5, 5, 30, 30, 20, _DEFAULT_SEEN),
    Profile("calm", 20, 20, 10, 60, 60, 60, _CALM_SEEN),
)
PROFILES = {profile.name: profile for profile in _PROFILES}
