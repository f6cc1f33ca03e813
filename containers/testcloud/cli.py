"""The command `cluster`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import lifecycle, store
from .cluster import Cluster
from .errors import ClusterError
from .names import Driver
from .settings import Settings
from .steps import say

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    command: Command = arguments.run
    try:
        return command(arguments)
    except ClusterError as error:
        say(f"cluster: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cluster", description=__doc__)
    default = Settings()
    parser.add_argument("--state", type=Path, default=default.state, help="folder for all state")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("up", help="bring the cluster up; repeat at will")
    command.add_argument("--computes", type=int, default=default.computes)
    command.add_argument("--driver", type=Driver, choices=list(Driver), default=default.driver)
    command.set_defaults(run=_up)

    command = commands.add_parser("down", help="remove the cluster")
    command.add_argument("--images", action="store_true", help="remove images and caches too")
    command.add_argument("--engine", action="store_true", help="stop the engine if we started it")
    command.set_defaults(run=_down)

    command = commands.add_parser("status", help="what there is and what runs")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_status)

    command = commands.add_parser("exec", help="run a command in a container")
    command.add_argument("node")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(run=_exec)

    for name, (text, action) in _ON_NODES.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("node", nargs="+")
        command.set_defaults(run=_on_nodes, action=action)

    command = commands.add_parser("logs", help="what a container printed")
    command.add_argument("node")
    command.set_defaults(run=_logs)
    return parser


_ON_NODES: dict[str, tuple[str, Callable[[Cluster, str], None]]] = {
    "kill": ("crash a node, like a power loss", Cluster.kill),
    "start": ("switch a node on", Cluster.start),
    "isolate": ("drop all packets of a node, silently", Cluster.isolate),
    "heal": ("undo isolate", Cluster.heal),
    "bmc-stop": ("make a node's BMC unreachable", Cluster.bmc_stop),
    "bmc-start": ("undo bmc-stop", Cluster.bmc_start),
}


def _cluster(arguments: argparse.Namespace) -> Cluster:
    return Cluster(store.load(arguments.state.resolve()))


def _up(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    state = arguments.state.resolve()
    lifecycle.up(Settings(state=state, computes=arguments.computes, driver=arguments.driver))
    say(f"Cluster up after {time.monotonic() - started:.1f} s in all.")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    settings = Settings(state=arguments.state.resolve())
    lifecycle.down(settings, images=arguments.images, stop_engine=arguments.engine)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    cluster = _cluster(arguments)
    settings = cluster.settings
    running = {m.name: cluster.running(m.name) for m in settings.machines()}
    quorate = cluster.quorate()
    if arguments.json:
        content = {"driver": settings.driver, "quorate": quorate, "running": running}
        print(json.dumps(content, indent=2))
    else:
        for machine in settings.machines():
            power = "on" if running[machine.name] else "OFF"
            print(f"{machine.name:14} {machine.role:11} {machine.ip:15} {power}")
        print(f"driver {settings.driver}, {'quorate' if quorate else 'NOT quorate'}")
    return 0 if quorate and all(running.values()) else 1


def _exec(arguments: argparse.Namespace) -> int:
    """Become the command, so that terminal, pipes and signals are its own."""
    container = _cluster(arguments).container(arguments.node)
    terminal = ("-t",) if sys.stdin.isatty() and sys.stdout.isatty() else ()
    argv = ("docker", "exec", "-i", *terminal, container, *arguments.command)
    os.execvp(argv[0], argv)


def _on_nodes(arguments: argparse.Namespace) -> int:
    cluster = _cluster(arguments)
    for node in arguments.node:
        arguments.action(cluster, node)
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    sys.stdout.write(_cluster(arguments).logs(arguments.node))
    return 0
