"""The ports as far as drains need them: live migrations, what is kept of them, and standby."""

from dataclasses import replace

from novaha.core.actions import LiveMigrate
from novaha.core.drain import Phase, Withdrawn
from novaha.core.model import Migration
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import in_flight
from novaha.errors import CloudRefused
from stage import Stage

NOBODY = ServerId("00000000-0000-4000-8000-000000000000")


def ask_to_leave(stage: Stage, node: NodeName, server: ServerId) -> Exception | None:
    """Send a request and return what came of it: None for accepted."""
    stage.posts.send(LiveMigrate(server, stage.host(node)))
    (result,) = stage.until("the request to be answered", stage.posts.results)
    return result.error


def record_of(stage: Stage, node: NodeName, server: ServerId) -> Migration | None:
    mine = (m for m in stage.cloud.live_migrations(stage.host(node)) if m.server == server)
    return max(mine, key=lambda m: m.id, default=None)


def test_an_instance_leaves_and_its_record_tells_so(stage: Stage) -> None:
    node = stage.nodes[0]
    (server,) = stage.boot(node, 1)
    stage.slow_moves(3.0)
    assert ask_to_leave(stage, node, server) is None
    record = stage.until("its record", lambda: record_of(stage, node, server))
    assert (in_flight(record.status), record.source) == (True, stage.host(node))
    (shown,) = stage.cloud.servers(stage.host(node), details=True)
    assert shown.details
    assert (shown.details.vm_state, shown.details.task_state) == ("active", "migrating")
    again = ask_to_leave(stage, node, server)
    assert isinstance(again, CloudRefused), f"accepted twice, or another error: {again!r}"
    assert again.status == 409
    ended = stage.until("its end", lambda: ended_record(stage, node, server))
    assert ended.status == "completed"
    assert ended.destination is not None
    assert server in {each.id for each in stage.cloud.servers(ended.destination)}
    assert stage.cloud.servers(stage.host(node)) == ()
    assert stage.cloud.migrations(stage.host(node)) == (), "that is no evacuation"


def ended_record(stage: Stage, node: NodeName, server: ServerId) -> Migration | None:
    record = record_of(stage, node, server)
    return record if record and not in_flight(record.status) else None


def test_what_is_not_there_cannot_leave(stage: Stage) -> None:
    error = ask_to_leave(stage, stage.nodes[0], NOBODY)
    assert isinstance(error, CloudRefused)
    assert error.status == 404


def test_an_instance_without_a_place_to_go_stays_and_runs_on(stage: Stage) -> None:
    node, *others = stage.nodes
    (server,) = stage.boot(node, 1)
    services = {service.host: service for service in stage.cloud.services()}
    for other in others:
        host = stage.host(other)
        stage.cloud.set_enabled(services[host], enabled=False, reason="no room")
    assert ask_to_leave(stage, node, server) is None
    record = stage.until("its end", lambda: ended_record(stage, node, server))
    assert record.status == "error"
    (shown,) = stage.cloud.servers(stage.host(node), details=True)
    assert shown.details
    assert (shown.details.vm_state, shown.details.task_state) == ("active", "")
    for service in stage.cloud.services():
        stage.cloud.set_enabled(service, enabled=True)


def test_what_was_taken_is_kept_and_only_exactly_that_is_deleted(stage: Stage) -> None:
    node = stage.nodes[0]
    first = Withdrawn(node, stage.host(node), Phase.CLOSING, enabled=False, after=7)
    second = replace(first, phase=Phase.CLOSED)
    stage.cluster.write_withdrawn(first)
    stage.cluster.write_withdrawn(second)
    assert stage.cluster.observe().withdrawn == (second,)
    stage.cluster.delete_withdrawn(first)
    assert stage.cluster.observe().withdrawn == (second,)
    stage.cluster.delete_withdrawn(second)
    stage.cluster.delete_withdrawn(second)
    assert stage.cluster.observe().withdrawn == ()


def test_standby_stops_nova_compute_until_it_is_taken_back(stage: Stage) -> None:
    node = stage.nodes[0]
    for _ in range(2):
        stage.cluster.set_standby(node, on=True)
    stage.until("nova-compute to stop", lambda: not stage.serves(node))
    view = stage.cluster.observe()
    assert view.standby == {node}
    assert node in view.online
    for _ in range(2):
        stage.cluster.set_standby(node, on=False)
    stage.until("nova-compute to run", lambda: stage.serves(node))
    assert stage.cluster.observe().standby == frozenset()
