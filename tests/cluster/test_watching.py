"""What watches the cluster for the other tests leaves nothing behind on its nodes."""

import pytest
from rehearsal.follow import wait_for
from rehearsal.pacemaker import Snapshot, Watch
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

WITNESS = "controller-3"


def test_a_watch_ends_on_the_node_too(cluster: Cluster) -> None:
    """Seventeen that had gone on were found on one controller."""
    seen: list[Snapshot] = []
    with Watch(cluster, WITNESS, lambda _, snapshot: seen.append(snapshot)):
        wait_for("a snapshot", lambda: bool(seen), 30.0)
        assert watching(cluster)
    wait_for("the watch to end", lambda: not watching(cluster), 30.0)


def watching(cluster: Cluster) -> bool:
    """Tell whether something on the witness looks at Pacemaker again and again."""
    found = cluster.exec(WITNESS, ("pgrep", "-f", "crm_mon -1.*cibadmin"), check=False)
    return found.code == 0
