"""The main job, shown: a compute dies, and its instances live."""

import sys
import time
from collections.abc import Callable, Sequence

from testcloud import lifecycle
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.errors import ClusterError
from testcloud.settings import Settings

from .configure import configure
from .follow import begin, following, wait_for
from .story import Story

VICTIM = "compute-1"
INSTANCES = 20
_ON_VICTIM = 10
_TIMEOUT_S = 240.0


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 when every instance is where it should be, 1 otherwise."""
    if argv:
        sys.stderr.write("demo takes no arguments; see: containers/cluster --help\n")
        return 2
    started_s = time.monotonic()
    settings = Settings()
    try:
        lifecycle.up(settings)
        cluster, cloud = Cluster(settings), CloudCtl(settings)
        story = run(cluster, cloud)
    except ClusterError as error:
        sys.stderr.write(f"demo: {error}\n")
        for note in getattr(error, "__notes__", ()):
            sys.stderr.write(f"{note}\n")
        return 1
    return report(cluster, cloud, story, time.monotonic() - started_s)


def run(cluster: Cluster, cloud: CloudCtl) -> Story:
    """Configure, boot, kill, follow."""
    say("configuring Pacemaker with pcs")
    configure(cluster)
    cloud.wait_services_up(cluster.computes())
    seed(cluster, cloud)
    story = begin(cluster, cloud, VICTIM)
    say(f"killing {VICTIM}, which runs {len(story.victims)} instances")
    with following(cluster, cloud, story, cluster.controllers()[-1]):
        story.crash()
        cluster.kill(VICTIM)
        show_until("its instances to be ACTIVE elsewhere", story, story.recovered)
        show_until("the host to serve again", story, story.serving)
    return story


def seed(cluster: Cluster, cloud: CloudCtl) -> None:
    """Boot what is missing to 20 instances, 10 of them on the victim."""
    cloud.wipe()
    others = [node for node in cluster.computes() if node != VICTIM]
    say(f"booting {INSTANCES} instances, {_ON_VICTIM} of them on {VICTIM}")
    cloud.boot(_ON_VICTIM, [VICTIM], "victim")
    cloud.boot(INSTANCES - _ON_VICTIM, others, "other")


def show_until(what: str, story: Story, probe: Callable[[], bool]) -> None:
    """Wait for a part of the story, with a line that shows where it is."""
    shown = ""

    def watched() -> bool:
        nonlocal shown
        line = story.progress()
        if line != shown:
            shown = line
            say(line)
        return probe()

    wait_for(what, watched, _TIMEOUT_S, story)


def report(cluster: Cluster, cloud: CloudCtl, story: Story, took_s: float) -> int:
    """Print the timeline, Pacemaker's status and the verdict."""
    print("\nTimeline (seconds since the crash, as Pacemaker and Nova showed it)\n")
    print(story.timeline())
    print("\n" + cluster.exec(cluster.controllers()[0], ("pcs", "status"), check=False).out)
    wrong = [
        f"{server.name} is {server.status} on {server.host}"
        for server in cloud.servers()
        if server.status != "ACTIVE" or (server.id in story.victims and server.host == VICTIM)
    ]
    for line in wrong:
        print(f"WRONG: {line}")
    verdict = "FAILED" if wrong else "every instance is ACTIVE where it should be"
    print(f"Verdict: {verdict} ({took_s:.0f} s in all)\n")
    print("The cluster is still up. Look around:")
    print("  containers/cluster exec controller-1 pcs status --full")
    print("  containers/cluster exec controller-1 stonith_admin --history '*'")
    print("  containers/cluster kill compute-2")
    return 1 if wrong else 0


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"[{time.strftime('%T')}] {text}", flush=True)
