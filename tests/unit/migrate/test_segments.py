"""Masakari's segments as host aggregates."""

import pytest
from novaha.core.names import ComputeHost
from novaha.core.segments import Aggregate, Segment, SegmentHost
from novaha.errors import ConfigError
from novaha.migrate.segments import Step, plan

HOSTS = tuple(ComputeHost(f"c{n}") for n in range(6))


def host(number: int, *, reserved: bool = False, on_maintenance: bool = False) -> SegmentHost:
    return SegmentHost(HOSTS[number], reserved, on_maintenance)


def segment(*hosts: SegmentHost, name: str = "rack-1", method: str = "rh_priority") -> Segment:
    return Segment(name, method, enabled=True, hosts=hosts)


def aggregate(*hosts: int, name: str = "rack-1", **metadata: str) -> Aggregate:
    given = {key.replace("__", ":"): value for key, value in metadata.items()}
    return Aggregate(1, name, frozenset(HOSTS[n] for n in hosts), given)


RACK = segment(host(0), host(1, reserved=True))
WHOLE = {
    "nova_ha__segment": "rack-1",
    "nova_ha__enabled": "true",
    "nova_ha__recovery_method": "rh_priority",
    "nova_ha__reserved__c1": "true",
}


def test_a_new_segment_is_made_hosts_first() -> None:
    steps = plan([RACK], [], HOSTS).steps
    assert [step.command() for step in steps] == [
        "openstack aggregate create -- rack-1",
        "openstack aggregate add host -- rack-1 c0",
        "openstack aggregate add host -- rack-1 c1",
        "openstack aggregate set --property nova_ha:segment=rack-1 -- rack-1",
        "openstack aggregate set --property nova_ha:enabled=true -- rack-1",
        "openstack aggregate set --property nova_ha:recovery_method=rh_priority -- rack-1",
        "openstack aggregate set --property nova_ha:reserved:c1=true -- rack-1",
    ]


def test_what_is_there_already_is_left_alone() -> None:
    assert plan([RACK], [aggregate(0, 1, **WHOLE)], HOSTS).steps == ()


def test_a_reserved_host_that_is_used_is_not_made_free() -> None:
    there = aggregate(0, 1, **{**WHOLE, "nova_ha__reserved__c1": "used:c0;enabled"})
    assert plan([RACK], [there], HOSTS).steps == ()


def test_only_what_differs_is_changed_and_can_be_undone() -> None:
    there = aggregate(0, **{**WHOLE, "nova_ha__enabled": "false"})
    steps = plan([RACK], [there], HOSTS).steps
    assert [step.undo() for step in steps] == [
        "openstack aggregate remove host -- rack-1 c1",
        "openstack aggregate set --property nova_ha:enabled=false -- rack-1",
    ]
    assert str(steps[1]) == "set nova_ha:enabled of rack-1 to true, which is false"


def test_a_segment_is_found_by_its_mark_when_its_aggregate_was_renamed() -> None:
    there = aggregate(0, 1, name="east", **WHOLE)
    assert plan([RACK], [there], HOSTS).steps == ()


def test_a_disabled_segment_stays_disabled() -> None:
    off = Segment("rack-1", "auto", enabled=False, hosts=(host(0),))
    assert Step("set", "rack-1", "nova_ha:enabled", "", "false") in plan([off], [], HOSTS).steps


def test_hostile_names_are_one_word_of_the_shell() -> None:
    (first, *_) = plan([segment(name="-x; $(id)")], [], HOSTS).steps
    assert first.command() == "openstack aggregate create -- '-x; $(id)'"


@pytest.mark.parametrize(
    ("segments", "aggregates", "wrong"),
    [
        ([segment(SegmentHost(ComputeHost("c99")))], [], "no compute service on 'c99'"),
        ([segment(method="random")], [], "'random' is none of"),
        ([segment(name="\x1b[2J")], [], "cannot be called so"),
        ([segment(name=" ")], [], "cannot be called so"),
        ([segment(name="x" * 256)], [], "cannot be called so"),
        ([segment(host(0)), segment(host(1))], [], "rack-1 is there 2 times"),
        ([segment(host(0)), segment(host(0), name="b")], [], "c0 is in more than one segment"),
        ([RACK], [aggregate(0, 5)], "hosts that are not in the segment of that name: c5"),
        ([RACK], [aggregate(0, availability_zone="z")], "adding c1 would move them there"),
        ([RACK], [aggregate(nova_ha__segment="b")], "says that it is the segment b"),
        ([RACK], [aggregate(0, name="x", nova_ha__segment="b")], "c0 of segment rack-1 is in seg"),
        ([RACK], [aggregate(name="x", **WHOLE), aggregate(name="y", **WHOLE)], "all say that"),
    ],
)
def test_what_a_person_must_settle(
    segments: list[Segment], aggregates: list[Aggregate], wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(segments, aggregates, HOSTS)
    assert wrong in str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        plan([segment(SegmentHost(ComputeHost("c99")), method="random")], [], HOSTS)
    assert len(str(caught.value).splitlines()) == 2


def test_a_zone_that_loses_nothing_is_fine() -> None:
    there = aggregate(0, 1, availability_zone="z")
    assert {step.verb for step in plan([RACK], [there], HOSTS).steps} == {"set"}


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (segment(host(0, on_maintenance=True)), "c0 is on maintenance in Masakari"),
        (segment(host(0)), "has the method rh_priority and no reserved host"),
        (segment(host(0, reserved=True)), "--disable-reason 'nova-ha: reserved' c0 nova-compute"),
        (segment(method="auto"), "segment rack-1 has no hosts"),
    ],
)
def test_what_has_no_counterpart_is_said(given: Segment, note: str) -> None:
    assert any(note in each for each in plan([given], [], HOSTS).notes)


def test_a_reserved_host_that_only_nova_knows_stays_and_is_named() -> None:
    there = aggregate(0, 1, **WHOLE, nova_ha__reserved__c9="true")
    made = plan([RACK], [there], HOSTS)
    assert made.steps == ()
    assert "rack-1 also has nova_ha:reserved:c9: it stays" in made.notes
