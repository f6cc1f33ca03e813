"""The fencer's history: a line per fencing, limited in number, gone when the cluster restarts."""

from collections.abc import Iterable
from typing import NamedTuple

from novaha.core.model import FencingEvent
from novaha.core.names import NodeName
from novaha.core.proof import SECOND_HALF, THE_CLUSTER
from novaha.sim.engine import EPOCH_S

LIMIT = 500
KEPT = 250
"""Pacemaker cuts a history of 500 lines back to the newest 250. Source: fenced_history.c, 2.1.5."""


class Line(NamedTuple):
    """One fencing that has ended; stamps: when, on the clock of each controller that saw it.

    halves: the controllers that joined during its second half: they show an "on", and nothing else.
    """

    node: NodeName
    action: str
    status: str
    ended_s: float
    stamps: tuple[tuple[NodeName, float], ...]
    origin: NodeName
    delegate: str = ""
    halves: frozenset[NodeName] = frozenset()


class History:
    """What `stonith_admin --history` prints. silent: it gives no answer."""

    __slots__ = ("_events", "_lines", "silent", "version")

    def __init__(self) -> None:
        """Begin empty."""
        self._lines: list[Line] = []
        self._events: dict[NodeName, tuple[int, tuple[FencingEvent, ...]]] = {}
        self.silent = False
        self.version = 0

    def add(self, lines: Iterable[Line]) -> None:
        """Add lines, the newest last."""
        for line in lines:
            self._lines.append(line)
            self.version += 1
            if len(self._lines) >= LIMIT:
                self._lines = self._lines[-KEPT:]

    def lose(self) -> None:
        """Forget everything."""
        self._lines = []
        self.version += 1

    def speak(self, *, silent: bool) -> None:
        """Give no answer from now on, or give answers again."""
        self.silent = silent
        self.version += 1

    def touch(self) -> None:
        """Note that a fencing began or was broken off."""
        self.version += 1

    def successes(self, node: NodeName) -> int | None:
        """Return how many successes of a node the history shows, None without an answer."""
        if self.silent:
            return None
        return sum(line.node == node and line.status == "success" for line in self._lines)

    def seen_by(
        self, controller: NodeName, pending: Iterable[tuple[NodeName, str]]
    ) -> tuple[FencingEvent, ...] | None:
        """Return the history as a controller shows it; pending: (node, action) now at work."""
        if self.silent:
            return None
        known = self._events.get(controller)
        if known is not None and known[0] == self.version:
            return known[1]
        ended = [_event(line, controller) for line in self._lines]
        now = [FencingEvent(node, action, "pending", None) for node, action in pending]
        events = (*ended, *now)
        self._events[controller] = (self.version, events)
        return events


def _event(line: Line, controller: NodeName) -> FencingEvent:
    stamps = dict(line.stamps)
    ended_s = stamps.get(controller, line.stamps[0][1])
    completed_s = float(int(EPOCH_S + ended_s))
    return FencingEvent(
        line.node,
        SECOND_HALF if controller in line.halves else line.action,
        line.status,
        completed_s,
        origin=line.origin,
        delegate=line.delegate,
        client=f"{THE_CLUSTER}.1",
    )
