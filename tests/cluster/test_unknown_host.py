"""A host that Nova does not know: it is shown, let go when it is back, and registers."""

import time

import pytest
from losses import SERVING_S, VICTIM
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import evacuate_posts
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.topology import state_folder
from testcloud.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]

SHOWN_S = 60.0
PLACEMENT_PORT = 8778


def forget_provider(cluster: Cluster, cloud: CloudCtl) -> None:
    """Delete what Placement has of the host's old identity; its new one could have no room else.

    No instance is there. What a live migration claimed whose host died stays claimed in Placement
    for ever, under the migration's id (Nova 34): tests of draining leave that behind.
    """
    placement = f"http://{cluster.settings.cloud_machine().ip}:{PLACEMENT_PORT}"
    providers = f"{placement}/resource_providers"
    for provider in cloud.call_url("GET", f"{providers}?name={VICTIM}")["resource_providers"]:
        one = f"{providers}/{provider['uuid']}"
        for consumer in cloud.call_url("GET", f"{one}/allocations")["allocations"]:
            cloud.call_url("DELETE", f"{placement}/allocations/{consumer}")
        cloud.call_url("DELETE", one)


def test_a_host_whose_service_was_removed_is_let_go_when_it_is_back_and_registers(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    before = cloud.service(VICTIM)
    cloud.call("DELETE", f"/os-services/{before.id}")
    # Nova takes no host under an identity whose service it has deleted (compute_id, from 27.0).
    (state_folder(cluster.settings, VICTIM) / "compute_id").unlink(missing_ok=True)
    lost_s = time.time()
    cluster.kill(VICTIM)
    forget_provider(cluster, cloud)

    def shown() -> bool:
        return any("it is let go when it is back" in reason for reason in look(cluster).failures)

    wait_for("pcs status to show that Nova does not know it", shown, SHOWN_S)

    def registered() -> bool:
        return any(s.host == VICTIM and s.state == "up" for s in cloud.services())

    wait_for("nova-compute to register", registered, SERVING_S)
    new = cloud.service(VICTIM)
    assert new.id != before.id
    assert (new.status, new.forced_down) == ("enabled", False)

    def left() -> list[str]:
        seen = look(cluster)
        return [*seen.properties, *(text for text in seen.failures if "host_map" in text)]

    until("nothing of its recovery to be left", lambda: not left(), SHOWN_S, seen=left)
    assert not evacuate_posts(cluster, lost_s)
    (server,) = cloud.boot(1, [VICTIM], "again")
    assert server.host == VICTIM
