"""Print what one call of each agent costs inside a controller of the container cluster.

Usage: bench/agents.py [container]. `monitor` and `meta-data` of NovaEvacuate have a budget; the
bare interpreter stands beside them, because most of the time is its own. The wall clock grows with
the load of the machine; the processor time tells what the agent itself is to blame for.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROUNDS = 20
NOT_RUNNING = 7
INSIDE = "inside"
DEFAULT_CONTAINER = "nova-ha-controller-1"

OCF = "/usr/lib/ocf/resource.d/novaha"
BARE = ("bare interpreter", ("/usr/bin/python3", "-c", "pass"), None)
CALLS = (
    BARE,
    ("NovaEvacuate monitor", (f"{OCF}/NovaEvacuate", "monitor"), 60),
    ("NovaEvacuate meta-data", (f"{OCF}/NovaEvacuate", "meta-data"), 100),
    ("NovaComputeUnfence monitor", (f"{OCF}/NovaComputeUnfence", "monitor"), None),
    ("fence_nova metadata", ("/usr/sbin/fence_nova", "-o", "metadata"), None),
    ("fence_nova status", ("/usr/sbin/fence_nova", "-o", "status", "-n", "nobody"), None),
    ("fence_nova monitor", ("/usr/sbin/fence_nova", "-o", "monitor"), None),
    ("nova_ha_alert", ("/usr/share/nova-ha/alerts/nova_ha_alert",), None),
    BARE,
)


def main(argv: Sequence[str]) -> int:
    """Measure in a container, or right here when this is the copy inside it."""
    if argv[1:] == [INSIDE]:
        measure_all()
        return 0
    container = argv[1] if len(argv) > 1 else DEFAULT_CONTAINER
    inside = ("docker", "exec", "-i", container, "python3", "-", INSIDE)
    return subprocess.run(inside, input=Path(__file__).read_bytes(), check=False).returncode


def measure_all() -> None:
    """Play the recovery process of a resource called bench, and measure beside it."""
    from novaha.rundir import RunDir, Status

    with tempfile.TemporaryDirectory() as root:
        run_dir = RunDir(f"{root}/bench")
        os.environ |= {
            "NOVA_HA_RUN_ROOT": root,
            "OCF_RESOURCE_INSTANCE": "bench",
            "CRM_alert_kind": "fencing",
        }
        with run_dir.hold_lock(), run_dir.bind_wake():
            run_dir.write_status(Status(os.getpid(), time.monotonic(), "ok", "", "bench"))
            for name, call, budget_ms in CALLS:
                budget = f"   at most {budget_ms}" if budget_ms else ""
                took = measure(call)
                print(f"{name:<26} {took.median_ms:6.1f} ms   cpu {took.cpu_ms:6.1f} ms{budget}")
    print(f"median of {ROUNDS} calls each; load average {os.getloadavg()[0]:.1f}")


class Cost(NamedTuple):
    """What one call takes: the median of the wall clock, and the mean of the processor."""

    median_ms: float
    cpu_ms: float


def measure(call: Sequence[str]) -> Cost:
    """Make a call many times; raises CalledProcessError where it is no success or "not running"."""
    times, cpu_begin_s = [], cpu_s()
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        done = subprocess.run(call, capture_output=True, check=False)
        times.append(time.perf_counter() - begin)
        if done.returncode not in {0, NOT_RUNNING}:
            done.check_returncode()
    return Cost(statistics.median(times) * 1000, (cpu_s() - cpu_begin_s) / ROUNDS * 1000)


def cpu_s() -> float:
    """Return the processor time of all ended children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv))
