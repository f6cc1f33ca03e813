"""The search for how many evacuations the floor should have in flight, for each size anew."""

from collections.abc import Iterator, Sequence

from . import stats
from .plan import Heat
from .results import Result, Results
from .stats import Spread

TRIED = (1, 2, 4, 8, 16, 32)
_PREFIX = "floor@"


def heats(instances: int, numbers: Sequence[int] = TRIED) -> Iterator[Heat]:
    """Yield a heat for each number; one that is named again is tried again, as a later round."""
    for place, number in enumerate(numbers):
        again = numbers[:place].count(number)
        yield Heat(instances, again + 1, f"{_PREFIX}{number}")


def number_of(contender: str) -> int | None:
    """Return which number a heat tries, None for one that is no part of the search."""
    return int(contender.removeprefix(_PREFIX)) if contender.startswith(_PREFIX) else None


def tried(results: Results, instances: int) -> list[tuple[int, Spread]]:
    """Return the numbers that were tried with so many instances, with the seconds that took."""
    heats: dict[int, list[Result]] = {}
    for result in results.results:
        number = number_of(result.contender)
        if number is not None and result.instances == instances:
            heats.setdefault(number, []).append(result)
    found = ((number, stats.spread(map(taken, those))) for number, those in sorted(heats.items()))
    return [(number, seconds) for number, seconds in found if seconds]


def best(results: Results, instances: int) -> int:
    """Return the number with the smallest median; raises ValueError if none was tried."""
    found = tried(results, instances)
    if not found:
        msg = f"no search for the floor with {instances} has succeeded: name a number with --floor"
        raise ValueError(msg)
    return min(found, key=lambda pair: pair[1].median)[0]


def taken(result: Result) -> float | None:
    """Return what the floor takes: from the host forced down to the last instance."""
    return stats.after("service changed")(result)
