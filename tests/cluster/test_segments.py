"""On the real Nova: a reserved host takes over a lost one, alone, and is handed back after it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS
from observing import Observer
from rehearsal.follow import begin, following, wait_for
from rehearsal.verdict import assert_each_moved_once
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.rest import Json

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SPARE = "compute-4"
KEY = f"nova_ha:reserved:{SPARE}"
KEPT_FREE = "nova-ha: reserved"
SEGMENT = {
    "nova_ha:segment": "seg-1",
    "nova_ha:recovery_method": "reserved_host",
    "nova_ha:add_reserved": "true",
    KEY: "true",
}
HANDED_BACK_S = 60.0
INSTANCES = 4


def test_all_instances_go_to_the_reserved_host_which_is_handed_back(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    with ExitStack() as stack:
        segment = stack.enter_context(aggregate(cloud, "seg-1", [VICTIM, SPARE], SEGMENT))
        rack = stack.enter_context(aggregate(cloud, "rack-9", [VICTIM], {}))
        cloud.set_service(SPARE, status="disabled", reason=KEPT_FREE)
        cloud.boot(INSTANCES, [VICTIM], "reserved")
        story = begin(cluster, cloud, VICTIM)
        observer = Observer(cluster)
        with observer.watching(), following(cluster, cloud, story, WITNESS):
            story.crash()
            observer.lost[VICTIM] = story.crash_s
            cluster.kill(VICTIM)
            wait_for("its instances to be ACTIVE elsewhere", story.recovered, RECOVERED_S, story)
            if not story.serving():
                assert_used(cloud, segment, rack)
            wait_for("the host to serve again", story.serving, SERVING_S, story)
            wait_for("the hand back", lambda: is_free(cloud, segment), HANDED_BACK_S, story)
            print(f"\n{story.timeline()}")  # noqa: T201  (the figures are part of the result)
        assert set(story.homes.values()) == {SPARE}
        assert_each_moved_once(cloud, story)
        assert not observer.count.doubles, f"an instance ran twice: {observer.count.doubles[0]}"
        spare = cloud.service(SPARE)
        assert (spare.status, spare.disabled_reason) == ("disabled", KEPT_FREE)
        assert look(cloud, rack)["hosts"] == [VICTIM]
        assert {s.host for s in cloud.servers()} == {SPARE}, "what it took over stays there"


def assert_used(cloud: CloudCtl, segment: str, rack: str) -> None:
    """The reserved host serves the lost one, and Nova's metadata tells."""
    said = look(cloud, segment)["metadata"][KEY]
    assert said == f"used:{VICTIM};enabled;added:{rack}"
    assert cloud.service(SPARE).status == "enabled"
    assert sorted(look(cloud, rack)["hosts"]) == sorted([VICTIM, SPARE])


def is_free(cloud: CloudCtl, segment: str) -> bool:
    """Tell whether the reserved host was handed back."""
    return bool(look(cloud, segment)["metadata"][KEY] == "true")


def look(cloud: CloudCtl, aggregate_id: str) -> Json:
    """Return an aggregate as Nova shows it."""
    row: Json = cloud.call("GET", f"/os-aggregates/{aggregate_id}")["aggregate"]
    return row


@contextmanager
def aggregate(
    cloud: CloudCtl, name: str, hosts: list[str], metadata: dict[str, str]
) -> Iterator[str]:
    """Have an aggregate with hosts and metadata; yields its id."""
    row = cloud.call("POST", "/os-aggregates", {"aggregate": {"name": name}})["aggregate"]
    id_ = str(row["id"])
    action = f"/os-aggregates/{id_}/action"
    if metadata:
        cloud.call("POST", action, {"set_metadata": {"metadata": metadata}})
    for host in hosts:
        cloud.call("POST", action, {"add_host": {"host": host}})
    try:
        yield id_
    finally:
        for host in look(cloud, id_)["hosts"]:
            cloud.call("POST", action, {"remove_host": {"host": host}})
        cloud.call("DELETE", f"/os-aggregates/{id_}")
