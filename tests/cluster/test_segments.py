"""On the real Nova: a reserved host takes over a lost one, alone, and is handed back after it."""

from contextlib import ExitStack

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS
from observing import Observer
from rehearsal.follow import begin, following, wait_for
from rehearsal.verdict import assert_each_moved_once
from segments import HANDED_BACK_S, KEPT_FREE, KEY, SEGMENT, SPARE, aggregate, is_free, look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

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
