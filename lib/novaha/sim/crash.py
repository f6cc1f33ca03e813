"""Crash points: the process is killed before and after each of its external calls in turn.

Whatever the point, the end must be the one of the run without it. Where Nova's scheduler puts an
instance may differ, and what was lost with an answer may be tried once more.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from novaha.sim.report import standing
from novaha.sim.run import simulate
from novaha.sim.script import Script
from novaha.sim.seeds import EXCUSED
from novaha.sim.spec import Outcome, WorldSpec
from novaha.sim.wire import When


class Point(NamedTuple):
    """One point of a run: before or after its call of this number, and the name of that call."""

    number: int
    when: When
    call: str

    def __str__(self) -> str:
        """Return what a person reads."""
        return f"{self.when} call {self.number} ({self.call})"


class Crash(NamedTuple):
    """A point whose run ended in another way, and what was different."""

    point: Point
    differences: tuple[str, ...]


def points(outcome: Outcome) -> list[Point]:
    """Return all crash points of a run, in the order of its calls."""
    whens: tuple[When, ...] = ("before", "after")
    calls = enumerate(outcome.calls)
    return [Point(number, when, call) for number, call in calls for when in whens]


def crashes(
    spec: WorldSpec, script: Script, plain: Outcome, chosen: Sequence[Point]
) -> Iterator[Crash]:
    """Run again with a kill at each chosen point; yield those that end otherwise than `plain`."""
    for point in chosen:
        kill = (point.number, point.when)
        killed = simulate(spec, script.events, script.seed, script.end_s, kill=kill)
        found = tuple(differences(spec, plain, killed))
        if found:
            yield Crash(point, found)


def differences(spec: WorldSpec, plain: Outcome, killed: Outcome) -> Iterator[str]:
    """Yield what ended otherwise in a run with a kill, and every law it broke."""
    yield from (f"{v.law}: {v.text}" for v in killed.violations if v.law not in EXCUSED)
    if plain.calm and not killed.calm:
        yield "it is not at rest at the end"
    for instance in spec.instances:
        host, now = plain.hosts.get(instance.id, ""), killed.hosts.get(instance.id, "")
        if _fate(host, instance.node) != _fate(now, instance.node):
            yield f"{instance.id} is on {now or 'no host'} and not on {host or 'no host'}"
        if killed.accepted[instance.id] > plain.accepted[instance.id]:
            more = killed.accepted[instance.id]
            yield f"{more} requests for {instance.id} and not {plain.accepted[instance.id]}"
    for before, after in zip(plain.services, killed.services, strict=True):
        if standing(before) != standing(after):
            yield f"{before.host} is {standing(after)} and not {standing(before)}"
    if _shown(plain) != _shown(killed):
        yield f"shown is {_shown(killed)} and not {_shown(plain)}"


def _fate(host: str, at_first: str) -> str:
    if not host:
        return "deleted"
    return "where it was" if host == at_first else "elsewhere"


def _shown(outcome: Outcome) -> list[tuple[str, str]]:
    return sorted((hold.subject, hold.reason.code) for hold in outcome.holds)
