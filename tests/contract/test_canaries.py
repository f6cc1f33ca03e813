"""A canary runs on the host that it is meant for, though that takes no instances."""

import pytest
from novaha.core.canary import RUNS, Canary
from novaha.core.names import NodeName, ServerId
from stage import Stage, service_of

RECEIPT = "0123456789ab"
NOBODY = ServerId("00000000-0000-4000-8000-000000000000")


def canary_of(stage: Stage, node: NodeName) -> Canary | None:
    """Return the only canary of a node; None without one."""
    found = stage.cloud.canaries(stage.host(node))
    assert len(found) <= 1
    return found[0] if found else None


def running(stage: Stage, node: NodeName) -> Canary | None:
    found = canary_of(stage, node)
    assert found is None or found.status != "ERROR", found
    return found if found and found.status == RUNS else None


def test_it_runs_on_a_disabled_host_which_stays_disabled(stage: Stage) -> None:
    node, other = stage.nodes[:2]
    host, service = stage.host(node), service_of(stage, node)
    stage.cloud.set_enabled(service, enabled=False, reason="nova-ha: test")
    assert canary_of(stage, node) is None
    stage.cloud.boot_canary(host, RECEIPT, stage.recipe())
    seen = canary_of(stage, node)
    assert seen is not None
    assert seen.receipt_id == RECEIPT
    stage.until("the canary to run", lambda: running(stage, node))
    assert canary_of(stage, other) is None

    stage.cloud.delete_canary(host, seen.server)
    stage.until("the canary to be gone", lambda: canary_of(stage, node) is None)
    stage.cloud.delete_canary(host, seen.server)
    assert not service_of(stage, node).enabled
    stage.cloud.set_enabled(service_of(stage, node), enabled=True)


def test_instances_of_others_are_no_canaries(stage: Stage) -> None:
    node = stage.nodes[0]
    stage.boot(node, 1)
    assert canary_of(stage, node) is None


@pytest.mark.parametrize("node", [0, 3])
def test_each_host_has_its_own(stage: Stage, node: int) -> None:
    host = stage.host(stage.nodes[node])
    stage.cloud.boot_canary(host, RECEIPT, stage.recipe())
    found = stage.until("the canary to run", lambda: running(stage, stage.nodes[node]))
    others = [each for each in stage.nodes if stage.host(each) != host]
    assert [canary_of(stage, other) for other in others] == [None] * len(others)
    stage.cloud.delete_canary(host, found.server)
    stage.until("the canary to be gone", lambda: canary_of(stage, stage.nodes[node]) is None)
