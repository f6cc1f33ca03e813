"""A host that is back is held, whoever starts nova-compute on it, and a person may let it go."""

import re
from collections.abc import Iterator

import pytest
from losses import RECOVERED_S, SERVING_S, SLOW_S, VICTIM, judged, reach, seeded, slow
from rehearsal.follow import wait_for
from rehearsal.letgo import let_go
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.docker import File

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]

HOME = "controller-1"
BOOT = "/usr/local/sbin/boot"
LOG = "/var/log/nova-ha-hold"
AT_BOOT = f"""
(
  until /usr/sbin/nova-ha hold --wait 20 >> {LOG} 2>&1; do sleep 1; done
  date +%s.%N >> {LOG}
  /etc/init.d/nova-compute start
  :
) &

while true"""
"""What systemd does with the drop-in: start nova-compute, after each failure again.

Not as its last command: bash would become that script, which were a nova-compute as old as the boot
to who looks at processes.
"""


@pytest.fixture
def started_by_the_system(cluster: Cluster) -> Iterator[None]:
    """Have the victim's own system start its nova-compute, and Pacemaker leave it alone."""
    boot = cluster.exec(VICTIM, ("cat", BOOT)).out
    cluster.exec(HOME, ("pcs", "resource", "unmanage", "nova-compute"))
    cluster.put(VICTIM, (File(BOOT, boot.replace("\nwhile true", AT_BOOT).encode(), 0o755),))
    yield
    cluster.put(VICTIM, (File(BOOT, boot.encode(), 0o755),))
    cluster.exec(VICTIM, ("rm", "-f", LOG))
    cluster.exec(HOME, ("pcs", "resource", "manage", "nova-compute"))


def was_refused(cluster: Cluster) -> bool:
    """Tell whether a start on the victim was told that its instances still move."""
    return "fenced and not yet recovered" in cluster.exec(VICTIM, ("cat", LOG), check=False).out


@pytest.mark.usefixtures("started_by_the_system")
def test_nova_compute_that_is_started_at_boot_is_held_as_long_as_its_instances_move(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud)
    slow(cluster, SLOW_S)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
        reach(story, "held")
        wait_for("the start to be refused", lambda: was_refused(cluster), SERVING_S, story)
        slow(cluster, 0.0)
    *tries, free, let_go_s = cluster.exec(VICTIM, ("cat", LOG)).out.splitlines()
    print("\n".join((tries[0], tries[-1], free)))  # noqa: T201
    # The first waited until the connection was up; for a host that is known to be held none does.
    waited_s = re.search(r"after (\d+) s this node is still held", tries[0])
    assert waited_s is not None
    assert int(waited_s[1]) > 3
    assert "fenced and not yet recovered" in tries[-1]
    assert free == "nothing holds this node"
    # The story looks twice a second, and Nova says a moment later than the guest what runs.
    assert float(let_go_s) > story.events["all ACTIVE"].at_s - 2.0


def test_a_person_lets_a_host_go_that_is_held_for_an_evacuation_which_always_fails(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    (server,) = cloud.boot(1, [VICTIM], "victim")
    for node in cluster.computes():
        cluster.set_faults(node, spawn_fail=100)
    cluster.kill(VICTIM)

    def blocked() -> bool:
        seen = look(cluster)
        shown = any(f"is still on {VICTIM}" in reason for reason in seen.failures)
        return shown and seen.nodes.get(VICTIM) == "online"

    wait_for("the host to be back, and its instance to be blocked", blocked, RECOVERED_S)
    assert not look(cluster).runs("nova-compute", VICTIM)
    let_go(cluster, VICTIM)

    def up() -> bool:
        return look(cluster).runs("nova-compute", VICTIM) and cloud.service(VICTIM).status != ""

    wait_for("nova-compute to run again", up, SERVING_S)
    assert not look(cluster).properties
    service = cloud.service(VICTIM)
    assert (service.status, service.forced_down) == ("disabled", True), "left as it was"
    cloud.set_service(VICTIM, forced_down=False, status="enabled")
    assert next(s.host for s in cloud.servers() if s.id == server.id) == VICTIM
