"""How a compute waits in `start` until the recovery of its own former life is over.

This is the second line. The first is a location constraint that is written together with the
receipt: while it is there Pacemaker does not call `start` at all, so a `start` that finds itself
held has lost it to somebody. It waits for a few seconds only and fails. Pacemaker 2.1.5 keeps every
transition waiting for a start, even when its node is fenced meanwhile: seen for 180 s, a timeout of
120 s and cluster-delay, in which no other host was fenced.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from novaha.errors import ClusterUnavailable
from novaha.ocf.codes import OK, Outcome, Rc

MARGIN_S = 5.0


class Clock(NamedTuple):
    """Time as the wait sees it, in seconds."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Marker:
    """A file that says that this node was let go since it booted.

    It holds the identity of the boot: /run is empty after a real boot, but not in every container.
    """

    def __init__(self, path: str) -> None:
        """Touch nothing yet."""
        self._path = path

    def is_set(self) -> bool:
        """Tell whether the file is there and of this boot."""
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.read() == boot_identity()
        except OSError:
            return False

    def set(self) -> None:
        """Write the file."""
        os.makedirs(os.path.dirname(self._path), mode=0o755, exist_ok=True)
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(boot_identity())

    def clear(self) -> None:
        """Remove the file, if it is there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self._path)


def boot_identity() -> str:
    """Return a text that differs after each boot: the kernel's boot id, and when init started."""
    with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
        boot_id = file.read().strip()
    with open("/proc/1/stat", encoding="utf-8") as file:
        started = file.read().rpartition(")")[2].split()[19]
    return f"{boot_id} {started}"


def wait_for_release(
    why_held: Callable[[], str | None], poll_s: float, timeout_s: float, clock: Clock | None = None
) -> Outcome:
    """Wait until nothing holds this node.

    why_held: returns the reason, or None; ClusterUnavailable means unknown, and unknown holds.
    timeout_s: of the operation; a margin of it is kept, so that the reason reaches the operator.
    """
    clock = clock or Clock()
    begin_s = clock.now_s()
    end_s = begin_s + max(timeout_s - MARGIN_S, timeout_s / 2)
    while (why := _why(why_held)) is not None:
        if clock.now_s() + poll_s > end_s:
            waited = f"after {clock.now_s() - begin_s:.0f} s this node is still held: {why}"
            return Outcome(Rc.GENERIC, f"{waited}; look at: pcs property config, pcs status")
        clock.sleep(poll_s)
    return OK


def _why(why_held: Callable[[], str | None]) -> str | None:
    try:
        return why_held()
    except ClusterUnavailable as error:
        return f"the cluster gives no answer ({error})"
