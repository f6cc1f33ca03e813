"""More fenced hosts than may be in recovery: the others wait with their proof, until released."""

from collections.abc import Iterator

import pytest
from losses import SLOW_S, VICTIM, judged, seeded, slow
from novaha.adapters.brakestate import RELEASE_PREFIX
from novaha.core.properties import RECOVERY_PREFIX
from rehearsal.configure import parameter, wait_ready
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import assert_each_tried_in_turn
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
OTHER = "compute-2"
SHOWN_S = 90.0


@pytest.fixture
def one_at_a_time(cluster: Cluster) -> Iterator[None]:
    """Let one host be in recovery at once."""
    parameter(cluster, "--set-parameter", "max_recoveries", "--parameter-value", "1")
    try:
        yield
    finally:
        cluster.undo_faults()
        parameter(cluster, "--delete-parameter", "max_recoveries")
        for node in (VICTIM, OTHER):
            name = f"{RELEASE_PREFIX}{node}"
            argv = ("cibadmin", "--delete-all", "--force", "--xpath", f"//nvpair[@id='{name}']")
            cluster.exec(HOME, argv, check=False)


def record(cluster: Cluster, node: str) -> str:
    """Return the recovery record of a node, "" where there is none."""
    return look(cluster).properties.get(f"{RECOVERY_PREFIX}{node}", "")


def waits(cluster: Cluster) -> bool:
    """Tell whether one of the two hosts is in recovery while the proof of the other is kept."""
    phases = sorted(record(cluster, node).partition("phase=")[2][:6] for node in (VICTIM, OTHER))
    return phases == ["evacua", "proven"]


def are_over(cluster: Cluster) -> bool:
    """Tell whether both hosts are in service again, by their recoveries' records."""
    return not record(cluster, OTHER) and not record(cluster, VICTIM)


def is_shown(cluster: Cluster) -> bool:
    """Tell whether pcs status shows the limit as the trouble of NovaEvacuate."""
    return any("its recovery waits" in reason for reason in look(cluster).failures)


@pytest.mark.usefixtures("one_at_a_time")
def test_a_second_host_waits_is_shown_and_begins_when_a_person_releases_it(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    cloud.boot(2, [OTHER], "beside")
    story = seeded(cluster, cloud, 2)
    beside = {s.id for s in cloud.servers() if s.host == OTHER}
    with judged(cluster, cloud, story, verdict=assert_each_tried_in_turn, fenced_s=None):
        slow(cluster, SLOW_S)
        cluster.kill(OTHER)
        cluster.kill(VICTIM)
        wait_for("one host to wait for the other", lambda: waits(cluster), SHOWN_S, story)
        wait_for("pcs status to show the limit", lambda: is_shown(cluster), SHOWN_S, story)
        waiting = next(n for n in (VICTIM, OTHER) if "phase=proven" in record(cluster, n))
        service = next(s for s in cloud.services() if s.host == waiting)
        assert service.forced_down, "Nova would place instances on it"
        told = cluster.exec("controller-2", ("nova-ha", "release")).out
        assert f"{waiting}  fenced, its recovery has not begun, would be released" in told
        why = ("--yes", "--why", "rehearsal: both at once")
        cluster.exec("controller-2", ("nova-ha", "release", waiting, *why))
        begun = f"the recovery of {waiting} to begin"
        wait_for(begun, lambda: "phase=evacuating" in record(cluster, waiting), 60.0, story)
        slow(cluster, 0.0)
        left = lambda: not beside & {s.id for s in cloud.servers() if s.host == OTHER}  # noqa: E731
        wait_for("the instances beside to be elsewhere", left, 240.0, story)
        wait_for("both recoveries to be over", lambda: are_over(cluster), 180.0, story)
    wait_ready(cluster)


@pytest.mark.long
@pytest.mark.usefixtures("one_at_a_time")
def test_a_second_host_follows_by_itself_when_the_first_is_over(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    cloud.boot(1, [OTHER], "beside")
    story = seeded(cluster, cloud, 1)
    with judged(cluster, cloud, story, verdict=assert_each_tried_in_turn, fenced_s=None):
        slow(cluster, SLOW_S)
        cluster.kill(OTHER)
        cluster.kill(VICTIM)
        wait_for("one host to wait for the other", lambda: waits(cluster), SHOWN_S, story)
        slow(cluster, 0.0)
        wait_for("both recoveries to be over", lambda: are_over(cluster), 240.0, story)
    wait_ready(cluster)
