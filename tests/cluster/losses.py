"""What the tests of a lost host have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from observing import Observer
from rehearsal.copies import CopyCount
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from rehearsal.story import Story
from rehearsal.verdict import assert_each_moved_once
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

VICTIM = "compute-1"
WITNESS = "controller-3"
RECOVERED_S = 240.0
SERVING_S = 180.0
SLOW_S = 300.0
"""So long an evacuation takes under `slow`, unless the test ends it: it is looked at meanwhile."""
FENCED_S = 30.0
"""What a fencing with working devices may take here, from the loss on, beside other work."""


def seeded(cluster: Cluster, cloud: CloudCtl, instances: int = 6) -> Story:
    """Boot instances on the victim and return its story."""
    cloud.boot(instances, [VICTIM], "victim")
    return begin(cluster, cloud, VICTIM)


@contextmanager
def judged(  # noqa: PLR0913  (the last three say what is otherwise than in most losses)
    cluster: Cluster,
    cloud: CloudCtl,
    story: Story,
    witness: str = WITNESS,
    *,
    verdict: Callable[[CloudCtl, Story], None] = assert_each_moved_once,
    fenced_s: float | None = FENCED_S,
) -> Iterator[CopyCount]:
    """Run a loss to its good end: all moved once, served again, never ran twice, no law broken.

    fenced_s: what the fencing may take, None where a device of it does not work.
    """
    observer = Observer(cluster)
    observer.allowed_s = fenced_s
    with observer.watching(), following(cluster, cloud, story, witness):
        story.crash()
        observer.lost[story.host] = story.crash_s
        yield observer.count
        wait_for("its instances to be ACTIVE elsewhere", story.recovered, RECOVERED_S, story)
        wait_for("the host to serve again", story.serving, SERVING_S, story)
        print(f"\n{story.timeline()}")  # noqa: T201  (the figures are part of the result)
    verdict(cloud, story)
    count = observer.count
    assert not count.doubles, f"an instance ran twice: {count.doubles[0]}"
    assert count.seen >= story.victims.keys(), "the count never saw the guests it should count"


def reach(story: Story, what: str, timeout_s: float = 60.0) -> None:
    """Wait until a story has come to an event."""
    wait_for(f"the story to reach {what!r}", lambda: what in story.events, timeout_s, story)


@contextmanager
def evacuations_in_flight(cluster: Cluster) -> Iterator[None]:
    """Have no evacuation of the victim come to its end while the block runs, however long.

    The other computes' nova-compute is stopped, which the rest of Nova does not know.
    """
    _signal_others(cluster, "STOP")
    try:
        yield
    finally:
        _signal_others(cluster, "CONT")


def fenced_anew(cluster: Cluster, host: str) -> Callable[[], bool]:
    """Return what tells whether a host was fenced since now, and not only by an earlier test."""
    before = look(cluster, WITNESS).fenced(host)
    return lambda: look(cluster, WITNESS).fenced(host) != before


def serves(cloud: CloudCtl, host: str) -> bool:
    """Tell whether a host is in service again, as Nova shows it."""
    service = cloud.service(host)
    return (service.status, service.state, service.forced_down) == ("enabled", "up", False)


def slow(cluster: Cluster, spawn_s: float) -> None:
    """Have each instance take so long to start, those that are being started included."""
    for node in cluster.computes():
        cluster.set_faults(node, spawn_delay=spawn_s)


def _signal_others(cluster: Cluster, signal: str) -> None:
    for node in cluster.computes():
        if node != VICTIM:
            cluster.exec(node, ("pkill", f"-{signal}", "-f", "bin/nova-compute"))
