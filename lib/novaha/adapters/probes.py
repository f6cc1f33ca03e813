"""Ports of instances, tried in threads of their own, so that a silent one stalls nothing."""

import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from novaha.core.names import ServerId
from novaha.core.order import Target
from novaha.core.probing import MOST

TIMEOUT_S = 1.0
"""Of one address."""
FRESH_S = 15.0
"""An answer that nobody fetched for so long may be that of a former life."""


class Probes:
    """Whoever asks gets what was found since, and has it looked for anew."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        """Start no thread yet; the pool makes them when they are needed."""
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(MOST, thread_name_prefix="probe")
        self._lock = threading.Lock()
        self._tried: set[Target] = set()
        self._answered: dict[Target, float] = {}

    def answering(self, targets: Iterable[Target]) -> frozenset[ServerId]:
        """Return whose port has answered, and try those of the others again in the background."""
        targets, old_s = set(targets), time.monotonic() - FRESH_S
        with self._lock:
            found = {one for one, at_s in self._answered.items() if at_s >= old_s} & targets
            self._answered.clear()
            new = targets - found - self._tried
            self._tried |= new
        for target in new:
            self._pool.submit(self._try, target)
        return frozenset(target.server for target in found)

    def _try(self, target: Target) -> None:
        answers = any(self._answers(address, target.port) for address in target.addresses)
        with self._lock:
            self._tried.discard(target)
            if answers:
                self._answered[target] = time.monotonic()

    def _answers(self, address: str, port: int) -> bool:
        """Tell whether somebody takes a connection; nothing is sent over it."""
        try:
            with socket.create_connection((address, port), self._timeout_s):
                return True
        except (OSError, ValueError):
            return False
