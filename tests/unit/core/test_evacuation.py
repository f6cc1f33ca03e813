"""What a fenced host needs next, and where each of its servers stands."""

from dataclasses import replace
from typing import Any

import pytest
from novaha.core import memory as remember
from novaha.core.actions import (
    AskMigrations,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    Disable,
    Evacuate,
    ForceDown,
    Hold,
    Release,
)
from novaha.core.decide import decide
from novaha.core.model import Answer, Memory, Migration, Post, Refusal, RefusedChange, Server
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from worlds import (
    HOST,
    NODE,
    NOW_S,
    evacuating,
    memory,
    migration,
    ours,
    receipt,
    recovery,
    server,
    service,
    view,
)

VM = ServerId("server-1")
POLICY = Policy()


def known(**changes: Any) -> Memory:  # noqa: ANN401
    """Return a memory that has just asked everything; one server, no records."""
    facts = {"services": (ours(),), "servers": (server(),), "migrations": (), **changes}
    return memory(**facts)


def decided(of: Memory, now_s: float = NOW_S, **cluster: Any) -> tuple[Decision, ...]:  # noqa: ANN401
    return decide(view(evacuating(**cluster), of, now_s), POLICY)


def posts(decisions: tuple[Decision, ...]) -> list[str]:
    return [d.server for d in decisions if isinstance(d, Evacuate)]


def reasons(decisions: tuple[Decision, ...]) -> set[Reason]:
    return {d.reason for d in decisions if isinstance(d, Hold)}


def refusal(count: int = 1, *, lost: bool = False) -> dict[ServerId, Refusal]:
    return {VM: Refusal(count, NOW_S, "no", lost)}


@pytest.mark.parametrize("status", ["running", "of-a-later-nova", ""])
def test_a_record_of_which_nobody_knows_that_it_is_over_is_in_flight(status: str) -> None:
    decisions = decided(known(migrations=(migration(1, 1, status),)))
    assert posts(decisions) == []
    assert Reason.IN_FLIGHT in reasons(decisions)
    assert not [d for d in decisions if isinstance(d, Release)]


def test_a_service_that_is_not_down_is_forced_down_before_anything_is_evacuated() -> None:
    up = ours(forced_down=False)
    assert decided(known(services=(up,))) == (ForceDown(up),)


def test_a_server_that_nobody_moves_is_evacuated() -> None:
    assert decided(known()) == (Evacuate(VM, HOST),)


def test_the_service_is_disabled_after_the_first_evacuations_are_sent() -> None:
    enabled = ours(enabled=True, disabled_reason="")
    decisions = decided(known(services=(enabled,)))
    assert [type(d) for d in decisions] == [Evacuate, Disable]


def test_a_service_that_a_person_disabled_keeps_their_reason() -> None:
    theirs = ours(disabled_reason="broken fan")
    assert not [d for d in decided(known(services=(theirs,))) if isinstance(d, Disable)]


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "running"])
def test_a_server_in_flight_is_not_posted_again(status: str) -> None:
    decisions = decided(known(migrations=(migration(1, 1, status),)))
    assert posts(decisions) == []
    assert Reason.IN_FLIGHT in reasons(decisions)


def moving(*records: Migration, servers: tuple[Server, ...] = (server(1),)) -> Memory:
    """Return what is known of evacuations in flight, seen by the function that notes their age."""
    return remember.saw_migrations(known(servers=servers), HOST, records, NOW_S)


def test_an_evacuation_that_never_ends_becomes_trouble_and_is_never_joined_by_a_second() -> None:
    seen, later_s = moving(migration(7, 1, "pre-migrating")), NOW_S + POLICY.stuck_s
    assert reasons(decided(seen, now_s=later_s - 1)) == {Reason.IN_FLIGHT}
    decisions = decided(seen, now_s=later_s)
    assert posts(decisions) == []
    (stuck,) = [d for d in decisions if isinstance(d, Hold)]
    assert (stuck.subject, stuck.reason) == (VM, Reason.STUCK)
    assert "its evacuation 7 to compute-2 is 'pre-migrating' for 10 min" in stuck.text


def test_an_evacuation_whose_record_changes_is_not_stuck() -> None:
    seen, later_s = moving(migration(7, 1, "accepted")), NOW_S + POLICY.stuck_s - 1
    seen = remember.saw_migrations(seen, HOST, (migration(7, 1, "running"),), later_s)
    assert reasons(decided(seen, now_s=later_s + 1)) == {Reason.IN_FLIGHT}


