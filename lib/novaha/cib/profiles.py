"""How fast a loss is noticed and how patient fencing is; all times in seconds.

A host that answers nothing is lost after at most monitor_interval_s + monitor_timeout_s.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """The timings of a cluster.

    monitor_interval_s, monitor_timeout_s: of the remote connections. reconnect_s: between two tries
    to reach a lost one. off_s: until a device that gives no answer is given up. on_s: how long the
    success of a fencing may wait for the power to come on again. measured: what was seen.
    """

    name: str
    monitor_interval_s: int
    monitor_timeout_s: int
    reconnect_s: int
    off_s: int
    on_s: int
    measured: str

    @property
    def detection_s(self) -> int:
        """Return the longest time until a host that answers nothing counts as lost."""
        return self.monitor_interval_s + self.monitor_timeout_s


_PROFILES = (
    Profile("fast", 2, 3, 10, 15, 20, "silent host unclean after 3.5 to 5.0 s (3 tries)"),
    Profile("default", 5, 5, 10, 30, 20, "silent host unclean after 8.2 s (1 try)"),
    Profile("calm", 20, 20, 30, 60, 60, "not measured"),
)
PROFILES = {profile.name: profile for profile in _PROFILES}
