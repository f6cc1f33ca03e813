"""How busy the machine is with what does not belong to the race.

All that the processors did, less what the race's containers did, by the kernel's account of their
control groups: unlike a list of processes it has those too that ended meanwhile.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testcloud import shell

_CGROUP = Path("/sys/fs/cgroup")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """Seconds of CPU so far: of the whole machine, and of each container."""

    machine_s: float
    containers_s: dict[str, float]


def look(containers: Iterable[str]) -> Load | None:
    """Return the load so far; None where the kernel's account of containers is not to be found."""
    known = {name: _container_s(ident) for name, ident in _idents(containers).items()}
    found = {name: used_s for name, used_s in known.items() if used_s is not None}
    return Load(_busy_s(Path("/proc/stat").read_text()), found) if found else None


def elsewhere_s(before: Load | None, after: Load | None) -> float | None:
    """Return the seconds of CPU that were taken outside of the containers between two looks."""
    if before is None or after is None:
        return None
    begun = before.containers_s
    # A container that was started again begins at zero.
    ours_s = sum(max(used - begun.get(n, 0.0), 0.0) for n, used in after.containers_s.items())
    return round(max(after.machine_s - before.machine_s - ours_s, 0.0), 2)


def _busy_s(stat: str) -> float:
    """Return what all processors worked. Source: proc(5): user nice system idle iowait irq ..."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, stat.split()[1:9])
    return (user + nice + system + irq + softirq) / _TICKS


def _idents(containers: Iterable[str]) -> dict[str, str]:
    shown = shell.run(("docker", "ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}")).out
    running = dict(line.split() for line in shown.splitlines())
    return {name: running[name] for name in containers if name in running}


def _container_s(ident: str) -> float | None:
    """Return what a container took, from version 1 of control groups or from version 2."""
    first = _CGROUP / "cpuacct/docker" / ident / "cpuacct.usage"
    if first.exists():
        return int(first.read_text()) / 1e9
    for folder in (_CGROUP / "docker" / ident, _CGROUP / f"system.slice/docker-{ident}.scope"):
        if (folder / "cpu.stat").exists():
            return int((folder / "cpu.stat").read_text().split()[1]) / 1e6
    return None
