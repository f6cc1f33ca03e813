"""Who is protected, who says so, and what is left behind for nobody."""

from dataclasses import replace
from typing import Any

import pytest
from novaha.core.details import Details, Flavor
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.protection import PROTECT, protection
from novaha.core.rules import Rules
from novaha.core.segments import ENABLED, SEGMENT, Aggregate
from novaha.core.selection import Mode, parse_names

HOST = ComputeHost("compute-1")
ALL, TAGGED = Policy(), Policy(protect=Mode.TAGGED)
FALSE, TRUE = {PROTECT: "false"}, {PROTECT: "true"}


def rack(name: str = "rack-1", **metadata: str) -> Aggregate:
    return Aggregate(1, name, frozenset({HOST}), metadata)


def places(value: str) -> list[tuple[Details, Rules]]:
    """Return an instance of which this is said at each place in turn, the nearest first."""
    said = {PROTECT: value}
    return [
        (Details(metadata=said), Rules()),
        (Details(tags=frozenset({f"{PROTECT}={value}"})), Rules()),
        (Details(flavor=Flavor("m1.small", specs=said)), Rules()),
        (Details(image="i-1", image_properties=said), Rules()),
        (Details(), Rules((rack(**said),))),
    ]


def protected(
    details: Details, rules: Rules | None = None, policy: Policy = ALL, name: str = "vm-1"
) -> bool:
    return protection(name, details, rules or Rules(), policy).protected


def both(near: tuple[Details, Rules], far: tuple[Details, Rules]) -> tuple[Details, Rules]:
    """Return an instance of which two things are said."""
    changes: dict[str, Any] = {}
    for details, _ in (far, near):
        usual = Details()
        names = ("metadata", "tags", "flavor", "image", "image_properties")
        changes |= {
            n: getattr(details, n) for n in names if getattr(details, n) != getattr(usual, n)
        }
    return replace(Details(), **changes), Rules((*near[1].aggregates, *far[1].aggregates))


@pytest.mark.parametrize("place", range(5))
def test_it_can_be_said_at_every_place_in_both_modes(place: int) -> None:
    assert not protected(*places("false")[place])
    assert protected(*places("true")[place], policy=TAGGED)
    assert protected(*places("TRUE")[place], policy=TAGGED)
    assert not protected(*places("False")[place])


def test_where_nothing_is_said_the_mode_decides() -> None:
    assert protected(Details())
    assert not protected(Details(), policy=TAGGED)
    assert "protect=tagged" in protection("vm-1", Details(), Rules(), TAGGED).why


@pytest.mark.parametrize(("near", "far"), [(n, f) for f in range(5) for n in range(f)])
def test_the_nearest_wins(near: int, far: int) -> None:
    assert not protected(*both(places("false")[near], places("true")[far]))
    assert protected(*both(places("true")[near], places("false")[far]))


def test_who_says_so_is_told() -> None:
    flavor = places("false")[2]
    assert protection("vm-1", *flavor, ALL).why == "flavor m1.small says nova_ha:protect=false"


@pytest.mark.parametrize("value", ["", "no", "0", "off", "flase", " false", "false "])
@pytest.mark.parametrize("place", range(5))
def test_a_wrong_value_leaves_nobody_behind_and_is_told(place: int, value: str) -> None:
    found = protection("vm-1", *places(value)[place], TAGGED)
    assert found.protected
    assert f"{PROTECT}={value}" in found.wrong
    assert "counts as protected" in found.wrong


def test_what_contradicts_itself_at_one_place_leaves_nobody_behind() -> None:
    tags = Details(tags=frozenset({f"{PROTECT}=true", f"{PROTECT}=false"}))
    racks = Rules((rack("a", **TRUE), rack("b", **FALSE)))
    for details, rules in ((tags, Rules()), (Details(), racks)):
        found = protection("vm-1", details, rules, TAGGED)
        assert found.protected
        assert "contradicts itself" in found.wrong
    assert not protected(Details(), Rules((rack("a", **FALSE), rack("b", **FALSE))))


@pytest.mark.parametrize("key", ["not_nova_ha:protect", "nova_ha:protected", "NOVA_HA:PROTECT"])
def test_only_the_exact_key_counts(key: str) -> None:
    details = Details(metadata={key: "false"}, flavor=Flavor(specs={key: "false"}))
    assert protected(details, Rules((rack(**{key: "false"}),)))


# Names


