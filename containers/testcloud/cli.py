"""The command `cluster`."""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from . import install, lifecycle, referee, store
from .cloudctl import CloudCtl
from .cluster import Cluster
from .errors import ClusterError
from .names import Driver
from .settings import Settings
from .steps import say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = Callable[[argparse.Namespace], int]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name


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
    parser = argparse.ArgumentParser(prog="cluster", description="A real cluster in containers.")
    default = Settings()
    parser.add_argument("--state", type=Path, default=default.state, help="folder for all state")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_lifecycle(commands, default)
    _add_inside(commands)
    for name, (text, action) in {**_ON_NODES, **_ON_APIS}.items():
        command = _add(commands, name, text)
        command.add_argument("names", nargs="+", metavar="API" if name in _ON_APIS else "NODE")
        command.set_defaults(run=_on_each, action=action)
    for name, (text, show) in _SHOWN.items():
        command = _add(commands, name, text)
        command.set_defaults(run=_show, show=show)
    return parser


def _add(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    """Add one command; it takes --state after its name as well as before."""
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--state", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return command


def _add_lifecycle(commands: Commands, default: Settings) -> None:
    command = _add(commands, "up", "bring the cluster up; repeat at will")
    command.add_argument("--computes", type=int, default=default.computes)
    command.add_argument("--driver", type=Driver, choices=list(Driver), default=default.driver)
    command.add_argument("--service-down-time", type=int, default=default.service_down_time_s)
    command.add_argument("--report-interval", type=int, default=default.report_interval_s)
    command.set_defaults(run=_up)

    command = _add(commands, "down", "remove the cluster")
    command.add_argument("--images", action="store_true", help="remove images and caches too")
    command.add_argument("--engine", action="store_true", help="stop the engine if we started it")
    command.set_defaults(run=_down)

    command = _add(commands, "status", "what there is and what runs")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_status)

    command = _add(commands, "install", "install nova-ha from this checkout in all nodes")
    command.set_defaults(run=_install)


def _add_inside(commands: Commands) -> None:
    command = _add(commands, "exec", "run a command in a container")
    command.add_argument("node")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(run=_exec)

    command = _add(commands, "logs", "what a container printed")
    command.add_argument("node")
    command.set_defaults(run=_logs)


_ON_NODES: dict[str, tuple[str, Callable[[Cluster, str], None]]] = {
    "kill": ("crash a node, like a power loss", Cluster.kill),
    "start": ("switch a node on", Cluster.start),
    "isolate": ("drop all packets of a node, silently", Cluster.isolate),
    "heal": ("undo isolate", Cluster.heal),
    "bmc-stop": ("make a node's BMC unreachable", Cluster.bmc_stop),
    "bmc-start": ("undo bmc-stop", Cluster.bmc_start),
}
_ON_APIS: dict[str, tuple[str, Callable[[Cluster, str], None]]] = {
    "api-stop": ("end an API of the cloud, such as nova-api or keystone", Cluster.api_stop),
    "api-start": ("start it again", Cluster.api_start),
}


def _qemus(_: Cluster) -> str:
    running = referee.copies(referee.qemus()).items()
    return json.dumps({server: [(g.pid, g.node) for g in guests] for server, guests in running})


def _rows(rows: Iterable["DataclassInstance"]) -> str:
    return "\n".join("  ".join(str(v) for v in dataclasses.astuple(row)) for row in rows)


_SHOWN: dict[str, tuple[str, Callable[[Cluster], str]]] = {
    "qemus": ("JSON: instance -> [pid, node] of its QEMU processes", _qemus),
    "nova-log": ("path of Nova's access log", lambda c: str(c.access_log("nova-api"))),
    "keystone-log": ("path of Keystone's access log", lambda c: str(c.access_log("keystone"))),
    "servers": ("all instances, by Nova", lambda c: _rows(CloudCtl(c.settings).servers())),
    "services": ("compute services, by Nova", lambda c: _rows(CloudCtl(c.settings).services())),
    "migrations": ("evacuations, by Nova", lambda c: _rows(CloudCtl(c.settings).migrations())),
}


def _cluster(arguments: argparse.Namespace) -> Cluster:
    return Cluster(store.load(arguments.state.resolve()))


def _up(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    state = arguments.state.resolve()
    settings = Settings(
        state=state,
        computes=arguments.computes,
        driver=arguments.driver,
        service_down_time_s=arguments.service_down_time,
        report_interval_s=arguments.report_interval,
    )
    lifecycle.up(settings)
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
    quorate, ready = cluster.quorate(), cluster.cloud_ready()
    if arguments.json:
        content = {
            "driver": settings.driver,
            "quorate": quorate,
            "cloud": ready,
            "running": running,
        }
        print(json.dumps(content, indent=2))
    else:
        for machine in settings.machines():
            power = "on" if running[machine.name] else "OFF"
            print(f"{machine.name:14} {machine.role:11} {machine.ip:15} {power}")
        print(f"driver {settings.driver}, {'quorate' if quorate else 'NOT quorate'}")
        print("every API answers" if ready else "the cloud is NOT ready")
    return 0 if quorate and ready and all(running.values()) else 1


def _exec(arguments: argparse.Namespace) -> int:
    """Become the command, so that terminal, pipes and signals are its own."""
    container = _cluster(arguments).container(arguments.node)
    terminal = ("-t",) if sys.stdin.isatty() and sys.stdout.isatty() else ()
    argv = ("docker", "exec", "-i", *terminal, container, *arguments.command)
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted


def _on_each(arguments: argparse.Namespace) -> int:
    cluster = _cluster(arguments)
    for name in arguments.names:
        arguments.action(cluster, name)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    print(arguments.show(_cluster(arguments)))
    return 0


def _install(arguments: argparse.Namespace) -> int:
    install.everywhere(_cluster(arguments))
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    sys.stdout.write(_cluster(arguments).logs(arguments.node))
    return 0
