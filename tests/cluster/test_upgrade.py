"""The upgrade as README tells it, in the middle of a recovery, with a host lost meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from losses import (
    FENCED_S,
    RECOVERED_S,
    SERVING_S,
    VICTIM,
    fenced_anew,
    judged,
    reach,
    seeded,
    serves,
    slow,
)
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import assert_untouched, evacuate_posts
from testcloud import install
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(540)]

OTHER = "compute-2"
CONTROLLER = "controller-1"
INSTANCES, OTHERS = 6, 2
SPAWN_S = 8.0


def test_an_upgrade_in_the_middle_of_a_recovery_loses_nothing(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, INSTANCES)
    others: set[str] = {server.id for server in cloud.boot(OTHERS, [OTHER], "other")}
    slow(cluster, SPAWN_S)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "first evacuation accepted")
        with stopped(cluster):
            fenced = fenced_anew(cluster, OTHER)
            cluster.kill(OTHER)
            wait_for("the host lost meanwhile to be fenced", fenced, FENCED_S)
            assert install.everywhere(cluster)
            assert_untouched(cloud, OTHER)
            asked = [request.path for request in evacuate_posts(cluster, story.crash_s)]
            assert not [path for path in asked if any(server in path for server in others)]
        wait_for("the host lost meanwhile to be empty", lambda: gone(cloud, others), RECOVERED_S)
        wait_for("it to serve again", lambda: serves(cloud, OTHER), SERVING_S)
    assert len(evacuate_posts(cluster, story.crash_s)) == INSTANCES + OTHERS


@contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    """Have NovaEvacuate stopped while the block runs, as an operator stops it."""
    pcs(cluster, "disable")
    assert look(cluster, CONTROLLER).where("NovaEvacuate") is None
    try:
        yield
    finally:
        pcs(cluster, "enable")


def pcs(cluster: Cluster, how: str) -> None:
    """Do as README says."""
    command = ("pcs", "resource", how, "nova-evacuate", "--wait=60")
    cluster.exec(CONTROLLER, command, timeout_s=90.0)


def gone(cloud: CloudCtl, servers: set[str]) -> bool:
    """Tell whether instances run on another host."""
    mine = [server for server in cloud.servers() if server.id in servers]
    return all(server.status == "ACTIVE" and server.host != OTHER for server in mine)
