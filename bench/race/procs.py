"""What processes took, read from this machine's /proc: all containers share its kernel."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_INTERPRETERS = ("python", "uwsgi")


@dataclass(frozen=True)
class Process:
    """A process of a container: its host name, what it is, and what it took so far.

    children_cpu_s: of the children that have ended and were waited for. peak_mb: its largest size.
    """

    host: str
    name: str
    cpu_s: float
    children_cpu_s: float
    peak_mb: float


Snapshot = Mapping[int, Process]


def snapshot() -> Snapshot:
    """Return every process there is; one that ends meanwhile is left out."""
    found = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = _process(folder)
            except (OSError, IndexError):
                continue
    return found


def cpu_by_name(before: Snapshot, after: Snapshot, *hosts: str) -> dict[str, float]:
    """Return the seconds of CPU between two looks, by name, of processes of these hosts."""
    taken: dict[str, float] = {}
    for process, cpu_s, _ in _between(before, after):
        if not hosts or process.host in hosts:
            taken[process.name] = taken.get(process.name, 0.0) + cpu_s
    return {name: round(cpu_s, 2) for name, cpu_s in sorted(taken.items()) if cpu_s}


def cpu_of(before: Snapshot, after: Snapshot, *names: str) -> float:
    """Return the seconds of CPU that processes of these names took between two looks."""
    return sum(cpu_s for process, cpu_s, _ in _between(before, after) if process.name in names)


def children_cpu_of(before: Snapshot, after: Snapshot, *names: str) -> float:
    """Return the seconds of CPU that ended children of processes of these names took."""
    return sum(cpu_s for process, _, cpu_s in _between(before, after) if process.name in names)


def peak_mb_of(seen: Snapshot, *names: str) -> float:
    """Return the sum of the largest sizes of processes of these names."""
    return sum(process.peak_mb for process in seen.values() if process.name in names)


def _between(before: Snapshot, after: Snapshot) -> Iterator[tuple[Process, float, float]]:
    for pid, process in after.items():
        begin = before.get(pid)
        same = begin if begin and begin.name == process.name else None
        cpu_s = process.cpu_s - (same.cpu_s if same else 0.0)
        children_s = process.children_cpu_s - (same.children_cpu_s if same else 0.0)
        yield process, cpu_s, children_s


def _process(folder: Path) -> Process:
    argv = (folder / "cmdline").read_text(errors="replace").split("\0")
    # Source: proc(5). The name, in parentheses, may hold blanks; utime is the 14th field.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    own, children = (int(fields[i]) + int(fields[i + 1]) for i in (11, 13))
    host = (folder / "root/etc/hostname").read_text().strip()
    peak_mb = _peak_kb((folder / "status").read_text()) / 1024
    return Process(host, name_of(argv), own / _TICKS, children / _TICKS, peak_mb)


def name_of(argv: list[str]) -> str:
    """Return what a process is: the script or module where an interpreter runs one."""
    words = " ".join(argv).split()
    if not words:
        return "(kernel)"
    first = Path(words[0]).name.rstrip(":")
    if first.startswith(_INTERPRETERS):
        module = words[words.index("-m") + 1] if "-m" in words else ""
        scripts = [word for word in words[1:] if not word.startswith("-")]
        return module or Path(next(iter(scripts), first)).name
    return first


def _peak_kb(status: str) -> int:
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) for line in lines if line and line[0] == "VmHWM:"), 0)
