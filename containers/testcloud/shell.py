"""Running other programs: the only place that does."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .errors import CommandFailed, CommandTimedOut


@dataclass(frozen=True)
class Result:
    """What a finished command left: exit code and both outputs, decoded."""

    code: int
    out: str
    err: str


def run(  # noqa: PLR0913  (all but the first have what most callers want)
    argv: Sequence[str],
    *,
    check: bool = True,
    timeout_s: float = 60.0,
    stdin: bytes = b"",
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run a command to its end.

    check: raise CommandFailed on a non-zero exit code.
    log: append both outputs to this file instead of returning them. env: None for our own.
    Raises CommandTimedOut after timeout_s; the command is killed then.
    """
    args = tuple(str(a) for a in argv)
    if log is None:
        done = _finish(args, timeout_s, stdin, subprocess.PIPE, env)
    else:
        with log.open("ab") as sink:
            done = _finish(args, timeout_s, stdin, sink, env)
    result = Result(done.returncode, _text(done.stdout), _text(done.stderr))
    if check and result.code != 0:
        raise CommandFailed(args, result.code, _what_it_said(result, log))
    return result


def _finish(
    args: tuple[str, ...],
    timeout_s: float,
    stdin: bytes,
    sink: IO[bytes] | int,
    env: Mapping[str, str] | None,
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            args, input=stdin, stdout=sink, stderr=sink, timeout=timeout_s, env=env, check=False
        )
    except subprocess.TimeoutExpired as error:
        msg = f"`{' '.join(args)}` did not end within {timeout_s:g} s"
        raise CommandTimedOut(msg) from error
    except FileNotFoundError as error:
        raise CommandFailed(args, 127, str(error)) from error


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")


def _what_it_said(result: Result, log: Path | None) -> str:
    if log is None:
        return result.err or result.out
    return f"see {log}; it ends with: {log.read_text(errors='replace')[-1500:]}"


def follow(argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a command whose standard output is read while it runs; the caller ends it.

    Its standard input is open and empty until then.
    """
    pipe = subprocess.PIPE
    return subprocess.Popen(tuple(argv), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)


def start_daemon(argv: Sequence[str], log: Path) -> int:
    """Start a process that outlives us, in a session of its own; returns its pid."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = (
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    )
    return os.posix_spawnp(argv[0], tuple(argv), os.environ, file_actions=files, setsid=True)
