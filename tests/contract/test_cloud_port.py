"""What every cloud port keeps: Nova's and the simulator's, by the same steps."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from novaha.core.model import Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.policy import in_flight
from novaha.errors import CloudRefused, CloudUnavailable
from stage import Stage, post, record_of, service_of

NOWHERE = ComputeHost("no-such-host")
NOBODY = ServerId("00000000-0000-4000-8000-000000000000")
SLOW_S = 6.0
LONG_S = 28.0
"""Longer than a host takes to be back with its nova-compute."""
REBUILDING = "pre-migrating"


def setting(service: Service) -> tuple[bool, str, bool]:
    return service.enabled, service.disabled_reason, service.forced_down


def test_every_host_is_listed_once_with_all_that_decisions_use(stage: Stage) -> None:
    services = stage.cloud.services()
    assert {service.host for service in services} == {stage.host(node) for node in stage.nodes}
    assert len({service.id for service in services}) == len(services) == len(stage.nodes)
    assert {setting(service) for service in services} == {(True, "", False)}
    assert all(service.heartbeat for service in services)
    before = services[0].heartbeat
    stage.until("a heartbeat", lambda: stage.cloud.services()[0].heartbeat != before, 30.0)


def test_a_service_is_forced_down_and_up_as_often_as_one_likes_and_nothing_else_of_it_changes(
    stage: Stage,
) -> None:
    service = service_of(stage, stage.nodes[0])
    for wanted in (True, True, False, False):
        answered = stage.cloud.set_forced_down(service, forced_down=wanted)
        assert setting(answered) == setting(service_of(stage, stage.nodes[0])) == (True, "", wanted)
        assert answered.id == service.id


def test_the_reason_of_a_disabled_service_is_kept_and_goes_when_it_is_enabled(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    service = service_of(stage, node)
    # Forced down first, as we do it: of a host that has just died Nova would ask its nova-compute.
    stage.cloud.set_forced_down(service, forced_down=True)
    for reason in ("nova-ha: fenced, receipt 0123456789ab", "disk swap"):
        answered = stage.cloud.set_enabled(service, enabled=False, reason=reason)
        assert setting(answered) == setting(service_of(stage, node)) == (False, reason, True)
    stage.cloud.set_forced_down(service, forced_down=False)
    assert setting(service_of(stage, node)) == (False, "disk swap", False)
    for _ in range(2):
        assert setting(stage.cloud.set_enabled(service, enabled=True)) == (True, "", False)
    assert setting(service_of(stage, node)) == (True, "", False)


def test_an_unknown_host_has_nothing_on_it(stage: Stage) -> None:
    assert stage.cloud.servers(NOWHERE) == ()
    assert stage.cloud.servers(NOWHERE, details=True) == ()
    assert stage.cloud.migrations(NOWHERE) == ()


def test_what_cannot_be_evacuated_is_refused_with_a_status(stage: Stage) -> None:
    node = stage.nodes[0]
    stays, goes = stage.boot(node, 2)
    assert refusal(stage, node, stays) == 400
    stage.delete(goes)
    assert refusal(stage, node, goes) == 404
    assert refusal(stage, node, NOBODY) == 404
    assert {server.id for server in stage.cloud.servers(stage.host(node))} == {stays}
    assert record_of(stage, node, stays) is None


def refusal(stage: Stage, node: NodeName, server: ServerId) -> int:
    error = post(stage, node, server)
    assert isinstance(error, CloudRefused), f"accepted, or another error: {error!r}"
    return error.status


def test_a_nova_that_is_down_is_told_apart_from_one_that_refuses(stage: Stage) -> None:
    node = stage.nodes[0]
    service, host = service_of(stage, node), stage.host(node)
    cloud = stage.cloud
    stage.nova_down()
    try:
        for ask in (cloud.services, lambda: cloud.servers(host), lambda: cloud.migrations(host)):
            with pytest.raises(CloudUnavailable):
                ask()
        with pytest.raises(CloudUnavailable):
            cloud.set_forced_down(service, forced_down=True)
        with pytest.raises(CloudUnavailable):
            cloud.set_enabled(service, enabled=False, reason="nova-ha: test")
        assert isinstance(post(stage, node, NOBODY), CloudUnavailable)
    finally:
        stage.nova_up()
    assert setting(service_of(stage, node)) == (True, "", False)


@contextmanager
def without_room(stage: Stage, *nodes: NodeName) -> Iterator[None]:
    """Have no valid host, by disabling these."""
    for node in nodes:
        stage.cloud.set_enabled(service_of(stage, node), enabled=False, reason="no room")
    yield
    for node in nodes:
        stage.cloud.set_enabled(service_of(stage, node), enabled=True)


def lost(stage: Stage, node: NodeName) -> Service:
    """Crash a node, wait until it is held, and force its service down."""
    stage.crash(node)
    stage.until("its receipt", lambda: stage.cluster.observe().receipt_of(node))
    return stage.cloud.set_forced_down(service_of(stage, node), forced_down=True)


def come_back(stage: Stage, node: NodeName) -> None:
    """Let a held node start nova-compute, and wait until it does."""
    stage.until("it to join again", lambda: node in stage.cluster.observe().online)
    view = stage.cluster.observe()
    for receipt in view.receipts:
        stage.cluster.delete_receipt(receipt)
    for mark in view.marks:
        stage.cluster.delete_hold(mark)
    stage.until("nova-compute to run", lambda: stage.serves(node))


def follow(stage: Stage, node: NodeName, server: ServerId) -> list[str]:
    """Follow an evacuation until its instance has left the list; return the statuses seen."""
    host, seen = stage.host(node), list[str]()

    def left() -> bool:
        # The list first: an instance that is gone from it must have had a record at its end.
        gone = server not in {each.id for each in stage.cloud.servers(host)}
        record = record_of(stage, node, server)
        assert record is not None
        if record.status not in seen:
            seen.append(record.status)
        assert not gone or record.status == "done", f"it left the list while {record}"
        return gone

    stage.until("the instance to leave the list of its host", left)
    return seen


def test_an_evacuation_has_a_record_from_the_answer_on_and_leaves_the_list_when_that_is_done(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    moved, homeless, *rest = stage.boot(node, 4)
    host = stage.host(node)
    assert {s.id for s in stage.cloud.servers(host)} == {moved, homeless, *rest}
    assert all(server.fault == "" for server in stage.cloud.servers(host, details=True))
    stage.slow_moves(SLOW_S)
    service = lost(stage, node)
    assert_moves(stage, node, moved)
    assert force_up(stage, service) == 400
    assert_finds_no_host(stage, node, homeless)
    faults = {s.id: s.fault for s in stage.cloud.servers(host, details=True)}
    assert "No valid host" in faults.pop(homeless)
    assert faults == dict.fromkeys(rest, "")

    come_back(stage, node)
    reach(stage, node, moved, "completed")
    reach(stage, node, homeless, "error")
    assert force_up(stage, service) is None
    assert setting(service_of(stage, node)) == (True, "", False)
    stage.delete(moved)
    assert record_of(stage, node, moved) is None
    assert record_of(stage, node, homeless) is not None


def assert_moves(stage: Stage, node: NodeName, server: ServerId) -> None:
    """Evacuate an instance: its record is there at once, and it is listed on its destination."""
    assert post(stage, node, server) is None
    record = record_of(stage, node, server)
    assert record is not None
    assert in_flight(record.status)
    assert record.source == stage.host(node)
    seen = follow(stage, node, server)
    assert seen[-1] == "done"
    assert len(seen) > 1, "it was never seen in flight: nothing was followed"
    record = record_of(stage, node, server)
    assert record is not None
    assert record.destination in {stage.host(other) for other in stage.nodes[1:]}
    assert server in {s.id for s in stage.cloud.servers(record.destination)}


def assert_finds_no_host(stage: Stage, node: NodeName, server: ServerId) -> None:
    """Evacuate an instance for which there is no room: accepted, and its record says so."""
    with without_room(stage, *stage.nodes[1:]):
        assert post(stage, node, server) is None
        reach(stage, node, server, "error")


def force_up(stage: Stage, service: Service) -> int | None:
    """Take a force-down back; return with which status that was refused, None where not."""
    try:
        stage.cloud.set_forced_down(service, forced_down=False)
    except CloudRefused as error:
        return error.status
    return None


def reach(stage: Stage, node: NodeName, server: ServerId, status: str) -> None:
    """Wait until the newest record of an instance has a status."""

    def reached() -> bool:
        record = record_of(stage, node, server)
        return record is not None and record.status == status

    stage.until(f"the record of {server} to be {status}", reached)


def test_nova_takes_a_second_request_for_a_moving_instance_and_calls_it_completed_too_early(
    stage: Stage,
) -> None:
    """Both are dangers: nothing but us keeps a second copy away, and `completed` is no proof."""
    node = stage.nodes[0]
    twice, once = stage.boot(node, 2)
    host = stage.host(node)
    stage.slow_moves(LONG_S)
    service = lost(stage, node)
    for server in (twice, once):
        assert post(stage, node, server) is None
    for server in (twice, once):
        reach(stage, node, server, REBUILDING)
    assert post(stage, node, twice) is None
    records = [m for m in stage.cloud.migrations(host) if m.server == twice]
    assert len(records) == 2
    assert all(in_flight(m.status) for m in records)
    stage.delete(twice)
    assert record_of(stage, node, twice) is None

    come_back(stage, node)
    reach(stage, node, once, "completed")
    assert once in {s.id for s in stage.cloud.servers(host)}, "it has left: nothing was tested"
    reach(stage, node, once, "done")
    assert force_up(stage, service) == 400
