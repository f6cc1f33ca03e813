"""The verbs of `nova-ha migrate` that ask Masakari and Nova."""

import argparse
import json
import sys
from dataclasses import asdict
from itertools import groupby

from novaha.adapters.masakari import Source
from novaha.cib.xml import Element
from novaha.cli.migrate import check_cloud, print_draft
from novaha.core.segments import Aggregate
from novaha.errors import CloudRefused, CloudUnavailable, ConfigError
from novaha.migrate import draft
from novaha.migrate.segments import Plan, Step, plan


def masakari(args: argparse.Namespace, cib: Element | None) -> int:
    """Print the inventory of the hosts in Masakari's segments; returns the exit code."""
    check_cloud(args.cloud)
    source = Source(args.cloud, args.clouds_yaml)
    names = [host.name for segment in source.segments() for host in segment.hosts]
    hosts = tuple(dict.fromkeys(names))
    if not hosts:
        msg = "Masakari has no hosts in any segment: there is nothing to migrate"
        raise ConfigError(msg)
    made = draft.of_hosts(cib, args.cloud, hosts, source.addresses())
    return print_draft(made, as_json=args.json)


def segments(args: argparse.Namespace) -> int:
    """Show what makes host aggregates of Masakari's segments, or do it; returns the exit code."""
    check_cloud(args.cloud)
    source = Source(args.cloud, args.clouds_yaml)
    found, aggregates = source.segments(), source.aggregates()
    wanted = plan(found, aggregates, source.hosts())
    _show(wanted, as_json=args.json)
    if wanted.steps and args.yes:
        _do(source, wanted.steps, {each.name: each for each in aggregates})
    elif wanted.steps:
        sys.stderr.write("nothing was changed; --yes changes the aggregates\n")
    return 0


def _show(wanted: Plan, *, as_json: bool) -> None:
    sys.stderr.writelines(f"note: {note}\n" for note in wanted.notes)
    if as_json:
        steps = [
            {**asdict(step), "command": step.command(), "undo": step.undo()}
            for step in wanted.steps
        ]
        sys.stdout.write(json.dumps(steps, indent=2) + "\n")
        return
    for step in wanted.steps:
        sys.stdout.write(f"{step}\n  {step.command()}\n")
    if wanted.steps:
        sys.stdout.write("to undo it:\n")
        sys.stdout.writelines(f"  {step.undo()}\n" for step in reversed(wanted.steps))
    sys.stdout.write(f"{len(wanted.steps)} changes\n")


def _do(source: Source, steps: tuple[Step, ...], known: dict[str, Aggregate]) -> None:
    """Take all steps, in order; a second run takes those that are left."""
    done = 0
    try:
        for (verb, name), some in groupby(steps, key=lambda step: (step.verb, step.aggregate)):
            group = list(some)
            if verb == "create":
                known[name] = source.create(name)
            elif verb == "set":
                source.set_metadata(known[name], {step.name: step.after for step in group})
            else:
                for step in group:
                    source.add_host(known[name], step.name)
            done += len(group)
    except (CloudRefused, CloudUnavailable):
        sys.stderr.write(
            f"{done} of {len(steps)} changes were made; the same call makes the rest\n"
        )
        raise
    sys.stderr.write(f"{done} changes were made\n")
