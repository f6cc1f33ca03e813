"""On what a race is run."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from testcloud import shell
from testcloud.errors import ClusterError

from .stage import Stage

_NOVA = "import importlib.metadata as m; print(m.version('nova'))"


def described(stage: Stage) -> Mapping[str, object]:
    """Return date, machine, cluster and versions."""
    cluster, controller = stage.cluster, stage.controller()
    nova = cluster.exec("cloud", ("/opt/openstack/bin/python", "-c", _NOVA)).out.strip()
    debian = ("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "pacemaker", "fence-agents")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores ({_processor()}), {_memory_gb():.0f} GB,"
        f" Linux {platform.release()}; everything runs on it, the whole cloud included",
        "cluster": f"{len(cluster.controllers())} controllers, {len(cluster.computes())} computes"
        f" with Nova's fake driver ({stage.victim} is lost)",
        "versions": f"Nova {nova}, Masakari 22.0.0, "
        + cluster.exec(controller, debian).out.strip(", "),
        "nova-ha": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _commit() -> str:
    try:
        shown = shell.run(("git", "-C", str(Path(__file__).parent), "describe", "--always"))
    except ClusterError:
        return "unknown"
    return f"commit {shown.out.strip()}"
