"""The recovery process dies at each of its calls in turn; the end is always the same."""

from dataclasses import replace

import pytest
from fakeports import Fault, Process
from fakeworld import World

INSTANCES = 3


def recover(*faults: Fault) -> Process:
    world = World()
    world.add_compute("compute-0", INSTANCES)
    world.add_compute("compute-1")
    world.add_compute("compute-2")
    process = Process(world, faults)
    world.fence("compute-0")
    process.run_to_rest()
    return process


CALLS = recover().wire.calls


def test_the_undisturbed_recovery_makes_each_kind_of_call() -> None:
    assert {"write_record", "send", "delete_receipt", "delete_hold", "delete_record"} < set(CALLS)


@pytest.mark.parametrize("when", [Fault.KILL_BEFORE, Fault.KILL_AFTER])
@pytest.mark.parametrize("call", range(len(CALLS)))
def test_the_end_is_the_same_wherever_the_process_dies(call: int, when: Fault) -> None:
    process = recover(*[Fault.NONE] * call, when)
    world = process.world
    assert process.starts == 2
    assert process.at_rest()
    assert world.violations == []
    assert [i.posts for i in world.instances.values()] == [1] * INSTANCES
    assert not [i for i in world.instances.values() if "compute-0" in i.host]
    for service in world.services.values():
        untouched = replace(service, enabled=True, disabled_reason="", forced_down=False)
        assert service == untouched


@pytest.mark.parametrize("every", [2, 3, 5, 8, 13, 25])
def test_a_process_that_dies_again_and_again_does_no_harm_and_ends_once_it_lives(
    every: int,
) -> None:
    process = recover(*([Fault.NONE] * every + [Fault.KILL_AFTER]) * 12)
    assert process.starts >= 2
    assert process.at_rest()
    assert process.world.violations == []
    assert {i.posts for i in process.world.instances.values()} == {1}
