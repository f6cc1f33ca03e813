"""The one-copy count: how many guests of each instance run on this machine, at every instant."""

import threading
import time
from collections.abc import Callable
from typing import Self

from testcloud.names import NodeName, ServerId
from testcloud.referee import Guest, copies

_INTERVAL_S = 0.1


class CopyCount:
    """Counts in a thread, and keeps every moment at which an instance ran twice (law L2).

    changes: when another set of copies was seen than before, and which, as (instance, node).
    """

    def __init__(self, guests: Callable[[], tuple[Guest, ...]]) -> None:
        """Start nothing yet; guests tells what runs now."""
        self._guests = guests
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self.counts = 0
        self.seen: set[ServerId] = set()
        self.doubles: list[tuple[float, ServerId, list[Guest]]] = []
        self.changes: list[tuple[float, frozenset[tuple[ServerId, NodeName]]]] = []

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
            guests = self._guests()
            running = copies(guests)
            self.counts += 1
            self.seen |= running.keys()
            places = frozenset((guest.server, guest.node) for guest in guests)
            if not self.changes or self.changes[-1][1] != places:
                self.changes.append((time.time(), places))
            self.doubles += [(time.time(), s, g) for s, g in running.items() if len(g) > 1]
