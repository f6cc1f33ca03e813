#!/usr/bin/env python3
"""Kill the recovery process, or its whole controller, in mid-recovery, and print what that costs.

Usage: PYTHONPATH=bench:containers:lib bench/failover.py [--instances 20] [--rounds 3]; it brings
the container cluster up.

Each line: what was killed and how many instances were ACTIVE elsewhere by then, then seconds from
that kill to the first request to Nova, to the first evacuation, and to the last instance ACTIVE.
At last the evacuations that were asked for, which must be as many as there were instances.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from race.ours import PROCESS
from rehearsal.calm import forget_fencings, make_calm
from rehearsal.configure import bring_up, wait_ready
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from rehearsal.story import Story
from rehearsal.verdict import assert_each_moved_once, evacuate_posts, requests_of_controllers
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.errors import ClusterError

VICTIM = "compute-1"
NOTHING, RECOVERY, CONTROLLER = "nothing", "process", "controller"
TIMEOUT_S = 300.0
KILL_AFTER = 4
"""So many instances are ACTIVE elsewhere when the kill comes; some others are in flight then."""


def main(argv: Sequence[str]) -> int:
    """Run the whole of it; returns the exit code."""
    arguments = _arguments(argv)
    cluster, cloud = bring_up()
    print("killed      ACTIVE  first request, s  first evacuation, s  last ACTIVE, s  evacuations")
    for _ in range(arguments.rounds):
        for what in (NOTHING, RECOVERY, CONTROLLER):
            lose(cluster, cloud, what, arguments.instances)
    return 0


def lose(cluster: Cluster, cloud: CloudCtl, what: str, instances: int) -> None:
    """Lose the host once, kill what recovers it, and print what that took."""
    make_calm(cluster, cloud)
    forget_fencings(cluster)
    cloud.boot(instances, [VICTIM], "victim")
    story = begin(cluster, cloud, VICTIM)
    home = look(cluster).where("NovaEvacuate")
    if home is None:
        msg = "NovaEvacuate runs nowhere: pcs status tells why"
        raise ClusterError(msg)
    witness = next(name for name in cluster.controllers() if name != home)
    with following(cluster, cloud, story, witness):
        story.crash()
        cluster.kill(VICTIM)
        wait_for("some to be ACTIVE elsewhere", lambda: _some(story), TIMEOUT_S, story)
        active = len(story.homes)
        kill(cluster, home, what)
        killed_s = time.time()
        wait_for("all to be ACTIVE elsewhere", story.recovered, TIMEOUT_S, story)
        wait_for("the host to serve again", story.serving, TIMEOUT_S, story)
    tell(cluster, story, what, active, killed_s)
    assert_each_moved_once(cloud, story)
    if what == CONTROLLER:
        cluster.start(home)
        cluster.wait_quorate()
        wait_ready(cluster)


def kill(cluster: Cluster, home: str, what: str) -> None:
    """Kill what recovers the host."""
    if what == RECOVERY:
        cluster.exec(home, ("pkill", "-KILL", "-f", PROCESS))
    elif what == CONTROLLER:
        cluster.kill(home)


def tell(cluster: Cluster, story: Story, what: str, active: int, killed_s: float) -> None:
    """Print one line, from Nova's own log of requests."""
    asked = requests_of_controllers(cluster, "nova-api", killed_s)
    sent = evacuate_posts(cluster, killed_s)
    figures = (
        min((request.time_s for request in asked), default=0.0) - killed_s,
        min((request.time_s for request in sent), default=0.0) - killed_s,
        story.events["all ACTIVE"].at_s - killed_s,
    )
    texts = [f"{seconds:.1f}" if seconds > 0 else "-" for seconds in figures]
    posts = len(evacuate_posts(cluster, story.crash_s))
    print(f"{what:10s}{active:8d}{texts[0]:>18}{texts[1]:>21}{texts[2]:>16}{posts:13d}", flush=True)


def _some(story: Story) -> bool:
    return len(story.homes) >= KILL_AFTER


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    if arguments.instances <= 2 * KILL_AFTER or arguments.rounds < 1:
        parser.error(f"--instances has to be more than {2 * KILL_AFTER}, --rounds at least 1")
    return arguments


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
