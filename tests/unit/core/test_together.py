"""The first of an affinity group goes past the scheduler, alone; the others follow it."""

from dataclasses import replace
from typing import Any

import pytest
from novaha.core import memory as remember
from novaha.core.actions import AskRules, AskServices, Evacuate, Hold, Release
from novaha.core.capacity import Room
from novaha.core.decide import decide
from novaha.core.details import Details, Flavor
from novaha.core.model import Answer, ClusterView, Memory, Migration, Server, Service
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import AFFINITY, Rules, ServerGroup
from novaha.core.segments import METHOD, RESERVED, SEGMENT, Aggregate, Use
from worlds import HOST, NODE, NOW_S, evacuating, memory, ours, recovery, service, view

POLICY = Policy()
X, Y = ComputeHost("compute-2"), ComputeHost("compute-3")
A, B = ServerId("a"), ServerId("b")
PAIR = ServerGroup("g-1", "web", AFFINITY, 1, frozenset({A, B}))
ALONE = replace(PAIR, members=frozenset({A}))
ROOMY = (Room(X, 8, 100), Room(Y, 8, 50))


def server(id_: ServerId, ram_mib: int = 10) -> Server:
    return Server(id_, id_, "", Details(flavor=Flavor(vcpus=1, ram_mib=ram_mib)))


def failed(id_: int, of: ServerId, to: ComputeHost | None = X) -> Migration:
    return Migration(id_, of, HOST, to, "failed")


def known(
    *servers: Server,
    group: ServerGroup = PAIR,
    aggregates: tuple[Aggregate, ...] = (),
    services: tuple[Service, ...] = (service(X), service(Y)),
    rooms: tuple[Room, ...] | None = ROOMY,
    records: tuple[Migration, ...] = (),
    **changes: Any,  # noqa: ANN401
) -> Memory:
    """Return what is known right after all lists were read."""
    rules, room = Answer(Rules(aggregates, (group,)), NOW_S), Answer(rooms, NOW_S)
    told = memory(services=(ours(), *services), migrations=(), rules=rules, room=room, **changes)
    told = remember.saw_servers(told, HOST, servers, NOW_S, details=True)
    return remember.saw_migrations(told, HOST, records, NOW_S)


def sent(of: Memory, now_s: float = NOW_S, **changes: Any) -> list[Evacuate]:  # noqa: ANN401
    decisions = decide(view(evacuating(**changes), of, now_s), POLICY)
    return [d for d in decisions if isinstance(d, Evacuate)]


def holds(of: Memory, now_s: float = NOW_S) -> dict[Reason, str]:
    decisions = decide(view(evacuating(), of, now_s), POLICY)
    return {d.reason: d.text for d in decisions if isinstance(d, Hold)}


def at(of: Memory, now_s: float) -> Memory:
    """Return the same, as if all of it had been read now."""
    lists = {HOST: replace(of.servers[HOST], asked_s=now_s)}
    records = {HOST: replace(of.migrations[HOST], asked_s=now_s)}
    assert of.services is not None
    services = replace(of.services, asked_s=now_s)
    return replace(of, servers=lists, migrations=records, services=services)


def test_the_first_goes_past_the_scheduler_and_the_others_wait_for_it() -> None:
    both = known(server(A), server(B))
    assert sent(both) == [Evacuate(A, HOST, to=X, forced=True)]
    assert "1 instances wait" in holds(both)[Reason.TOGETHER]
    posted = remember.posting(both, A, HOST, NOW_S)
    assert sent(posted) == []
    flying = known(server(A), server(B), records=(Migration(1, A, HOST, X, "pre-migrating"),))
    assert sent(flying) == []


def test_the_others_follow_by_the_schedulers_own_choice_once_it_has_arrived() -> None:
    arrived = known(server(A), server(B), records=(Migration(1, A, HOST, X, "done"),))
    assert sent(arrived) == [Evacuate(B, HOST)]
    gone = known(server(B), records=(Migration(1, A, HOST, X, "done"),))
    assert sent(gone) == [Evacuate(B, HOST)]


def test_an_older_evacuation_of_a_member_is_none_of_this_loss() -> None:
    both = known(server(A), server(B), records=(Migration(1, A, HOST, X, "completed"),))
    assert sent(both, records=(recovery(after=1),)) == [Evacuate(A, HOST, to=X, forced=True)]


def test_soft_groups_bind_nobody() -> None:
    soft = replace(PAIR, policy="soft-affinity")
    assert sent(known(server(A), server(B), group=soft)) == [Evacuate(A, HOST), Evacuate(B, HOST)]


@pytest.mark.parametrize(
    ("changes", "to"),
    [
        ({}, X),
        ({"rooms": (Room(X, 8, 15), Room(Y, 8, 50))}, Y),
        ({"rooms": (Room(X, 8, 5), Room(Y, 8, 15))}, Y),
        ({"rooms": None}, X),
        ({"rooms": (Room("compute-3.example.org", 8, 50),)}, Y),
        ({"services": (service(X, enabled=False), service(Y))}, Y),
        ({"services": (service(X, up=False), service(Y))}, Y),
        ({"services": (service(X, forced_down=True), service(Y))}, Y),
        ({"aggregates": (Aggregate(1, "ssd", frozenset({HOST, Y})),)}, Y),
        ({"aggregates": (Aggregate(1, "gpu", frozenset({X})),)}, Y),
    ],
)
def test_it_goes_to_an_open_host_like_its_own_with_room_for_all_or_the_emptiest(
    changes: dict[str, Any], to: ComputeHost
) -> None:
    assert [each.to for each in sent(known(server(A), server(B), **changes))] == [to]


