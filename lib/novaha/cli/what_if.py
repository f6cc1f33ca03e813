"""`nova-ha cib what-if`: what Pacemaker would do, asked from its own scheduler; changes nothing."""

import argparse
import json
import sys
import time
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from novaha.adapters import configuration as cluster
from novaha.cib import generate, outcome, render_xml, running
from novaha.cib.events import Event, happen
from novaha.cib.xml import Element
from novaha.cli.codes import SAME
from novaha.cli.reading import cib_of, inventory_of
from novaha.errors import ConfigError

DESCRIPTION = """\
Say what Pacemaker would do if these things happened at once: who is fenced and by which devices,
what moves, what starts. The scheduler of this machine's Pacemaker is asked; nothing is changed.

It tells the first reaction. What follows once a fencing has succeeded or failed is another one.
"""


def add_parser(verbs: "argparse._SubParsersAction[Any]") -> None:
    """Add the verb; sets verb, which takes the arguments and returns the exit code."""
    parser = verbs.add_parser(
        "what-if",
        help="what Pacemaker would do about a loss",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, text in (
        ("down", "nodes that are lost"),
        ("standby", "nodes that are put into standby"),
        ("maintenance", "nodes that are put into maintenance"),
    ):
        parser.add_argument(f"--{name}", nargs="+", action="extend", metavar="NODE", help=text)
    parser.add_argument(
        "--fail", nargs="+", action="extend", metavar="RESOURCE[@NODE]", help="resources that fail"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--file", type=Path, help="a CIB instead of the running cluster's")
    instead.add_argument("--inventory", type=Path, help="a cluster as it would be, all running")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(verb=what_if)


def what_if(args: argparse.Namespace) -> int:
    """Ask the scheduler, and tell; returns the exit code."""
    events = _events(args)
    before = _cib(args)
    if before.find("status/node_state") is None:
        msg = "this CIB has no status, so nothing runs; --inventory takes everything as running"
        raise ConfigError(msg)
    known, after = _asked(before, events)
    if args.json:
        sys.stdout.write(json.dumps(asdict(known), indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in outcome.words(events, known, after))
    return SAME


def _asked(before: Element, events: tuple[Event, ...]) -> tuple[outcome.Outcome, Element]:
    after = deepcopy(before)
    for event in events:
        happen(after, event, int(time.time()))
    known = outcome.read(cluster.simulated(after), after)
    pending = outcome.read(cluster.simulated(before), before)
    if pending.steps or pending.fencings:
        sys.stderr.write("note: the cluster is not at rest; this includes what it does anyway\n")
    return known, after


def _events(args: argparse.Namespace) -> tuple[Event, ...]:
    events = [Event("down", name) for name in args.down or ()]
    events += [Event("standby", name) for name in args.standby or ()]
    events += [Event("maintenance", name) for name in args.maintenance or ()]
    for text in args.fail or ():
        name, _, node = text.partition("@")
        events.append(Event("fail", name, node or None))
    if not events:
        msg = "say what happens: --down, --standby, --maintenance or --fail"
        raise ConfigError(msg)
    return tuple(dict.fromkeys(events))


def _cib(args: argparse.Namespace) -> Element:
    if args.inventory is None:
        return cib_of(args.file)
    known = inventory_of(args.inventory)
    cib = render_xml.whole(generate.generate(known))
    return running.running(cib, [node.name for node in known.controllers])
