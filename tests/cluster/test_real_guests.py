"""Real QEMU guests, their disks on a folder that all computes share: never two copies of one."""

from collections.abc import Iterator

import pytest
from losses import SERVING_S, VICTIM, evacuations_in_flight, judged, reach, seeded
from novaha.core.properties import RECOVERY_PREFIX
from rehearsal.copies import CopyCount
from rehearsal.follow import wait_for
from rehearsal.letgo import delete_hold, let_go
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.docker import File
from testcloud.referee import qemus

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

GUESTS = 4
HOME = "controller-1"
NOVA_CONF = "/etc/nova/nova.conf"
RESUME = "resume_guests_state_on_host_boot = true"
STALE = "instance-0000beef"
DOMAIN = f"""
<domain type='qemu'><name>{STALE}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""
"""A guest with the name of one of Nova's, and no disk that anybody could lose."""


@pytest.fixture
def cluster(calm_libvirt_cluster: Cluster) -> Cluster:
    """Return the cluster whose computes run libvirt."""
    return calm_libvirt_cluster


def test_no_guest_runs_twice_while_a_crashed_host_is_recovered(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, GUESTS)
    with judged(cluster, cloud, story) as count:
        cluster.kill(VICTIM)
    _enough(count.counts, story.events["enabled"].at_s - story.crash_s)


@pytest.mark.long
def test_no_guest_runs_twice_when_the_host_returns_in_the_middle(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, GUESTS)
    with judged(cluster, cloud, story) as count, evacuations_in_flight(cluster):
        cluster.kill(VICTIM)
        reach(story, "held")
        assert "all ACTIVE" not in story.events, "the host was not early: nothing was tested"
        assert not story.snapshot.runs("nova-compute", VICTIM)
    assert story.events["released"].at_s > story.events["all ACTIVE"].at_s
    _enough(count.counts, story.events["enabled"].at_s - story.crash_s)


@pytest.fixture
def resuming(cluster: Cluster) -> Iterator[None]:
    """Have the victim's nova-compute start, at its own start, what Nova lists there as running."""
    conf = cluster.exec(VICTIM, ("cat", NOVA_CONF)).out
    changed = conf.replace("[DEFAULT]\n", f"[DEFAULT]\n{RESUME}\n")
    cluster.put(VICTIM, (File(NOVA_CONF, changed.encode(), 0o600),))
    yield
    cluster.put(VICTIM, (File(NOVA_CONF, conf.encode(), 0o600),))


@pytest.mark.usefixtures("resuming")
def test_a_host_that_resumes_its_guests_starts_no_second_copy_of_what_is_being_evacuated(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, GUESTS)
    with judged(cluster, cloud, story) as count, evacuations_in_flight(cluster):
        cluster.kill(VICTIM)
        reach(story, "held")
        assert "all ACTIVE" not in story.events, "the host was not early: nothing was tested"
    assert _on(VICTIM) == set()
    _enough(count.counts, story.events["enabled"].at_s - story.crash_s)


@pytest.mark.long
@pytest.mark.usefixtures("resuming")
def test_a_host_that_a_person_lets_go_resumes_the_guests_that_nova_still_has_there(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    """The other side of the test above: the option does work, and so the hold is what counts."""
    ids = {server.id for server in cloud.boot(2, [VICTIM], "victim")}
    disable = ("pcs", "resource", "disable", "nova-evacuate", "--wait=60")
    cluster.exec(HOME, disable, timeout_s=90.0)
    with CopyCount(qemus) as count:
        cluster.kill(VICTIM)
        wait_for("the host to be back", lambda: _is_back(cluster), 90.0)
        assert _on(VICTIM) == set()
        assert not look(cluster).runs("nova-compute", VICTIM)
        let_go(cluster, VICTIM)
        delete_hold(cluster, VICTIM)
        wait_for("its guests to run on it again", lambda: _on(VICTIM) == ids, SERVING_S)
    assert not count.doubles
    cluster.exec(HOME, ("pcs", "resource", "enable", "nova-evacuate"))


def _is_back(cluster: Cluster) -> bool:
    seen = look(cluster)
    fenced = f"nova-ha-receipt-{VICTIM}" in seen.properties and seen.fenced(VICTIM) != ""
    return fenced and seen.nodes.get(VICTIM) == "online"


@pytest.mark.long
def test_no_guest_runs_at_all_while_its_lost_host_is_disarmed_and_each_once_after(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    disarm = ("nova-ha", "disarm", "--all", "--for", "1h", "--why", "rehearsal", "--yes")
    cluster.exec(HOME, disarm)
    with judged(cluster, cloud, story) as count:
        cluster.kill(VICTIM)
        reach(story, "held")
        wait_for("the proof to be kept", lambda: _proven(cluster), 60.0, story)
        assert not {guest.server for guest in qemus()} & story.victims.keys()
        assert not story.snapshot.runs("nova-compute", VICTIM)
        cluster.exec(HOME, ("nova-ha", "arm", "--yes"))
    _enough(count.counts, story.events["enabled"].at_s - story.crash_s)


def _proven(cluster: Cluster) -> bool:
    record = look(cluster).properties.get(f"{RECOVERY_PREFIX}{VICTIM}", "")
    return "phase=proven" in record


@pytest.fixture
def marked(cluster: Cluster) -> Iterator[None]:
    """Have a person mark a guest of the victim to be started by libvirt itself."""
    cluster.put(VICTIM, (File("/root/stale.xml", DOMAIN.encode()),))
    cluster.exec(VICTIM, ("virsh", "define", "/root/stale.xml"))
    cluster.exec(VICTIM, ("virsh", "autostart", STALE))
    yield
    _end_stale(cluster)
    cluster.exec(VICTIM, ("virsh", "undefine", STALE))


@pytest.mark.long
@pytest.mark.usefixtures("marked")
def test_a_guest_that_libvirt_starts_by_itself_is_shown_ahead_and_holds_its_host_by_name(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    ahead = f"libvirt starts guests by itself after a boot: {STALE}"
    wait_for("its mark to be shown", lambda: _shown(cluster, ahead), 60.0)
    story = seeded(cluster, cloud, 2)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        held = f"guests run that nova-compute did not start: {STALE}"
        wait_for("its guest to be shown", lambda: _shown(cluster, held), SERVING_S, story)
        assert "all ACTIVE" in story.events
        assert not look(cluster).runs("nova-compute", VICTIM)
        _end_stale(cluster)
        cluster.exec(HOME, ("pcs", "resource", "cleanup", "nova-compute-unfence"))


def _end_stale(cluster: Cluster) -> None:
    cluster.exec(VICTIM, ("virsh", "autostart", "--disable", STALE))
    cluster.exec(VICTIM, ("virsh", "destroy", STALE), check=False)


def _shown(cluster: Cluster, words: str) -> bool:
    return any(words in reason for reason in look(cluster).failures)


def _on(node: str) -> set[str]:
    """Return the instances of which a copy runs on a node."""
    return {guest.server for guest in qemus() if guest.node == node}


def _enough(counts: int, seconds: float) -> None:
    """The count must have looked several times a second, or it says nothing."""
    print(f"counted {counts} times in {seconds:.0f} s")  # noqa: T201
    assert counts > 3 * seconds
