"""What the race asks of every contender."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from testcloud.cloudctl import Server

from .procs import Snapshot
from .results import Cost


class Contender(Protocol):
    """One contender in one heat; its methods are called in this order."""

    clients: tuple[str, ...]
    """The addresses from which it asks the cloud's APIs."""

    def ready(self, servers: Sequence[Server]) -> None:
        """Get everything running that would run before a loss."""

    def lost(self) -> None:
        """Hear that the host is lost, right after its kill; returns at once."""

    def over(self) -> bool:
        """Tell whether the recovery is over, by the contender's own word."""

    def marks(self, since_s: float) -> Mapping[str, float]:
        """Return what else happened when, in seconds since the kill."""

    def cost(self, before: Snapshot, after: Snapshot) -> Cost | None:
        """Return what its processes took, from the kill until it was over."""

    def settings(self) -> Mapping[str, object]:
        """Return what was set."""

    def leave(self) -> None:
        """End everything that `ready` began."""
