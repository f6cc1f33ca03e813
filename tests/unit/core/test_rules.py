"""Where what is said of an instance is looked up, and who counts."""

from dataclasses import replace
from typing import Any

from novaha.core.details import Details, Flavor
from novaha.core.names import ComputeHost
from novaha.core.rules import Place, Rules, Said, nearest, said
from novaha.core.segments import Aggregate

KEY = "nova_ha:priority"
HOST = ComputeHost("compute-1")
RACK = Aggregate(2, "rack-1", frozenset({HOST}), {KEY: "aggregate"})
FLAVOR = Flavor("m1.small", specs={KEY: "flavor"})
ALL = Details(
    image="i-1",
    image_properties={KEY: "image"},
    metadata={KEY: "server"},
    tags=frozenset({f"{KEY}=tag", "other"}),
    flavor=FLAVOR,
)


def test_the_nearest_to_the_instance_counts() -> None:
    rules = Rules((RACK,))
    told = ALL
    expected = []
    nothing: tuple[dict[str, Any], ...] = (
        {"metadata": {}},
        {"tags": frozenset()},
        {"flavor": Flavor()},
        {"image_properties": {}},
    )
    for without in nothing:
        expected.append(said(KEY, told, rules))
        told = replace(told, **without)
    expected.append(said(KEY, told, rules))
    assert expected == [
        Said("server", "its metadata", Place.METADATA),
        Said("tag", "its tag", Place.TAG),
        Said("flavor", "flavor m1.small", Place.FLAVOR),
        Said("image", "image i-1", Place.IMAGE),
        Said("aggregate", "aggregate rack-1", Place.AGGREGATE),
    ]
    assert said(KEY, told, Rules()) is None


def test_only_the_exact_key_counts() -> None:
    near = Details(metadata={f"not_{KEY}": "x", KEY.upper(): "x"}, tags=frozenset({f"x{KEY}=x"}))
    assert said(KEY, near, Rules()) is None


def test_only_the_aggregates_of_the_host_count_in_the_order_of_their_names() -> None:
    other = Aggregate(1, "z", frozenset({ComputeHost("compute-2")}), {KEY: "no"})
    first = Aggregate(9, "a", frozenset({HOST}), {KEY: "first"})
    rules = Rules((RACK, other, first)).of(HOST)
    assert rules.aggregates == (first, RACK)
    assert said(KEY, Details(), rules) == Said("first", "aggregate a", Place.AGGREGATE)


def test_all_that_is_said_at_the_nearest_place_is_told_for_it_can_contradict() -> None:
    tags = replace(ALL, metadata={}, tags=frozenset({f"{KEY}=b", f"{KEY}=a"}))
    assert [each.value for each in nearest(KEY, tags, Rules((RACK,)))] == ["a", "b"]
    other = replace(RACK, id=3, name="rack-2", metadata={KEY: "other"})
    found = nearest(KEY, Details(), Rules((RACK, other)))
    assert [each.where for each in found] == ["aggregate rack-1", "aggregate rack-2"]
    assert nearest(KEY, Details(), Rules()) == ()
