"""What is written down of a simulation: the trace that people read and the facts for the judge."""

from collections.abc import Callable
from typing import NamedTuple

from novaha.core.facts import Fact
from novaha.core.invariants import Judge
from novaha.core.policy import Policy
from novaha.sim.engine import Engine, Jitter
from novaha.sim.spec import Outcome, TraceLine


class Book:
    """Fills an Outcome; every part of the world has it.

    changed_s: when something last happened that people would look at.
    """

    __slots__ = ("_engine", "_judge", "changed_s", "outcome", "see")

    def __init__(self, engine: Engine, policy: Policy) -> None:
        """Begin empty. policy: how much may be in flight."""
        self._engine = engine
        self._judge = Judge(policy.max_in_flight, live_limit=policy.drain_in_flight)
        self.outcome = Outcome(violations=self._judge.violations)
        self.see: Callable[[Fact], None] = self._judge.see
        self.changed_s = 0.0

    def say(self, who: str, text: str) -> None:
        """Add a line to the trace."""
        self.changed_s = self._engine.now_s
        self.outcome.trace.append(TraceLine(self._engine.now_s, who, text))


class Scene(NamedTuple):
    """What every part of a world works with."""

    engine: Engine
    book: Book
    jitter: Jitter
