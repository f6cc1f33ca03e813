"""A compute is lost in every way it can be; Pacemaker and Nova tell what became of it."""

from collections.abc import Callable
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from losses import SLOW_S, VICTIM, judged, reach, seeded, slow
from rehearsal.fencings import fencings
from rehearsal.follow import wait_for
from rehearsal.story import Story
from rehearsal.verdict import (
    assert_each_moved_once,
    assert_each_tried_in_turn,
    assert_untouched,
    changes,
    evacuate_posts,
    requests_of_controllers,
)
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]


def test_a_crashed_host_is_fenced_and_each_instance_moves_once(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 10)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
    nova = requests_of_controllers(cluster, "nova-api", story.crash_s)
    tokens = requests_of_controllers(cluster, "keystone", story.crash_s)
    first = min(request.time_s for request in evacuate_posts(cluster, story.crash_s))
    recovery = [r for r in nova if r.time_s < story.events["released"].at_s]
    print(  # noqa: T201
        f"requests to Nova for 10 instances: {len(recovery)}, with the host's return {len(nova)}; "
        f"to Keystone: {len(tokens)}; "
        f"crash to end of fencing {_fencing_end_s(cluster) - story.crash_s:.2f} s; "
        f"end of fencing to first evacuate request {first - _fencing_end_s(cluster):.2f} s"
    )
    assert len(recovery) <= 2 * 10 + 20
    assert sum(request.method == "POST" for request in tokens) <= 1


def test_a_silently_isolated_host_is_fenced_before_anything_is_evacuated(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    with judged(cluster, cloud, story):
        cluster.isolate(VICTIM)
    print(f"isolation to end of fencing {_fencing_end_s(cluster) - story.crash_s:.2f} s")  # noqa: T201
    fencing_ended_s = _last_fencing_s(cluster)
    first = min(request.time_s for request in evacuate_posts(cluster, story.crash_s))
    assert int(first) >= fencing_ended_s


def test_nothing_is_asked_of_nova_as_long_as_the_bmc_cannot_be_reached(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    cluster.bmc_stop(VICTIM)
    with judged(cluster, cloud, story, fenced_s=None):
        cluster.kill(VICTIM)
        reach(story, "unclean")
        wait_for(
            "two fencings to have failed", lambda: _failed_fencings(cluster) >= 2, 150.0, story
        )
        assert not changes(cluster, story.crash_s)
        assert_untouched(cloud, VICTIM)
        shown = cluster.exec("controller-2", ("pcs", "status")).out
        assert f"RemoteNode {VICTIM}: UNCLEAN" in shown
        assert f"reboot of {VICTIM}" in shown
        cluster.bmc_start(VICTIM)
    first = min(request.time_s for request in evacuate_posts(cluster, story.crash_s))
    assert int(first) >= _last_fencing_s(cluster)


@pytest.mark.parametrize(
    ("service", "verdict"),
    [
        ("nova-api", assert_each_moved_once),
        # Nova may still know our token, accept, and fail for want of tokens of its own.
        pytest.param("keystone", assert_each_tried_in_turn, marks=pytest.mark.long),
    ],
)
def test_fencing_does_not_wait_for_a_cloud_that_is_down(
    cluster: Cluster,
    cloud: CloudCtl,
    service: str,
    verdict: Callable[[CloudCtl, Story], None],
) -> None:
    story = seeded(cluster, cloud)
    with judged(cluster, cloud, story, verdict=verdict):
        cluster.api_stop(service)
        story.crash()
        cluster.kill(VICTIM)
        reach(story, "fenced")
        reach(story, "held")
        assert not story.snapshot.runs("nova-compute", VICTIM)
        cluster.api_start(service)


def test_nova_that_goes_down_in_the_middle_of_a_recovery_costs_nothing(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    for node in cluster.computes():
        cluster.set_faults(node, spawn_delay=3.0)
    story = seeded(cluster, cloud)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "first evacuation accepted")
        cluster.api_stop("nova-api")
        reach(story, "held")
        cluster.api_start("nova-api")


def test_a_recovery_survives_that_all_attributes_of_the_fenced_node_are_wiped(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "receipt")
        for xpath in (
            f"//node_state[@uname='{VICTIM}']/transient_attributes",
            f"//node[@uname='{VICTIM}']/instance_attributes",
        ):
            argv = ("cibadmin", "--delete-all", "--force", "--xpath", xpath)
            cluster.exec("controller-2", argv, check=False)


def test_a_host_that_returns_early_is_held_until_its_evacuations_are_over(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    slow(cluster, SLOW_S)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "held")
        slow(cluster, 0.0)
    assert story.events["released"].at_s > story.events["all ACTIVE"].at_s
    service = cloud.service(VICTIM)
    assert (service.state, service.status, service.forced_down) == ("up", "enabled", False)


def _fencing_end_s(cluster: Cluster) -> float:
    """Return when the last successful fencing ended, to the millisecond, by the fencers' logs."""
    return max(fencing.at_s for fencing in fencings(cluster, 0.0) if fencing.node == VICTIM)


def _history(cluster: Cluster) -> list[ET.Element]:
    argv = ("stonith_admin", "--history", VICTIM, "--verbose", "--output-as=xml")
    return list(ET.fromstring(cluster.exec("controller-2", argv).out).iter("fence_event"))  # noqa: S314


def _failed_fencings(cluster: Cluster) -> int:
    return sum(event.get("status") == "failed" for event in _history(cluster))


def _last_fencing_s(cluster: Cluster) -> float:
    """Return when the last successful fencing ended, in whole seconds since the epoch."""
    ends = [event.get("completed", "") for event in _history(cluster)]
    return max(datetime.fromisoformat(end).timestamp() for end in ends if end)
