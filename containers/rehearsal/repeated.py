"""A look that is repeated in a thread while a block runs."""

import threading
from typing import Self


class Repeated:
    """Calls `look` again and again, at an interval, from the beginning of a block to its end."""

    def __init__(self, interval_s: float) -> None:
        """Start nothing yet."""
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def look(self) -> None:
        """Look once."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def _repeat(self) -> None:
        while not self._stop.wait(self._interval_s):
            self.look()
