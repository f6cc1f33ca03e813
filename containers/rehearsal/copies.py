"""The one-copy count: how many guests of each instance run on this machine, at every instant."""

import time
from collections.abc import Callable

from testcloud.names import NodeName, ServerId
from testcloud.referee import Guest, copies

from .repeated import Repeated

_INTERVAL_S = 0.1


class CopyCount(Repeated):
    """Counts in a thread, and keeps every moment at which an instance ran twice (law L2).

    changes: when another set of copies was seen than before, and which, as (instance, node).
    """

    def __init__(self, guests: Callable[[], tuple[Guest, ...]]) -> None:
        """Start nothing yet; guests tells what runs now."""
        super().__init__(_INTERVAL_S)
        self._guests = guests
        self.counts = 0
        self.seen: set[ServerId] = set()
        self.doubles: list[tuple[float, ServerId, list[Guest]]] = []
        self.changes: list[tuple[float, frozenset[tuple[ServerId, NodeName]]]] = []

    def look(self) -> None:
        """Count what runs now."""
        guests = self._guests()
        running = copies(guests)
        self.counts += 1
        self.seen |= running.keys()
        places = frozenset((guest.server, guest.node) for guest in guests)
        if not self.changes or self.changes[-1][1] != places:
            self.changes.append((time.time(), places))
        self.doubles += [(time.time(), s, g) for s, g in running.items() if len(g) > 1]