def test_a_stuck_evacuation_keeps_no_slot_from_the_others() -> None:
    seen = moving(migration(7, 1, "running"), servers=(server(1), server(2)))
    one = replace(POLICY, max_in_flight=1)
    assert posts(decide(view(evacuating(), seen, NOW_S + 1), one)) == []
    later_s = NOW_S + POLICY.stuck_s
    assert posts(decide(view(evacuating(), seen, later_s), one)) == ["server-2"]


def test_a_stuck_evacuation_of_a_server_that_is_gone_keeps_the_host_no_longer() -> None:
    seen = moving(migration(7, 1, "running"), servers=())
    assert Reason.IN_FLIGHT in reasons(decided(seen, NOW_S + 1))
    decisions = decided(seen, NOW_S + POLICY.stuck_s)
    assert [d for d in decisions if isinstance(d, Release)]


def test_an_evacuation_of_before_the_recovery_is_not_joined_by_a_second() -> None:
    by_hand = known(migrations=(migration(7, 1, "running"),))
    assert posts(decided(by_hand, records=(recovery(after=7),))) == []


@pytest.mark.parametrize("state", ["sent", "accepted", "lost"])
def test_a_server_whose_request_is_out_is_not_posted_again(state: Any) -> None:  # noqa: ANN401
    out = known(posts={VM: Post(state, NOW_S, HOST, 0)})
    assert posts(decided(out)) == []


def test_a_lost_request_holds_its_server_until_the_records_are_newer_than_the_settling() -> None:
    lost = known(posts={VM: Post("lost", NOW_S, HOST, 0)})
    late_s = NOW_S + POLICY.settle_s
    assert decided(lost, late_s) == (
        AskMigrations(HOST),
        Hold(HOST, Reason.IN_FLIGHT, "1 instances are being evacuated"),
    )
    read = remember.saw_migrations(lost, HOST, (), late_s)
    assert posts(decided(read, late_s)) == [VM]


def test_a_request_for_a_server_that_it_brought_here_is_waited_for_and_shown() -> None:
    """The records of the host it left may not be readable; here they must not go unread."""
    brought = known(posts={VM: Post("accepted", NOW_S, ComputeHost("compute-2"), 0)})
    assert reasons(decided(brought)) == {Reason.IN_FLIGHT}
    assert AskMigrations(HOST) in decided(brought, NOW_S + 5)
    late_s = NOW_S + POLICY.settle_s
    read = remember.saw_migrations(brought, HOST, (), late_s)
    assert posts(decided(read, late_s)) == [VM]


def test_a_request_without_an_answer_holds_its_server_for_ever() -> None:
    sent = known(posts={VM: Post("sent", NOW_S - 9999, HOST, 0)})
    assert posts(decided(sent)) == []


def test_a_server_whose_record_says_done_is_not_posted_while_the_list_is_older() -> None:
    decisions = decided(known(migrations=(migration(1, 1, "done"),)))
    assert posts(decisions) == []
    assert reasons(decisions) == {Reason.ASKING}


def test_a_done_record_of_an_earlier_recovery_does_not_count() -> None:
    came_back = known(migrations=(migration(7, 1, "completed"),))
    assert posts(decided(came_back, records=(recovery(after=7),))) == [VM]


@pytest.mark.parametrize("status", ["failed", "error", "cancelled"])
def test_a_failed_server_is_blocked_with_its_reason_until_its_backoff_is_over(status: str) -> None:
    failed = known(migrations=(migration(3, 1, status),), failed_at={3: NOW_S})
    hold = decided(failed, NOW_S + 1)[0]
    assert isinstance(hold, Hold)
    assert (hold.subject, hold.reason) == (VM, Reason.BLOCKED)
    assert f"its evacuation 3 ended '{status}'" in hold.text
    assert posts(decided(failed, NOW_S + 1)) == []


def test_the_newest_failure_is_the_one_shown() -> None:
    """Nova lists the newest record first."""
    records = (migration(9, 1, "error"), migration(4, 1, "failed"))
    failed = known(migrations=records, failed_at={9: NOW_S, 4: NOW_S - 50})
    assert "its evacuation 9 ended 'error'; 2 tries" in str(decided(failed)[0])


