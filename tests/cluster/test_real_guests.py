"""Real QEMU guests, their disks on a folder that all computes share: never two copies of one."""

from collections.abc import Sequence

import pytest
from losses import VICTIM, judged, reach, seeded
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import NodeName

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

GUESTS = 4


@pytest.fixture
def cluster(calm_libvirt_cluster: Cluster) -> Cluster:
    """Return the cluster whose computes run libvirt."""
    return calm_libvirt_cluster


def test_no_guest_runs_twice_while_a_crashed_host_is_recovered(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, GUESTS)
    with judged(cluster, cloud, story) as count:
        cluster.kill(VICTIM)
    _enough(count.counts, story.events["enabled"].at_s - story.crash_s)


def test_no_guest_runs_twice_when_the_host_returns_in_the_middle(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, GUESTS)
    others = [node for node in cluster.computes() if node != VICTIM]
    with judged(cluster, cloud, story) as count:
        _signal_nova_compute(cluster, others, "STOP")
        cluster.kill(VICTIM)
        reach(story, "held")
        assert "all ACTIVE" not in story.events, "the host was not early: nothing was tested"
        assert not story.snapshot.runs("nova-compute", VICTIM)
        _signal_nova_compute(cluster, others, "CONT")
    assert story.events["released"].at_s > story.events["all ACTIVE"].at_s
    _enough(count.counts, story.events["enabled"].at_s - story.crash_s)


def _signal_nova_compute(cluster: Cluster, nodes: Sequence[NodeName], signal: str) -> None:
    for node in nodes:
        cluster.exec(node, ("pkill", f"-{signal}", "-f", "bin/nova-compute"))


def _enough(counts: int, seconds: float) -> None:
    """The count must have looked several times a second, or it says nothing."""
    print(f"counted {counts} times in {seconds:.0f} s")  # noqa: T201
    assert counts > 3 * seconds
