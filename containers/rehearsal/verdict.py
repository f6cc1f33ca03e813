"""Judgements by Nova's own state; each raises AssertionError with what is wrong."""

import itertools
from http import HTTPStatus

from testcloud import access_log
from testcloud.access_log import Request
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

from .story import Story

OK = HTTPStatus.OK.value
MOVED = frozenset({"done", "completed"})
FAILED = frozenset({"failed", "error"})


def assert_all_moved(cloud: CloudCtl, story: Story) -> None:
    """Every instance of the lost host is ACTIVE elsewhere."""
    servers = {server.id: server for server in cloud.servers()}
    wrong = [
        f"{name} is {servers[id_].status} on {servers[id_].host}"
        if id_ in servers
        else f"{name} is gone"
        for id_, name in story.victims.items()
        if id_ not in servers or servers[id_].status != "ACTIVE" or servers[id_].host == story.host
    ]
    if wrong:
        raise AssertionError("\n".join(wrong))


def assert_each_moved_once(cloud: CloudCtl, story: Story) -> None:
    """Every instance of the lost host is ACTIVE elsewhere, with one evacuation record each."""
    assert_all_moved(cloud, story)
    records = [m.server for m in cloud.migrations(source=story.host)]
    counts = {name: records.count(id_) for id_, name in story.victims.items()}
    if any(count != 1 for count in counts.values()):
        msg = f"evacuation records: {counts}"
        raise AssertionError(msg)


def assert_each_tried_in_turn(cloud: CloudCtl, story: Story) -> None:
    """Every instance moved with its last record; each before it had failed when the next began."""
    assert_all_moved(cloud, story)
    records = cloud.migrations(source=story.host)
    for server, name in story.victims.items():
        tries = [m for m in records if m.server == server]
        *failed, last = tries
        ended = all(m.status in FAILED for m in failed) and last.status in MOVED
        in_turn = all((a.updated_at or "~") <= b.created_at for a, b in itertools.pairwise(tries))
        if not ended or not in_turn:
            msg = f"{name} was not evacuated by one try after the other: {tries}"
            raise AssertionError(msg)


def requests_of_controllers(cluster: Cluster, service: str, since_s: float) -> tuple[Request, ...]:
    """Return what the controllers asked of an API since a moment, by the API's own access log."""
    clients = tuple(machine.ip for machine in cluster.settings.controller_machines())
    log = cluster.access_log(service)
    return tuple(access_log.requests(log, since_s=since_s, clients=clients))


def changes(cluster: Cluster, since_s: float) -> tuple[Request, ...]:
    """Return the controllers' requests that change something in Nova."""
    asked = requests_of_controllers(cluster, "nova-api", since_s)
    return tuple(request for request in asked if request.method != "GET")


def evacuate_posts(cluster: Cluster, since_s: float) -> tuple[Request, ...]:
    """Return the evacuate requests that Nova accepted."""
    return tuple(
        request
        for request in changes(cluster, since_s)
        if request.method == "POST" and request.path.endswith("/action") and request.status == OK
    )


def assert_untouched(cloud: CloudCtl, host: str) -> None:
    """Nova's service of a host is as it was: enabled, not forced down."""
    service = next(service for service in cloud.services() if service.host == host)
    if service.forced_down or service.status != "enabled":
        msg = f"{host} was touched: {service}"
        raise AssertionError(msg)
