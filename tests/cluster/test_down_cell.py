"""Nova's cell loses its database while a host is lost: nothing that Nova leaves out is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from losses import FENCED_S, RECOVERED_S, SERVING_S, VICTIM, WITNESS, fenced_anew, serves
from rehearsal.copies import CopyCount
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import evacuate_posts
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.referee import fake_guests

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(540)]

DOOR = "TCP-LISTEN:3307"
OPEN = f"setsid socat {DOOR},fork,reuseaddr TCP:127.0.0.1:3306 >/dev/null 2>&1 &"
MAPPING = "update cell_mappings set database_connection = replace(database_connection, '{}', '{}')"
PLAIN, OWN = "@cloud/", "@cloud:3307/"
SHOWN_S = 60.0
INSTANCES = 3


@contextmanager
def cell_door(cluster: Cluster) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Have Nova reach the cell's database through a door; yield what shuts and opens it.

    The door stays open afterwards: each process of Nova keeps to the way that it took first.
    """

    def run(*argv: str) -> None:
        cluster.exec(cluster.settings.cloud_machine().name, argv)

    def through(old: str, new: str) -> None:
        # nova-api reads the mappings once.
        run("mysql", "nova_api", "-e", f"{MAPPING.format(old, new)} where name = 'cell1'")
        cluster.api_stop("nova-api")
        cluster.api_start("nova-api")

    def shut() -> None:
        run("pkill", "-f", DOOR)

    def unbar() -> None:
        run("sh", "-c", OPEN)

    unbar()
    try:
        through(PLAIN, OWN)
        yield shut, unbar
    finally:
        unbar()
        through(OWN, PLAIN)


def hidden(cloud: CloudCtl) -> bool:
    """Tell whether Nova shows the host's name only, and lists nothing on it."""
    query = f"?binary=nova-compute&host={VICTIM}"
    (service,) = cloud.call("GET", f"/os-services{query}")["services"]
    if service["status"] != "UNKNOWN":
        return False
    listed = cloud.call("GET", f"/servers?all_tenants=1&host={VICTIM}&limit=1000")["servers"]
    assert listed == [], "this Nova does not leave out what is in a cell that is down"
    return True


def test_a_host_that_is_lost_while_its_cell_is_down_is_held_and_recovered_afterwards(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    count = CopyCount(lambda: fake_guests(cluster.settings))
    with cell_door(cluster) as (shut, unbar), count:
        victims = {server.id for server in cloud.boot(INSTANCES, [VICTIM], "victim")}
        fenced = fenced_anew(cluster, VICTIM)
        shut()
        wait_for("Nova to lose its cell", lambda: hidden(cloud), SHOWN_S)
        lost_s = time.time()
        cluster.kill(VICTIM)

        def shown() -> bool:
            return any("cell is down" in text for text in look(cluster, WITNESS).failures)

        def back() -> bool:
            return look(cluster, WITNESS).nodes.get(VICTIM) == "online"

        wait_for("the fencing, which waits for no Nova", fenced, FENCED_S)
        wait_for("pcs status to show the cell", shown, SHOWN_S)
        wait_for("the host to be back", back, SERVING_S)
        assert not evacuate_posts(cluster, lost_s)
        assert any(VICTIM in name for name in look(cluster, WITNESS).properties), "let go"
        unbar()

        def moved() -> bool:
            mine = [server for server in cloud.servers() if server.id in victims]
            there = [s for s in mine if s.status == "ACTIVE" and s.host not in (None, VICTIM)]
            return len(there) == INSTANCES

        wait_for("its instances to be ACTIVE elsewhere", moved, RECOVERED_S)

        wait_for("the host to serve again", lambda: serves(cloud, VICTIM), SERVING_S)
    assert len(evacuate_posts(cluster, lost_s)) == INSTANCES
    assert not count.doubles, f"an instance ran twice: {count.doubles[0]}"
