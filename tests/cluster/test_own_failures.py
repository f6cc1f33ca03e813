"""What we run on dies in the middle of a recovery, and what a person does is left alone."""

import time

import pytest
from losses import VICTIM, judged, reach, seeded, slow
from rehearsal.configure import wait_ready
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import changes, evacuate_posts
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]

SLOW_S = 8.0
INSTANCES = 12


def home_of_nova_evacuate(cluster: Cluster) -> str:
    """Return the controller that runs NovaEvacuate."""
    node = look(cluster).where("NovaEvacuate")
    assert node is not None
    return node


def test_the_recovery_goes_on_when_its_controller_is_killed(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, INSTANCES)
    slow(cluster, SLOW_S)
    home = home_of_nova_evacuate(cluster)
    witness = next(name for name in cluster.controllers() if name != home)
    with judged(cluster, cloud, story, witness):
        cluster.kill(VICTIM)
        reach(story, "first evacuation accepted")
        cluster.kill(home)
    assert len(evacuate_posts(cluster, story.crash_s)) == INSTANCES


@pytest.mark.long
def test_the_recovery_goes_on_when_its_process_is_killed(cluster: Cluster, cloud: CloudCtl) -> None:
    story = seeded(cluster, cloud, INSTANCES)
    slow(cluster, SLOW_S)
    home = home_of_nova_evacuate(cluster)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "first evacuation accepted")
        cluster.exec(home, ("pkill", "-KILL", "-f", "novaha.daemon"))
    assert len(evacuate_posts(cluster, story.crash_s)) == INSTANCES


@pytest.mark.long
def test_a_host_that_a_person_forced_down_is_left_alone_through_a_restart_of_all_controllers(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    cloud.boot(2, [VICTIM], "healthy")
    cloud.set_service(VICTIM, forced_down=True)
    since_s = time.time()
    for node in cluster.controllers():
        cluster.kill(node)
    for node in cluster.controllers():
        cluster.start(node)
    cluster.wait_quorate()
    wait_ready(cluster)
    home = home_of_nova_evacuate(cluster)
    begin_s = time.monotonic()
    wait_for(
        "the recovery process to have looked again and again",
        lambda: time.monotonic() - begin_s > 20.0 and home == look(cluster).where("NovaEvacuate"),
        60.0,
    )
    assert not changes(cluster, since_s)
    assert not cloud.migrations(source=VICTIM)
    assert cloud.service(VICTIM).forced_down
    assert {server.host for server in cloud.servers()} == {VICTIM}


def test_what_a_person_disabled_stays_disabled_through_a_recovery(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    cloud.set_service(VICTIM, status="disabled", reason="disk swap on Monday")
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "forced up", 180.0)
        story.note(time.time(), "enabled", "not by us: judged below")
    service = cloud.service(VICTIM)
    assert (service.status, service.disabled_reason) == ("disabled", "disk swap on Monday")


def test_a_malformed_receipt_shows_in_pcs_status_as_long_as_it_is_there(cluster: Cluster) -> None:
    name = f"nova-ha-receipt-{VICTIM}"
    pair = f'<nvpair id="{name}" name="{name}" value="garbage"/>'
    ours = f'<cluster_property_set id="nova-ha-state">{pair}</cluster_property_set>'
    state = f"<crm_config>{ours}</crm_config>"
    modify = (
        "cibadmin",
        "--modify",
        "--allow-create",
        "--scope",
        "crm_config",
        "--xml-text",
        state,
    )
    cluster.exec("controller-1", modify)

    def shown() -> str:
        return cluster.exec("controller-2", ("pcs", "status")).out

    remedy = f"cibadmin -D -X '<nvpair id=\"{name}\"/>'"
    wait_for("pcs status to give the remedy", lambda: remedy in shown(), 60.0)
    cluster.exec("controller-1", ("sh", "-c", remedy))
    wait_for("pcs status to forget it", lambda: "OCF_DEGRADED" not in shown(), 90.0)
    assert cluster.exec("controller-2", ("pcs", "status")).out.count("nova-evacuate") == 1
