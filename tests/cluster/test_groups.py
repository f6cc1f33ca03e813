"""On the real Nova: what becomes of the members of affinity groups whose host is lost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS
from observing import Observer
from rehearsal.follow import begin, following, wait_for
from rehearsal.story import Story
from test_order import create, new_group, records_of, statuses
from testcloud.cloudctl import CloudCtl, Server
from testcloud.cluster import Cluster
from testcloud.docker import File
from testcloud.names import ServerId
from testcloud.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

NOVA_CONF = "/etc/nova/nova.conf"
UNCHECKED = "\n[workarounds]\ndisable_group_policy_check_upcall = true\n"
TRIES = 3
READ_AGAIN_S = 100.0
"""A group that is given up is seen within a minute; then its members move."""


@pytest.mark.long
def test_a_lone_member_is_recovered_and_a_pair_is_told_and_goes_back_to_its_host(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    ids = booted(cloud, {"alone": "affinity", "pair": "affinity", "soft": "soft-affinity"})
    with lost(cluster, cloud) as story:
        free = [ids[name] for name in ("alone-1", "soft-1", "soft-2")]
        wait_for("what can move to run elsewhere", lambda: away(cloud) == set(free), RECOVERED_S)
        wait_for("the pair to be told", lambda: len(told(cluster)) == 2, RECOVERED_S, story)
        for text in told(cluster):
            assert "affinity group test-pair" in text
            assert "openstack server group delete" in text
        wait_for("the host to serve again", story.serving, SERVING_S + RECOVERED_S, story)
    pair = [server for server in cloud.servers() if server.name.startswith("pair")]
    assert {server.host for server in pair} == {VICTIM}
    tries = records_of(cloud, VICTIM, {s.name: s.id for s in pair})
    assert [m.status for m in tries] == ["failed"] * TRIES, "one tries for both"
    good = records_of(cloud, VICTIM, {id_: id_ for id_ in free})
    assert {m.status for m in good} <= {"done", "completed"}
    assert len(good) == len(free)


@pytest.mark.long
def test_a_pair_whose_group_is_given_up_is_evacuated(cluster: Cluster, cloud: CloudCtl) -> None:
    groups: dict[str, str] = {}
    ids = booted(cloud, {"pair": "affinity"}, groups)
    with lost(cluster, cloud) as story:
        wait_for("the pair to be told", lambda: len(told(cluster)) == 2, RECOVERED_S, story)
        cloud.call("DELETE", f"/os-server-groups/{groups['pair']}")
        wait_for("both to have left", lambda: away(cloud) == set(ids.values()), READ_AGAIN_S, story)
        wait_for("the host to serve again", story.serving, SERVING_S, story)


@pytest.mark.long
def test_where_the_computes_do_not_look_a_pair_comes_to_one_host(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    survivors = [node for node in cluster.computes() if node != VICTIM]
    with unchecked(cluster, cloud, survivors):
        ids = booted(cloud, {"pair": "affinity"}, members=3)
        with lost(cluster, cloud) as story:
            all_ = set(ids.values())
            wait_for("all to have left", lambda: away(cloud) == all_, RECOVERED_S, story)
            wait_for("the host to serve again", story.serving, SERVING_S, story)
    homes = {server.host for server in cloud.servers() if server.id in all_}
    assert len(homes) == 1, f"the group is on {homes}"
    tries = records_of(cloud, VICTIM, ids)
    assert len(tries) == len(ids), "each was sent once"
    assert {m.status for m in tries} <= {"done", "completed"}


def booted(
    cloud: CloudCtl,
    policies: Mapping[str, str],
    groups: dict[str, str] | None = None,
    members: int = 2,
) -> dict[str, ServerId]:
    """Boot the members of a group of each name on the victim; a lone one has no others."""
    made = groups if groups is not None else {}
    ids = {}
    for name, policy in policies.items():
        made[name] = new_group(cloud, policy, name)
        for number in range(1, 1 + (1 if name == "alone" else members)):
            ids[f"{name}-{number}"] = create(cloud, f"{name}-{number}", VICTIM, made[name])
    until("all to be ACTIVE", lambda: statuses(cloud, ids) == {"ACTIVE"}, 90.0)
    return ids


@contextmanager
def lost(cluster: Cluster, cloud: CloudCtl) -> Iterator[Story]:
    """Lose the victim, and let the laws judge what followed."""
    story, observer = begin(cluster, cloud, VICTIM), Observer(cluster)
    with observer.watching(), following(cluster, cloud, story, WITNESS):
        story.crash()
        observer.lost[VICTIM] = story.crash_s
        cluster.kill(VICTIM)
        yield story
        print(f"\n{story.timeline()}")  # noqa: T201  (the figures are part of the result)
    assert not observer.count.doubles, f"an instance ran twice: {observer.count.doubles[0]}"


@contextmanager
def unchecked(cluster: Cluster, cloud: CloudCtl, nodes: Sequence[str]) -> Iterator[None]:
    """Have some nova-computes not look at the groups of what arrives."""
    before = {node: cluster.exec(node, ("cat", NOVA_CONF)).out for node in nodes}
    try:
        restarted(cluster, cloud, {node: text + UNCHECKED for node, text in before.items()})
        yield
    finally:
        restarted(cluster, cloud, before)


def restarted(cluster: Cluster, cloud: CloudCtl, confs: Mapping[str, str]) -> None:
    """Give nova-computes another configuration, and wait until each beats again."""
    beats = {service.host: service.updated_at for service in cloud.services()}
    for node, text in confs.items():
        cluster.put(node, (File(NOVA_CONF, text.encode(), 0o600),))
        cluster.exec(node, ("/etc/init.d/nova-compute", "restart"), timeout_s=90.0)

    def beat() -> bool:
        new = (s for s in cloud.services() if s.state == "up" and s.updated_at != beats[s.host])
        return {service.host for service in new} >= confs.keys()

    until("each nova-compute to beat again", beat, 90.0)


def away(cloud: CloudCtl) -> set[ServerId]:
    """Return the instances that run on another host than the victim."""
    return {s.id for s in cloud.servers() if is_away(s)}


def is_away(server: Server) -> bool:
    return server.status == "ACTIVE" and server.host not in (None, VICTIM)


def told(cluster: Cluster) -> list[str]:
    """Return what `nova-ha explain` tells of each blocked instance of the victim."""
    for controller in cluster.controllers():
        answer = cluster.exec(controller, ("nova-ha", "explain", VICTIM, "--json"), check=False)
        (explanation,) = json.loads(answer.out)["explanations"]
        texts = [w["text"] for w in explanation["waits"] if w["reason"]["code"] == "blocked"]
        if texts:
            return texts
    return []
