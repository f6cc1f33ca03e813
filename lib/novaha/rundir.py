"""The run directory: what the recovery process, its agent and the alert hook share on one node.

    <base>/<resource>/lock          locked by the recovery process for its whole life
    <base>/<resource>/status.json   written by it after each cycle
    <base>/<resource>/wake          datagram socket: anything sent there starts a cycle at once

The lock is a POSIX record lock and not flock(2): the kernel tells who holds it, children never
inherit it, and it ends with the process however that ends. No pid file can be stale, no reused pid
mistaken. Its price: the holder must not open and close the lock file again, which `holder` heeds.
"""

import fcntl
import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:  # monitor needs no socket, and its import costs 6 ms
    import socket

RUN_ROOT = "/run/nova-ha"

_FLOCK = struct.Struct("hhqqi4x")
"""struct flock on 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid (fcntl(2))."""

_ROWS = ("held", "nodes", "instances")

_held: set[str] = set()


class AlreadyRunning(RuntimeError):
    """Another process holds the lock."""


class HeldRow(NamedTuple):
    """One thing that is waited for: of what, the reason's code, and the text."""

    subject: str
    code: str
    text: str


class NodeRow(NamedTuple):
    """The state of the recovery of one node."""

    node: str
    state: str


class InstanceRow(NamedTuple):
    """The state of one instance.

    tries: those that came to nothing. due_in_s: from progress_s until the next one, None when none
    is waited for.
    """

    id: str
    name: str
    host: str
    state: str
    tries: int
    due_in_s: float | None
    text: str
    note: str = ""


class Status(NamedTuple):
    """What the recovery process says of itself.

    progress_s: CLOCK_MONOTONIC when it last did or learned something. reason: why it is degraded,
    one line. summary: what it is doing, for people. The rows are the same in full, for `nova-ha
    explain`.
    """

    pid: int
    progress_s: float
    health: Literal["ok", "degraded"]
    reason: str
    summary: str
    held: tuple[HeldRow, ...] = ()
    nodes: tuple[NodeRow, ...] = ()
    instances: tuple[InstanceRow, ...] = ()


class RunDir:
    """One resource's run directory."""

    def __init__(self, path: str) -> None:
        """Touch nothing yet: before the first start there is no directory."""
        self.path = path
        self.lock_path = f"{path}/lock"
        self.status_path = f"{path}/status.json"
        self.wake_path = f"{path}/wake"

    def create(self) -> None:
        """Make the directory; others may pass through it, because alert hooks run as hacluster.

        The one above it too, where all resources of the node have theirs: Pacemaker's umask is 077.
        """
        os.makedirs(self.path, mode=0o755, exist_ok=True)
        for path in (self.path, os.path.dirname(self.path)):
            os.chmod(path, 0o755)  # noqa: S103

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Hold the lock; raises AlreadyRunning."""
        self.create()
        descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _held.add(self.lock_path)
            yield
        except BlockingIOError as error:
            msg = f"{self.lock_path} is locked by another process"
            raise AlreadyRunning(msg) from error
        finally:
            _held.discard(self.lock_path)
            os.close(descriptor)

    def holder(self) -> int | None:
        """Return the pid that holds the lock, from the kernel, or None."""
        if self.lock_path in _held:
            return os.getpid()
        try:
            descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            found = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        finally:
            os.close(descriptor)
        return None if found[0] == fcntl.F_UNLCK else int(found[4])

    def is_running(self) -> bool:
        """Tell whether the recovery process lives."""
        return self.holder() is not None

    def write_status(self, status: Status) -> None:
        """Replace the status; a reader sees the old one or the new one, never half of it."""
        draft = f"{self.status_path}.new"
        rows = {name: [row._asdict() for row in getattr(status, name)] for name in _ROWS}
        with open(draft, "w", encoding="utf-8") as file:
            json.dump({**status._asdict(), **rows}, file)
        os.replace(draft, self.status_path)

    def read_status(self) -> Status | None:
        """Return the last status, or None when there is none that can be read.

        The rows may be missing: after an upgrade the old process runs on until it is restarted.
        """
        try:
            with open(self.status_path, encoding="utf-8") as file:
                found = json.load(file)
            health: Literal["ok", "degraded"] = "ok" if found["health"] == "ok" else "degraded"
            return Status(
                int(found["pid"]),
                float(found["progress_s"]),
                health,
                str(found["reason"]),
                str(found["summary"]),
                tuple(HeldRow(**row) for row in found.get("held", ())),
                tuple(NodeRow(**row) for row in found.get("nodes", ())),
                tuple(InstanceRow(**row) for row in found.get("instances", ())),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def clear(self) -> None:
        """Remove what the last recovery process left, but the lock file: others may look at it."""
        for path in (self.status_path, f"{self.status_path}.new", self.wake_path):
            with suppress(FileNotFoundError):
                os.unlink(path)

    def bind_wake(self) -> "socket.socket":
        """Return the wake socket, to select() on and to recv() from; only the lock's holder may.

        Group haclient may send, where that group exists: alert hooks are in it.
        """
        import shutil
        import socket

        with suppress(FileNotFoundError):
            os.unlink(self.wake_path)
        wake = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        wake.bind(self.wake_path)
        os.chmod(self.wake_path, 0o660)
        with suppress(LookupError, PermissionError):
            shutil.chown(self.wake_path, group="haclient")
        return wake

    def wake(self) -> None:
        """Start a cycle now. Never waits; where nobody listens there is nothing to wake."""
        import socket

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
            sender.sendto(b"wake", socket.MSG_DONTWAIT, self.wake_path)


def wait_for_wake(wake: "socket.socket", timeout_s: float) -> bool:
    """Wait for a wake and take all that came; returns whether there was one."""
    import select
    import socket

    if not select.select([wake], [], [], timeout_s)[0]:
        return False
    with suppress(BlockingIOError):
        while True:
            wake.recv(64, socket.MSG_DONTWAIT)
    return True
