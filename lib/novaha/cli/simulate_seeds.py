"""`nova-ha simulate --seeds A..B`: many random schedules, their sum, and the first that fails."""

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from novaha.cli.codes import DIFFERS, SAME
from novaha.core.states import INSTANCE, RECOVERY
from novaha.sim import seeds
from novaha.sim.report import report
from novaha.sim.scenario import Scenario, save
from novaha.sim.script import Script, render
from novaha.sim.seeds import Tally
from novaha.sim.shrink import Events, shrink
from novaha.sim.spec import Violation, WorldSpec

CHUNK = 50
MOST_SEEDS = 100_000_000
MOST_JOBS = 256
PROGRESS_S = 2.0
_RANGE = re.compile(r"([0-9]{1,12})\.\.([0-9]{1,12})")


@dataclass(frozen=True)
class Shrunk:
    """The first schedule that broke a law, as small as it could be made."""

    scenario: Scenario
    violation: Violation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what concerns seeds."""
    parser.add_argument("--seeds", metavar="A..B", help="random schedules, A and B included")
    parser.add_argument("--jobs", default="1", metavar="N", help="processes for them (default: 1)")
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="where the first that fails goes, as a scenario"
    )


def run(args: argparse.Namespace) -> int:
    """Play the schedules, print their sum; returns the exit code. Raises ValueError."""
    chosen, jobs = parse_seeds(args.seeds), parse_jobs(args.jobs)
    began_s = time.monotonic()
    tally = _play_all(chosen, jobs)
    took_s = time.monotonic() - began_s
    shrunk = shrink_first(tally) if tally.broken else None
    if args.json:
        content = _content(tally, chosen, took_s, shrunk)
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(summary(tally, took_s)) + "\n")
        if shrunk is not None:
            sys.stdout.write("\n".join(_told(shrunk)) + "\n")
    if shrunk is not None and args.save is not None:
        folder = args.save / shrunk.scenario.name
        save(shrunk.scenario, folder)
        sys.stderr.write(f"saved as {folder}\n")
    return DIFFERS if tally.broken else SAME


def parse_seeds(text: str) -> range:
    """Return the seeds that A..B means, both included; raises ValueError."""
    match = _RANGE.fullmatch(text)
    if match is None:
        msg = f"--seeds: found {text!r}, expected two whole numbers such as 1..300"
        raise ValueError(msg)
    first, last = int(match[1]), int(match[2])
    if not first <= last < first + MOST_SEEDS:
        msg = f"--seeds: found {text!r}, expected the lower seed first, at most {MOST_SEEDS} seeds"
        raise ValueError(msg)
    return range(first, last + 1)


def parse_jobs(text: str) -> int:
    """Return how many processes are wanted; raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_JOBS:
        msg = f"--jobs: found {text!r}, expected a whole number from 1 to {MOST_JOBS}"
        raise ValueError(msg)
    return int(text)


def _play_all(chosen: range, jobs: int) -> Tally:
    began_s = shown_s = time.monotonic()
    tally = Tally()
    for part in _parts(chosen, jobs):
        tally.add(part)
        now_s = time.monotonic()
        if now_s - shown_s >= PROGRESS_S:
            shown_s = now_s
            rate = tally.schedules / (now_s - began_s)
            sys.stderr.write(
                f"{tally.schedules} of {len(chosen)} schedules, {rate:.0f} a second,"
                f" {len(tally.broken)} broke a law\n"
            )
    return tally