def test_load_balancers_are_excluded_by_their_whole_name() -> None:
    names = ("amphora-0b1c", "amphora-", "Amphora-1", "my-amphora-1", "amphora")
    assert [protected(Details(), name=n) for n in names] == [False, False, True, True, True]


def test_a_name_is_nearer_than_flavor_image_and_aggregate_but_not_than_the_server_s_own_words() -> (
    None
):
    kept = [protected(*place, name="amphora-1") for place in places("true")]
    assert kept == [True, True, False, False, False]
    assert "amphora-*" in protection("amphora-1", Details(), Rules(), ALL).why


def test_patterns_are_those_of_a_shell() -> None:
    policy = Policy(exclude_names=parse_names("test-[0-9]* ?-db"))
    names = ("test-1x", "test-x", "a-db", "ab-db", "amphora-1")
    assert [protected(Details(), policy=policy, name=n) for n in names] == [
        False, True, False, True, True
    ]  # fmt: skip


def test_the_word_none_excludes_no_name() -> None:
    assert parse_names("none") == ()
    assert protected(Details(), policy=Policy(exclude_names=()), name="amphora-1")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("   ", "patterns of names"),
        ("none amphora-*", "none alone"),
        ("amphora-*,test-*", "without commas"),
        ("amphora-* *", "every name"),
        ("**", "protect=tagged"),
        ("?*", "every name"),
    ],
)
def test_patterns_that_nobody_means_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("*", r"\*")):
        parse_names(text)


# Other programs' keys


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "yes", "1"])
def test_what_masakari_takes_asks_for_protection(value: str) -> None:
    assert protected(Details(metadata={"HA_Enabled": value}), policy=TAGGED)


@pytest.mark.parametrize("value", ["false", "no", "0", "", "truee"])
def test_masakari_s_key_never_opts_out(value: str) -> None:
    details = Details(metadata={"HA_Enabled": value})
    assert protected(details)
    assert not protected(details, policy=TAGGED)


@pytest.mark.parametrize("key", ["ha_enabled", "HA_ENABLED", "My_HA_Enabled"])
def test_masakari_s_key_is_exact_and_of_servers_only(key: str) -> None:
    assert not protected(Details(metadata={key: "true"}), policy=TAGGED)
    flavor = Details(flavor=Flavor(specs={"HA_Enabled": "true"}))
    assert not protected(flavor, Rules((rack(HA_Enabled="true"),)), TAGGED)


def test_instance_ha_s_key_asks_for_protection_in_flavor_image_and_aggregate() -> None:
    said = {"evacuable": "true"}
    assert protected(Details(flavor=Flavor(specs=said)), policy=TAGGED)
    assert protected(Details(image="i", image_properties=said), policy=TAGGED)
    assert protected(Details(), Rules((rack(evacuable="True"),)), TAGGED)
    assert not protected(Details(metadata=said, tags=frozenset({"evacuable"})), policy=TAGGED)


@pytest.mark.parametrize(
    "said", [{"not_evacuable": "true"}, {"evacuable": "false"}, {"evacuable_": "true"}]
)
def test_instance_ha_s_key_is_exact_and_never_opts_out(said: dict[str, str]) -> None:
    assert not protected(Details(flavor=Flavor(specs=said)), policy=TAGGED)
    assert protected(Details(flavor=Flavor(specs=said)))


def test_our_own_key_overrules_theirs_at_the_same_place_and_theirs_what_is_farther() -> None:
    assert not protected(Details(metadata={"HA_Enabled": "true", **FALSE}))
    masakari = Details(metadata={"HA_Enabled": "true"}, flavor=Flavor(specs=FALSE))
    assert protected(masakari)
    flavor = Details(flavor=Flavor(specs={"evacuable": "true"}))
    assert protected(flavor, Rules((rack(**FALSE),)))


# Segments


def test_instances_of_a_segment_that_is_not_enabled_are_not_protected() -> None:
    rules = Rules((rack(**{SEGMENT: "s", ENABLED: "false"}),))
    assert not protected(Details(), rules)
    assert "rack-1, a segment," in protection("vm-1", Details(), rules, ALL).why
    assert protected(Details(metadata=TRUE), rules)
    assert protected(Details(flavor=Flavor(specs={"evacuable": "true"})), rules)


@pytest.mark.parametrize(
    "metadata",
    [{ENABLED: "false"}, {SEGMENT: "s", ENABLED: "true"}, {SEGMENT: "s", ENABLED: "fal"}],
)
def test_no_other_aggregate_takes_protection_away(metadata: dict[str, str]) -> None:
    assert protected(Details(), Rules((rack(**metadata),)))
