"""`nova-ha drain`: a person has a host emptied, and sees before what would leave it."""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, replace

from novaha.cli.codes import SAME
from novaha.cli.person import must_be_root, note, who, words, wrong
from novaha.core.drain import Drain
from novaha.core.foresight import Forecast
from novaha.core.names import NodeName

DESCRIPTION = """\
Show what is drained, or what a drain of NODE would do: which instances would be live-migrated, in
which order, and which would stay, and why. With --yes it is done: the host gets no new instances,
and those that can leave it do, a few at a time; nova-ha explain NODE shows how far it is.
nova-ha undrain gives back exactly what was taken.

With --standby the node is set in Pacemaker's standby once all that can leave has left. Setting it
in standby before stops its nova-compute, without which nothing can leave.

Who drained what, when and why stands in the cluster's properties (nova-ha-drain-NODE) and in the
system's log."""


@dataclass(frozen=True)
class Scene:
    """What is drained at this moment, and what would be.

    forecast: what that does; None where Nova did not tell, and unknown says why.
    """

    drained: tuple[Drain, ...]
    drain: Drain | None
    forecast: Forecast | None
    unknown: str
    changed: bool


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "drain", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("node", nargs="?", metavar="NODE", help="a compute node")
    parser.add_argument("--why", type=words, metavar="TEXT", help="the reason; others will ask")
    parser.add_argument(
        "--standby", action="store_true", help="then set the node in Pacemaker's standby"
    )
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what is drained or would be, and drain where that was asked for."""
    if args.node is None and (args.yes or args.why or args.standby):
        return wrong("say which node is to be drained")
    must_be_root()
    scene = look(args)
    if scene is None:
        return wrong(f"no such node: {args.node}; known: {', '.join(_known()) or 'there is none'}")
    if args.yes and scene.drain:
        scene = do(scene, scene.drain)
    sys.stdout.write(as_json(scene) if args.json else in_words(scene))
    if scene.unknown:
        sys.stderr.write(f"what would leave it is not known: {scene.unknown}\n")
    if scene.drain and not scene.changed:
        sys.stderr.write("nothing was changed; --yes drains\n")
    return SAME


def look(args: argparse.Namespace) -> Scene | None:
    """Return what is drained and would be, None for an unknown node; raises ClusterUnavailable."""
    from novaha.adapters import cib
    from novaha.adapters.drain import drains_of

    drained = drains_of(cib.query())
    if args.node is None:
        return Scene(drained, None, None, "", changed=False)
    if args.node not in _known():
        return None
    node = NodeName(args.node)
    forecast, unknown = foreseen(node)
    drain = Drain(node, time.time(), who(), args.why or "", args.standby)
    return Scene(drained, drain, forecast, unknown, changed=False)


def _known() -> list[str]:
    from novaha.adapters import cib
    from novaha.adapters.pacemaker import lives_of

    return sorted(lives_of(cib.query()))


def foreseen(node: NodeName) -> tuple[Forecast | None, str]:
    """Ask Nova what a drain would do; returns the reason why not where it does not tell."""
    from novaha.app.apply import ask
    from novaha.cli.asking import seen_by_a_person
    from novaha.core.foresight import asks_to_foresee, foresee
    from novaha.core.silence import unknown
    from novaha.errors import NovaHaError

    try:
        eye = seen_by_a_person()
        view = eye.view
        while not unknown(view.memory) and (wanted := asks_to_foresee(view, eye.policy, node)):
            view = replace(view, memory=ask(view.memory, wanted, eye.nova, eye.clock))
    except NovaHaError as error:
        return None, str(error)
    found = foresee(view, eye.policy, node)
    return found, "" if found else unknown(view.memory) or "Nova lists no host for it"


def do(scene: Scene, drain: Drain) -> Scene:
    """Drain in the CIB, and log it; raises ClusterUnavailable."""
    from novaha.adapters.drain import write_drain

    write_drain(drain)
    note(f"{drain.node} drained by {drain}")
    others = (each for each in scene.drained if each.node != drain.node)
    return replace(scene, drained=(*others, drain), changed=True)


def as_json(scene: object) -> str:
    """Return a scene as one JSON object, field by field."""
    return json.dumps(asdict(scene), indent=2, ensure_ascii=False) + "\n"  # type: ignore[call-overload]


def in_words(scene: Scene) -> str:
    """Return a scene as people read it."""
    lines = [f"{drain.node} is drained by {drain}{_then(drain)}" for drain in scene.drained]
    if scene.drain and not scene.changed:
        lines.append(f"{scene.drain.node} would be drained by {scene.drain}{_then(scene.drain)}")
    if scene.forecast:
        lines += _foretold(scene.forecast)
    return "\n".join(lines or ["nothing is drained"]) + "\n"


def _then(drain: Drain) -> str:
    return " (to standby)" if drain.standby else ""


def _foretold(forecast: Forecast) -> list[str]:
    names = ", ".join(forecast.leave) or "nobody"
    return [
        f"  its service is {forecast.service}",
        f"  leave: {names}",
        *(f"  stays: {each.name} ({each.id}): {each.why}" for each in forecast.stay),
    ]