def test_the_fault_of_the_server_is_shown_with_the_failure() -> None:
    failed = known(
        servers=(server(1, fault="No valid host was found"),),
        migrations=(migration(3, 1, "failed"),),
        failed_at={3: NOW_S},
    )
    assert "ended 'failed': No valid host was found" in str(decided(failed)[0])


def test_before_a_new_try_both_lists_are_read_again() -> None:
    """A person may have moved, deleted or evacuated the server meanwhile."""
    failed = known(migrations=(migration(3, 1, "failed"),), failed_at={3: NOW_S})
    due_s = NOW_S + POLICY.backoff_s(1)
    decisions = decided(failed, due_s)
    assert decisions[:2] == (AskMigrations(HOST), AskServers(HOST, details=True))
    assert posts(decisions) == []
    half = remember.saw_servers(failed, HOST, (server(),), due_s, details=True)
    assert posts(decided(half, due_s)) == []
    whole = remember.saw_migrations(half, HOST, (migration(3, 1, "failed"),), due_s)
    assert posts(decided(whole, due_s)) == [VM]


def test_servers_that_failed_less_often_are_tried_before_the_others() -> None:
    due = known(
        servers=(server(1), server(2)),
        migrations=(migration(3, 1, "failed"),),
        failed_at={3: NOW_S - 100},
    )
    assert posts(decided(due)) == ["server-2", "server-1"]


def test_a_refused_server_is_blocked_with_novas_words() -> None:
    hold = decided(known(refusals=refusal()))[0]
    assert isinstance(hold, Hold)
    assert (hold.reason, "no; 1 tries, next in 30 s" in hold.text) == (Reason.BLOCKED, True)


def test_a_server_whose_requests_are_always_lost_is_blocked_and_tried_less_often() -> None:
    settled = NOW_S + POLICY.settle_s
    lost = known(posts={VM: Post("lost", NOW_S, HOST, 0)}, refusals=refusal(3, lost=True))
    lost = remember.saw_migrations(lost, HOST, (), settled)
    decisions = decided(lost, settled)
    assert posts(decisions) == []
    assert Reason.BLOCKED in reasons(decisions)


def test_the_records_are_polled_while_something_moves_and_not_faster_than_the_policy() -> None:
    moving = known(migrations=(migration(1, 1, "running"),))
    assert AskMigrations(HOST) not in decided(moving, NOW_S + 0.9 * POLICY.poll_s)
    assert AskMigrations(HOST) in decided(moving, NOW_S + POLICY.poll_s)
    quiet = replace(moving, changed_s={HOST: NOW_S - 20})
    assert AskMigrations(HOST) not in decided(quiet, NOW_S + 5)
    assert AskMigrations(HOST) in decided(quiet, NOW_S + 10)


def test_a_poll_that_is_due_keeps_no_evacuation_waiting() -> None:
    moving = known(servers=(server(1), server(2)), migrations=(migration(1, 1, "running"),))
    decisions = decided(moving, NOW_S + 10)
    assert AskMigrations(HOST) in decisions
    assert posts(decisions) == ["server-2"]


def test_nothing_is_asked_while_all_that_is_left_waits_for_its_backoff() -> None:
    failed = known(migrations=(migration(3, 1, "failed"),), failed_at={3: NOW_S})
    assert [type(d) for d in decided(failed, NOW_S + 20)] == [Hold]


def test_the_list_of_servers_is_asked_again_once_every_record_came_to_its_end() -> None:
    ended = known(migrations=(migration(1, 1, "done"),))
    ended = replace(ended, servers={HOST: Answer((server(),), NOW_S - 9)})
    assert decided(ended)[0] == AskServers(HOST)


def test_a_host_with_nothing_left_on_it_is_released() -> None:
    empty = known(servers=(), migrations=(migration(1, 1, "done"),))
    assert decided(empty) == (Release(recovery(), receipt()),)


def test_a_host_is_not_released_on_a_list_that_is_older_than_the_records() -> None:
    empty = known(servers=(), migrations=())
    empty = remember.saw_migrations(empty, HOST, (), NOW_S + 1)
    assert decided(empty, NOW_S + 1)[0] == AskServers(HOST)
    assert not [d for d in decided(empty, NOW_S + 1) if isinstance(d, Release)]


def test_a_host_is_not_released_while_a_server_that_left_its_list_is_in_flight() -> None:
    gone = known(servers=(), migrations=(migration(1, 1, "running"),))
    assert not [d for d in decided(gone) if isinstance(d, Release)]


