"""The report as pictures: instances ACTIVE over time, and what everything cost."""

import math
from collections.abc import Iterator, Sequence

from . import stats, svg
from .lineup import LINEUP, Entry
from .results import Result, Results
from .stats import Spread, Value

_WIDTH, _HEIGHT = 820, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 40, 50
_TICKS_S = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_BAR, _GAP, _LABEL, _ROOM = 18, 26, 190, 150
_BARS: tuple[tuple[str, Value], ...] = (
    ("crash to first ACTIVE, s", stats.first_active),
    ("crash to last ACTIVE, s", stats.last_active),
    ("requests to Nova", stats.requests("nova")),
    ("requests to Keystone", stats.requests("keystone")),
    ("CPU of the contender, s", stats.cpu),
    ("memory of the contender, MB", stats.memory),
    ("CPU of the cloud, s", stats.cloud_cpu),
)


def curve(results: Results, instances: int) -> str:
    """Return instances ACTIVE over time, a line for each heat; the time is logarithmic."""
    entries = [e for e in LINEUP if any(r.active_s for r in results.of(e.name, instances))]
    heats = [r for e in entries for r in results.of(e.name, instances) if r.active_s]
    longest_s = max((result.active_s[-1] for result in heats), default=1.0)
    axes = _Axes(instances, max(longest_s * 1.1, 2.0))
    shapes = [*axes.drawn()]
    for number, entry in enumerate(entries):
        shapes += [axes.heat(r, entry) for r in results.of(entry.name, instances) if r.active_s]
        shapes += _legend(number, entry)
    return svg.drawing(_WIDTH, _HEIGHT, shapes)


class _Axes:
    """Where seconds and instances are in the picture."""

    def __init__(self, instances: int, longest_s: float) -> None:
        self._instances, self._longest_s = instances, longest_s

    def x(self, seconds: float) -> float:
        share = math.log(max(seconds, 1.0)) / math.log(self._longest_s)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, count: float) -> float:
        return _HEIGHT - _BOTTOM - count / self._instances * (_HEIGHT - _TOP - _BOTTOM)

    def drawn(self) -> Iterator[str]:
        title = f"{self._instances} instances: ACTIVE elsewhere, by time since the crash"
        yield svg.text((_LEFT, 22), title)
        for tick in (t for t in _TICKS_S if t <= self._longest_s):
            yield svg.line((self.x(tick), self.y(0)), (self.x(tick), _TOP))
            yield svg.text((self.x(tick), _HEIGHT - _BOTTOM + 18), f"{tick}", "middle")
        for quarter in range(5):
            count = self._instances * quarter / 4
            yield svg.line((_LEFT, self.y(count)), (_WIDTH - _RIGHT, self.y(count)))
            yield svg.text((_LEFT - 8, self.y(count) + 4), f"{count:g}", "end")
        yield svg.text(
            (_WIDTH / 2, _HEIGHT - 10), "seconds since the crash (logarithmic)", "middle"
        )

    def heat(self, result: Result, entry: Entry) -> str:
        ups = [(self.x(at_s), self.y(count)) for count, at_s in enumerate(result.active_s, 1)]
        return svg.steps([(self.x(1.0), self.y(0)), *ups], entry.colour)


def _legend(number: int, entry: Entry) -> list[str]:
    y = _TOP + 18 + number * 18
    return [
        svg.box((_LEFT + 12, y - 9), 18, 10, entry.colour),
        svg.text((_LEFT + 36, y), entry.title),
    ]


def bars(results: Results, instances: int) -> str:
    """Return the medians as bars, a panel for each thing measured, with the spread in words."""
    shapes: list[str] = [
        svg.text((10, 20), f"{instances} instances: medians (smallest to largest)")
    ]
    y = 34.0
    for name, value in _BARS:
        found = [(e, stats.spread(map(value, results.of(e.name, instances)))) for e in LINEUP]
        rows = [(entry, spread) for entry, spread in found if spread]
        shapes += _panel(name, rows, y)
        y += _GAP + _BAR * len(rows)
    return svg.drawing(_WIDTH, math.ceil(y) + 10, shapes)


def _panel(name: str, rows: Sequence[tuple[Entry, Spread]], top: float) -> Iterator[str]:
    most = max((spread.high for _, spread in rows), default=1.0) or 1.0
    yield svg.text((10, top + 14), name, colour="#555555")
    for number, (entry, spread) in enumerate(rows):
        y = top + 20 + number * _BAR
        length = spread.median / most * (_WIDTH - _LABEL - _ROOM)
        yield svg.text((_LABEL - 8, y + 12), entry.title, "end")
        yield svg.box((_LABEL, y + 2), length, _BAR - 5, entry.colour)
        yield svg.text((_LABEL + length + 6, y + 12), _words(spread))


def _words(spread: Spread) -> str:
    digits = 1 if spread.median < 100 else 0  # noqa: PLR2004 - no more than is read at a glance
    median = f"{spread.median:.{digits}f}"
    if spread.low == spread.high:
        return median
    return f"{median} ({spread.low:.{digits}f} to {spread.high:.{digits}f})"
