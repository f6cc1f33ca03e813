"""A container by what the kernel knows of it: the namespaces of its first process."""

from dataclasses import dataclass
from pathlib import Path

ALL = ("--mount", "--uts", "--ipc", "--net", "--pid", "--wd")
NETWORK = ("--net",)


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one of the same pid by when it began."""

    pid: int
    began_ticks: int


def process(pid: int) -> Process | None:
    """Return the process that has this pid now, None if none has or it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Source: proc(5). The name, in parentheses, may contain blanks; field 22 is the start in ticks.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else Process(pid, int(fields[18]))


def inside(pid: int, what: tuple[str, ...] = ALL) -> tuple[str, ...]:
    """Return what a command begins with that is to run beside a process; what: it shares then."""
    return ("nsenter", "--target", str(pid), *what, "--")


def environ_of(pid: int) -> dict[str, str] | None:
    """Return the environment that a process began with, None when it has ended."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    pairs = (each.partition("=") for each in raw.decode(errors="replace").split("\0") if each)
    return {name: value for name, _, value in pairs}