def test_no_host_that_is_lost_itself_gets_it() -> None:
    lost = replace(evacuating().receipts[0], node=type(NODE)(X), id="f" * 12)
    both = known(server(A), server(B))
    changes: dict[str, Any] = {"receipts": (*evacuating().receipts, lost)}
    assert [each.to for each in sent(both, **changes)] == [Y]


def test_where_no_host_is_like_its_own_the_scheduler_is_asked_and_its_words_are_shown() -> None:
    other = (Aggregate(1, "az", frozenset({HOST})),)
    assert sent(known(server(A), server(B), aggregates=other)) == [Evacuate(A, HOST)]


def test_a_reserved_host_is_where_it_goes_if_its_segment_says_so() -> None:
    used = Use(HOST, ready=True, enabled=True).to_value()
    said = {SEGMENT: "s", METHOD: "reserved_host", f"{RESERVED}{Y}": used}
    both = known(server(A), server(B), aggregates=(Aggregate(1, "s", frozenset({HOST}), said),))
    assert sent(both) == [Evacuate(A, HOST, to=Y, forced=True)]


def test_one_tries_for_all_in_turns_on_the_next_host_and_all_are_shown() -> None:
    once = known(server(A), server(B), records=(failed(1, A),))
    shown = {
        d.subject: d.text
        for d in decide(view(evacuating(), once, NOW_S + 1), POLICY)
        if isinstance(d, Hold)
    }
    assert "its evacuation 1 ended 'failed'" in shown[A]
    assert "another member's evacuation 1 ended 'failed'" in shown[B]
    assert all("openstack server group delete g-1" in text for text in shown.values())
    due_s = NOW_S + POLICY.retry_first_s
    assert sent(at(once, due_s), due_s) == [Evacuate(B, HOST, to=Y, forced=True)]


def test_one_that_is_alone_in_its_group_is_not_told_that_others_keep_it() -> None:
    text = holds(known(server(A), group=ALONE, records=(failed(1, A),)), NOW_S + 1)[Reason.BLOCKED]
    assert "group" not in text


def test_where_a_member_may_be_elsewhere_the_scheduler_is_asked_in_turns() -> None:
    half = known(server(A))
    assert sent(half) == [Evacuate(A, HOST, to=X, forced=True)]
    once = known(server(A), records=(failed(1, A),))
    due_s = NOW_S + POLICY.retry_first_s
    assert sent(at(once, due_s), due_s) == [Evacuate(A, HOST)]


def test_all_go_back_to_their_host_when_one_has_tried_three_times() -> None:
    def released(tries: int) -> bool:
        records = tuple(failed(n, A) for n in range(1, tries + 1))
        back = evacuating(online=frozenset({NODE}))
        told = known(server(A), server(B), records=records)
        return any(isinstance(d, Release) for d in decide(view(back, told, NOW_S), POLICY))

    assert [released(tries) for tries in (1, 2, 3)] == [False, False, True]


def test_the_services_are_read_again_before_one_goes_past_the_scheduler() -> None:
    both = known(server(A), server(B))
    assert both.services is not None
    old = replace(both, services=replace(both.services, asked_s=NOW_S - 21.0))
    cluster: ClusterView = evacuating()
    assert AskServices() in decide(view(cluster, old), POLICY)
    assert AskServices() not in decide(view(cluster, both), POLICY)
    soft = Rules((), (replace(PAIR, policy="soft-affinity"),))
    unbound = replace(old, rules=Answer(soft, NOW_S))
    assert AskServices() not in decide(view(cluster, unbound), POLICY)


def test_a_group_that_is_given_up_is_seen_within_a_minute_and_binds_nobody_any_more() -> None:
    once = known(server(A), server(B), records=(failed(1, A),))
    later_s = NOW_S + POLICY.look_again_s
    policy = replace(POLICY, retry_first_s=600.0)
    assert AskRules() in decide(view(evacuating(), once, later_s), policy)
    assert AskRules() not in decide(view(evacuating(), once, later_s - 1), policy)
    freed = remember.saw_rules(once, Rules(), later_s)
    decisions = decide(view(evacuating(), at(freed, later_s), later_s), policy)
    gone = [(d.server, d.forced) for d in decisions if isinstance(d, Evacuate)]
    assert sorted(gone) == [(A, False), (B, False)]


@pytest.mark.parametrize(
    ("groups", "woken"),
    [
        ((PAIR,), False),
        ((ALONE,), True),
        ((), True),
        ((PAIR, ServerGroup("g-2", "db", AFFINITY)), False),
        ((replace(PAIR, members=frozenset({A, B, ServerId("c")})),), False),
    ],
)
def test_what_failed_waits_no_longer_where_a_group_binds_fewer(
    groups: tuple[ServerGroup, ...],
    woken: bool,  # noqa: FBT001
) -> None:
    once = known(server(A), server(B), records=(failed(1, A),))
    assert (remember.saw_rules(once, Rules((), groups), NOW_S).failed_at != once.failed_at) is woken
