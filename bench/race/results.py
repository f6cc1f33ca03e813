"""What was measured, as it is kept: one JSON file, written anew after every heat."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .plan import Heat

FORMAT = 1


@dataclass(frozen=True)
class Cost:
    """What the processes of a contender took: seconds of CPU, the sum of their largest sizes."""

    cpu_s: float
    peak_rss_mb: float
    what: str


@dataclass(frozen=True)
class Result:
    """One heat. All times are seconds since the kill of the host.

    active_s: when each instance was ACTIVE on another host for good, in order. over_s: when the
    contender was done by its own word, None if it never was. marks: what else happened when.
    requests: to each API until the last instance was ACTIVE; requests_over: until over_s.
    kinds: requests to Nova until over_s, by method and kind of path. cloud_cpu_s: what each
    service took until the last instance was ACTIVE; elsewhere_cpu_s: what processes took that
    have nothing to do with the race, so that a disturbed heat can be known.
    records: evacuation records by their status. problem: why it was not run, or what went wrong;
    empty if nothing did.
    """

    instances: int
    round: int
    contender: str
    began: str
    active_s: tuple[float, ...] = ()
    over_s: float | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    requests_over: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    cost: Cost | None = None
    cloud_cpu_s: Mapping[str, float] = field(default_factory=dict)
    elsewhere_cpu_s: float | None = None
    records: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    problem: str = ""

    @property
    def heat(self) -> Heat:
        """Return which heat this was."""
        return Heat(self.instances, self.round, self.contender)

    @property
    def complete(self) -> bool:
        """Tell whether every instance came back."""
        return len(self.active_s) == self.instances


@dataclass(frozen=True)
class Results:
    """All heats of a race, and on what it was run."""

    machine: Mapping[str, object]
    results: tuple[Result, ...] = ()

    def done(self) -> set[Heat]:
        """Return the heats that need not be run again."""
        return {result.heat for result in self.results if result.complete}

    def of(self, contender: str, instances: int) -> tuple[Result, ...]:
        """Return what a contender did with so many instances."""
        wanted = (contender, instances)
        return tuple(r for r in self.results if (r.contender, r.instances) == wanted)

    def sizes(self) -> tuple[int, ...]:
        """Return the numbers of instances there are results for, the smallest first."""
        return tuple(sorted({result.instances for result in self.results}))


def save(path: Path, results: Results) -> None:
    """Write a file at once, so that one who is killed leaves the one before."""
    content = {"format": FORMAT, **dataclasses.asdict(results)}
    fresh = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_text(json.dumps(content, indent=1) + "\n")
    fresh.replace(path)


def load(path: Path) -> Results:
    """Read a file that `save` wrote; raises ValueError for any other."""
    try:
        content = json.loads(path.read_text())
        if content.pop("format") != FORMAT:
            msg = f"{path}: not format {FORMAT}"
            raise ValueError(msg)
        return Results(content["machine"], tuple(_result(row) for row in content["results"]))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        msg = f"{path}: not a file of results: {error!r}"
        raise ValueError(msg) from error


def with_result(results: Results, result: Result) -> Results:
    """Return the results with one more, in place of an earlier try of the same heat."""
    others: Sequence[Result] = [r for r in results.results if r.heat != result.heat]
    return dataclasses.replace(results, results=(*others, result))


def _result(row: dict[str, Any]) -> Result:
    cost = row.pop("cost")
    active_s = tuple(row.pop("active_s"))
    return Result(**row, active_s=active_s, cost=None if cost is None else Cost(**cost))