def _parts(chosen: range, jobs: int) -> Iterator[Tally]:
    """Yield the sums of some schedules at a time, the same and in the same order for any jobs."""
    chunks = [chosen[n : n + CHUNK] for n in range(0, len(chosen), CHUNK)]
    if jobs == 1:
        yield from map(seeds.run, chunks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(seeds.run, chunks)


def shrink_first(tally: Tally) -> Shrunk:
    """Make the schedule of the lowest seed that broke a law as small as it gets.

    Without the jitter of its seed where the law is broken then too, for that is easier to read.
    """
    seed, violation = tally.broken[0]
    drawn = seeds.schedule(seed)
    script = drawn.script
    plain = Script(script.events, script.end_s)
    if _breaks(drawn.spec, plain, violation.law) is not None:
        script = plain

    def fails(events: Events) -> bool:
        return _breaks(drawn.spec, _with(script, events), violation.law) is not None

    small = _with(script, shrink(script.events, fails))
    found = _breaks(drawn.spec, small, violation.law) or violation
    readme = f"Seed {seed} broke {found.law}; no law may be broken."
    name = f"seed-{seed}"
    return Shrunk(Scenario(name, readme, drawn.spec, small), found)


def _with(script: Script, events: Events) -> Script:
    return Script(events, script.end_s, script.seed)


def _breaks(spec: WorldSpec, script: Script, law: str) -> Violation | None:
    """Return how a script breaks a law in a world, if it does."""
    found = seeds.violations(seeds.play(spec, script))
    return next((violation for violation in found if violation.law == law), None)


def summary(tally: Tally, took_s: float) -> Iterator[str]:
    """Yield the lines that a person reads."""
    rate = tally.schedules / took_s if took_s else 0.0
    yield f"{tally.schedules} schedules in {took_s:.1f} s, {rate:.0f} a second"
    yield f"{tally.virtual_s / 3600:.0f} virtual hours, {len(tally.broken)} schedules broke a law"
    yield f"words: {_counted(tally.words)}"
    yield f"faults that struck: {_counted(tally.faults)}"
    seen, missing, strange = _covered(tally.changes)
    yield f"changes of state seen: {len(seen)} of {len(seen) + len(missing)}"
    yield f"changes of the tables never seen: {', '.join(missing) or 'none'}"
    yield f"changes seen that are in no table: {', '.join(strange) or 'none'}"
    for seed, violation in tally.broken[:10]:
        yield f"seed {seed}: {violation.law} at {violation.at_s:.1f} s: {violation.text}"


def _counted(counter: Counter[str]) -> str:
    rows = sorted(counter.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(f"{name} {count}" for name, count in rows) or "none"


def _covered(changes: Counter[tuple[str, str]]) -> tuple[list[str], list[str], list[str]]:
    """Return the changes of the tables that were seen, those that were not, and all others."""
    rows = (*RECOVERY, *INSTANCE)
    known = list(dict.fromkeys((row.before.name, row.after.name) for row in rows))
    seen = [_change(change) for change in known if changes[change]]
    missing = [_change(change) for change in known if not changes[change]]
    strange = sorted(_change(change) for change in changes if change not in known)
    return seen, missing, strange


def _change(change: tuple[str, str]) -> str:
    return f"{change[0]} -> {change[1]}"


def _told(shrunk: Shrunk) -> Iterator[str]:
    yield f"\nthe first of them, shrunk ({shrunk.scenario.readme})"
    yield render(shrunk.scenario.script)
    yield "its trace"
    yield report(seeds.play(shrunk.scenario.spec, shrunk.scenario.script))


def _content(
    tally: Tally, chosen: range, took_s: float, shrunk: Shrunk | None
) -> dict[str, object]:
    """Return what --json prints."""
    seen, missing, strange = _covered(tally.changes)
    return {
        "seeds": [chosen[0], chosen[-1]],
        "schedules": tally.schedules,
        "seconds": round(took_s, 3),
        "virtual_s": tally.virtual_s,
        "words": dict(sorted(tally.words.items())),
        "faults": dict(sorted(tally.faults.items())),
        "changes": {"seen": seen, "never": missing, "in_no_table": strange},
        "violations": [
            {"seed": seed, "law": v.law, "at_s": round(v.at_s, 3), "text": v.text}
            for seed, v in tally.broken
        ],
        "shrunk": render(shrunk.scenario.script) if shrunk else None,
    }
