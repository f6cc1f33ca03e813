"""Which guests really run, and where: seen from this machine, not from the cloud's records.

All containers share this machine's kernel, so its /proc shows every process of every node.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .names import NodeName, ServerId
from .namespaces import process
from .settings import Settings
from .topology import state_folder

_PROC = Path("/proc")
BOOT_S = 0.5
_RUNNING = 1  # nova.compute.power_state.RUNNING


@dataclass(frozen=True)
class Guest:
    """A running copy of an instance; pid is 0 where the virt driver has no process per guest."""

    server: ServerId
    node: NodeName
    pid: int


@dataclass(frozen=True)
class Daemon:
    """A running nova-compute; started_s: seconds since the epoch, to some hundredths."""

    node: NodeName
    pid: int
    started_s: float


def nova_computes() -> tuple[Daemon, ...]:
    """Return every nova-compute with its node, whoever started it."""
    found = []
    for folder, _ in _processes("nova-compute"):
        node, started_s = _hostname(folder), _started_s(folder)
        if node and started_s is not None:
            found.append(Daemon(node, int(folder.name), started_s))
    return tuple(found)


def qemus() -> tuple[Guest, ...]:
    """Return every QEMU process that runs an instance, with the node that it runs in.

    Some 5 ms on an idle machine: cheap enough to be asked several times a second.
    """
    found = []
    for folder, argv in _processes("qemu-system-"):
        if b"-uuid" in argv:
            server = argv[argv.index(b"-uuid") + 1].decode()
            node = _hostname(folder)
            if node:
                found.append(Guest(ServerId(server), node, int(folder.name)))
    return tuple(found)


def fake_guests(settings: Settings) -> tuple[Guest, ...]:
    """Return every guest that runs by the fake driver's books, on nodes that have power.

    What the books of an earlier boot say is void: those guests lost power with their node.
    """
    booted_s = _boots()
    found = []
    for machine in settings.compute_machines():
        if machine.name in booted_s:
            folder = state_folder(settings, machine.name)
            running = running_by_books(folder, booted_s[machine.name])
            found += [Guest(server, machine.name, 0) for server in running]
    return tuple(found)


def _boots() -> dict[NodeName, float]:
    """Return when each node that has power was booted, in seconds since the epoch."""
    booted_s: dict[NodeName, float] = {}
    for folder, argv in _processes("boot"):
        node, started_s = _hostname(folder), _started_s(folder)
        if b"/usr/local/sbin/boot" in argv and node and started_s is not None:
            booted_s[node] = min(started_s, booted_s.get(node, started_s))
    return booted_s


def copies(guests: tuple[Guest, ...]) -> dict[ServerId, list[Guest]]:
    """Return the running copies of each instance; a list longer than one breaks law L2."""
    by_server: dict[ServerId, list[Guest]] = {}
    for guest in guests:
        by_server.setdefault(guest.server, []).append(guest)
    return by_server


def _processes(name: str) -> Iterator[tuple[Path, list[bytes]]]:
    """Yield /proc/PID and argv of processes whose name starts so; those that end are left out."""
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if (folder / "comm").read_text().startswith(name):
                yield folder, (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue


def _started_s(folder: Path) -> float | None:
    """Return when a process was started, None if it has ended."""
    found = process(int(folder.name))
    if found is None:
        return None
    since_boot_s = found.began_ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s


def _hostname(folder: Path) -> NodeName | None:
    """Return the host name in a process's own file system, None if the process has ended."""
    try:
        return NodeName((folder / "root/etc/hostname").read_text().strip())
    except OSError:
        return None


def running_by_books(folder: Path, booted_s: float) -> list[ServerId]:
    """Return what runs by the books in a node's folder, of its boot at that moment.

    A boot begins a while before it notes its id; until then the id there is that of the boot
    before it. No boot is over within BOOT_S.
    """
    try:
        books = json.loads((folder / "guests.json").read_text())
        noted_s = (folder / "boot-id").stat().st_mtime
        boot_id = (folder / "boot-id").read_text()
    except FileNotFoundError:
        return []
    if books["boot_id"] != boot_id or noted_s < booted_s - BOOT_S:
        return []
    guests = books["guests"].items()
    return [ServerId(uuid) for uuid, guest in guests if guest["state"] == _RUNNING]
