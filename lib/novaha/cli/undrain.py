"""`nova-ha undrain`: a person takes a drain back, and the host serves as it did before."""

import argparse
import sys
from dataclasses import dataclass

from novaha.cli.codes import SAME
from novaha.cli.drain import as_json
from novaha.cli.person import must_be_root, note, who, wrong
from novaha.core.drain import Drain, Health, Withdrawn
from novaha.core.names import NodeName

DESCRIPTION = """\
Show what would be given back to drained nodes, and with --yes do it: the recovery process takes the
node out of standby if it had set it there, and enables its service if it had disabled it. What a
person has disabled or set stays so. Live migrations under way go on to their end; nothing is moved
back."""


@dataclass(frozen=True)
class Scene:
    """What is taken back. withdrawn: what the nodes are given back then. sick: not healthy."""

    undrain: tuple[Drain, ...]
    withdrawn: tuple[Withdrawn, ...]
    sick: tuple[tuple[NodeName, Health], ...]
    changed: bool


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "undrain", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("nodes", nargs="+", metavar="NODE", help="drained compute nodes")
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what would be taken back, and do it where that was asked for."""
    must_be_root()
    from novaha.adapters import cib
    from novaha.adapters import drain as adapter

    root = cib.query()
    drained = adapter.drains_of(root)
    missing = sorted(set(args.nodes) - {drain.node for drain in drained})
    if missing:
        listed = ", ".join(drain.node for drain in drained) or "nothing is"
        return wrong(f"not drained: {', '.join(missing)}; drained: {listed}")
    mine = tuple(drain for drain in drained if drain.node in args.nodes)
    taken = tuple(each for each in adapter.withdrawn_of(root) if each.node in args.nodes)
    sick = tuple(row for row in adapter.health_of_nodes(root) if row[0] in args.nodes)
    scene = Scene(mine, taken, sick, changed=args.yes)
    if args.yes:
        for drain in mine:
            adapter.delete_drain(drain)
            note(f"{drain.node}, drained by {drain}, undrained by {who()}")
    sys.stdout.write(as_json(scene) if args.json else in_words(scene))
    if not args.yes:
        sys.stderr.write("nothing was changed; --yes undrains\n")
    return SAME


def in_words(scene: Scene) -> str:
    """Return a scene as people read it."""
    what = "is undrained" if scene.changed else "would be undrained"
    lines = [f"{drain.node} {what}; it was drained by {drain}" for drain in scene.undrain]
    lines += [f"{each.node} {_given(each)}" for each in scene.withdrawn]
    lines += [f"{node} {_STILL[health]}" for node, health in scene.sick]
    return "\n".join(lines) + "\n"


_STILL = {
    Health.YELLOW: "gets no new instances all the same, while its health is yellow",
    Health.RED: "is drained all the same, while its health is red",
}


def _given(withdrawn: Withdrawn) -> str:
    if withdrawn.enabled:
        return "gets its service enabled, unless a person has disabled it since"
    return "keeps its service disabled, as a person had left it"
