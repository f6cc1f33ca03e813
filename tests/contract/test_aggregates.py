"""What every cloud port keeps of aggregates, and of evacuations to a host that is named."""

import pytest
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.segments import Aggregate
from novaha.errors import CloudRefused
from stage import Stage, post, record_of, service_of
from test_cloud_port import come_back, follow, lost

NO_AGGREGATE = 987_654
NOWHERE = ComputeHost("no-such-host")
KEY, OTHER = "nova_ha:reserved:compute-4", "nova_ha:segment"


def found(stage: Stage, id_: int) -> Aggregate:
    (aggregate,) = (each for each in stage.cloud.rules().aggregates if each.id == id_)
    return aggregate


def test_a_key_is_set_and_all_others_stay(stage: Stage) -> None:
    id_ = stage.aggregate("seg-1", stage.nodes[:2])
    for metadata in ({OTHER: "seg-1"}, {KEY: "true"}, {KEY: "used:compute-1;enabled;added:3,7"}):
        answered = stage.cloud.set_aggregate_metadata(id_, metadata)
        assert answered == found(stage, id_)
    assert dict(answered.metadata) == {OTHER: "seg-1", KEY: "used:compute-1;enabled;added:3,7"}
    assert answered.hosts == {stage.host(node) for node in stage.nodes[:2]}


def test_a_host_joins_and_leaves_once(stage: Stage) -> None:
    id_ = stage.aggregate("rack-1", stage.nodes[:1])
    first, host = stage.host(stage.nodes[0]), stage.host(stage.nodes[3])
    assert stage.cloud.add_to_aggregate(id_, host).hosts == {first, host}
    assert refusal(stage, id_, host, joins=True) == 409
    assert found(stage, id_).hosts == {first, host}
    assert stage.cloud.remove_from_aggregate(id_, host).hosts == {first}
    assert refusal(stage, id_, host, joins=False) == 404
    assert found(stage, id_).hosts == {first}


def test_what_nova_does_not_know_is_refused(stage: Stage) -> None:
    host = stage.host(stage.nodes[0])
    assert refusal(stage, NO_AGGREGATE, host, joins=True) == 404
    assert refusal(stage, NO_AGGREGATE, host, joins=False) == 404
    with pytest.raises(CloudRefused) as error:
        stage.cloud.set_aggregate_metadata(NO_AGGREGATE, {KEY: "true"})
    assert error.value.status == 404


def refusal(stage: Stage, id_: int, host: ComputeHost, *, joins: bool) -> int:
    cloud = stage.cloud
    with pytest.raises(CloudRefused) as error:
        (cloud.add_to_aggregate if joins else cloud.remove_from_aggregate)(id_, host)
    return error.value.status


def test_a_service_that_is_forced_down_is_not_up(stage: Stage) -> None:
    service = service_of(stage, stage.nodes[0])
    assert service.up
    assert not stage.cloud.set_forced_down(service, forced_down=True).up
    assert not service_of(stage, stage.nodes[0]).up
    stage.cloud.set_forced_down(service, forced_down=False)
    assert service_of(stage, stage.nodes[0]).up


def test_an_evacuation_to_a_host_goes_there_and_nowhere_else(stage: Stage) -> None:
    node, to = stage.nodes[0], stage.nodes[3]
    servers = stage.boot(node, 3)
    lost(stage, node)
    for server in servers:
        assert post(stage, node, server, to=to) is None
        follow(stage, node, server)
        record = record_of(stage, node, server)
        assert record is not None
        assert record.destination == stage.host(to)
    come_back(stage, node)


def test_an_evacuation_to_a_host_that_is_disabled_or_unknown_moves_nothing(stage: Stage) -> None:
    node, to = stage.nodes[0], stage.nodes[3]
    (server,) = stage.boot(node, 1)
    lost(stage, node)
    nowhere = post(stage, node, server, to=NodeName(NOWHERE))
    assert isinstance(nowhere, CloudRefused)
    assert nowhere.status == 404
    assert record_of(stage, node, server) is None
    service = stage.cloud.set_enabled(
        service_of(stage, to), enabled=False, reason="nova-ha: reserved"
    )
    assert post(stage, node, server, to=to) is None
    stage.until("the record to end", lambda: ended(stage, node, server))
    assert {each.id for each in stage.cloud.servers(stage.host(node))} == {server}
    stage.cloud.set_enabled(service, enabled=True)
    come_back(stage, node)


def ended(stage: Stage, node: NodeName, server: ServerId) -> bool:
    record = record_of(stage, node, server)
    return record is not None and record.status == "error"
