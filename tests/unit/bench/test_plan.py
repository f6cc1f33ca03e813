import pytest
from race import plan, search
from race.plan import Heat, Size


def test_a_plan_is_sizes_with_rounds() -> None:
    assert plan.parse("20x5, 200x2") == (Size(20, 5), Size(200, 2))


@pytest.mark.parametrize("text", ["", "20", "20x", "x5", "20x0", "00x1", "20x5;200x2", "20x-1"])
def test_any_other_text_is_refused_with_what_it_should_be(text: str) -> None:
    with pytest.raises(ValueError, match="is not INSTANCESxROUNDS"):
        plan.parse(text)


def test_every_round_begins_with_the_next_contender() -> None:
    order = [(h.round, h.contender) for h in plan.heats((Size(2, 3),), ("a", "b"))]
    assert order == [(1, "a"), (1, "b"), (2, "b"), (2, "a"), (3, "a"), (3, "b")]


def test_the_search_names_its_numbers() -> None:
    heats = list(search.heats(20))
    assert Heat(20, 1, "floor@4") in heats
    assert [search.number_of(heat.contender) for heat in heats] == list(search.TRIED)
    assert search.number_of("floor") is None


def test_a_number_that_is_named_again_is_a_heat_of_its_own() -> None:
    heats = list(search.heats(20, (8, 4, 8)))
    assert heats == [Heat(20, 1, "floor@8"), Heat(20, 1, "floor@4"), Heat(20, 2, "floor@8")]
