from collections.abc import Callable

import pytest
from race import search, stats
from race.goals import Goal, goals
from race.results import Result, Results
from race.stats import Spread

Make = Callable[..., Result]


def test_a_spread_is_the_median_and_both_ends() -> None:
    assert stats.spread([3.0, None, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0, 3)


def test_nothing_has_no_spread() -> None:
    assert stats.spread([None]) is None


def test_a_heat_without_all_instances_has_no_last_one() -> None:
    broken = Result(4, 1, "floor", "", active_s=(1.0, 2.0), marks={"fenced": 0.5})
    assert stats.first_active(broken) == 1.0
    assert stats.last_active(broken) is None
    assert stats.after("fenced")(broken) is None
    assert stats.requests("nova")(broken) is None
    assert stats.cpu(broken) is None


def test_after_a_mark_only_the_rest_counts(heat: Make) -> None:
    assert stats.after("fenced")(heat("nova-ha", 10.0)) == 8.0
    assert stats.after("never")(heat("nova-ha", 10.0)) is None


def test_goals_compare_medians(heat: Make) -> None:
    names = {"floor": 8.5, "nova-ha": 10.0, "classic": 30.0, "masakari": 99.0}
    found = Results({}, tuple(heat(name, last_s) for name, last_s in names.items()))
    by_text = {goal.text.partition(":")[2].strip(): goal for goal in goals(found, 4)}
    assert by_text["at most 1.1 times the floor"].measured == pytest.approx(1.0)
    assert by_text["at most 1.1 times the floor"].reached
    default = by_text["at least 10 times faster than masakari"]
    assert default.measured == pytest.approx(9.9)
    assert not default.reached
    assert by_text["at least 2 times faster than classic"].reached
    assert by_text["at most 2N+20 = 28"] == Goal(
        "requests to Nova, return included: at most 2N+20 = 28", 12, reached=True
    )


def test_a_goal_without_a_measurement_is_not_reached(heat: Make) -> None:
    found = {g.text: g for g in goals(Results({}, (heat("nova-ha", 10.0),)), 4)}
    tuned = found["crash to last ACTIVE: at least 3 times faster than masakari-tuned"]
    assert (tuned.measured, tuned.reached) == (None, False)


def test_the_search_takes_the_fastest(heat: Make) -> None:
    found = Results({}, (heat("floor@1", 20.0), heat("floor@4", 9.0), heat("floor@8", 11.0)))
    assert search.best(found, 4) == 4
    medians = [(number, seconds.median) for number, seconds in search.tried(found, 4)]
    assert medians == [(1, 19.5), (4, 8.5), (8, 10.5)]


def test_what_was_fastest_with_few_says_nothing_of_many(heat: Make) -> None:
    few = (heat("floor@4", 9.0), heat("floor@8", 11.0))
    many = (heat("floor@4", 99.0, instances=40), heat("floor@8", 95.0, instances=40))
    found = Results({}, (*few, *many))
    assert (search.best(found, 4), search.best(found, 40)) == (4, 8)


def test_without_a_search_a_number_must_be_named() -> None:
    with pytest.raises(ValueError, match="--floor"):
        search.best(Results({}), 4)
