"""`nova-ha disarm`: a person says which hosts shall not be recovered for a while."""

import argparse
import json
import re
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from novaha.cli.codes import SAME
from novaha.cli.person import must_be_root, note, who, words, wrong
from novaha.core.disarm import LONGEST_S, Disarm, Scope

SHORTEST_S = 60
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}

DESCRIPTION = """\
Show what is disarmed, and with --yes disarm hosts, a segment or all: for so long what is lost there
is fenced as ever, recorded and shown, and not recovered. What is in recovery is finished first.
Afterwards, or after nova-ha arm, what was lost meanwhile is recovered.

A segment is a host aggregate of Nova with the metadata nova_ha:segment. This stops no fencing:
Pacemaker's own maintenance mode does (pcs property set maintenance-mode=true).

Who disarmed what, until when and why stands in the cluster's properties (nova-ha-disarm-…), in
nova-ha explain, and in the system's log."""


class Senseless(ValueError):
    """What was asked for makes no sense; the text says why."""


@dataclass(frozen=True)
class Scene:
    """What is disarmed at this moment, what would be, and what nobody can read.

    unchecked: why it is not known whether Nova has the segment, "" where it was asked.
    """

    disarmed: tuple[Disarm, ...]
    disarm: tuple[Disarm, ...]
    unreadable: tuple[str, ...]
    changed: bool
    unchecked: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "disarm", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_scope(parser)
    parser.add_argument("--why", type=words, metavar="TEXT", help="the reason; needed with --yes")
    parser.add_argument(
        "--for",
        dest="lasts_s",
        type=duration,
        metavar="TIME",
        help="for how long, such as 90m, 2h or 1d (at most 7d)",
    )
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.set_defaults(run=run)


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Add what says which hosts are meant."""
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="compute nodes")
    parser.add_argument("--segment", type=words, metavar="NAME", help="all hosts of a segment")
    parser.add_argument("--all", action="store_true", help="every host")


def scopes_of(args: argparse.Namespace) -> tuple[Scope, ...]:
    """Return which hosts are meant; raises Senseless."""
    given = [bool(args.nodes), args.segment is not None, args.all]
    if sum(given) > 1:
        msg = "say nodes, --segment or --all, not more than one of them"
        raise Senseless(msg)
    if args.segment is not None:
        return (Scope("segment", args.segment),)
    if args.all:
        return (Scope("all"),)
    return tuple(Scope("host", node) for node in dict.fromkeys(args.nodes))


def run(args: argparse.Namespace) -> int:
    """Show what is disarmed, and disarm where that was asked for."""
    now_s = time.time()
    try:
        scopes = scopes_of(args)
        _check_complete(args, scopes)
        must_be_root()
        scene = look(disarms(scopes, args.lasts_s or 0, args.why or "", now_s), now_s)
    except Senseless as error:
        return wrong(str(error))
    if args.yes:
        scene = do(scene)
    sys.stdout.write(as_json(scene) if args.json else in_words(scene))
    if scene.unchecked:
        sys.stderr.write(f"whether Nova has this segment is not known: {scene.unchecked}\n")
    if scene.disarm and not scene.changed:
        sys.stderr.write("nothing was changed; --yes, with --why, disarms\n")
    return SAME


def _check_complete(args: argparse.Namespace, scopes: Sequence[Scope]) -> None:
    if args.yes and not scopes:
        msg = "--yes needs what to disarm: nodes, --segment NAME or --all"
        raise Senseless(msg)
    if scopes and not args.lasts_s:
        msg = "say for how long: --for 2h (at most 7d)"
        raise Senseless(msg)
    if args.yes and not args.why:
        msg = "--yes needs --why: others will ask why nothing is recovered"
        raise Senseless(msg)


def disarms(scopes: Sequence[Scope], lasts_s: int, why: str, now_s: float) -> tuple[Disarm, ...]:
    """Return what is to be written for some scopes."""
    until = f"{datetime.fromtimestamp(now_s + lasts_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return tuple(Disarm(scope, now_s, lasts_s, until, who(), why) for scope in scopes)


def look(wanted: tuple[Disarm, ...], now_s: float) -> Scene:
    """Return what is disarmed; raises Senseless for hosts and segments that there are not."""
    from novaha.adapters import cib
    from novaha.adapters.disarm import disarms_of
    from novaha.adapters.pacemaker import lives_of

    root = cib.query()
    found = disarms_of(root)
    _check_known("node", wanted, "host", lives_of(root))
    unchecked = _check_segment(wanted)
    bad = tuple(name for name, _ in found.unreadable)
    return Scene(found.good(now_s), wanted, bad, changed=False, unchecked=unchecked)


def _check_segment(wanted: Sequence[Disarm]) -> str:
    """Refuse a segment that Nova does not have; return why that is not known, or ""."""
    from novaha.cli.asking import segments
    from novaha.errors import NovaHaError

    if not any(disarm.scope.reach == "segment" for disarm in wanted):
        return ""
    try:
        _check_known("segment", wanted, "segment", segments())
    except NovaHaError as error:
        return str(error)
    return ""


def _check_known(what: str, wanted: Sequence[Disarm], reach: str, known: Collection[str]) -> None:
    names = [d.scope.name for d in wanted if d.scope.reach == reach and d.scope.name not in known]
    if names:
        listed = ", ".join(sorted(known)) or "there is none"
        msg = f"no such {what}: {', '.join(names)}; known: {listed}"
        raise Senseless(msg)


def do(scene: Scene) -> Scene:
    """Disarm in one change of the CIB, and log it; raises ClusterUnavailable."""
    from novaha.adapters.disarm import write

    write(scene.disarm)
    for disarm in scene.disarm:
        note(str(disarm))
    keys = {disarm.scope for disarm in scene.disarm}
    others = (disarm for disarm in scene.disarmed if disarm.scope not in keys)
    return replace(scene, disarmed=(*others, *scene.disarm), changed=True)


def as_json(scene: object) -> str:
    """Return a scene as one JSON object, field by field."""
    return json.dumps(asdict(scene), indent=2, ensure_ascii=False) + "\n"  # type: ignore[call-overload]


def in_words(scene: Scene) -> str:
    """Return a scene as people read it."""
    lines = [str(disarm) for disarm in scene.disarmed]
    if not scene.changed:
        lines += [f"{d.scope} would be disarmed by {d.by} until {d.until}" for d in scene.disarm]
    lines += [
        f"{name} cannot be read and disarms nothing; nova-ha arm" for name in scene.unreadable
    ]
    return "\n".join(lines or ["nothing is disarmed"]) + "\n"


def duration(text: str) -> int:
    """Read a time such as 90m or 2h, in seconds; raises ArgumentTypeError."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd]?)", text)
    lasts_s = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if not SHORTEST_S <= lasts_s <= LONGEST_S:
        msg = "must be a time from 60s to 7d: a whole number with s, m, h or d"
        raise argparse.ArgumentTypeError(msg)
    return lasts_s
