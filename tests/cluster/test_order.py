"""On the real Nova: priorities, dependencies and groups decide who is evacuated when."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS, judged
from observing import LIMIT, Observer
from rehearsal.follow import begin, following, wait_for
from rehearsal.verdict import evacuate_posts
from testcloud.cloudctl import CloudCtl, Migration
from testcloud.cluster import Cluster
from testcloud.names import ServerId

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

OTHER = "compute-2"
SURVIVORS = frozenset({"compute-3", "compute-4"})
SLOW_S = 4.0
ONE_MOMENT_S = 2.0
"""What is sent together may arrive in any order within this; the next are sent SLOW_S later."""


def test_the_important_go_first_and_what_comes_after_others_waits_until_they_are_up(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    said: dict[str, dict[str, str]] = {f"plain-{n}": {} for n in range(LIMIT)}
    said |= {
        "first": {"nova_ha:priority": "10"},
        "last": {"nova_ha:priority": "-10"},
        "web": {"nova_ha:after": "db"},
        "db": {"nova_ha:ready": "delay:5"},
    }
    ids = booted(cloud, said)
    for node in cluster.computes():
        cluster.set_faults(node, spawn_delay=SLOW_S)
    story = begin(cluster, cloud, VICTIM)
    with judged(cluster, cloud, story):
        cluster.kill(VICTIM)
    sent_s = when_sent(cluster, story.crash_s, ids)
    plain_s = [sent_s[name] for name in said if name.startswith("plain")]
    assert sent_s["first"] <= min(plain_s) + ONE_MOMENT_S
    assert sent_s["last"] >= max(plain_s) - ONE_MOMENT_S
    records = {m.server: m for m in cloud.migrations(source=VICTIM)}
    db = cloud.call("GET", f"/servers/{ids['db']}")["server"]
    up_s = epoch_s(db["OS-SRV-USG:launched_at"])
    assert epoch_s(records[ids["web"]].created_at) >= up_s + 5.0, "web was sent before db was up"


@pytest.mark.long
def test_members_of_an_anti_affinity_group_end_on_different_hosts_without_a_failed_try(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    """Two hosts are lost at once; Nova fails members that arrive on one host together."""
    group = new_group(cloud, "anti-affinity")
    ids = {
        "here": create(cloud, "here", VICTIM, group),
        "there": create(cloud, "there", OTHER, group),
    }
    wait_for("both to be ACTIVE", lambda: statuses(cloud, ids) == {"ACTIVE"}, 60.0)
    with both_lost(cluster, cloud) as observer:
        wait_for("both to run elsewhere", lambda: homes(cloud, ids) <= SURVIVORS, RECOVERED_S)
    assert homes(cloud, ids) == SURVIVORS
    assert observer.count.seen >= set(ids.values())
    tries = [m for host in (VICTIM, OTHER) for m in records_of(cloud, host, ids)]
    assert [m.status for m in tries if m.status not in ("done", "completed")] == []
    assert len(tries) == len(ids)


def epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def booted(cloud: CloudCtl, said: Mapping[str, Mapping[str, str]]) -> dict[str, ServerId]:
    """Boot an instance on the victim for each name, with its metadata."""
    servers = cloud.boot(len(said), [VICTIM], "order")
    ids = dict(zip(said, (server.id for server in servers), strict=True))
    for name, metadata in said.items():
        cloud.call("PUT", f"/servers/{ids[name]}", {"server": {"name": name}})
        cloud.call("POST", f"/servers/{ids[name]}/metadata", {"metadata": dict(metadata)})
    return ids


def when_sent(cluster: Cluster, since_s: float, ids: Mapping[str, ServerId]) -> Mapping[str, float]:
    """Return when Nova was asked to evacuate each instance, by name."""
    names = {id_: name for name, id_ in ids.items()}
    posts = evacuate_posts(cluster, since_s)
    return {names[ServerId(post.path.split("/")[-2])]: post.time_s for post in posts}


def new_group(cloud: CloudCtl, policy: str, name: str = "") -> str:
    body = {"server_group": {"name": f"test-{name or policy}", "policy": policy}}
    return str(cloud.call("POST", "/os-server-groups", body)["server_group"]["id"])


def create(cloud: CloudCtl, name: str, host: str, group: str) -> ServerId:
    """Boot an instance of a group on a host."""
    server = {
        "name": name,
        "imageRef": cloud.image(),
        "flavorRef": cloud.flavor(),
        "networks": "none",
        "availability_zone": f"nova:{host}",
    }
    hints = {"group": group}
    body = {"server": server, "os:scheduler_hints": hints}
    return ServerId(cloud.call("POST", "/servers", body)["server"]["id"])


def statuses(cloud: CloudCtl, ids: Mapping[str, ServerId]) -> set[str]:
    return {server.status for server in cloud.servers() if server.id in ids.values()}


def homes(cloud: CloudCtl, ids: Mapping[str, ServerId]) -> set[str | None]:
    servers = [server for server in cloud.servers() if server.id in ids.values()]
    return {server.host if server.status == "ACTIVE" else None for server in servers}


def records_of(cloud: CloudCtl, host: str, ids: Mapping[str, ServerId]) -> list[Migration]:
    return [m for m in cloud.migrations(source=host) if m.server in ids.values()]


@contextmanager
def both_lost(cluster: Cluster, cloud: CloudCtl) -> Iterator[Observer]:
    """Lose two hosts in the same moment, and wait until both serve again."""
    observer = Observer(cluster)
    stories = [begin(cluster, cloud, host) for host in (VICTIM, OTHER)]
    with ExitStack() as stack:
        stack.enter_context(observer.watching())
        for story in stories:
            stack.enter_context(following(cluster, cloud, story, WITNESS))
        for story in stories:
            story.crash()
            observer.lost[story.host] = story.crash_s
            cluster.kill(story.host)
        yield observer
        for story in stories:
            wait_for(f"{story.host} to serve again", story.serving, SERVING_S, story)
