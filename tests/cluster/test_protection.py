"""On the real Nova: what owners and the operator took out of the protection stays on its host."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS
from observing import Observer
from rehearsal.follow import begin, following, wait_for
from rehearsal.story import Story
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import ServerId

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

KEY = "nova_ha:protect"
OUT, IN = {KEY: "false"}, {KEY: "true"}

STAYS = ("by-metadata", "by-tag", "by-flavor", "amphora-0001")
MOVES = ("plain", "wrong-value", "amphora-wanted", "flavor-overruled", "masakari")
"""The names of the instances say what is said of each."""

METADATA = {
    "by-metadata": OUT,
    "wrong-value": {KEY: "flase"},
    "amphora-wanted": IN,
    "flavor-overruled": IN,
    "asks": IN,
    "masakari": {"HA_Enabled": "True"},
}
FLAVORED = frozenset({"by-flavor", "flavor-overruled"})

CLOSED = {"nova_ha:segment": "rack-1", "nova_ha:enabled": "false"}


def test_exactly_the_protected_ones_move_and_the_host_returns_with_the_others(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    with flavor(cloud, OUT) as small:
        ids = booted(cloud, (*STAYS, *MOVES), small)
        lose(cluster, cloud, {ids[name] for name in STAYS})
        assert homes(cloud, STAYS) == dict.fromkeys(STAYS, VICTIM)
        assert VICTIM not in homes(cloud, MOVES).values()
        assert_each_moved_once(cloud, {ids[name] for name in MOVES})


@pytest.mark.long
def test_a_segment_that_is_not_enabled_is_not_recovered_but_for_who_asks_for_it(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    with aggregate(cloud, CLOSED):
        ids = booted(cloud, ("left", "asks"), None)
        lose(cluster, cloud, {ids["left"]})
        assert homes(cloud, ("left",)) == {"left": VICTIM}
        assert VICTIM not in homes(cloud, ("asks",)).values()
        assert_each_moved_once(cloud, {ids["asks"]})


def booted(cloud: CloudCtl, names: tuple[str, ...], small: str | None) -> dict[str, ServerId]:
    """Boot instances on the victim with what is said of each, and return their ids."""
    plain = [name for name in names if small is None or name not in FLAVORED]
    ids = named(cloud, plain, "protect", None)
    ids |= named(cloud, [name for name in names if name not in plain], "flavored", small)
    for name, id_ in ids.items():
        if name in METADATA:
            cloud.call("POST", f"/servers/{id_}/metadata", {"metadata": METADATA[name]})
        if name == "by-tag":
            cloud.call("PUT", f"/servers/{id_}/tags", {"tags": [f"{KEY}=false"]})
    return ids


def named(cloud: CloudCtl, names: list[str], prefix: str, of: str | None) -> dict[str, ServerId]:
    """Boot instances of a flavor, and give each its name."""
    servers = cloud.boot(len(names), [VICTIM], prefix, flavor=of) if names else ()
    ids = dict(zip(names, (server.id for server in servers), strict=True))
    for name, id_ in ids.items():
        cloud.call("PUT", f"/servers/{id_}", {"server": {"name": name}})
    return ids


@contextmanager
def flavor(cloud: CloudCtl, specs: dict[str, str]) -> Iterator[str]:
    """Have a flavor with extra specs, as small as the others."""
    row = {"name": "unprotected", "ram": 64, "vcpus": 1, "disk": 1}
    id_ = str(cloud.call("POST", "/flavors", {"flavor": row})["flavor"]["id"])
    cloud.call("POST", f"/flavors/{id_}/os-extra_specs", {"extra_specs": specs})
    try:
        yield id_
    finally:
        cloud.call("DELETE", f"/flavors/{id_}")


@contextmanager
def aggregate(cloud: CloudCtl, metadata: dict[str, str]) -> Iterator[None]:
    """Have an aggregate with the victim."""
    row = cloud.call("POST", "/os-aggregates", {"aggregate": {"name": "rack-1"}})["aggregate"]
    action = f"/os-aggregates/{row['id']}/action"
    cloud.call("POST", action, {"set_metadata": {"metadata": metadata}})
    cloud.call("POST", action, {"add_host": {"host": VICTIM}})
    try:
        yield
    finally:
        cloud.call("POST", action, {"remove_host": {"host": VICTIM}})
        cloud.call("DELETE", f"/os-aggregates/{row['id']}")


def lose(cluster: Cluster, cloud: CloudCtl, stay: set[ServerId]) -> None:
    """Lose the victim, and wait until it serves again, with those running on it that stay."""
    story = begin(cluster, cloud, VICTIM)
    for id_ in stay:
        story.victims.pop(id_)
    observer = Observer(cluster)
    observer.unprotected = stay
    with observer.watching(), following(cluster, cloud, story, WITNESS):
        story.crash()
        observer.lost[VICTIM] = story.crash_s
        cluster.kill(VICTIM)
        wait_for("the protected ones to be ACTIVE elsewhere", story.recovered, RECOVERED_S, story)
        wait_for("the host to serve again", story.serving, SERVING_S, story)
        print(f"\n{story.timeline()}")  # noqa: T201  (the figures are part of the result)
    assert not observer.count.doubles, f"an instance ran twice: {observer.count.doubles[0]}"
    assert_released_after(story)


def assert_released_after(story: Story) -> None:
    """The host was not released before the protected ones had left."""
    assert story.events["released"].at_s >= story.events["all ACTIVE"].at_s


def homes(cloud: CloudCtl, names: tuple[str, ...]) -> dict[str, str | None]:
    """Return where Nova has these instances."""
    return {server.name: server.host for server in cloud.servers() if server.name in names}


def assert_each_moved_once(cloud: CloudCtl, expected: set[ServerId]) -> None:
    """Nova holds one evacuation record off the victim for each of these, and of no other."""
    here = {server.id for server in cloud.servers()}
    records = [m.server for m in cloud.migrations(source=VICTIM) if m.server in here]
    assert sorted(records) == sorted(expected)
