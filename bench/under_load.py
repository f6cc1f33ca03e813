#!/usr/bin/env python3
"""Print how soon a silent host is noticed and fenced, by profile, idle and under load; then wait.

Usage: PYTHONPATH=containers:lib bench/under_load.py [--profiles fast,default,calm] [--losses 3]
[--burners 4] [--minutes 60]; it brings the container cluster up.

Each loss drops all packets of a compute, as a dead switch does. Load: so many processes that do
nothing but count, beside the cluster, each as nice as Pacemaker is. At last, with the first profile
and under load, nothing is lost for so many minutes: each fencing that Pacemaker begins is printed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rehearsal.calm import make_calm
from rehearsal.configure import INVENTORY, bring_up, inventory_of, wait_ready
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from rehearsal.story import Story
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.docker import File

VICTIM = "compute-1"
HOME, WITNESS = "controller-1", "controller-3"
TESTED = "fast"
"""What the cluster has otherwise."""
INSTANCES = 2
TIMEOUT_S = 300.0
LOOK_S = 5.0
BURN = "while True: pass"


def main(argv: Sequence[str]) -> int:
    """Run the whole of it; returns the exit code."""
    arguments = _arguments(argv)
    cluster, cloud = bring_up()
    try:
        measure(cluster, cloud, arguments)
    finally:
        set_profile(cluster, TESTED)
    return 0


def measure(cluster: Cluster, cloud: CloudCtl, arguments: argparse.Namespace) -> None:
    """Lose a host under each profile, idle and loaded; then have an hour without a loss."""
    profiles = arguments.profiles.split(",")
    print("profile  load average  unclean, s  fenced, s  all ACTIVE, s", flush=True)
    for profile in profiles:
        set_profile(cluster, profile)
        for burners in (0, arguments.burners):
            with burning(burners):
                for _ in range(arguments.losses):
                    lose(cluster, cloud, profile)
    set_profile(cluster, profiles[0])
    with burning(arguments.burners):
        false = stay(cluster, arguments.minutes * 60)
    print(f"{arguments.minutes:.0f} min under load, nothing lost: {false} fencings")


def set_profile(cluster: Cluster, profile: str) -> None:
    """Have the whole configuration of a profile in the running cluster."""
    text = inventory_of(cluster).replace(f'profile = "{TESTED}"', f'profile = "{profile}"')
    cluster.put(HOME, (File(INVENTORY, text.encode()),))
    cluster.exec(HOME, ("nova-ha", "cib", "apply", "--yes", INVENTORY), timeout_s=180.0)
    wait_ready(cluster)


@contextmanager
def burning(number: int) -> Iterator[None]:
    """Keep so many processes busy meanwhile."""
    burners = [subprocess.Popen((sys.executable, "-c", BURN)) for _ in range(number)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def lose(cluster: Cluster, cloud: CloudCtl, profile: str) -> None:
    """Lose a host silently once, and print what it took."""
    make_calm(cluster, cloud)
    cloud.boot(INSTANCES, [VICTIM], "victim")
    story = begin(cluster, cloud, VICTIM)
    with following(cluster, cloud, story, WITNESS):
        story.crash()
        cluster.isolate(VICTIM)
        wait_for("its instances to be ACTIVE elsewhere", story.recovered, TIMEOUT_S, story)
        wait_for("the host to serve again", story.serving, TIMEOUT_S, story)
    figures = "".join(_after(story, name) for name in ("unclean", "fenced", "all ACTIVE"))
    print(f"{profile:7s} {os.getloadavg()[0]:13.1f}{figures}", flush=True)


def _after(story: Story, what: str) -> str:
    """Return the seconds from the loss; what is over between two looks is not seen."""
    event = story.events.get(what)
    return f"{event.at_s - story.crash_s:12.1f}" if event else f"{'not seen':>12s}"


def stay(cluster: Cluster, seconds: float) -> int:
    """Return how many fencings there were while nothing was lost; prints each."""
    end_s = time.monotonic() + seconds
    before = set(look(cluster, WITNESS).fencings)
    new: set[tuple[str, str, str]] = set()
    while time.monotonic() < end_s:
        for event in set(look(cluster, WITNESS).fencings) - before - new:
            new.add(event)
            print(f"{time.strftime('%H:%M:%S')} fencing of {event[0]}: {event[1]}", flush=True)
        time.sleep(LOOK_S)
    return len(new)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--profiles", default="fast,default,calm")
    parser.add_argument("--losses", type=int, default=3, help="for each profile, idle and loaded")
    parser.add_argument("--burners", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--minutes", type=float, default=60.0, help="under load with no loss")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
