"""Virtual time: what happens later, in the order of its time and then of its making."""

import heapq
from collections.abc import Callable
from math import inf
from random import Random
from typing import Any

Happen = Callable[..., object]

EPOCH_S = 1_700_000_000
"""Where the wall clocks of a world begin."""


class Engine:
    """The one clock of a world. Nothing that happens may let time pass by itself."""

    __slots__ = ("_heap", "_made", "now_s")

    def __init__(self) -> None:
        """Begin at second 0 with nothing to come."""
        self.now_s = 0.0
        self._heap: list[tuple[float, int, Happen, tuple[Any, ...]]] = []
        self._made = 0

    def later(self, seconds: float, happen: Happen, *arguments: Any) -> None:  # noqa: ANN401
        """Let something happen in so many seconds."""
        self._made += 1
        heapq.heappush(self._heap, (self.now_s + seconds, self._made, happen, arguments))

    def at(self, at_s: float, happen: Happen, *arguments: Any) -> None:  # noqa: ANN401
        """Let something happen at a time, at once if that is over."""
        self.later(max(at_s - self.now_s, 0.0), happen, *arguments)

    def next_s(self) -> float:
        """Return when the next thing happens, infinity if nothing does."""
        return self._heap[0][0] if self._heap else inf

    def step(self) -> None:
        """Let the next thing happen."""
        at_s, _, happen, arguments = heapq.heappop(self._heap)
        self.now_s = max(self.now_s, at_s)
        happen(*arguments)

    def advance_to(self, end_s: float) -> None:
        """Let time pass and happen what is due."""
        heap = self._heap
        while heap and heap[0][0] <= end_s:
            self.step()
        self.now_s = max(self.now_s, end_s)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass and happen what is due."""
        self.advance_to(self.now_s + seconds)


class Jitter:
    """How much times differ from their plain values: as a seed decides, and with 0 not at all."""

    __slots__ = ("_random",)

    def __init__(self, seed: int) -> None:
        """Use one generator for all."""
        self._random = Random(seed) if seed else None  # noqa: S311  (no secret depends on it)

    def spread(self, seconds: float) -> float:
        """Return a time that is up to a quarter shorter or longer."""
        return seconds if self._random is None else seconds * (0.75 + self._random.random() / 2)

    def up_to(self, seconds: float) -> float:
        """Return any time up to the longest; the longest without a seed."""
        return seconds if self._random is None else seconds * self._random.random()
