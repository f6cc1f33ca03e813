"""`nova-ha simulate`: scenarios, their crash points, and random schedules by the thousand."""

import argparse
import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

from novaha.cli import simulate_seeds
from novaha.cli.codes import BAD_INPUT, DIFFERS, SAME
from novaha.sim.crash import crashes, points
from novaha.sim.report import as_json, report
from novaha.sim.scenario import Scenario, folders, load
from novaha.sim.script import ScriptError
from novaha.sim.seeds import play
from novaha.sim.spec import Outcome

SCENARIOS = "tests/scenarios"

HELP = "run scenarios or random schedules in a simulated cluster and cloud"
DESCRIPTION = """\
Run a whole simulated cluster and cloud, on a virtual clock, under the shipped decisions.

A SCENARIO is a folder with README, world.toml, script and trace; docs/simulator.md tells more.
Exit code: 0 all as expected; 1 a trace differs or a law is broken; 2 the input cannot be used."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the sub-command; sets run, which takes the arguments and returns the exit code."""
    parser = subparsers.add_parser(
        "simulate",
        help=HELP,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", nargs="*", type=Path, help="folder of a scenario")
    parser.add_argument(
        "--all",
        nargs="?",
        const=Path(SCENARIOS),
        type=Path,
        metavar="FOLDER",
        help=f"all scenarios of a folder (default: {SCENARIOS})",
    )
    parser.add_argument("--diff", action="store_true", help="show only what differs from `trace`")
    parser.add_argument(
        "--crash-points",
        action="store_true",
        help="kill the process before and after each external call of the scenarios in turn",
    )
    simulate_seeds.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    try:
        paths = _chosen(args)
        if args.seeds is not None:
            return simulate_seeds.run(args)
        scenarios = [load(path) for path in paths]
    except (ScriptError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    if args.crash_points:
        results = [_crash_points(scenario) for scenario in scenarios]
    elif len(scenarios) == 1 and args.all is None:
        results = [_one(scenarios[0], args)]
    else:
        results = [_of_many(scenario, args) for scenario in scenarios]
    return DIFFERS if any(results) else SAME


def _chosen(args: argparse.Namespace) -> list[Path]:
    """Return the folders of the chosen scenarios; raises ValueError and ScriptError."""
    chosen = bool(args.scenario) + (args.all is not None) + (args.seeds is not None)
    if chosen != 1:
        msg = "expected one of: folders of scenarios, --all, --seeds A..B"
        raise ValueError(msg)
    return list(args.scenario) if args.all is None else folders(args.all)


def _one(scenario: Scenario, args: argparse.Namespace) -> bool:
    """Print a trace, or its differences; returns whether something is wrong."""
    outcome = play(scenario.spec, scenario.script)
    text = report(outcome)
    differs = bool(scenario.trace) and text != scenario.trace
    if args.diff:
        sys.stdout.writelines(_diff(scenario, text))
    else:
        sys.stdout.write(as_json(outcome) if args.json else text)
    if differs and not args.diff:
        sys.stderr.write(f"{scenario.name}: differs from the expected trace, see --diff\n")
    if not scenario.trace:
        sys.stderr.write(f"{scenario.name}: there is no expected trace\n")
    return differs or _broken(scenario, outcome)


def _of_many(scenario: Scenario, args: argparse.Namespace) -> bool:
    """Print one line, and what differs where that was asked for."""
    outcome = play(scenario.spec, scenario.script)
    text = report(outcome)
    broken = _broken(scenario, outcome)
    verdict = "same" if text == scenario.trace else "DIFFERS" if scenario.trace else "NO TRACE"
    sys.stdout.write(f"{'BROKEN' if broken else verdict:<8}  {scenario.name}: {scenario.readme}\n")
    if args.diff:
        sys.stdout.writelines(_diff(scenario, text))
    return broken or verdict != "same"


def _diff(scenario: Scenario, text: str) -> Iterator[str]:
    before, after = scenario.trace.splitlines(keepends=True), text.splitlines(keepends=True)
    return unified_diff(before, after, f"{scenario.name}/trace", "now")


def _broken(scenario: Scenario, outcome: Outcome) -> bool:
    """Tell whether a law is broken that the expected trace does not show."""
    return any(f"  {v.law:<10}" not in scenario.trace for v in outcome.violations)


def _crash_points(scenario: Scenario) -> bool:
    plain = play(scenario.spec, scenario.script)
    chosen = points(plain, scenario.script)
    found = list(crashes(scenario.spec, scenario.script, plain, chosen))
    sys.stdout.write(f"{scenario.name}: {len(chosen)} crash points, {len(found)} end otherwise\n")
    for crash in found:
        sys.stdout.write(f"  killed {crash.point}: {'; '.join(crash.differences)}\n")
    return bool(found)
