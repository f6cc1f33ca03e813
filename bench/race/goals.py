"""What nova-ha wants to reach, beside what it reached; nothing passes or fails by it."""

from collections.abc import Iterator
from dataclasses import dataclass

from . import stats
from .results import Results
from .stats import Value

OURS, FLOOR = "nova-ha", "floor"
TIMES_FLOOR = 1.10
_FASTER = (("masakari", 10.0), ("masakari-tuned", 3.0), ("classic", 2.0))


@dataclass(frozen=True)
class Goal:
    """A goal, the number that was measured, None if it was not, and whether that reaches it."""

    text: str
    measured: float | None
    reached: bool


def goals(results: Results, instances: int) -> Iterator[Goal]:
    """Yield every goal with what the medians say."""
    ours = _median(results, OURS, instances, stats.after("fenced"))
    floor = _median(results, FLOOR, instances, stats.after("service changed"))
    text = f"end of the fencing to last ACTIVE: at most {TIMES_FLOOR:g} times the floor"
    yield _at_most(text, _ratio(ours, floor), TIMES_FLOOR)
    crash = _median(results, OURS, instances, stats.last_active)
    for name, times in _FASTER:
        other = _median(results, name, instances, stats.last_active)
        text = f"crash to last ACTIVE: at least {times:g} times faster than {name}"
        ratio = _ratio(other, crash)
        yield Goal(text, ratio, reached=ratio is not None and ratio >= times)
    most = 2 * instances + 20
    asked = _median(results, OURS, instances, stats.requests("nova"))
    yield _at_most(f"requests to Nova, return included: at most 2N+20 = {most}", asked, most)


def _at_most(text: str, measured: float | None, most: float) -> Goal:
    return Goal(text, measured, reached=measured is not None and measured <= most)


def _median(results: Results, contender: str, instances: int, value: Value) -> float | None:
    found = stats.spread(value(result) for result in results.of(contender, instances))
    return found.median if found else None


def _ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None
