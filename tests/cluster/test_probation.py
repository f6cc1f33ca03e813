"""A host that is fenced again and again is up, and gets no instances until a person trusts it."""

from collections.abc import Iterator

import pytest
from losses import SERVING_S, VICTIM, judged, seeded
from novaha.adapters.brakestate import RELEASE_PREFIX
from rehearsal.configure import parameter, wait_ready
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
SHOWN = "was fenced 2 times within 24 h"
SHOWN_NO_MORE_S = 60.0


@pytest.fixture
def distrusted_at_two(cluster: Cluster) -> Iterator[None]:
    """Have a host wait from its second fencing on."""
    parameter(cluster, "--set-parameter", "flap_limit", "--parameter-value", "2")
    yield
    parameter(cluster, "--delete-parameter", "flap_limit")
    name = f"{RELEASE_PREFIX}{VICTIM}"
    argv = ("cibadmin", "--delete-all", "--force", "--xpath", f"//nvpair[@id='{name}']")
    cluster.exec(HOME, argv, check=False)


def is_shown(cluster: Cluster) -> bool:
    """Tell whether pcs status shows the probation of the victim."""
    return any(SHOWN in reason for reason in look(cluster).failures)


@pytest.mark.long
@pytest.mark.usefixtures("distrusted_at_two")
def test_a_host_fenced_twice_stays_disabled_and_is_shown_until_a_person_releases_it(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    with judged(cluster, cloud, seeded(cluster, cloud, 1)):
        cluster.kill(VICTIM)
    wait_ready(cluster)
    again = begin(cluster, cloud, VICTIM)
    with following(cluster, cloud, again, "controller-3"):
        again.crash()
        cluster.kill(VICTIM)
        wait_for("its probation to be shown", lambda: is_shown(cluster), SERVING_S, again)
        seen = look(cluster)
        assert seen.nodes[VICTIM] == "online"
        assert seen.runs("nova-compute", VICTIM), "it may serve what a person starts on it"
        service = cloud.service(VICTIM)
        assert (service.status, service.forced_down) == ("disabled", False)
        why = ("--yes", "--why", "rehearsal: its <memory> was replaced")
        cluster.exec("controller-2", ("nova-ha", "release", VICTIM, *why))
        wait_for("the host to serve again", again.serving, 60.0, again)
    wait_for("that to be shown no more", lambda: not is_shown(cluster), SHOWN_NO_MORE_S)
