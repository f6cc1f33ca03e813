"""Starts, stops and watches the recovery process on behalf of its OCF agent.

Whether it lives is asked from the kernel (the lock), whether it works from its status: a process
that hangs is as bad as none. Nothing here imports OpenStack, so `monitor` costs milliseconds.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from novaha.ocf.codes import OK, Outcome, Rc
from novaha.rundir import RunDir

POLL_S = 0.02
MARGIN_S = 3.0
"""Seconds of an operation's timeout that are kept for ending it in order."""

NOT_RUNNING = Outcome(Rc.NOT_RUNNING)

MAX_LOG_BYTES = 10_000_000
EX_CONFIG = 78
"""How the recovery process says that a person must change something (sysexits.h)."""


class Launch(NamedTuple):
    """How to start the recovery process. log: file for its stdout and stderr."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    log: str


def start(run_dir: RunDir, launch: Launch, timeout_s: float) -> Outcome:
    """Start the process and wait until it holds the lock and has reported its first cycle.

    timeout_s: of the operation; a margin of it is left for cleaning up.
    """
    if run_dir.is_running():
        return OK
    run_dir.create()
    run_dir.clear()
    offset = _prepare_log(launch.log)
    pid = _spawn(launch)
    deadline = time.monotonic() + _usable(timeout_s)
    while time.monotonic() < deadline:
        if _has_reported(run_dir, pid):
            return OK
        ended, wait_status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _signal_session(pid, signal.SIGKILL)
            return _early_end(os.waitstatus_to_exitcode(wait_status), launch.log, offset)
        time.sleep(POLL_S)
    _signal_session(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    text = f"the recovery process did not report within {_usable(timeout_s):.0f} s"
    return Outcome(Rc.GENERIC, f"{text}; see {launch.log}{_quoted_end(launch.log, offset)}")


def stop(run_dir: RunDir, timeout_s: float) -> Outcome:
    """End the process and all it started: asked first, then killed. Stopped already is success."""
    pid = run_dir.holder()
    if pid is not None:
        begin = time.monotonic()
        deadline = begin + _usable(timeout_s)
        _terminate(run_dir, pid)
        _await_end(run_dir, pid, begin + _usable(timeout_s) / 2)
        while _alive(run_dir, pid):
            if time.monotonic() > deadline:
                text = f"process {pid} cannot be killed; see: ps -o pid,stat,wchan -p {pid}"
                return Outcome(Rc.GENERIC, text)
            _signal_session(pid, signal.SIGKILL)
            time.sleep(POLL_S)
    run_dir.clear()
    return OK


def monitor(run_dir: RunDir, stall_timeout_s: float) -> Outcome:
    """Tell how the process is. stall_timeout_s: silence longer than this means that it hangs."""
    pid = run_dir.holder()
    if pid is None:
        return NOT_RUNNING
    status = run_dir.read_status()
    if status is None or status.pid != pid:
        return Outcome(Rc.GENERIC, f"process {pid} holds the lock but has reported nothing")
    age_s = time.monotonic() - status.progress_s
    if age_s > stall_timeout_s:
        return Outcome(Rc.GENERIC, f"no progress for {age_s:.0f} s, last: {status.summary}")
    if status.health != "ok":
        return Outcome(Rc.DEGRADED, status.reason or status.summary)
    return OK


def _usable(timeout_s: float) -> float:
    return max(timeout_s - MARGIN_S, timeout_s / 2)


def _prepare_log(path: str) -> int:
    """Make the log file, setting a large one aside, and return where new lines will begin."""
    os.makedirs(os.path.dirname(path), mode=0o750, exist_ok=True)
    with suppress(FileNotFoundError):
        if os.stat(path).st_size > MAX_LOG_BYTES:
            os.replace(path, f"{path}.1")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    size = os.fstat(descriptor).st_size
    os.close(descriptor)
    return size


def _spawn(launch: Launch) -> int:
    """Start the process in a session of its own and return its pid.

    The agent's caller waits for the end of its pipes, so none of them may live on in the child.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:  # noqa: PLR2004  (stdin, stdout and stderr are replaced below)
            with suppress(OSError):
                os.set_inheritable(int(name), False)  # noqa: FBT003
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        launch.argv[0],
        launch.argv,
        launch.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, launch.log, log_flags, 0o640),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _has_reported(run_dir: RunDir, pid: int) -> bool:
    if run_dir.holder() != pid:
        return False
    status = run_dir.read_status()
    return status is not None and status.pid == pid


def _early_end(exit_code: int, log: str, offset: int) -> Outcome:
    if exit_code == EX_CONFIG:
        rc = Rc.ARGS
    else:
        rc = Rc(exit_code) if exit_code in {2, 4, 5, 6} else Rc.GENERIC
    how = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    text = f"the recovery process ended at once ({how}){_quoted_end(log, offset)}"
    return Outcome(rc, f"{text}; see {log}")


def _quoted_end(log: str, offset: int) -> str:
    """Return the last line written since the start, as the end of a sentence."""
    with open(log, "rb") as file:
        file.seek(max(offset, os.fstat(file.fileno()).st_size - 4096))
        lines = file.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last[:300]}" if last else ""


def _terminate(run_dir: RunDir, pid: int) -> None:
    """Send TERM to the lock's holder and to nobody who got its pid since."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if run_dir.holder() == pid:
                signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        finally:
            os.close(descriptor)


def _await_end(run_dir: RunDir, pid: int, until: float) -> None:
    """Wait for a process that was asked to end; what it left in its session is nobody's friend."""
    while run_dir.holder() == pid and time.monotonic() < until:
        time.sleep(POLL_S)


def _alive(run_dir: RunDir, pid: int) -> bool:
    return run_dir.holder() == pid or any(_session(pid))


def _signal_session(session: int, number: signal.Signals) -> None:
    for pid in _session(session):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _session(session: int) -> Iterator[int]:
    """Yield the living processes of a session; source: proc(5), /proc/pid/stat, field 6."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            yield int(name)
