"""How a compute refuses to `start` until the recovery of its own former life is over.

This is the second line. The first is a location constraint that is written together with the
receipt: while it is there Pacemaker does not call `start` at all, so a `start` that finds itself
held has lost it to somebody, and fails at once but for what a change takes to reach this node.

It must not wait: Pacemaker 2.1.5 waits for a start in flight even when its node is gone, for the
timeout and cluster-delay together (seen: 180 s), and no other node is fenced in that time. When a
person fences the node meanwhile, it forgets that the connection was lost, and fences it for ever.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from novaha.errors import ClusterUnavailable
from novaha.ocf.codes import OK, Outcome, Rc

MARGIN_S = 5.0
LOOKS = 2
"""A change of the CIB may reach a remote node a moment later; who is held then is held."""


class Clock(NamedTuple):
    """Time as the wait sees it, in seconds."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Marker:
    """A file that counts until the node boots again, with a line of text.

    It holds the identity of the boot: /run is empty after a real boot, but not in every container.
    """

    def __init__(self, path: str) -> None:
        """Touch nothing yet."""
        self._path = path

    def is_set(self) -> bool:
        """Tell whether the file is there and of this boot."""
        return self.text() is not None

    def text(self) -> str | None:
        """Return what was written with it; None where it is missing or of another boot."""
        try:
            with open(self._path, encoding="utf-8") as file:
                boot, _, text = file.read().partition("\n")
        except OSError:
            return None
        return text if boot == boot_identity() else None

    def set(self, text: str = "") -> None:
        """Write the file, at once or not at all: half of it would say something else."""
        os.makedirs(os.path.dirname(self._path), mode=0o755, exist_ok=True)
        draft = f"{self._path}.new"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(f"{boot_identity()}\n{text}")
        os.replace(draft, self._path)

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
    """Look twice whether something holds this node.

    why_held: returns the reason, or None; ClusterUnavailable means unknown, and unknown holds: an
    answer is waited for longer. timeout_s: of the operation; a margin of it is kept, so that the
    reason reaches the operator.
    """
    clock = clock or Clock()
    begin_s, looks = clock.now_s(), 0
    last_s = begin_s + max(timeout_s - MARGIN_S, timeout_s / 2)
    while True:
        try:
            why = why_held()
            looks += 1
        except ClusterUnavailable as error:
            why = f"the cluster gives no answer ({error})"
        if why is None:
            return OK
        if looks == LOOKS or clock.now_s() + poll_s > last_s:
            waited = f"after {clock.now_s() - begin_s:.0f} s this node is still held: {why}"
            return Outcome(Rc.GENERIC, f"{waited}; look at: pcs property config, pcs status")
        clock.sleep(poll_s)
