"""Waiting for conditions: with a deadline, and saying what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from .errors import WaitTimedOut

T = TypeVar("T")


def until(
    what: str,
    probe: Callable[[], T | None],
    timeout_s: float,
    interval_s: float = 0.2,
    seen: Callable[[], object] | None = None,
) -> T:
    """Call probe until it returns something true, and return that.

    Raises WaitTimedOut, naming `what` and what is `seen` then, when timeout_s have passed.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= deadline:
            msg = f"waited {timeout_s:g} s for {what}; it did not happen"
            msg += "" if seen is None else f"; seen at the end: {seen()}"
            raise WaitTimedOut(msg)
        time.sleep(interval_s)
