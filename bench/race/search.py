"""The search for how many evacuations the floor should have in flight."""

from collections.abc import Iterator

from . import stats
from .plan import Heat
from .results import Result, Results

TRIED = (1, 2, 4, 8, 16, 32)
_PREFIX = "floor@"


def heats(instances: int) -> Iterator[Heat]:
    """Yield a heat for each number that is tried."""
    for number in TRIED:
        yield Heat(instances, 1, f"{_PREFIX}{number}")


def number_of(contender: str) -> int | None:
    """Return which number a heat tries, None for one that is no part of the search."""
    return int(contender.removeprefix(_PREFIX)) if contender.startswith(_PREFIX) else None


def tried(results: Results) -> list[tuple[int, float]]:
    """Return the numbers that were tried, with the seconds that took."""
    found = [(number_of(result.contender), taken(result)) for result in results.results]
    return sorted((n, s) for n, s in found if n is not None and s is not None)


def best(results: Results) -> int:
    """Return the number that was fastest; raises ValueError if none was tried."""
    found = tried(results)
    if not found:
        msg = "no search for the floor has succeeded: name a number with --floor"
        raise ValueError(msg)
    return min(found, key=lambda pair: pair[1])[0]


def taken(result: Result) -> float | None:
    """Return what the floor takes: from the host forced down to the last instance."""
    return stats.after("service changed")(result)