def test_an_open_record_of_long_ago_whose_server_is_gone_keeps_no_host_and_no_slot() -> None:
    gone = known(servers=(), migrations=(migration(7, 1, "accepted"),))
    assert decided(gone, records=(recovery(after=7),)) == (Release(recovery(after=7), receipt()),)


def test_a_release_leaves_a_newer_receipt_alone() -> None:
    newer = receipt(id_="ffffffffffff")
    decisions = decided(known(servers=()), receipts=(newer,))
    assert Release(recovery(), None) in decisions


def test_a_host_that_is_back_keeps_what_nova_refuses_to_move() -> None:
    left = known(refusals=refusal())
    online = frozenset({NODE})
    assert Release(recovery(), receipt()) in decided(left, online=online)
    assert Release(recovery(), receipt()) not in decided(left)


@pytest.mark.parametrize(
    "changes",
    [
        {"servers": (server(1), server(2)), "refusals": refusal()},
        {"refusals": refusal(lost=True)},
        {"migrations": (migration(3, 1, "failed"),), "failed_at": {3: NOW_S}},
        {"refusals": refusal(), "posts": {ServerId("x"): Post("sent", NOW_S, HOST, 0)}},
    ],
    ids=["one untried", "answer lost", "evacuation failed", "a request out"],
)
def test_a_host_that_is_back_is_kept_while_anything_may_still_move(
    changes: dict[str, Any],
) -> None:
    decisions = decided(known(**changes), online=frozenset({NODE}))
    assert not [d for d in decisions if isinstance(d, Release)]


def test_after_a_takeover_nothing_is_posted_until_the_predecessors_requests_have_settled() -> None:
    adopted = known(begun={}, started_s=NOW_S - 10)
    decisions = decided(adopted)
    assert posts(decisions) == []
    assert reasons(decisions) == {Reason.SETTLING}
    late_s = NOW_S + 20
    assert AskMigrations(HOST) in decided(adopted, late_s)
    assert posts(decided(adopted, late_s)) == []
    read = remember.saw_migrations(adopted, HOST, (), late_s)
    assert posts(decided(read, late_s)) == [VM]


def test_unknown_services_and_lists_are_asked_for_first() -> None:
    assert decided(memory()) == (AskServices(),)
    assert decided(memory(services=(ours(),))) == (
        AskServers(HOST, details=True),
        AskMigrations(HOST),
        AskRules(),
    )


GONE = (service(ComputeHost("compute-2")),)


def test_a_service_that_vanished_is_shown_and_looked_for_again_now_and_then() -> None:
    gone = known(services=GONE)
    assert reasons(decided(gone)) == {Reason.HOST_UNKNOWN}
    assert AskServices() not in decided(gone)
    assert AskServices() in decided(gone, NOW_S + 5)


def test_a_refused_change_is_shown_and_not_repeated_at_once() -> None:
    up = ours(forced_down=False)
    refused = known(
        services=(up,), service_refused={HOST: RefusedChange(NOW_S, NOW_S, "not found (404)")}
    )
    hold = decided(refused)[0]
    assert isinstance(hold, Hold)
    assert (hold.reason, "not found (404)" in hold.text) == (Reason.BLOCKED, True)
    assert decided(refused, NOW_S + 5) == (ForceDown(up),)


def test_a_refused_disabling_keeps_nothing_else_from_going_on() -> None:
    enabled = ours(enabled=True, disabled_reason="")
    refused = known(
        services=(enabled,), service_refused={HOST: RefusedChange(NOW_S, NOW_S, "forbidden (403)")}
    )
    decisions = decided(refused)
    assert posts(decisions) == [VM]
    assert reasons(decisions) == {Reason.BLOCKED}


@pytest.mark.parametrize(("tries", "goes"), [(1, False), (2, False), (3, True)])
def test_what_failed_often_enough_goes_back_to_a_host_that_is_there_again(
    tries: int,
    goes: bool,  # noqa: FBT001
) -> None:
    """On its own host it would run: a host must not be held without an end for want of room."""
    records = tuple(migration(n, 1, "error") for n in range(1, tries + 1))
    failed = known(migrations=records, failed_at=dict.fromkeys(range(1, tries + 1), NOW_S))
    decisions = decided(failed, online=frozenset({NODE}))
    assert any(isinstance(d, Release) for d in decisions) is goes
    assert not any(isinstance(d, Release) for d in decided(failed))
