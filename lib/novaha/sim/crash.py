"""Crash points: the process is killed before and after each of its external calls in turn.

Whatever the point, the end must be the one of the run without it. Where Nova's scheduler puts an
instance may differ, and what was lost with an answer may be tried once more.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from novaha.sim.report import SERVES, standing
from novaha.sim.run import simulate
from novaha.sim.script import Script
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


def points(outcome: Outcome, script: Script) -> list[Point]:
    """Return all crash points of a run, in the order of its calls.

    Where the script takes away what a recovery goes on from, only those at which what is needed
    instead was done before: who dies earlier rightly does less.
    """
    whens: tuple[When, ...] = ("before", "after")
    every = [Point(n, when, call) for n, call in enumerate(outcome.calls) for when in whens]
    words = {event.word for event in script.events}
    needed = [call for word, call in _NEEDED_FIRST.items() if word in words]
    if "garble-receipt" in words and "evacuate" in outcome.calls:
        needed.append("evacuate")
    first = [_first(every, call) for call in needed]
    return every[max(first, default=-1) + 1 :]


def _first(every: list[Point], call: str) -> int:
    return next((n for n, point in enumerate(every) if point.call == call), len(every))


_NEEDED_FIRST = {
    "history": "write-record",
    "restart-cluster": "write-record",
    "delete-receipt": "write-record",
    "delete-hold": "disable",
}
"""Without history or receipt a proof that was kept goes on; else only what was sent does."""


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
    """Yield what ended worse in a run with a kill, and every law it broke.

    It may end better: a destination that died at that second may have been spared.
    """
    yield from (f"{v.law}: {v.text}" for v in killed.violations if not v.excused)
    if plain.calm and not killed.calm:
        yield "it is not at rest at the end"
    for instance in spec.instances:
        host, now = plain.hosts.get(instance.id, ""), killed.hosts.get(instance.id, "")
        if now != host and now in ("", instance.node):
            yield f"{instance.id} is on {now or 'no host'} and not on {host or 'no host'}"
        if killed.accepted[instance.id] > max(plain.accepted[instance.id], 1):
            more = killed.accepted[instance.id]
            yield f"{more} requests for {instance.id} and not {plain.accepted[instance.id]}"
    for before, after in zip(plain.services, killed.services, strict=True):
        if standing(after) not in (standing(before), SERVES):
            yield f"{before.host} is {standing(after)} and not {standing(before)}"
    for subject, code in sorted(_shown(killed) - _shown(plain)):
        yield f"shown is {subject} {code}"


def _shown(outcome: Outcome) -> set[tuple[str, str]]:
    return {(hold.subject, hold.reason.code) for hold in outcome.holds}
