"""A host that cannot be fenced holds no other hostage; it is taken up when its device answers."""

import pytest
from losses import RECOVERED_S, VICTIM, judged, seeded
from rehearsal.follow import begin, wait_for
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

SICK, OTHER = "compute-4", "compute-2"
RETRIED_S = 65.0
"""What a fencing may take where the controller that tries to fence the sick host is lost, too.

With the profile `fast`: Pacemaker waits 18 s for that controller's answer, then has another one try
for 15 s; only then it looks for the lost host, beside the next attempt of 15 s. More than that is a
loss that was forgotten meanwhile (68 to 88 s).
"""


def sickened(cluster: Cluster, cloud: CloudCtl) -> None:
    """Lose a host whose fence device gives no answer, and wait until that was tried in vain."""
    cloud.boot(2, [SICK], "sick")
    cluster.bmc_stop(SICK)
    cluster.kill(SICK)
    wait_for("two fencings of the sick host to have failed", lambda: failed(cluster) >= 2, 150.0)


def failed(cluster: Cluster) -> int:
    """Return how many fencings of the sick host failed, as Pacemaker's history tells."""
    seen = [status for node, status, _ in look(cluster, survivor(cluster)).fencings if node == SICK]
    assert "success" not in seen
    return seen.count("failed")


def tries(cluster: Cluster, controller: str) -> bool:
    """Tell whether a controller asks the sick host's device for something right now."""
    asks = f"ipmitool .*-p {cluster.bmc_of(SICK).port} "
    return cluster.exec(controller, ("pgrep", "--full", asks), check=False).code == 0


def survivor(cluster: Cluster) -> str:
    """Return a controller that runs."""
    return next(node for node in cluster.controllers() if cluster.running(node))


@pytest.mark.long
def test_while_one_host_cannot_be_fenced_another_is_fenced_and_recovered_as_ever(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    sickened(cluster, cloud)
    story = seeded(cluster, cloud, 4)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
    assert {s.host for s in cloud.servers() if s.name.startswith("sick")} == {SICK}
    cluster.bmc_start(SICK)
    assert_taken_up(cloud)


def test_nova_evacuate_fails_over_and_recovers_others_beside_a_host_that_cannot_be_fenced(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    sickened(cluster, cloud)
    home = look(cluster).where("NovaEvacuate")
    assert home is not None
    witness = next(node for node in cluster.controllers() if node != home)
    cloud.boot(4, [OTHER], "victim")
    story = begin(cluster, cloud, OTHER)
    wait_for("it to try the sick host as well", lambda: tries(cluster, home), RETRIED_S)
    with judged(cluster, cloud, story, witness, fenced_s=RETRIED_S):
        cluster.kill(home)
        cluster.kill(OTHER)
    assert {s.host for s in cloud.servers() if s.name.startswith("sick")} == {SICK}
    cluster.bmc_start(SICK)
    assert_taken_up(cloud)


def assert_taken_up(cloud: CloudCtl) -> None:
    """Wait until the instances of the sick host run elsewhere, though nobody did anything."""

    def moved() -> bool:
        sick = [server for server in cloud.servers() if server.name.startswith("sick")]
        return all(server.status == "ACTIVE" and server.host != SICK for server in sick)

    wait_for("the instances of the sick host to run elsewhere", moved, RECOVERED_S)
