"""Schedules by the thousand: a seed gives a world and what goes wrong in it, always the same.

Most schedules have one or two losses of a compute and up to three mishaps, near the moments at
which something changes: the loss, its fencing, the requests, the end of the moves, the return. What
a mishap breaks is mended, so that nothing may be left undone at the end (L3).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from novaha.sim.drainmishaps import strike_drains
from novaha.sim.draw import Draw, random_world, say_more, weighted, with_wishes
from novaha.sim.grouping import strike_group, with_affinity
from novaha.sim.mishaps import MISHAPS
from novaha.sim.outage import cut_power, with_gate
from novaha.sim.phasing import strike_starts, with_phases
from novaha.sim.reserving import strike_reserved, with_segment
from novaha.sim.run import simulate
from novaha.sim.script import Script
from novaha.sim.spec import Outcome, Violation, WorldSpec

END_S = 7200.0
"""Long enough for some tries of what failed, each twice as late as the one before."""

LOSSES = ((6, 0), (60, 1), (30, 2), (4, 3))
FAULTS = ((15, 0), (35, 1), (30, 2), (20, 3))
"""(weight, how many of them)."""


@dataclass(frozen=True)
class Schedule:
    """A world and what happens in it."""

    spec: WorldSpec
    script: Script


@dataclass
class Tally:
    """What many schedules came to; first: the lowest seeds that broke a law, with the laws."""

    schedules: int = 0
    virtual_s: int = 0
    words: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[tuple[int, Violation]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what other schedules came to."""
        self.schedules += other.schedules
        self.virtual_s += other.virtual_s
        self.words.update(other.words)
        self.faults.update(other.faults)
        self.changes.update(other.changes)
        self.broken = sorted([*self.broken, *other.broken], key=lambda row: row[0])


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    rng = Random(seed)  # noqa: S311 - it has to be the same again, not hard to guess
    wishes = Random(f"wishes {seed}")  # noqa: S311
    segments = Random(f"segments {seed}")  # noqa: S311
    groups = Random(f"groups {seed}")  # noqa: S311
    outages = Random(f"outages {seed}")  # noqa: S311
    phases = Random(f"phases {seed}")  # noqa: S311
    plain = with_segment(segments, with_wishes(wishes, random_world(rng)))
    spec = with_phases(phases, with_affinity(groups, plain))
    draw = Draw(rng, with_gate(outages, spec))
    for _ in range(weighted(rng, LOSSES)):
        draw.lose_a_compute()
    for _ in range(weighted(rng, FAULTS)):
        mishap = weighted(rng, MISHAPS)
        mishap(draw)
    say_more(wishes, draw)
    strike_reserved(segments, draw)
    strike_group(groups, draw)
    cut_power(outages, draw)
    strike_starts(phases, draw)
    strike_drains(Random(f"drains {seed}"), draw)  # noqa: S311
    events = sorted(draw.events, key=lambda event: event.at_s)
    return Schedule(draw.spec, Script(tuple(events), END_S, seed))


def play(spec: WorldSpec, script: Script) -> Outcome:
    """Return what a script comes to in a world."""
    return simulate(spec, script.events, script.seed, script.end_s)


def violations(outcome: Outcome) -> tuple[Violation, ...]:
    """Return the broken laws that we could have kept; a world that finds no rest breaks L3."""
    found = [v for v in outcome.violations if not v.excused]
    if not outcome.calm:
        shown = "; ".join(f"{hold.subject} {hold.text}" for hold in outcome.holds)
        text = f"still not at rest, and shows: {shown or 'nothing'}"
        found.append(Violation("L3", outcome.ended_s, text))
    return tuple(found)


def run(seeds: Iterable[int]) -> Tally:
    """Play the schedules of some seeds."""
    tally = Tally()
    for seed in seeds:
        drawn = schedule(seed)
        outcome = play(drawn.spec, drawn.script)
        tally.schedules += 1
        tally.virtual_s += round(outcome.ended_s)
        tally.words.update(event.word for event in drawn.script.events)
        tally.faults.update(outcome.faults)
        tally.changes.update(outcome.changes)
        tally.broken += [(seed, violation) for violation in violations(outcome)[:1]]
    return tally
