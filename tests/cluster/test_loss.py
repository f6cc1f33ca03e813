"""A compute is lost in every way it can be; Pacemaker and Nova tell what became of it."""

import pytest
from rehearsal.follow import begin, following, wait_for
from rehearsal.story import Story
from rehearsal.verdict import assert_each_moved_once, assert_untouched
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(420)]

VICTIM = "compute-1"
RECOVERED_S = 180.0
SERVING_S = 150.0


def seeded(cluster: Cluster, cloud: CloudCtl, instances: int = 6) -> Story:
    """Boot instances on the victim and return its story."""
    cloud.boot(instances, [VICTIM], "victim")
    return begin(cluster, cloud, VICTIM)


def recovers_and_returns(story: Story) -> None:
    """Wait for the whole story to end well."""
    wait_for("its instances to be ACTIVE elsewhere", story.recovered, RECOVERED_S, story)
    wait_for("the host to serve again", story.serving, SERVING_S, story)


def test_a_crashed_host_is_fenced_and_each_instance_moves_once(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    with following(cluster, cloud, story, "controller-3"):
        story.crash()
        cluster.kill(VICTIM)
        recovers_and_returns(story)
    print(story.timeline())  # noqa: T201  (the figures are part of the result)
    assert_each_moved_once(cloud, story)


def test_a_silently_isolated_host_is_fenced_before_anything_is_evacuated(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    with following(cluster, cloud, story, "controller-3"):
        story.crash()
        cluster.isolate(VICTIM)
        recovers_and_returns(story)
    print(story.timeline())  # noqa: T201  (the figures are part of the result)
    assert story.events["fenced"].at_s <= story.events["first evacuation accepted"].at_s
    assert_each_moved_once(cloud, story)


def test_nothing_is_asked_of_nova_as_long_as_the_bmc_cannot_be_reached(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    cluster.bmc_stop(VICTIM)
    before = cloud.changes()
    with following(cluster, cloud, story, "controller-3"):
        story.crash()
        cluster.kill(VICTIM)
        wait_for("Pacemaker to show the host unclean", lambda: "unclean" in story.events, 30, story)
        wait_for("three fencings to have failed", lambda: story.failed_fencings() >= 3, 90, story)
        assert cloud.changes() == before
        assert_untouched(cloud, VICTIM)
        shown = cluster.exec("controller-2", ("pcs", "status")).out
        assert f"RemoteNode {VICTIM}: UNCLEAN" in shown
        assert f"of {VICTIM} failed" in shown
        cluster.bmc_start(VICTIM)
        recovers_and_returns(story)
    print(story.timeline())  # noqa: T201  (the figures are part of the result)
    assert_each_moved_once(cloud, story)


@pytest.mark.parametrize("service", ["nova-api", "keystone"])
def test_fencing_does_not_wait_for_a_cloud_that_is_down(
    cluster: Cluster, cloud: CloudCtl, service: str
) -> None:
    story = seeded(cluster, cloud)
    cluster.api_stop(service)
    with following(cluster, cloud, story, "controller-3"):
        story.crash()
        cluster.kill(VICTIM)
        wait_for("the host to be fenced", lambda: "fenced" in story.events, 60, story)
        wait_for("the host to be back and held", lambda: "held" in story.events, 60, story)
        assert not story.snapshot.runs("nova-compute", VICTIM)
        cluster.api_start(service)
        recovers_and_returns(story)
    print(story.timeline())  # noqa: T201  (the figures are part of the result)
    assert_each_moved_once(cloud, story)


def test_a_recovery_survives_that_all_attributes_of_the_fenced_node_are_wiped(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    with following(cluster, cloud, story, "controller-3"):
        story.crash()
        cluster.kill(VICTIM)
        wait_for("the receipt", lambda: "receipt" in story.events, 60, story)
        wipe = (
            "attrd_updater --node {0} --name {1} --delete; crm_attribute --node {0} --name {1} -D"
        )
        for attribute in ("evacuate", "nova-ha", "nova-ha-hold", "#node-unfenced"):
            argv = ("sh", "-c", wipe.format(VICTIM, f"'{attribute}'"))
            cluster.exec("controller-2", argv, check=False)
        argv = ("sh", "-c", f"crm_node --force --remove {VICTIM}")
        cluster.exec("controller-2", argv, check=False)
        recovers_and_returns(story)
    assert_each_moved_once(cloud, story)
