"""Nova answers 500 to the list of one lost host: the other is recovered as ever, it later."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from losses import FENCED_S, RECOVERED_S, SERVING_S, VICTIM, WITNESS, serves
from rehearsal.copies import CopyCount
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import ServerId
from testcloud.referee import fake_guests
from testcloud.rest import ApiError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(540)]

SICK = "compute-2"
SHOWN_S = 90.0
FLAVOR = "update instance_extra set flavor = {} where instance_uuid = '{}'"


@contextmanager
def unreadable(cluster: Cluster, server: ServerId) -> Iterator[None]:
    """Have Nova hold an instance whose flavor it cannot read, and so list none beside it."""

    def write(value: str) -> None:
        sql = FLAVOR.format(value, server)
        cluster.exec(cluster.settings.cloud_machine().name, ("mysql", "nova", "-e", sql))

    write("concat('x', flavor)")
    try:
        yield
    finally:
        write("substr(flavor, 2)")


def names_on(cloud: CloudCtl, host: str) -> list[str]:
    """Return what Nova lists on a host without its details."""
    path = f"/servers?all_tenants=1&host={host}&limit=1000"
    return [server["name"] for server in cloud.call("GET", path)["servers"]]


def fails(cloud: CloudCtl, host: str) -> bool:
    """Tell whether Nova answers the detailed list of a host with an error."""
    try:
        cloud.call("GET", f"/servers/detail?all_tenants=1&host={host}")
    except ApiError:
        return True
    return False


def test_a_host_whose_list_nova_cannot_give_holds_up_no_other(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    count = CopyCount(lambda: fake_guests(cluster.settings))
    cloud.boot(3, [VICTIM], "victim")
    sick = cloud.boot(2, [SICK], "sick")

    def told() -> list[str]:
        return [text for text in look(cluster, WITNESS).failures if SICK in text]

    with count:
        with unreadable(cluster, sick[0].id):
            assert fails(cloud, SICK)
            assert not fails(cloud, VICTIM)
            before, lost_s = look(cluster, WITNESS).fenced(VICTIM), time.time()
            cluster.kill(SICK)
            cluster.kill(VICTIM)
            fenced = lambda: look(cluster, WITNESS).fenced(VICTIM) != before  # noqa: E731
            wait_for("the fencing", fenced, FENCED_S)
            wait_for("the victim to be empty", lambda: not names_on(cloud, VICTIM), RECOVERED_S)
            moved_s = time.time() - lost_s
            wait_for("the victim to serve again", lambda: serves(cloud, VICTIM), SERVING_S)
            wait_for("pcs status to name the other", lambda: bool(told()), SHOWN_S)
            assert len(names_on(cloud, SICK)) == len(sick)
            assert "Nova does not tell what is on it" in told()[0]
        print(f"\nthe victim was empty after {moved_s:.1f} s; {told()[0]}")  # noqa: T201
        wait_for("the other to be empty", lambda: not names_on(cloud, SICK), RECOVERED_S)
        wait_for("the other to serve again", lambda: serves(cloud, SICK), SERVING_S)
    assert not count.doubles, f"an instance ran twice: {count.doubles[0]}"
