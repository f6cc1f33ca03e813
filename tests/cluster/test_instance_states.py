"""An instance in every state that Nova knows, on a host that dies: what docs/instances.md says."""

import json
from typing import Any

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS
from rehearsal.copies import CopyCount
from rehearsal.follow import begin, following, wait_for
from rehearsal.story import Story
from testcloud.cloudctl import CloudCtl, Server
from testcloud.cluster import Cluster
from testcloud.names import ServerId
from testcloud.referee import fake_guests

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

ACTIONS: dict[str, dict[str, Any] | None] = {
    "active": None,
    "stopped": {"os-stop": None},
    "error": {"os-resetState": {"state": "error"}},
    "paused": {"pause": None},
    "suspended": {"suspend": None},
    "rescued": {"rescue": {"adminPass": "secret"}},
    "locked": {"lock": {"locked_reason": "mine"}},
}
"""How an instance gets into a state by Nova's own API."""

WRITTEN = {
    "rebooting": ("active", "rebooting"),
    "resize-prep": ("active", "resize_prep"),
    "resize-finish": ("active", "resize_finish"),
    "resized": ("resized", None),
    "shelved": ("shelved", None),
    "building": ("building", "spawning"),
    "deleting": ("active", "deleting"),
    "migrating": ("active", "migrating"),
}
"""States that last for moments only, or lead off the host: written as Nova writes them."""

SHOWN = {
    "stopped": "SHUTOFF",
    "error": "ERROR",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
}
MOVED = dict.fromkeys((*ACTIONS, "rebooting", "resize-prep"), "ACTIVE") | {"stopped": "SHUTOFF"}
STAY = frozenset({"resize-finish", "resized", "shelved", "building", "deleting"})
UNSAFE = "migrating"


def test_each_instance_comes_to_the_end_that_its_state_has(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    names = prepared(cluster, cloud)
    story = begin(cluster, cloud, VICTIM)
    with CopyCount(lambda: fake_guests(cluster.settings)) as count:
        with following(cluster, cloud, story, WITNESS):
            story.crash()
            cluster.kill(VICTIM)
            wait_for("what can move to have moved", lambda: left(cloud) == kept(names), RECOVERED_S)
            assert ends(cloud) == MOVED
            assert locked(cloud, names["locked"])
            assert told(cluster) == dict.fromkeys(STAY, "stays") | {UNSAFE: "unsafe"}
            assert_held_for_the_unsafe_one(story)
            cloud.call("POST", f"/servers/{names[UNSAFE]}/action", reset())
            wait_for("the host to serve again", story.serving, SERVING_S + RECOVERED_S, story)
        assert not count.doubles, f"an instance ran twice: {count.doubles[0]}"
    homes = {server.name: server.host for server in cloud.servers()}
    assert homes[UNSAFE] not in (None, VICTIM)
    wait_for("Nova to finish a deletion", lambda: "deleting" not in names_of(cloud), 60.0)
    assert {name for name, host in homes.items() if host == VICTIM} >= STAY - {"deleting"}
    tried = [m.server for m in cloud.migrations(source=VICTIM) if m.server in names.values()]
    assert sorted(tried) == sorted(names[name] for name in (*MOVED, UNSAFE)), "each moves once"


def prepared(cluster: Cluster, cloud: CloudCtl) -> dict[str, ServerId]:
    """Boot an instance for each state on the victim, and return their ids once they are in it."""
    wanted = [*ACTIONS, *WRITTEN]
    booted = cloud.boot(len(wanted), [VICTIM], "state")
    names = dict(zip(wanted, (server.id for server in booted), strict=True))
    for name, id_ in names.items():
        cloud.call("PUT", f"/servers/{id_}", {"server": {"name": name}})
        action = ACTIONS.get(name)
        if action:
            cloud.call("POST", f"/servers/{id_}/action", action)
    wait_for("every instance to be in its state", lambda: SHOWN.items() <= shown(cloud).items(), 60)
    for name, (vm_state, task_state) in WRITTEN.items():
        write(cluster, names[name], vm_state, task_state)
    return names


def write(cluster: Cluster, id_: ServerId, vm_state: str, task_state: str | None) -> None:
    task = f"'{task_state}'" if task_state else "NULL"
    sql = f"UPDATE instances SET vm_state='{vm_state}', task_state={task} WHERE uuid='{id_}'"  # noqa: S608
    argv = ("mariadb", "--socket=/run/mysqld/mysqld.sock", "nova", "--execute", sql)
    cluster.exec("cloud", argv)


def reset() -> dict[str, Any]:
    """Return what a person sends who has looked for guests on the other host."""
    return {"os-resetState": {"state": "active"}}


def shown(cloud: CloudCtl) -> dict[str, str]:
    return {server.name: server.status for server in cloud.servers()}


def names_of(cloud: CloudCtl) -> set[str]:
    return {server.name for server in cloud.servers()}


def left(cloud: CloudCtl) -> set[str]:
    return {server.name for server in cloud.servers() if server.host == VICTIM}


def kept(names: dict[str, ServerId]) -> set[str]:
    return names.keys() & {*STAY, UNSAFE}


def ends(cloud: CloudCtl) -> dict[str, str]:
    """Return the states of what has moved, once Nova has stopped what was stopped."""

    def settled() -> bool:
        return all(server.task_state is None for server in moved(cloud))

    wait_for("what has moved to be at rest", settled, 60.0)
    return {server.name: server.status for server in moved(cloud)}


def moved(cloud: CloudCtl) -> list[Server]:
    return [server for server in cloud.servers() if server.host != VICTIM]


def locked(cloud: CloudCtl, id_: ServerId) -> bool:
    server = cloud.call("GET", f"/servers/{id_}")["server"]
    return bool(server["locked"]) and server["locked_reason"] == "mine"


def told(cluster: Cluster) -> dict[str, str]:
    """Return what `nova-ha explain` gives as the reason of each instance that stays."""
    for controller in cluster.controllers():
        answer = cluster.exec(controller, ("nova-ha", "explain", VICTIM, "--json"), check=False)
        (explanation,) = json.loads(answer.out)["explanations"]
        names = {row["id"]: row["name"] for row in explanation["instances"]}
        waits = {wait["subject"]: wait["reason"]["code"] for wait in explanation["waits"]}
        found = {names[id_]: reason for id_, reason in waits.items() if id_ in names}
        if found:
            return found
    return {}


def assert_held_for_the_unsafe_one(story: Story) -> None:
    wait_for("the host to be back", lambda: "node back" in story.events, SERVING_S, story)
    assert "released" not in story.events
    assert not story.snapshot.runs("nova-compute", VICTIM)
