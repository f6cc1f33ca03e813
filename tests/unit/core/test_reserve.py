"""Segments in Nova's aggregates: what their metadata says, and which reserved host can be used."""

from dataclasses import replace

import pytest
from novaha.core.model import Answer, Service, View
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.reserve import Reserve, reserve_of, unusable
from novaha.core.rules import Rules
from novaha.core.segments import (
    ADD_RESERVED,
    KEYS,
    METHOD,
    RESERVED,
    SEGMENT,
    Aggregate,
    RecoveryMethod,
    Use,
    adds_reserved,
    method_of,
    reserved_of,
    use_of,
)
from worlds import HOST, NOW_S, evacuating, memory, ours, receipt, service, view

R1, R2, OTHER = map(ComputeHost, ("reserved-1", "reserved-2", "compute-2"))
KEPT_FREE = {"enabled": False, "disabled_reason": "nova-ha: reserved"}


def segment(method: str = "reserved_host", name: str = "seg-1", **reserved: str) -> Aggregate:
    keys = {f"{RESERVED}{host.replace('_', '-')}": value for host, value in reserved.items()}
    said = {SEGMENT: name, METHOD: method, **keys}
    return Aggregate(1, name, frozenset({HOST, R1, R2}), said)


def seen(*aggregates: Aggregate, services: tuple[Service, ...] = ()) -> View:
    listed = services or (ours(), service(R1, **KEPT_FREE), service(R2, **KEPT_FREE))
    known = memory(services=listed, servers=(), migrations=())
    return view(evacuating(), replace(known, rules=Answer(Rules(aggregates), NOW_S)))


def reserve(*aggregates: Aggregate, services: tuple[Service, ...] = ()) -> Reserve:
    return reserve_of(seen(*aggregates, services=services), Policy(), HOST)


@pytest.mark.parametrize(
    "use",
    [
        Use(HOST),
        Use(HOST, ready=True),
        Use(HOST, enabled=True),
        Use(HOST, ready=True, enabled=True, added=(3, 7)),
        Use(ComputeHost("compute-1.example.org"), added=(12,)),
    ],
)
def test_a_use_is_read_back_as_it_was_written(use: Use) -> None:
    assert use_of(use.to_value()) == use


@pytest.mark.parametrize(
    "value",
    ["true", "", "used", "used:", "used:a b", "using:a", "used:a;added:", "used:a;added:x",
     "used:a;more", "used:a ", "taking:a;added:1,"],
)  # fmt: skip
def test_what_is_no_use_is_none(value: str) -> None:
    assert use_of(value) is None


def test_the_reserved_hosts_of_a_segment_come_in_the_order_of_their_names() -> None:
    assert list(reserved_of(segment(b="true", a="used:c"))) == ["a", "b"]


def test_where_nothing_is_said_the_method_is_auto_and_an_unknown_one_is_none() -> None:
    assert method_of(Aggregate(1, "a")) is RecoveryMethod.AUTO
    assert method_of(segment("reserved-host")) is None
    assert {method_of(segment(m.value)) for m in RecoveryMethod} == set(RecoveryMethod)


@pytest.mark.parametrize(
    ("said", "adds"), [({}, False), ({ADD_RESERVED: "True"}, True), ({ADD_RESERVED: "1"}, False)]
)
def test_a_reserved_host_joins_aggregates_only_where_that_is_plain(
    said: dict[str, str],
    adds: bool,  # noqa: FBT001
) -> None:
    assert adds_reserved(Aggregate(1, "a", frozenset(), said)) is adds


def test_the_reference_has_every_key() -> None:
    assert {ADD_RESERVED, METHOD, SEGMENT, f"{RESERVED}HOST"} <= {key for key, *_ in KEYS}


def test_a_host_without_a_segment_needs_nothing() -> None:
    assert reserve() == Reserve()
    assert reserve(replace(segment(reserved_1="true"), hosts=frozenset({OTHER}))) == Reserve()


def test_the_first_aggregate_that_is_a_segment_counts() -> None:
    plain = Aggregate(7, "a-rack", frozenset({HOST}))
    first = segment("auto_priority", "b-seg", reserved_1="true")
    second = segment("reserved_host", "c-seg", reserved_2="true")
    assert reserve(second, plain, first).method is RecoveryMethod.AUTO_PRIORITY


def test_an_unknown_method_is_told() -> None:
    assert "segment seg-1 is unknown" in reserve(segment("reserve")).wrong


def test_the_first_free_reserved_host_is_taken() -> None:
    found = reserve(segment(reserved_2="true", reserved_1="true"))
    assert (found.free, found.taken, found.why, found.lacks) == (R1, None, "", False)


def test_the_one_that_is_used_already_counts_and_no_other() -> None:
    found = reserve(segment(reserved_1="true", reserved_2=f"taking:{HOST}"))
    assert found.free is None
    assert found.taken is not None
    assert found.taken.host == R2


def test_one_that_is_used_for_another_is_not_free_in_any_segment() -> None:
    other = segment("auto", "z-seg", reserved_1=f"used:{OTHER}")
    found = reserve(segment(reserved_1="true"), other)
    assert found.lacks
    assert found.why == f"{R1} is used for {OTHER}"


def test_of_each_that_cannot_be_taken_the_reason_is_told() -> None:
    services = (ours(), service(R1, enabled=False, disabled_reason="repair"))
    found = reserve(segment(reserved_1="true", reserved_2="no"), services=services)
    assert found.why == (
        f"{R1} is disabled (repair), not as 'nova-ha: reserved'; {R2} is not free: its key says no"
    )


def test_a_segment_without_reserved_hosts_says_so() -> None:
    assert "segment seg-1 has no reserved host" in reserve(segment()).why


@pytest.mark.parametrize("method", ["auto_priority", "rh_priority"])
def test_where_the_scheduler_may_choose_nothing_lacks(method: str) -> None:
    assert not reserve(segment(method)).lacks


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        (KEPT_FREE, ""),
        ({"enabled": False, "disabled_reason": "nova-ha: reserved, rack 7"}, ""),
        ({"enabled": False, "disabled_reason": ""}, "is disabled (no reason given), not as"),
        ({"enabled": False, "disabled_reason": "reserved"}, "is disabled (reserved), not as"),
        ({"forced_down": True}, "is forced down"),
        ({"up": False}, "is down"),
    ],
)
def test_which_reserved_hosts_are_usable(changes: dict[str, object], why: str) -> None:
    found = unusable(seen(services=(service(R1, **changes),)), Policy(), R1)
    assert found.startswith(why) if why else found == ""


def test_one_in_use_that_is_disabled_was_disabled_by_a_person() -> None:
    known = seen(services=(service(R1, **KEPT_FREE),))
    assert unusable(known, Policy(), R1, ready=True) == "is disabled (nova-ha: reserved)"
    used = segment(reserved_1=f"used:{HOST}")
    assert reserve(used).why == f"its reserved host {R1} is disabled (nova-ha: reserved)"
    assert reserve(used).lacks


def test_one_that_nova_does_not_list_or_that_is_lost_itself_is_unusable() -> None:
    assert unusable(seen(), Policy(), OTHER) == "has no nova-compute in Nova"
    of = replace(seen(), cluster=evacuating(receipts=(receipt(), receipt(NodeName(R1), "f" * 12))))
    assert unusable(of, Policy(), R1) == "is lost itself"
