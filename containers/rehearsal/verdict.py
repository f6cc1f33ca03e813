"""Judgements by Nova's own state; each raises AssertionError with what is wrong."""

from testcloud.cloudctl import CloudCtl

from .story import Story


def assert_each_moved_once(cloud: CloudCtl, story: Story) -> None:
    """Every instance of the lost host is ACTIVE elsewhere, with one evacuation record each."""
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
    records = [m.server for m in cloud.migrations(source=story.host)]
    counts = {name: records.count(id_) for id_, name in story.victims.items()}
    if any(count != 1 for count in counts.values()):
        msg = f"evacuation records: {counts}"
        raise AssertionError(msg)


def assert_untouched(cloud: CloudCtl, host: str) -> None:
    """Nova's service of a host is as it was: enabled, not forced down."""
    service = next(service for service in cloud.services() if service.host == host)
    if service.forced_down or service.status != "enabled":
        msg = f"{host} was touched: {service}"
        raise AssertionError(msg)
