"""`nova-ha arm`: a person takes disarms away before their time is over."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from novaha.cli.codes import SAME
from novaha.cli.disarm import Senseless, add_scope, as_json, scopes_of
from novaha.cli.person import must_be_root, note, who, wrong
from novaha.core.disarm import Disarm, Scope

DESCRIPTION = """\
Show what is disarmed (nova-ha disarm), and with --yes arm it again: what was lost meanwhile is
recovered at once. Without a word on what: everything. What is disarmed as a whole, such as a
segment, is armed as a whole."""


@dataclass(frozen=True)
class Scene:
    """What is taken away, and what stays disarmed. unreadable: what nobody can read goes, too."""

    arm: tuple[Disarm, ...]
    stays: tuple[Disarm, ...]
    unreadable: tuple[tuple[str, str], ...]
    changed: bool


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "arm", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_scope(parser)
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what would be armed, and arm it where that was asked for."""
    try:
        scopes = scopes_of(args)
        must_be_root()
        scene = look(scopes, time.time())
    except Senseless as error:
        return wrong(str(error))
    if args.yes:
        scene = do(scene)
    sys.stdout.write(as_json(scene) if args.json else in_words(scene))
    if (scene.arm or scene.unreadable) and not scene.changed:
        sys.stderr.write("nothing was changed; --yes arms\n")
    return SAME


def look(scopes: Sequence[Scope], now_s: float) -> Scene:
    """Return what is disarmed; raises Senseless for what is not, ClusterUnavailable."""
    from novaha.adapters import cib
    from novaha.adapters.disarm import disarms_of

    found = disarms_of(cib.query())
    good = found.good(now_s)
    missing = [str(scope) for scope in scopes if scope not in {d.scope for d in good}]
    if missing:
        listed = ", ".join(str(disarm.scope) for disarm in good) or "nothing is"
        msg = f"not disarmed: {', '.join(missing)}; disarmed: {listed}"
        raise Senseless(msg)
    if scopes:
        arm = tuple(disarm for disarm in good if disarm.scope in scopes)
        stays = tuple(disarm for disarm in good if disarm.scope not in scopes)
        return Scene(arm, stays, (), changed=False)
    return Scene(found.disarms, (), found.unreadable, changed=False)


def do(scene: Scene) -> Scene:
    """Arm in the CIB, and log it; raises ClusterUnavailable."""
    from novaha.adapters.disarm import delete

    delete(scene.arm, scene.unreadable)
    if scene.arm:
        note(f"{who()} armed {', '.join(str(disarm.scope) for disarm in scene.arm)}")
    return Scene(scene.arm, scene.stays, scene.unreadable, changed=True)


def in_words(scene: Scene) -> str:
    """Return a scene as people read it."""
    what = "is armed" if scene.changed else "would be armed"
    lines = [f"{disarm.scope} {what}; it was disarmed by {disarm.by}" for disarm in scene.arm]
    lines += [
        f"{name}, which cannot be read, {'is' if scene.changed else 'would be'} deleted"
        for name, _ in scene.unreadable
    ]
    lines += [f"{disarm}: that stays" for disarm in scene.stays]
    return "\n".join(lines or ["nothing is disarmed"]) + "\n"
