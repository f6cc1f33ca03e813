"""Medians and spreads, and what they are taken of."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .results import Result


@dataclass(frozen=True)
class Spread:
    """The median of some values, the smallest and the largest, and how many there are."""

    median: float
    low: float
    high: float
    count: int


Value = Callable[[Result], float | None]


def spread(values: Iterable[float | None]) -> Spread | None:
    """Return the spread of the values there are; None if there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known), len(known))


def first_active(result: Result) -> float | None:
    """Return when the first instance was back."""
    return result.active_s[0] if result.active_s else None


def last_active(result: Result) -> float | None:
    """Return when the last instance was back; None if not all came back."""
    return result.active_s[-1] if result.complete else None


def after(mark: str) -> Value:
    """Return what takes the time from a mark to the last instance."""

    def taken(result: Result) -> float | None:
        last, begin = last_active(result), result.marks.get(mark)
        return None if last is None or begin is None else last - begin

    return taken


def requests(api: str) -> Value:
    """Return what counts the requests to an API until the contender was over."""
    return lambda result: result.requests_over.get(api) if result.complete else None


def cpu(result: Result) -> float | None:
    """Return the seconds of CPU that the contender's processes took."""
    return result.cost.cpu_s if result.cost and result.complete else None


def cloud_cpu(result: Result) -> float | None:
    """Return the seconds of CPU that the cloud took until the last instance was back."""
    return sum(result.cloud_cpu_s.values()) if result.cloud_cpu_s and result.complete else None


def memory(result: Result) -> float | None:
    """Return the largest size of the contender's processes, in MB."""
    return result.cost.peak_rss_mb if result.cost and result.complete else None


def disturbed(result: Result) -> float | None:
    """Return how many cores other work took until the last instance was back."""
    last = last_active(result)
    return result.elsewhere_cpu_s / last if last and result.elsewhere_cpu_s is not None else None
