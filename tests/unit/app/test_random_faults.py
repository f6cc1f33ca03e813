"""Random faults, fencings and settings of operators: the laws hold, and all of it ends."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from fakeports import Fault, Process
from fakeworld import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy

HOSTS = ("compute-0", "compute-1", "compute-2", "compute-3")

FAULTS = st.lists(st.sampled_from(Fault) | st.just(Fault.NONE), max_size=60)
SETTINGS = st.tuples(st.sampled_from(["", "broken fan"]), st.booleans())
FENCINGS = st.lists(
    st.tuples(st.floats(0.0, 90.0), st.sampled_from(["compute-0", "compute-1"])), max_size=3
)
TROUBLES = st.lists(st.sampled_from(["", "", "failed", "error", "refused"]), max_size=8)


def build(
    limit: int, back_s: float, troubles: Sequence[str], found: Sequence[tuple[str, bool]]
) -> World:
    world = World(limit=limit, back_s=back_s)
    for number, name in enumerate(HOSTS):
        world.add_compute(name, 3 - number)
    for instance, trouble in zip(world.instances.values(), troubles, strict=False):
        instance.outcomes = [trouble] if trouble in ("failed", "error") else []
        instance.refusals = ["conflict"] if trouble == "refused" else []
    for name, (reason, forced) in zip(list(world.services), found, strict=False):
        world.services[name] = replace(
            world.services[name],
            enabled=not reason,
            disabled_reason=reason,
            forced_down=forced,
        )
    return world


def operators(world: World) -> dict[ComputeHost, tuple[bool, str, bool]]:
    return {
        name: (service.enabled, service.disabled_reason, service.forced_down)
        for name, service in world.services.items()
    }


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=FAULTS,
    limit=st.integers(1, 4),
    back_s=st.sampled_from([2.0, 12.0, 60.0]),
    troubles=TROUBLES,
    found=st.lists(SETTINGS, max_size=4),
    fencings=FENCINGS,
)
def test_whatever_goes_wrong_the_laws_hold_and_all_is_as_it_was_in_the_end(  # noqa: PLR0913
    *,
    faults: list[Fault],
    limit: int,
    back_s: float,
    troubles: list[str],
    found: list[tuple[str, bool]],
    fencings: list[tuple[float, str]],
) -> None:
    world = build(limit, back_s, troubles, found)
    before = operators(world)
    process = Process(world, faults, Policy(max_in_flight=limit))
    world.fence("compute-0")
    for seconds, name in fencings:
        world.later(seconds, partial(world.fence, name))
    process.run_to_rest()
    assert world.violations == []
    assert process.at_rest(), process.journal.held
    assert operators(world) == before
    assert not [i.id for i in world.instances.values() if i.ruined]


@settings(max_examples=60, deadline=None)
@given(faults=FAULTS, limit=st.integers(1, 4))
def test_one_fencing_moves_each_instance_by_exactly_one_accepted_request(
    faults: list[Fault], limit: int
) -> None:
    world = build(limit, 12.0, [], [])
    here = [i for i in world.instances.values() if "compute-0" in i.host]
    process = Process(world, faults, Policy(max_in_flight=limit))
    world.fence("compute-0")
    process.run_to_rest()
    moved = [i for i in here if "compute-0" not in i.host]
    assert [i.posts for i in moved] == [1] * len(moved)
    assert world.violations == []
    if Fault.REFUSED not in faults:
        assert moved == here
