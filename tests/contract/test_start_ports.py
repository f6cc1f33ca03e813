"""What the ports owe of instances that are placed stopped and started afterwards."""

from novaha.core.actions import Start
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.starts import Starts
from novaha.errors import CloudRefused, NeedsNoStart
from stage import Stage, post, record_of, sent, service_of


def lost(stage: Stage, node: NodeName) -> None:
    """Lose a node for good, as far as Nova can tell."""
    stage.crash(node)
    stage.cloud.set_forced_down(service_of(stage, node), forced_down=True)


def placed(stage: Stage, node: NodeName, server: ServerId) -> ComputeHost:
    """Wait until an instance has arrived, and return where."""

    def home() -> ComputeHost | None:
        record = record_of(stage, node, server)
        done = record is not None and record.status in ("done", "completed")
        return record.destination if record and done and state(stage, record.destination) else None

    def state(stage: Stage, host: ComputeHost | None) -> bool:
        return host is not None and state_of(stage, host, server) is not None

    return stage.until(f"{server} to be placed", home)


def state_of(stage: Stage, host: ComputeHost, server: ServerId) -> tuple[str, str] | None:
    """Return vm_state and task_state of an instance on a host, None where it is not listed."""
    for each in stage.cloud.servers(host, details=True):
        if each.id == server and each.details is not None:
            return each.details.vm_state, each.details.task_state
    return None


def test_what_is_placed_stopped_stands_stopped_until_it_is_started_and_only_once(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    (server,) = stage.boot(node, 1)
    assert stage.cloud.leaves_stopped()
    lost(stage, node)
    assert post(stage, node, server, stopped=True) is None
    host = placed(stage, node, server)
    assert state_of(stage, host, server) == ("stopped", "")
    assert sent(stage, Start(server, host)) is None
    stage.until("it to run", lambda: state_of(stage, host, server) == ("active", ""))
    assert isinstance(sent(stage, Start(server, host)), NeedsNoStart)


def test_what_stood_stopped_before_its_host_was_lost_stands_stopped_afterwards(
    stage: Stage,
) -> None:
    node = stage.nodes[0]
    (server,) = stage.boot(node, 1)
    stage.stop(server)
    lost(stage, node)
    assert post(stage, node, server) is None
    assert state_of(stage, placed(stage, node, server), server) == ("stopped", "")


def test_what_its_owner_stopped_after_its_evacuation_is_not_started(stage: Stage) -> None:
    node = stage.nodes[0]
    (server,) = stage.boot(node, 1)
    lost(stage, node)
    assert post(stage, node, server, stopped=True) is None
    host = placed(stage, node, server)
    stage.start(server)
    stage.stop(server)
    error = sent(stage, Start(server, host))
    assert isinstance(error, NeedsNoStart)
    assert "stopped after its evacuation" in str(error)
    assert state_of(stage, host, server) == ("stopped", "")


def test_what_is_deleted_needs_no_start(stage: Stage) -> None:
    node = stage.nodes[0]
    (server,) = stage.boot(node, 1)
    stage.delete(server)
    error = sent(stage, Start(server, stage.host(node)))
    assert isinstance(error, NeedsNoStart)
    assert isinstance(error, CloudRefused)
    assert error.status == 404


def test_what_has_to_be_started_is_kept_over_the_record_before_and_deleted_by_its_value(
    stage: Stage,
) -> None:
    node, other = stage.nodes[:2]
    first = Starts(node, stage.host(node), 7, frozenset({ServerId("a-1")}))
    second = Starts(node, stage.host(node), 7, frozenset({ServerId("a-1"), ServerId("b-2")}))
    beside = Starts(other, stage.host(other), 0, frozenset({ServerId("c-3")}))
    for starts in (first, beside, second):
        stage.cluster.write_starts(starts)
    assert set(stage.cluster.observe().starts) == {second, beside}
    stage.cluster.delete_starts(first)
    assert set(stage.cluster.observe().starts) == {second, beside}
    for starts in (second, beside):
        stage.cluster.delete_starts(starts)
        stage.cluster.delete_starts(starts)
    assert stage.cluster.observe().starts == ()
