#!/usr/bin/env python3
"""Lose hosts beside one that cannot be fenced, for a long time, and print how long each takes.

Usage: PYTHONPATH=containers:lib bench/sick_host.py [--minutes 60] [--every 5]; it brings the
container cluster up.
One compute loses its fence device and its power; then another one is lost again and again. At the
end the device answers again. Each line: crash to the end of its fencing, to all instances ACTIVE
elsewhere, to its service serving again; and how many fencings of the sick host have failed so far
(of those that Pacemaker still has in its history).
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rehearsal.calm import make_calm
from rehearsal.configure import bring_up, parameter
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from rehearsal.story import Story
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

SICK, VICTIM = "compute-4", "compute-1"
CONTROLLER = "controller-3"
INSTANCES = 4
TIMEOUT_S = 300.0


def main(argv: Sequence[str]) -> int:
    """Bring the cluster up and run the whole of it; returns the exit code."""
    arguments = _arguments(argv)
    cluster, cloud = bring_up()
    make_calm(cluster, cloud)
    with trusted(cluster):
        run(cluster, cloud, arguments.minutes, arguments.every)
    return 0


@contextmanager
def trusted(cluster: Cluster) -> Iterator[None]:
    """Have a host that is lost again and again serve again each time, without a probation."""
    parameter(cluster, "--set-parameter", "flap_limit", "--parameter-value", "0")
    try:
        yield
    finally:
        parameter(cluster, "--delete-parameter", "flap_limit")


def run(cluster: Cluster, cloud: CloudCtl, minutes: float, every: float) -> None:
    """Lose the sick host for good, then the other one every so many minutes."""
    cloud.boot(2, [SICK], "sick")
    cluster.bmc_stop(SICK)
    cluster.kill(SICK)
    wait_for("a fencing of the sick host to fail", lambda: failed(cluster) > 0, TIMEOUT_S)
    end_s = time.monotonic() + minutes * 60
    while True:
        begun_s = time.monotonic()
        lose(cluster, cloud)
        if begun_s + every * 60 >= end_s:
            break
        time.sleep(max(begun_s + every * 60 - time.monotonic(), 0))
    back_s = time.time()
    cluster.bmc_start(SICK)
    wait_for("the sick host's instances to run elsewhere", lambda: not left(cloud), TIMEOUT_S)
    print(f"its device answers again: its instances ACTIVE after {time.time() - back_s:.1f} s")


def lose(cluster: Cluster, cloud: CloudCtl) -> None:
    """Lose the other host once, and print what it took."""
    cloud.boot(INSTANCES, [VICTIM], "victim")
    story = begin(cluster, cloud, VICTIM)
    with following(cluster, cloud, story, CONTROLLER):
        story.crash()
        cluster.kill(VICTIM)
        wait_for("its instances to be ACTIVE elsewhere", story.recovered, TIMEOUT_S, story)
        wait_for("the host to serve again", story.serving, TIMEOUT_S, story)
    print(
        f"{time.strftime('%H:%M:%S')} fenced {after(story, 'fenced')} all ACTIVE"
        f" {after(story, 'all ACTIVE')} serves {after(story, 'enabled')}"
        f" failed fencings of {SICK}: {failed(cluster)}",
        flush=True,
    )
    for server in cloud.servers():
        if server.name.startswith("victim"):
            cloud.delete(server.id)


def after(story: Story, event: str) -> str:
    """Return how long after the crash an event was seen."""
    return f"{story.events[event].at_s - story.crash_s:.1f} s"


def failed(cluster: Cluster) -> int:
    """Return how many failed fencings of the sick host the history has."""
    lines = look(cluster, CONTROLLER).fencings
    return sum(node == SICK and status == "failed" for node, status, _ in lines)


def left(cloud: CloudCtl) -> list[str]:
    """Return the instances of the sick host that do not run elsewhere."""
    sick = [server for server in cloud.servers() if server.name.startswith("sick")]
    return [s.name for s in sick if s.status != "ACTIVE" or s.host == SICK]


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="for how long; default: 60")
    parser.add_argument("--every", type=float, default=5.0, help="minutes between two losses")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
