"""Explore the small world with a budget of faults, and print what was found.

    PYTHONPATH=lib python tests/model/run.py --placed 1,1 --losses 1 --crashes 1

Ends with 1 when a law is broken, when somewhere there is no way back, or when --limit cut it short.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field

from explore import Explored, dead_ends, evacuated, explore, recovered
from novaha.core.actions import Decision, Hold
from novaha.core.instances import instances_of
from novaha.core.model import View
from novaha.core.standing import concerned, stand
from smallprocess import Automaton
from smallspace import Space
from smalltime import POLICY
from smallworld import Left, World, first_world


@dataclass
class Tally:
    """What was decided, and in which states."""

    kinds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def note(self, view: View, decisions: tuple[Decision, ...]) -> None:
        self.kinds.update(d.reason.code if isinstance(d, Hold) else _kind(d) for d in decisions)
        for node in concerned(view.cluster):
            standing = stand(view, POLICY, node)
            self.states[standing.state.name] += 1
            instances = instances_of(view, POLICY, standing)
            self.states.update(i.state.name for i in instances if i.state is not None)


def _kind(decision: Decision) -> str:
    return type(decision).__name__


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Explore the small world exhaustively.")
    parser.add_argument("--placed", default="1,1", help="the host of each instance, from 1 to 3")
    parser.add_argument("--limit", type=int, default=100_000_000, help="of states")
    for name in Left._fields:
        parser.add_argument(f"--{name}", type=int, default=0)
    return parser.parse_args(argv)


def progress(done: int, known: int) -> None:
    print(f"{done} states visited, {known} known", file=sys.stderr, flush=True)  # noqa: T201


def summary(found: Explored, first: World, tally: Tally) -> tuple[list[str], bool]:
    """Return the lines to print, and whether all is as it must be."""
    lines = [
        f"{found.states} states, {found.transitions} transitions, {found.seconds:.0f} s",
        f"{len(found.space.worlds.values)} worlds, {found.space.automaton.decided} decisions",
        "decided: " + ", ".join(f"{kind} {n}" for kind, n in tally.kinds.most_common()),
        "seen: " + ", ".join(sorted(tally.states)),
    ]
    if found.violation:
        return [*lines, f"BROKEN: {found.violation}", *found.path], False
    if not found.complete:
        return [*lines, "CUT SHORT: not every state was visited; no law is broken so far"], False
    goal = evacuated if first.left.persons else recovered(first)
    dead = dead_ends(found, goal)
    if dead:
        lines += [f"NO WAY BACK from {len(dead)} states, first:", *found.way_to(dead[0])]
    return [*lines, "complete; no law is broken"], not dead


def main(argv: list[str]) -> int:
    args = arguments(argv)
    left = Left(**{name: getattr(args, name) for name in Left._fields})
    first = first_world(tuple(int(host) - 1 for host in args.placed.split(",")), left)
    tally = Tally()
    space = Space(Automaton(note=tally.note))
    lines, good = summary(explore(first, args.limit, space, progress), first, tally)
    print("\n".join(lines))  # noqa: T201
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
