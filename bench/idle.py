#!/usr/bin/env python3
"""Print what nova-ha costs while nothing is lost: processor time per minute, memory, requests.

Usage: PYTHONPATH=bench:containers:lib bench/idle.py [--minutes 10]; it brings the container cluster
up, with its fast profile, whose monitors are the most frequent ones.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from race import procs
from race.ours import PROCESS
from rehearsal.calm import make_calm
from rehearsal.configure import bring_up
from rehearsal.verdict import requests_of_controllers

CALLERS = ("pacemaker-execd", "pacemaker-fenced", "pacemaker_remoted")
"""Their children are the agents: monitors of resources and of fence devices, the stock ones too."""


def main(argv: Sequence[str]) -> int:
    """Run the whole of it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args(argv).minutes
    cluster, cloud = bring_up()
    make_calm(cluster, cloud)
    before, since_s = procs.snapshot(), time.time()
    time.sleep(minutes * 60)
    after = procs.snapshot()
    seconds = (
        ("recovery process", procs.cpu_of(before, after, PROCESS)),
        ("the tools it calls", procs.children_cpu_of(before, after, PROCESS)),
        ("all agents, all nodes", procs.children_cpu_of(before, after, *CALLERS)),
    )
    for what, cpu_s in seconds:
        print(f"{what:24s}{cpu_s * 1000 / minutes:8.0f} ms of CPU per minute")
    print(f"{'its memory':24s}{procs.peak_mb_of(after, PROCESS):8.1f} MiB at most")
    for api in ("nova-api", "keystone"):
        asked = requests_of_controllers(cluster, api, since_s)
        print(f"{api:24s}{len(asked) / minutes:8.1f} requests per minute")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
