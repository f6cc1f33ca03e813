"""The Docker engine: found, or installed and started."""

import os
import shutil
import signal
from pathlib import Path

from . import docker, shell
from .errors import ClusterError
from .steps import say, step
from .waiting import until

_PACKAGES = ("docker.io", "debootstrap", "iptables", "ca-certificates")

_ENGINE_PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}


def ensure(state: Path) -> None:
    """Return when an engine answers; install and start one where none does.

    Raises ClusterError where that needs a person: not root, or not Debian.
    """
    if docker.answers():
        return
    say("  No Docker engine answers; starting one of our own.")
    _refuse_where_we_cannot_help()
    if not shutil.which("dockerd"):
        install_packages(_PACKAGES)
    with step(f"Docker engine started (log: {_log(state)})"):
        _start(state)


def install_packages(packages: tuple[str, ...]) -> None:
    """Install Debian packages on this machine, with the machine's own settings."""
    _refuse_where_we_cannot_help()
    apt = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
    install = (*apt, "install", "-y", "--no-install-recommends", *packages)
    with step(f"installed on this machine: {' '.join(packages)}"):
        shell.run((*apt, "update"), timeout_s=300)
        shell.run(("env", "DEBIAN_FRONTEND=noninteractive", *install), timeout_s=900)


def _refuse_where_we_cannot_help() -> None:
    if os.geteuid() != 0:
        msg = (
            "no Docker engine answers this user, and only root can start one: "
            "start Docker, or run this as root"
        )
        raise ClusterError(msg)
    if not shutil.which("apt-get") and not shutil.which("dockerd"):
        msg = "no Docker engine, and this is not Debian: install Docker, then repeat"
        raise ClusterError(msg)


def _start(state: Path) -> None:
    for file, name in _ENGINE_PID_FILES.items():
        _forget_if_stale(file, name)
    state.mkdir(parents=True, exist_ok=True)
    pid = shell.start_daemon(("dockerd",), _log(state))
    _pid_file(state).write_text(str(pid))

    def up_or_dead() -> bool:
        if not _is_alive(pid, "dockerd"):
            msg = f"dockerd ended at once; its log {_log(state)} says why"
            raise ClusterError(msg)
        return docker.answers()

    until("the Docker engine to answer", up_or_dead, timeout_s=60)


def stop(state: Path) -> None:
    """Stop the engine if it is one that we started; any other one is left alone."""
    if not _pid_file(state).exists():
        return
    pid = int(_pid_file(state).read_text())
    if _is_alive(pid, "dockerd"):
        with step("Docker engine stopped"):
            os.kill(pid, signal.SIGTERM)
            until("dockerd to end", lambda: not _is_alive(pid, "dockerd"), timeout_s=60)
    _pid_file(state).unlink()


def ours(state: Path) -> bool:
    """Tell whether the engine that runs is one that we started."""
    return _pid_file(state).exists() and _is_alive(int(_pid_file(state).read_text()), "dockerd")


def _forget_if_stale(file: Path, name: str) -> None:
    """Remove a pid file whose process is another one by now.

    dockerd 20.10 only asks whether a process of that number exists, and then refuses to start.
    """
    if file.exists() and not _is_alive(int(file.read_text() or 0), name):
        file.unlink()


def _is_alive(pid: int, wanted: str) -> bool:
    """Tell whether this pid is a living process of that name: numbers are used again."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        name, state = stat.read_text().partition("(")[2].rpartition(")")[::2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return name == wanted and state.split()[0] != "Z"


def _log(state: Path) -> Path:
    return state / "engine.log"


def _pid_file(state: Path) -> Path:
    return state / "engine.pid"
