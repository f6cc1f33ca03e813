"""Real QEMU guests leave a host by live migration, and never run on two."""

from collections.abc import Iterator

import pytest
from losses import VICTIM
from rehearsal.copies import CopyCount
from test_drain import EMPTY_S, drain, is_serving, moves, newest, on_victim, undrain, waits
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import ServerId
from testcloud.referee import Guest, qemus
from testcloud.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

GUESTS = 3
RUNNING = ("virsh", "list", "--uuid", "--state-running")


@pytest.fixture
def cluster(calm_libvirt_cluster: Cluster) -> Iterator[Cluster]:
    """Return the cluster whose computes run libvirt; nothing stays drained in it."""
    yield calm_libvirt_cluster
    calm_libvirt_cluster.exec("controller-1", ("nova-ha", "undrain", VICTIM, "--yes"), check=False)


def seen_once(cluster: Cluster) -> set[Guest]:
    """Return the guests that libvirt calls running, one node after the other."""
    found = set()
    for node in cluster.computes():
        out = cluster.exec(node, RUNNING).out
        found |= {Guest(ServerId(uuid), node, 0) for uuid in out.split()}
    return found


def running(cluster: Cluster) -> tuple[Guest, ...]:
    """Return what runs in two looks: one that passes from node to node between them is on none.

    By libvirt: while a guest moves, both hosts have a QEMU, and one of them is paused.
    """
    return tuple(seen_once(cluster) & seen_once(cluster))


@pytest.mark.long
def test_guests_leave_a_host_that_is_drained_and_none_runs_twice(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    mine = {server.id for server in cloud.boot(GUESTS, [VICTIM], "guest")}
    pids = {guest.server: guest.pid for guest in qemus()}
    before, evacuations = newest(cloud), len(cloud.migrations())
    with CopyCount(lambda: running(cluster)) as count:
        drain(cluster, "--yes")
        until("the host to be empty", lambda: not on_victim(cloud), EMPTY_S)
        until("that to be shown", lambda: "drained" in waits(cluster), 60.0)
        undrain(cluster)
        until("the host to serve as before", lambda: is_serving(cluster, cloud), 60.0)
    assert moves(cloud, before) == ["completed"] * GUESTS
    assert len(cloud.migrations()) == evacuations, "nothing was evacuated"
    there = {guest.server: guest for guest in qemus()}
    assert there.keys() == mine
    assert VICTIM not in {guest.node for guest in there.values()}
    assert all(guest.pid != pids[guest.server] for guest in there.values())
    assert not count.doubles, f"a guest ran twice: {count.doubles[0]}"
    assert count.seen == mine
    print(f"counted {count.counts} times, {len(count.changes)} changes")  # noqa: T201
