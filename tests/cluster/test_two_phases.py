"""On the real Nova: all of a host are placed stopped, and what ran is started in its order."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS, judged, seeded
from rehearsal.configure import parameter
from rehearsal.copies import CopyCount
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import ServerId
from testcloud.referee import fake_guests

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600), pytest.mark.usefixtures("two_phases")]

HOME = "controller-1"
DELAY_S = 20.0
"""Until db counts as up: long enough to kill our process and to act as an owner."""

SAID = {
    "db": {"nova_ha:ready": f"delay:{DELAY_S:.0f}"},
    "web": {"nova_ha:after": "db"},
    "mine": {"nova_ha:after": "db"},
    "idle": {},
    "plain": {},
}
ENDS = {"db": "ACTIVE", "web": "ACTIVE", "mine": "SHUTOFF", "idle": "SHUTOFF", "plain": "ACTIVE"}
"""mine: its owner starts and stops it while it waits. idle: it was stopped before the loss."""


@pytest.fixture
def two_phases(cluster: Cluster) -> Iterator[None]:
    """Have instances placed first and started afterwards."""
    parameter(cluster, "--set-parameter", "phases", "--parameter-value", "two")
    try:
        yield
    finally:
        cluster.undo_faults()
        parameter(cluster, "--delete-parameter", "phases")


@pytest.mark.long
def test_all_of_a_host_are_placed_stopped_and_run_in_the_end(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 6)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
    for id_ in story.victims:
        assert done_to(cloud, id_)[:2] == ["start", "evacuate"]
    assert written(cluster) == "", "the record of starts is gone with the last start"


def test_they_start_in_their_order_also_after_a_kill_and_what_its_owner_stopped_stays_so(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    ids = booted(cloud)
    story = begin(cluster, cloud, VICTIM)
    guests = CopyCount(lambda: fake_guests(cluster.settings))
    with guests as count, following(cluster, cloud, story, WITNESS):
        story.crash()
        cluster.kill(VICTIM)
        wait_for("all to be placed", lambda: VICTIM not in homes(cloud), RECOVERED_S, story)
        assert statuses(cloud)["web"] == "SHUTOFF"
        assert set(written(cluster).partition("servers=")[2].split(",")) == {
            ids[name] for name in ids if name != "idle"
        }
        node = look(cluster).where("NovaEvacuate")
        assert node is not None
        cluster.exec(node, ("pkill", "-KILL", "-f", "novaha.daemon"))
        for action, status in (("os-start", "ACTIVE"), ("os-stop", "SHUTOFF")):
            cloud.call("POST", f"/servers/{ids['mine']}/action", {action: None})
            wait_for(f"{action} of mine", partial(is_now, cloud, "mine", status), 60.0)
        assert statuses(cloud)["web"] == "SHUTOFF", "db is not up for long enough"
        wait_for("the record of starts to be over", lambda: not written(cluster), RECOVERED_S)
        wait_for("the host to serve again", story.serving, SERVING_S, story)
        print(f"\n{story.timeline()}")  # noqa: T201  (the figures are part of the result)
    assert not count.doubles, f"an instance ran twice: {count.doubles[0]}"
    assert statuses(cloud) == ENDS
    starts = {name: done_to(cloud, id_).count("start") for name, id_ in ids.items()}
    assert starts == {"db": 1, "web": 1, "mine": 1, "idle": 0, "plain": 1}
    assert sorted(m.server for m in cloud.migrations(source=VICTIM)) == sorted(ids.values())
    waited_s = started_s(cloud, ids["web"]) - started_s(cloud, ids["db"])
    assert waited_s >= DELAY_S, f"web was started {waited_s:.1f} s after db"


def booted(cloud: CloudCtl) -> Mapping[str, ServerId]:
    """Boot an instance on the victim for each name, with its metadata, and stop idle."""
    servers = cloud.boot(len(SAID), [VICTIM], "phases")
    ids = dict(zip(SAID, (server.id for server in servers), strict=True))
    for name, metadata in SAID.items():
        cloud.call("PUT", f"/servers/{ids[name]}", {"server": {"name": name}})
        cloud.call("POST", f"/servers/{ids[name]}/metadata", {"metadata": metadata})
    cloud.call("POST", f"/servers/{ids['idle']}/action", {"os-stop": None})
    wait_for("idle to be stopped", lambda: statuses(cloud)["idle"] == "SHUTOFF", 60.0)
    return ids


def written(cluster: Cluster) -> str:
    """Return the record of starts of the victim, "" where there is none."""
    return look(cluster).properties.get(f"nova-ha-starts-{VICTIM}", "")


def statuses(cloud: CloudCtl) -> dict[str, str]:
    return {server.name: server.status for server in cloud.servers()}


def is_now(cloud: CloudCtl, name: str, status: str) -> bool:
    return statuses(cloud)[name] == status


def homes(cloud: CloudCtl) -> set[str | None]:
    return {server.host for server in cloud.servers()}


def actions(cloud: CloudCtl, id_: ServerId) -> list[Mapping[str, str]]:
    """Return what was done to an instance, the newest first."""
    return list(cloud.call("GET", f"/servers/{id_}/os-instance-actions")["instanceActions"])


def done_to(cloud: CloudCtl, id_: ServerId) -> list[str]:
    return [action["action"] for action in actions(cloud, id_)]


def started_s(cloud: CloudCtl, id_: ServerId) -> float:
    """Return when an instance was started last."""
    action = next(a for a in actions(cloud, id_) if a["action"] == "start")
    return datetime.fromisoformat(action["start_time"]).replace(tzinfo=UTC).timestamp()
