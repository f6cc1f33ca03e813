"""The few numbers that operators may turn, and those that are laws of nature here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novaha.core.canary import Recipe
from novaha.core.names import ComputeHost, NodeName
from novaha.core.phases import Phases
from novaha.core.selection import EXCLUDED, Mode
from novaha.core.storage import Storage

ENDED_WELL = frozenset({"done", "completed"})
ENDED_BADLY = frozenset({"failed", "error", "cancelled"})
"""Statuses of a migration record at its end. Source: nova/objects/fields.py, 34.0."""


def in_flight(status: str) -> bool:
    """Tell whether a migration record is not at its end, as far as is known.

    One that nobody knows may be any: an instance must not be sent a second time for that (L4).
    """
    return status not in ENDED_WELL and status not in ENDED_BADLY


NOT_REAL = frozenset(
    {
        "fence_nova",
        "fence_nova_gate",
        "fence_kdump",
        "fence_heuristics_ping",
        "fence_dummy",
        "fence_compute",
        "fence_evacuate",
        "external/ssh",
        "meatware",
        "null",
        "ssh",
        "suicide",
    }
)
"""Fence agents that cut neither power nor storage: alone they prove nothing (L1).

The last five are of cluster-glue: they ask the lost host itself, a person, or nobody.
"""


@dataclass(frozen=True)
class Policy:
    """How a recovery behaves; all times in seconds.

    max_in_flight, max_per_destination: evacuations at once, in all and to one host.
    drain_in_flight: live migrations at once, off all hosts that are drained.
    storage: where the disks of image-booted instances lie, as the operator says; an aggregate may
    say otherwise for its hosts. protect: who is protected where nothing is said. exclude_names:
    shell patterns; an instance with such a name is not, unless something nearer says that it is.
    phases: whether instances are placed first
    and started afterwards.
    max_recoveries: so many hosts may be in recovery at once. flap_limit: a host that was fenced so
    often within flap_window_s serves again only after flap_wait_s, which doubles with each fencing
    more, up to flap_last_s; 0: at once. canary: what a host must run before it is enabled, None:
    nothing. canary_s: so long one may take.
    settle_s: how long a request of a process that died may still take effect in Nova's API.
    skew_s: how far the clocks of two controllers may be apart. poll_s, poll_last_s: bounds of the
    time between two looks at a host's records. return_poll_s: least time between two looks at the
    services. look_again_s: between two looks at instances that a person has to mend. stuck_s: after
    so long without a change an evacuation is shown as stuck, and others are sent beside it.
    order_wait_s: how long an instance waits for those that it is to come after, at most.
    retry_first_s, retry_last_s: bounds of the backoff.
    """

    host_map: Mapping[NodeName, ComputeHost] = field(default_factory=dict)
    storage: Storage = Storage.SHARED
    protect: Mode = Mode.ALL
    phases: Phases = Phases.ONE
    exclude_names: tuple[str, ...] = (EXCLUDED,)
    max_in_flight: int = 8
    max_per_destination: int = 64
    drain_in_flight: int = 2
    max_recoveries: int = 10
    flap_limit: int = 3
    flap_window_s: float = 86_400.0
    flap_wait_s: float = 600.0
    flap_last_s: float = 28_800.0
    canary: Recipe | None = None
    canary_s: float = 120.0
    poll_s: float = 1.0
    poll_last_s: float = 15.0
    return_poll_s: float = 2.0
    look_again_s: float = 60.0
    order_wait_s: float = 600.0
    settle_s: float = 30.0
    skew_s: float = 300.0
    patience_s: float = 60.0
    stuck_s: float = 600.0
    retry_first_s: float = 30.0
    retry_last_s: float = 1800.0

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after the given number of failures, doubling each time."""
        doublings = min(max(failures - 1, 0), 16)
        return float(min(self.retry_first_s * 2**doublings, self.retry_last_s))
