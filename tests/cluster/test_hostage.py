"""A host that cannot be fenced holds no other hostage; it is taken up when its device answers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from losses import RECOVERED_S, VICTIM, judged, seeded
from rehearsal.configure import apply, device_line, inventory_of
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

TWO_LEVELS_S = 85.0
"""The same where an attempt waits 15 s for each of two levels: 48 s, and the next one of 30 s."""
SECOND = "fence-second-compute-4"


@contextmanager
def second_level(cluster: Cluster) -> Iterator[None]:
    """Give the sick host a second level, whose device answers as little as its BMC."""
    plain, own = inventory_of(cluster), device_line(cluster, SICK)
    silent = own.replace("fence.ipmi", "fence.second").replace("ipport = 6", "ipport = 7")
    assert silent != own
    kind = plain[plain.index("[fence.ipmi]") : plain.index("[[controller]]")]
    text = plain.replace(own, f'levels = [["ipmi"], ["second"]]\n{own}\n{silent}')
    apply(cluster, text.replace(kind, f"{kind}{kind.replace('fence.ipmi', 'fence.second')}", 1))
    try:
        yield
    finally:
        for argv in (("level", "delete", "2", SICK), ("delete", SECOND)):
            cluster.exec(cluster.controllers()[0], ("pcs", "stonith", *argv), timeout_s=90.0)
        apply(cluster, plain)


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


def connected_from(cluster: Cluster, compute: str) -> str:
    """Return the controller that holds the connection to a compute."""
    argv = ("crm_resource", "--resource", compute, "--locate", "--quiet")
    return cluster.exec(survivor(cluster), argv).out.split()[0]


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


@pytest.mark.long
def test_who_is_lost_with_its_controller_beside_a_long_attempt_is_not_forgotten(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    with second_level(cluster):
        sickened(cluster, cloud)
        story, home = seeded(cluster, cloud, 4), connected_from(cluster, VICTIM)
        witness = next(node for node in cluster.controllers() if node != home)
        with judged(cluster, cloud, story, witness, fenced_s=TWO_LEVELS_S):
            cluster.kill(home)
            cluster.kill(VICTIM)
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
