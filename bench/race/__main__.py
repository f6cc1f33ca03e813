"""The command: run what is missing of a race, write its results and its report.

Usage: make bench [RACE_ARGS="--plan 20x5,200x2 --contenders floor,nova-ha,..."].
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from testcloud.errors import ClusterError
from testcloud.settings import Settings
from testcloud.steps import say

from . import contenders, heat, machine, pictures, plan, results, search, stats, tables
from .goals import FLOOR
from .lineup import NAMES
from .plan import Heat
from .results import Results
from .stage import Stage

FULL, QUICK = "20x5,200x2", "4x1"
_RESULTS = Path(__file__).parents[1] / "results"


def main(argv: Sequence[str]) -> int:
    """Run it; 2 for bad arguments, 1 when the cluster fails."""
    arguments = arguments_of(argv)
    try:
        found = _load(arguments.out)
        if not arguments.report:
            found = _run(arguments, found)
    except (ClusterError, ValueError) as error:
        say(f"bench: {error}")
        return 1
    report(arguments.out, found)
    return 0


def report(out: Path, found: Results) -> None:
    """Write the report and its pictures beside the results, and print the report."""
    names = []
    for instances in found.sizes():
        for kind, draw in (("curve", pictures.curve), ("bars", pictures.bars)):
            picture = out.with_name(f"{out.stem}-{instances}-{kind}.svg")
            picture.write_text(draw(found, instances))
            names.append(picture.name)
    text = tables.report(found, names)
    out.with_suffix(".md").write_text(text)
    print(text)
    say(f"bench: {out}, {out.with_suffix('.md').name} and {len(names)} pictures written")


def _run(arguments: argparse.Namespace, found: Results) -> Results:
    stage = Stage(Settings(computes=arguments.computes))
    found = found if found.machine else replace(found, machine=machine.described(stage))
    end_s = time.monotonic() + arguments.minutes * 60
    for each in wanted(arguments):
        if each in found.done():
            continue
        if time.monotonic() >= end_s:
            say("bench: the time is up; the same command goes on with what is missing")
            break
        found = _one(stage, each, arguments, found)
    stage.stand_up()
    return found


def wanted(arguments: argparse.Namespace) -> list[Heat]:
    """Return all heats: first of each size the search for the floor, if it takes part unnamed."""
    searched = FLOOR in arguments.contenders and not arguments.floor
    heats: list[Heat] = []
    for size in arguments.plan:
        if searched:
            heats += search.heats(size.instances, arguments.search)
        heats += plan.heats((size,), arguments.contenders)
    return heats


def _one(stage: Stage, each: Heat, arguments: argparse.Namespace, found: Results) -> Results:
    say(f"bench: {each.contender}, {each.instances} instances, round {each.round}")
    in_flight = search.number_of(each.contender) or arguments.floor
    if not in_flight and each.contender == FLOOR:
        in_flight = search.best(found, each.instances)
    result = heat.run(stage, each, contenders.made(stage, each.contender, in_flight))
    last = stats.last_active(result)
    say(f"bench: last ACTIVE after {last:.1f} s" if last else f"bench: {result.problem}")
    found = results.with_result(found, result)
    results.save(arguments.out, found)
    _restore(stage)
    return found


def _restore(stage: Stage) -> None:
    """Put the cluster back, or make it anew where that does not come about."""
    try:
        stage.restore()
    except ClusterError as error:
        say(f"bench: making the cluster anew: {error}")
        stage.make_anew()


def _load(out: Path) -> Results:
    return results.load(out) if out.exists() else Results({})


def arguments_of(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="race", description=__doc__.splitlines()[0])
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    add = parser.add_argument
    add("--plan", type=_plan, default=FULL, help="instances x rounds; default: " + FULL)
    add("--quick", action="store_const", dest="plan", const=plan.parse(QUICK), help=QUICK)
    add("--contenders", type=_names, default=NAMES, help="default: " + ",".join(NAMES))
    add("--floor", type=int, default=0, metavar="N", help="how many in flight; default: search")
    tried = ",".join(map(str, search.TRIED))
    add("--search", type=_numbers, default=tried, metavar="N,N", help=f"tried; default: {tried}")
    add("--computes", type=int, default=4, help="hosts, the lost one included")
    add("--minutes", type=float, default=600.0, help="begin no heat after so long")
    add("--out", type=Path, default=_RESULTS / f"{today}.json", help="go on with what is there")
    add("--report", action="store_true", help="run nothing, write the report again")
    return parser.parse_args(argv)


def _plan(text: str) -> tuple[plan.Size, ...]:
    try:
        return plan.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    wrong = [part for part in parts if not (part.isdecimal() and int(part))]
    if wrong:
        msg = f"{wrong[0]!r} is no number of evacuations in flight, such as 8"
        raise argparse.ArgumentTypeError(msg)
    return tuple(map(int, parts))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        msg = f"no contender {unknown[0]!r}; there are {', '.join(NAMES)}"
        raise argparse.ArgumentTypeError(msg)
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
