"""All that can happen in the small world, for budgets of faults that are quick to exhaust."""

import pytest
from explore import Explored, dead_ends, evacuated, explore, recovered
from smallworld import Left, Service, World, first_world

BOTH_ON_ONE, ONE_EACH, ALONE = (0, 0), (0, 1), (0,)
BY_A_PERSON = Service(enabled=False, reason="maintenance")
FORCED_BY_A_PERSON = Service(forced=True)


def all_of(first: World) -> Explored:
    """Explore everything; fail with the shortest way to a broken law."""
    found = explore(first)
    assert not found.violation, "\n".join([*found.path, found.violation])
    assert found.complete
    return found


def assert_a_way(found: Explored, dead: list[int]) -> None:
    assert not dead, "\n".join([*found.way_to(dead[0]), f"no way on from {len(dead)} states"])


@pytest.mark.parametrize(
    ("placed", "left"),
    [
        (BOTH_ON_ONE, Left(losses=1)),
        (ONE_EACH, Left(losses=1, crashes=1)),
        (ALONE, Left(losses=1, crashes=2)),
        (ALONE, Left(losses=1, replies=1)),
        (ALONE, Left(losses=1, failures=2)),
        (ALONE, Left(losses=1, failures=1, levels=1)),
    ],
)
def test_no_law_is_ever_broken_and_every_state_leads_back_to_a_world_in_which_all_is_well(
    placed: tuple[int, ...], left: Left
) -> None:
    first = first_world(placed, left)
    found = all_of(first)
    assert_a_way(found, dead_ends(found, recovered(first)))
    # L3 does not wait for the lost host: what ran there runs elsewhere before it is back.
    assert_a_way(found, dead_ends(found, evacuated, joins=False))


def test_a_person_who_starts_a_held_host_breaks_nothing_and_loses_nothing() -> None:
    found = all_of(first_world(ALONE, Left(losses=1, crashes=1, persons=1)))
    # The node is void then and waits for a person; its instance runs, there or elsewhere.
    assert_a_way(found, dead_ends(found, evacuated))


@pytest.mark.parametrize("theirs", [BY_A_PERSON, FORCED_BY_A_PERSON])
def test_what_a_person_had_set_stands_in_the_end_as_it_stood(theirs: Service) -> None:
    services = (theirs, Service(), Service())
    first = first_world(ALONE, Left(losses=1, crashes=1), services)
    found = all_of(first)
    assert_a_way(found, dead_ends(found, recovered(first)))
