"""Judgements by Nova's own state; each raises AssertionError with what is wrong."""

from testcloud.cloudctl import Cloud

from .story import Story


def assert_each_moved_once(cloud: Cloud, story: Story) -> None:
    """Every instance of the lost host is ACTIVE elsewhere, with one evacuation record each."""
    servers = {server.id: server for server in cloud.servers()}
    wrong = [
        f"{name} is {servers[id_].status} on {servers[id_].host}" if id_ in servers else f"{name} is gone"
        for id_, name in story.victims.items()
        if id_ not in servers
        or servers[id_].status != "ACTIVE"
        or servers[id_].host == story.host
    ]
    assert not wrong, "\n".join(wrong)
    records = [m.instance for m in cloud.migrations(source=story.host)]
    counts = {name: records.count(id_) for id_, name in story.victims.items()}
    assert all(count == 1 for count in counts.values()), f"evacuation records: {counts}"


def assert_untouched(cloud: Cloud, host: str) -> None:
    """Nova's service of a host is as it was: enabled, not forced down."""
    service = next(service for service in cloud.services() if service.host == host)
    assert not service.forced_down, f"{host} was forced down"
    assert service.status == "enabled", f"{host} was disabled: {service.disabled_reason}"
