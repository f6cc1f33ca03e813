"""What is disarmed is fenced, recorded and left alone; armed again, it is recovered."""

import json
import time
from collections.abc import Iterator

import pytest
from losses import VICTIM, judged, reach, seeded
from novaha.adapters.disarm import DISARM_PREFIX
from novaha.core.properties import RECOVERY_PREFIX
from rehearsal.configure import wait_ready
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.story import Story
from rehearsal.verdict import changes
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
ELSEWHERE = "controller-2"
LEFT_ALONE_S = 12.0
"""Two cycles, after the host is back."""


@pytest.fixture(autouse=True)
def armed(cluster: Cluster) -> Iterator[None]:
    """Leave nothing disarmed behind."""
    yield
    cluster.exec(HOME, ("nova-ha", "arm", "--yes"), check=False)


def disarm(cluster: Cluster, *words: str) -> None:
    argv = ("nova-ha", "disarm", *words, "--why", "rehearsal: <new> PDU", "--yes")
    cluster.exec(HOME, argv)


def record(cluster: Cluster) -> str:
    """Return the recovery record of the victim, "" where there is none."""
    return look(cluster).properties.get(f"{RECOVERY_PREFIX}{VICTIM}", "")


def is_kept(cluster: Cluster) -> bool:
    """Tell whether the proof of the victim is kept and its recovery has not begun."""
    return "phase=proven" in record(cluster)


def left_alone(cluster: Cluster, cloud: CloudCtl, story: Story) -> None:
    """Wait for the host to be back, and see that nothing happens to it for a while."""
    wait_for("the proof to be kept", lambda: is_kept(cluster), 60.0, story)
    reach(story, "held")
    time.sleep(LEFT_ALONE_S)
    assert is_kept(cluster)
    assert not changes(cluster, story.crash_s), "Nova was told something"
    assert {s.host for s in cloud.servers() if s.id in story.victims} == {VICTIM}
    assert not look(cluster).runs("nova-compute", VICTIM), "it may start its instances"


def waits(cluster: Cluster) -> list[str]:
    """Return the codes of what the victim waits for, as any controller tells it."""
    told = json.loads(cluster.exec(ELSEWHERE, ("nova-ha", "explain", VICTIM, "--json")).out)
    assert told["disarmed"][0]["why"] == "rehearsal: <new> PDU"
    return [hold["reason"]["code"] for hold in told["explanations"][0]["waits"]]


def test_a_loss_while_disarmed_is_left_alone_until_a_person_arms(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    disarm(cluster, VICTIM, "--for", "1h")
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        left_alone(cluster, cloud, story)
        assert "disarmed" in waits(cluster)
        assert not look(cluster).failures, "a person has said so: that is no trouble"
        cluster.exec(ELSEWHERE, ("nova-ha", "arm", "--yes"))
    wait_ready(cluster)
    assert not [name for name in look(cluster).properties if name.startswith(DISARM_PREFIX)]


@pytest.mark.long
def test_a_disarm_ends_by_itself_and_survives_the_recovery_process(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    disarm(cluster, "--all", "--for", "90s")
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        wait_for("the proof to be kept", lambda: is_kept(cluster), 60.0, story)
        home = look(cluster).where("NovaEvacuate")
        assert home is not None
        pid = cluster.exec(home, ("pgrep", "-f", "novaha.daemon")).out.split()[0]
        cluster.exec(home, ("kill", "-KILL", pid))
        left_alone(cluster, cloud, story)
    wait_ready(cluster)


@pytest.mark.long
def test_a_recovery_that_was_begun_is_finished(cluster: Cluster, cloud: CloudCtl) -> None:
    story = seeded(cluster, cloud, 3)
    with judged(cluster, cloud, story):
        for node in cluster.computes():
            cluster.set_faults(node, spawn_delay=15.0)
        cluster.kill(VICTIM)
        wait_for("the recovery to begin", lambda: "evacuating" in record(cluster), 60.0, story)
        disarm(cluster, "--all", "--for", "1h")
    cluster.undo_faults()
    wait_ready(cluster)
