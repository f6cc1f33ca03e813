"""Nova answers 500 for one lost host only: the other is recovered as ever, it once that is mended.

To the list of what is on it, or to each change of the segment whose reserved host it needs.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from losses import FENCED_S, RECOVERED_S, SERVING_S, VICTIM, WITNESS, fenced_anew, serves
from rehearsal.copies import CopyCount
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from segments import HANDED_BACK_S, KEPT_FREE, SEGMENT, SPARE, aggregate, is_free
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import ServerId
from testcloud.referee import fake_guests
from testcloud.rest import ApiError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(540)]

SICK = "compute-2"
SHOWN_S = 90.0
FLAVOR = "update instance_extra set flavor = {} where instance_uuid = '{}'"
TRIGGER = """
create trigger unchangeable before update on aggregate_metadata for each row
if new.aggregate_id = {} then
    signal sqlstate '45000' set message_text = 'this aggregate is not to be changed';
end if
"""

Mend = Callable[[], None]


@dataclass(frozen=True)
class Ailing:
    """A host that Nova cannot answer for, what is told of that, and what mends it."""

    host: str
    told: str
    mend: Mend


@contextmanager
def unreadable(cluster: Cluster, server: ServerId) -> Iterator[Mend]:
    """Have Nova hold an instance whose flavor it cannot read, and so list none beside it."""
    with ExitStack() as mends:
        sql(cluster, "nova", FLAVOR.format("concat('x', flavor)", server))
        mends.callback(sql, cluster, "nova", FLAVOR.format("substr(flavor, 2)", server))
        yield mends.close


@contextmanager
def unchangeable(cluster: Cluster, aggregate_id: str) -> Iterator[Mend]:
    """Have each change of what is said of an aggregate fail in Nova's database."""
    with ExitStack() as mends:
        sql(cluster, "nova_api", TRIGGER.format(aggregate_id))
        mends.callback(sql, cluster, "nova_api", "drop trigger unchangeable")
        yield mends.close


def sql(cluster: Cluster, database: str, statement: str) -> None:
    """Have Nova's database server run one statement."""
    command = ("mysql", "--delimiter=//", database, "-e", statement)
    cluster.exec(cluster.settings.cloud_machine().name, command)


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
    sick = cloud.boot(2, [SICK], "sick")
    cloud.boot(3, [VICTIM], "well")
    with unreadable(cluster, sick[0].id) as mend:
        assert fails(cloud, SICK)
        assert not fails(cloud, VICTIM)
        assert_only_it_waits(
            cluster, cloud, Ailing(SICK, "does not tell what is on it", mend), VICTIM
        )


def test_a_segment_that_nova_cannot_change_holds_up_no_host_outside(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    """The host that waits comes first of both: what is decided after it must go on."""
    told = "Nova does not answer a change of its aggregates"
    with aggregate(cloud, "seg-1", [VICTIM, SPARE], SEGMENT) as segment:
        cloud.set_service(SPARE, status="disabled", reason=KEPT_FREE)
        cloud.boot(2, [VICTIM], "sick")
        cloud.boot(3, [SICK], "well")
        with unchangeable(cluster, segment) as mend:
            assert_only_it_waits(cluster, cloud, Ailing(VICTIM, told, mend), SICK)
        wait_for("the hand back", lambda: is_free(cloud, segment), HANDED_BACK_S)
        assert {s.host for s in cloud.servers() if s.name.startswith("sick")} == {SPARE}


def assert_only_it_waits(cluster: Cluster, cloud: CloudCtl, ailing: Ailing, well: str) -> None:
    """Lose both: one is moved and serves again, the other is shown, and follows once mended."""
    count, sick = CopyCount(lambda: fake_guests(cluster.settings)), ailing.host
    kept = names_on(cloud, sick)

    def told() -> list[str]:
        failures = look(cluster, WITNESS).failures
        return [text for text in failures if sick in text and ailing.told in text]

    with count:
        fenced, lost_s = fenced_anew(cluster, well), time.time()
        cluster.kill(sick)
        cluster.kill(well)
        wait_for("the fencing", fenced, FENCED_S)
        wait_for("the one that is well to be empty", lambda: not names_on(cloud, well), RECOVERED_S)
        moved_s = time.time() - lost_s
        wait_for("it to serve again", lambda: serves(cloud, well), SERVING_S)
        wait_for(f"pcs status to show {ailing.told!r}", lambda: bool(told()), SHOWN_S)
        assert names_on(cloud, sick) == kept
        print(f"\n{well} was empty after {moved_s:.1f} s; {ailing.told}")  # noqa: T201
        ailing.mend()
        wait_for("the other to be empty", lambda: not names_on(cloud, sick), RECOVERED_S)
        wait_for("the other to serve again", lambda: serves(cloud, sick), SERVING_S)
    assert not count.doubles, f"an instance ran twice: {count.doubles[0]}"
