"""The one-copy count: how many guests of each instance run on this machine, at every instant."""

import threading
import time
from collections.abc import Callable
from typing import Self

from testcloud.names import ServerId
from testcloud.referee import Guest, copies

_INTERVAL_S = 0.1


class CopyCount:
    """Counts in a thread, and keeps every moment at which an instance ran twice (law L2)."""

    def __init__(self, guests: Callable[[], tuple[Guest, ...]]) -> None:
        """Start nothing yet; guests tells what runs now."""
        self._guests = guests
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self.counts = 0
        self.seen: set[ServerId] = set()
        self.doubles: list[tuple[float, ServerId, list[Guest]]] = []

    def __enter__(self) -> Self:
        """Begin to count."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self._stop.set()
        self._thread.join()

    def _count(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            running = copies(self._guests())
            self.counts += 1
            self.seen |= running.keys()
            self.doubles += [(time.time(), s, g) for s, g in running.items() if len(g) > 1]
