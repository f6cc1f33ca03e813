"""`nova-ha release`: a person says which hosts shall be fenced and recovered all the same."""

import argparse
import json
import re
import sys
import time
from dataclasses import asdict, dataclass

from novaha.cli.codes import SAME
from novaha.cli.person import must_be_root, note, who, words, wrong
from novaha.core.brakestate import COLD_START, Brake, Release, shown_scope
from novaha.core.names import NodeName
from novaha.core.release import HostStanding, NotHeld, Stage, chosen, standings

LONGEST_S, SHORTEST_S, USUAL_S = 86_400, 60, 3600

_STAGES: dict[Stage, str] = {
    "waits": "fenced, its recovery has not begun",
    "returning": "back, does not serve yet",
}

DESCRIPTION = """\
Show which hosts the storm brake (fence_nova_gate) holds, which are fenced and wait for a place
among the recoveries (max_recoveries, nova_ha:max_failures), and which are on their way back; with
--yes release them. Those of the brake are fenced within seconds, and the instances of all of them
are evacuated, whatever the limits say. A host that is back is taken off its probation, and its
canary is not waited for: it is enabled at once. Without names: all that are lost and held, or wait.
Do so for hosts that you know to be dead. Where a switch or a cable is, mend that instead, and then:
pcs resource cleanup NODE.

Who released which host, when and why stands in the cluster's properties for as long as the release
is good (nova-ha-release-NODE), and in the system's log."""


@dataclass(frozen=True)
class Scene:
    """What is held at this moment, and what a release would change."""

    brakes: tuple[Brake, ...]
    hosts: tuple[HostStanding, ...]
    release: tuple[NodeName, ...]
    changed: bool


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "release", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "nodes", nargs="*", metavar="NODE", help="a host that is lost, held, waits or is back"
    )
    parser.add_argument("--group", help="all of this group that are held")
    parser.add_argument("--why", type=words, metavar="TEXT", help="the reason; needed with --yes")
    parser.add_argument(
        "--for",
        dest="lasts_s",
        type=_seconds,
        default=USUAL_S,
        metavar="SECONDS",
        help=f"how long the release is good (default: {USUAL_S})",
    )
    parser.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what is held, and release it where that was asked for."""
    if args.nodes and args.group:
        return wrong("say names or --group, not both")
    if args.yes and not args.why:
        return wrong("--yes needs --why: others will ask why these hosts were released")
    must_be_root()
    now_s = time.time()
    try:
        scene = look(args.nodes, args.group, now_s)
    except NotHeld as error:
        return wrong(str(error))
    if args.yes and scene.release:
        scene = do(scene, args.why, args.lasts_s, now_s)
    sys.stdout.write(as_json(scene) if args.json else in_words(scene, now_s))
    if scene.release and not scene.changed:
        sys.stderr.write("nothing was changed; --yes releases them\n")
    return SAME


def look(nodes: list[str], group: str | None, now_s: float) -> Scene:
    """Return what is held; raises NotHeld, ClusterUnavailable."""
    from novaha.adapters.brake import lost_and_kept

    lost, groups, kept, recoveries = lost_and_kept()
    hosts = standings(lost, groups, kept, now_s, recoveries)
    return Scene(kept.on(now_s), hosts, chosen(hosts, nodes, group), changed=False)


def do(scene: Scene, why: str, lasts_s: int, now_s: float) -> Scene:
    """Release the hosts in one change of the CIB, and log it; raises ClusterUnavailable."""
    from novaha.adapters.brake import ask_for
    from novaha.adapters.brakestate import write

    by = who()
    write(Release(node, now_s, lasts_s, by, why) for node in scene.release)
    ask_for(scene.release)
    note(f"{by} released {', '.join(scene.release)}: {why}")
    return Scene(scene.brakes, scene.hosts, scene.release, changed=True)


def as_json(scene: Scene) -> str:
    """Return a scene as one JSON object, field by field."""
    return json.dumps(asdict(scene), indent=2, ensure_ascii=False) + "\n"


def in_words(scene: Scene, now_s: float) -> str:
    """Return a scene as people read it."""
    lines = [_on(brake, now_s) for brake in scene.brakes]
    lines += [f"  {host.node}  {_standing(host, scene)}" for host in scene.hosts]
    nothing = "the storm brake holds nothing, no host is lost, and no recovery waits"
    return "\n".join(lines or [nothing]) + "\n"


def _on(brake: Brake, now_s: float) -> str:
    for_s = now_s - brake.since_s
    if brake.scope == COLD_START:
        return (
            f"cold start: the cluster began {for_s:.0f} s ago, {brake.cooldown_s:.0f} s are waited"
        )
    return (
        f"storm brake of {shown_scope(brake.scope)}: on for {for_s:.0f} s,"
        f" {brake.limit} hosts may be fenced within the window"
    )


def _standing(host: HostStanding, scene: Scene) -> str:
    parts = [_stage(host)]
    parts += [f"of {', '.join(host.groups)}"] if host.groups else []
    parts += [f"held by the brake of {shown_scope(host.brake.scope)}"] if host.brake else []
    if host.release:
        parts.append(f"released by {host.release.by}: {host.release.why}")
    if host.node in scene.release:
        parts.append("released now" if scene.changed else "would be released")
    return ", ".join(parts)


def _stage(host: HostStanding) -> str:
    if host.lost:
        return "lost"
    if host.held:
        return "not come yet"
    return _STAGES[host.recovery] if host.recovery else "not lost any more"


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not SHORTEST_S <= int(text) <= LONGEST_S:
        msg = f"must be a whole number of seconds from {SHORTEST_S} to {LONGEST_S}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
