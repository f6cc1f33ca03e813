"""`nova-ha confirm-off`: a person says that a lost host is off, which no fence device can tell."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from novaha.cli.codes import SAME
from novaha.cli.person import must_be_root, note, who, words, wrong
from novaha.core.confirmation import Sight, refusal
from novaha.core.names import NodeName

DESCRIPTION = """\
For a host that is lost and whose fencing fails on every level: say that it is off, and its
instances are evacuated. Go there, switch it off or pull its plug, and look, before you say so. A
host that runs on beside its evacuated instances destroys their disks; nothing but your word
protects them here.

It asks what you saw, and for the name of the host; --yes with --saw does without. It refuses hosts
that are online, or that Pacemaker does not want fenced. Who confirmed, when and what they saw
stands in the cluster's properties (nova-ha-confirmed-NODE), in the receipt, and in the system's
log."""


@dataclass(frozen=True)
class Scene:
    """The host, how often its fencing failed, and what was done.

    by_hand: it was confirmed by Pacemaker's own tools, which starts no recovery. receipt: "" where
    nothing was done.
    """

    node: NodeName
    by_hand: bool
    failures: int
    last_reason: str
    by: str
    saw: str
    changed: bool
    receipt: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "confirm-off", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("node", metavar="NODE", help="a host that is lost")
    parser.add_argument("--saw", type=words, metavar="TEXT", help="what you saw; needed with --yes")
    parser.add_argument(
        "--anyway", action="store_true", help="though no fencing of it has failed, or is braked"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for the name of the host")
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show how the host stands, and confirm that it is off where a person says so."""
    from novaha.adapters.confirm import look

    if args.yes and not args.saw:
        return wrong("--yes needs --saw: others will ask how you knew that it is off")
    must_be_root()
    node = NodeName(args.node)
    sight = look(node)
    if why := refusal(sight, anyway=args.anyway):
        return wrong(why)
    scene = _scene(sight, args.saw or "")
    asks = not args.yes and not args.json and sys.stdin.isatty()
    if asks:
        sys.stdout.write(in_words(scene))
        scene = ask(scene)
    if args.yes or (asks and scene.saw):
        return _confirm(scene, args)
    sys.stdout.write(as_json(scene) if args.json else "" if asks else in_words(scene))
    sys.stderr.write("nothing was changed; --yes with --saw confirms that it is off\n")
    return SAME


def _scene(sight: Sight, saw: str) -> Scene:
    failures = sight.failures
    last = failures[-1].reason if failures else ""
    return Scene(sight.node, sight.by_hand, len(failures), last, who(), saw, changed=False)


def ask(scene: Scene) -> Scene:
    """Ask what the person saw, and for the name; without an answer nothing was seen."""
    saw = scene.saw or _answer("What did you see there that tells you that it is off? ")
    try:
        saw = words(saw)
    except argparse.ArgumentTypeError:
        return replace(scene, saw="")
    typed = _answer(f"Type the name of the host to confirm that it is off ({scene.node}): ")
    return replace(scene, saw=saw if typed == scene.node else "")


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        return ""


def _confirm(scene: Scene, args: argparse.Namespace) -> int:
    """Confirm it, having looked once more: an answer may have taken long."""
    from novaha.adapters.confirm import confirm, look

    if why := refusal(look(scene.node), anyway=args.anyway):
        return wrong(why)
    receipt = confirm(scene.node, scene.by, scene.saw)
    note(f"{scene.by} confirmed that {scene.node} is off: {scene.saw}")
    done = replace(scene, changed=True, receipt=receipt.id)
    sys.stdout.write(as_json(done) if args.json else in_words(done))
    return SAME


def as_json(scene: Scene) -> str:
    """Return a scene as one JSON object, field by field."""
    return json.dumps(asdict(scene), indent=2, ensure_ascii=False) + "\n"


def in_words(scene: Scene) -> str:
    """Return a scene as people read it."""
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    last = f", the last time: {scene.last_reason}" if scene.last_reason else ""
    times = "once" if scene.failures == 1 else f"{scene.failures} times"
    if scene.by_hand:
        yield f"{scene.node} was confirmed off by Pacemaker's tools; its instances are still there"
    else:
        yield f"{scene.node} is lost, and its fencing failed {times}{last}"
    if scene.changed:
        yield f"confirmed off by {scene.by} (receipt {scene.receipt}): {scene.saw}"
        yield f"it is evacuated now; see: nova-ha explain {scene.node}"
