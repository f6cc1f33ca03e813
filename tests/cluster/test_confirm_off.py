"""No fence device answers for a lost host: it is shown, and a person's word recovers it."""

import json

import pytest
from losses import VICTIM, judged, seeded
from novaha.adapters.confirm import CONFIRMED_PREFIX
from rehearsal.configure import wait_ready
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import changes
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
ELSEWHERE = "controller-2"
SHOWN_S = 120.0
SAW = "rehearsal: its <container> is dead"
CONFIRM = ("nova-ha", "confirm-off", VICTIM)


def is_shown(cluster: Cluster) -> bool:
    """Tell whether pcs status shows as the trouble of NovaEvacuate that the fencing fails."""
    return any("its fencing fails" in reason for reason in look(cluster).failures)


def test_a_host_behind_a_dead_bmc_is_recovered_on_a_person_s_word(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    online = cluster.exec(HOME, (*CONFIRM, "--yes", "--saw", SAW), check=False)
    assert online.code == 2
    assert "is online" in online.err
    cluster.bmc_stop(VICTIM)
    try:
        with judged(cluster, cloud, story, fenced_s=None):
            cluster.kill(VICTIM)
            wait_for("pcs status to show it", lambda: is_shown(cluster), SHOWN_S, story)
            assert not changes(cluster, story.crash_s), "Nova was told something"
            told = json.loads(cluster.exec(HOME, (*CONFIRM, "--json")).out)
            assert told["failures"] > 0
            assert told["changed"] is False
            cluster.exec(ELSEWHERE, (*CONFIRM, "--yes", "--saw", SAW))
            wait_for("its instances to be ACTIVE elsewhere", story.recovered, 240.0, story)
            cluster.bmc_start(VICTIM)
            cluster.start(VICTIM)
    finally:
        cluster.undo_faults()
    wait_ready(cluster)
    assert SAW in look(cluster).properties[f"{CONFIRMED_PREFIX}{VICTIM}"]
