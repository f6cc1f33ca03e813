"""Time, as the kernel tells it."""

import time


class MonotonicClock:
    """CLOCK_MONOTONIC, the same for every process of this machine."""

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()
