"""A returned host serves only when an instance was seen to run on it."""

from collections.abc import Iterator

import pytest
from losses import SERVING_S, VICTIM, seeded
from novaha.core.canary import NAME
from rehearsal.configure import parameter
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

CALLED = f"{NAME}{VICTIM}"
NO_FLAVOR = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def canaries(cluster: Cluster, cloud: CloudCtl) -> Iterator[None]:
    """Have one booted of a flavor that does not exist."""
    tried(cluster, cloud, NO_FLAVOR)
    yield
    parameter(cluster, "--delete-parameter", "canary")


def tried(cluster: Cluster, cloud: CloudCtl, flavor: str) -> None:
    """Set what canaries are booted of."""
    recipe = f"image={cloud.image()} flavor={flavor}"
    parameter(cluster, "--set-parameter", "canary", "--parameter-value", recipe)


def there(cloud: CloudCtl) -> list[tuple[str, str]]:
    """Return where the canaries are and how they stand."""
    return [(each.host or "", each.status) for each in cloud.servers() if each.name == CALLED]


def is_shown(cluster: Cluster) -> bool:
    return any("its canary does not run: Flavor" in reason for reason in look(cluster).failures)


@pytest.mark.long
@pytest.mark.usefixtures("canaries")
def test_a_host_without_a_running_canary_stays_disabled_and_with_one_it_serves(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    seeded(cluster, cloud, 1)
    lost = begin(cluster, cloud, VICTIM)
    with following(cluster, cloud, lost, "controller-3"):
        lost.crash()
        cluster.kill(VICTIM)
        wait_for("the failing canary to be shown", lambda: is_shown(cluster), SERVING_S, lost)
        service = cloud.service(VICTIM)
        assert (service.status, service.forced_down) == ("disabled", False)
        assert there(cloud) == []
        tried(cluster, cloud, cloud.flavor())
        running = (VICTIM, "ACTIVE")
        wait_for("a canary to run there", lambda: running in there(cloud), 120.0, lost)
        assert cloud.service(VICTIM).status == "disabled"
        wait_for("the host to serve again", lost.serving, 60.0, lost)
    wait_for("the canary to be gone", lambda: not there(cloud), 30.0)
