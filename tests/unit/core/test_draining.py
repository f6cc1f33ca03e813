"""What a host needs that is to serve less: closed, emptied, parked, and given back as it was."""

from dataclasses import replace
from typing import Any

import pytest
from drains import BIG, CLOSED, OURS, POLICY, SPARE, decided, drained, held, known, leaving
from novaha.core.actions import (
    AskLiveMigrations,
    AskRoom,
    AskServers,
    AskServices,
    Disable,
    DropWithdrawn,
    KeepWithdrawn,
)
from novaha.core.capacity import Room
from novaha.core.details import Flavor
from novaha.core.drain import Health, Phase, Withdrawn
from novaha.core.model import (
    Answer,
    Post,
    Refusal,
    RefusedChange,
    Server,
)
from novaha.core.names import ComputeHost, NodeName
from novaha.core.reasons import Reason
from novaha.core.rules import Rules, ServerGroup
from worlds import HOST, NODE, NOW_S, memory, migration, recovery, server, service


def test_nothing_is_asked_where_nothing_is_drained() -> None:
    calm = drained(drains=(), withdrawn=())
    assert decided(calm, memory()) == ()


def test_it_is_written_down_before_the_service_is_disabled_and_after() -> None:
    decisions = decided(
        drained(withdrawn=()), known(of=service(), records=(migration(7, status="completed"),))
    )
    begun = Withdrawn(NODE, HOST, Phase.CLOSING, enabled=True, after=7)
    assert decisions == (
        KeepWithdrawn(begun),
        Disable(service(), "nova-ha: drained by alice: RAM"),
        KeepWithdrawn(replace(begun, phase=Phase.CLOSED)),
    )


def test_what_a_person_had_disabled_is_noted_and_left() -> None:
    theirs = service(enabled=False, disabled_reason="maintenance")
    decisions = decided(drained(withdrawn=()), known(of=theirs))
    (closing, closed) = (d for d in decisions if isinstance(d, KeepWithdrawn))
    assert not closing.withdrawn.enabled
    assert not any(isinstance(d, Disable) for d in decisions)
    back = decided(drained(drains=(), withdrawn=(closed.withdrawn,)), known(of=theirs))
    assert back == (DropWithdrawn(closed.withdrawn),)


def test_services_that_are_old_are_read_again_before_one_is_changed() -> None:
    what = known(of=service())
    old = replace(what, services=Answer((service(),), NOW_S - 60.0))
    assert decided(drained(withdrawn=()), old) == (AskServices(),)
    assert AskServices() in decided(drained(drains=()), old)


def test_a_host_that_died_unnoticed_is_not_touched() -> None:
    decisions = decided(drained(withdrawn=(), online=frozenset()), known(of=service()))
    assert set(held(decisions)) == {Reason.DRAIN_WAITS}
    assert len(decisions) == 1


def test_a_refusal_of_nova_is_shown_while_it_is_fresh() -> None:
    refused = {HOST: RefusedChange(NOW_S - 1, NOW_S - 1, "no")}
    decisions = decided(
        drained(withdrawn=()), replace(known(of=service()), service_refused=refused)
    )
    assert set(held(decisions)) == {Reason.BLOCKED}


def test_a_host_that_nova_does_not_list_is_shown() -> None:
    what = replace(known(), services=Answer((service(SPARE),), NOW_S))
    assert set(held(decided(drained(), what))) == {Reason.HOST_UNKNOWN}
    assert set(held(decided(drained(withdrawn=()), what))) == {Reason.HOST_UNKNOWN}


def test_as_many_leave_as_may_the_important_and_large_ones_first() -> None:
    important = server(3, metadata={"nova_ha:priority": "9"})
    large = server(2, flavor=Flavor("big", 2, 4096))
    decisions = decided(drained(), known(server(1), large, important))
    assert leaving(decisions) == ["server-3", "server-2"]
    assert held(decisions)[Reason.DRAINING].endswith("0 of 3 instances have left, 3 wait")


def test_those_on_their_way_have_their_slots() -> None:
    flying = (migration(8, 1, "running"), migration(9, 2, "queued"))
    what = known(server(1), server(2), server(3), records=flying)
    assert leaving(decided(drained(), what)) == []
    assert leaving(decided(drained(), what, replace(POLICY, drain_in_flight=3))) == ["server-3"]
    limited = replace(POLICY, drain_in_flight=9, max_per_destination=2)
    assert leaving(decided(drained(), what, limited)) == []


def test_a_paused_one_leaves_and_the_others_are_told_with_what_helps() -> None:
    decisions = decided(
        drained(), known(server(1, vm_state="paused"), server(2, vm_state="stopped"))
    )
    assert leaving(decisions) == ["server-1"]
    stays = decided(drained(), known(server(2, vm_state="stopped")))
    assert "1 stay: vm-2 (stopped: it is down" in held(stays)[Reason.DRAIN_STAYS]


def test_nothing_is_begun_for_which_placement_shows_no_room() -> None:
    flavor = Flavor("f", 1, 1000)
    tight = (Room(SPARE, 10, 1500), Room(HOST, 100, 100_000))
    what = known(server(1, flavor=flavor), server(2, flavor=flavor), room=tight)
    decisions = decided(drained(), what)
    assert leaving(decisions) == ["server-1"]
    assert held(decisions)[Reason.NO_ROOM] == "1 instances find no room elsewhere: vm-2"
    assert leaving(decided(drained(), replace(what, room=Answer(None, NOW_S)))) == [
        "server-1",
        "server-2",
    ]


def test_one_that_was_asked_for_and_is_not_placed_takes_its_room() -> None:
    flavor = Flavor("f", 1, 1000)
    post = {server(1).id: Post("accepted", NOW_S, HOST, 0)}
    what = known(
        server(1, flavor=flavor),
        server(2, flavor=flavor),
        room=(Room(SPARE, 10, 1500),),
        posts=post,
    )
    assert leaving(decided(drained(), what)) == []


def test_placement_is_asked_anew_before_something_begins() -> None:
    what = replace(known(server(1)), room=Answer((BIG,), NOW_S - 30.0))
    decisions = decided(drained(), what)
    assert AskRoom() in decisions
    assert leaving(decisions) == []


def test_lists_that_are_old_are_read_again_before_something_begins() -> None:
    old: Answer[tuple[Server, ...]] = Answer((server(1),), NOW_S - 30.0)
    decisions = decided(drained(), replace(known(server(1)), servers={HOST: old}))
    assert {AskServers(HOST, details=True), AskLiveMigrations(HOST)} <= set(decisions)
    assert leaving(decisions) == []


def test_members_that_are_kept_apart_leave_one_by_one() -> None:
    group = ServerGroup("g", "g", "anti-affinity", 1, frozenset({server(1).id, server(2).id}))
    what = replace(known(server(1), server(2)), rules=Answer(Rules((), (group,)), NOW_S))
    assert leaving(decided(drained(), what)) == ["server-1"]


def test_a_recovery_that_evacuates_goes_first() -> None:
    other = recovery(phase="evacuating")
    elsewhere = replace(other, node=NodeName("compute-3"), host=ComputeHost("compute-3"))
    decisions = decided(drained(records=(elsewhere,)), known(server(1)))
    assert leaving(decisions) == []
    assert "goes first" in held(decisions)[Reason.DRAIN_WAITS]


def test_the_recovery_of_the_host_itself_goes_first() -> None:
    decisions = decided(drained(records=(recovery(phase="returning"),)), known(server(1)))
    assert leaving(decisions) == []
    assert "its recovery goes first" in held(decisions)[Reason.DRAIN_WAITS]


@pytest.mark.parametrize(
    ("changes", "of", "why"),
    [
        ({"standby": frozenset({NODE})}, {}, "pcs node unstandby"),
        ({"online": frozenset()}, {"up": False}, "not in the cluster"),
        ({}, {"up": False}, "nova-compute is down"),
    ],
)
def test_nothing_leaves_where_nova_compute_does_not_serve(
    changes: dict[str, Any], of: dict[str, Any], why: str
) -> None:
    decisions = decided(drained(**changes), known(server(1), of=service(**OURS, **of)))
    assert leaving(decisions) == []
    assert why in held(decisions)[Reason.DRAIN_BLOCKED]


def test_what_an_earlier_process_sent_is_waited_for() -> None:
    what = replace(known(server(1), begun=frozenset()), started_s=NOW_S - 5.0)
    decisions = decided(drained(), what)
    assert leaving(decisions) == []
    assert Reason.SETTLING in held(decisions)
    settled = replace(what, started_s=NOW_S - 60.0)
    assert leaving(decided(drained(), settled)) == ["server-1"]


@pytest.mark.parametrize("state", ["sent", "accepted", "lost"])
def test_one_that_may_be_on_its_way_is_not_asked_for_again(state: Any) -> None:  # noqa: ANN401
    what = known(server(1), posts={server(1).id: Post(state, NOW_S - 5.0, HOST, 0)})
    assert leaving(decided(drained(), what)) == []
    late = replace(what, drain=replace(what.drain, posts={server(1).id: Post(state, 0.0, HOST, 0)}))
    assert bool(leaving(decided(drained(), late))) is (state != "sent")


def test_a_failure_is_shown_and_tried_again_later() -> None:
    failed = known(server(1), records=(migration(9, 1, "error"),), failed_at={9: NOW_S - 10.0})
    decisions = decided(drained(), failed)
    assert leaving(decisions) == []
    assert (
        "its live migration 9 ended error; 1 tries, next in 20 s" in held(decisions)[Reason.BLOCKED]
    )
    later = decided(drained(), failed, now_s=NOW_S + 5.0)
    assert leaving(later) == []
    due = replace(failed, drain=replace(failed.drain, failed_at={9: NOW_S - 40.0}))
    assert leaving(decided(drained(), due)) == ["server-1"]


def test_a_refusal_counts_as_a_failure() -> None:
    what = known(server(1), refusals={server(1).id: Refusal(1, NOW_S - 1.0, "Nova says no")})
    assert "Nova says no" in held(decided(drained(), what))[Reason.BLOCKED]


def test_failures_of_before_do_not_count() -> None:
    after = replace(CLOSED, after=9)
    what = known(server(1), records=(migration(9, 1, "error"),))
    assert leaving(decided(drained(withdrawn=(after,)), what)) == ["server-1"]


def test_a_record_of_which_the_instance_knows_nothing_ends_at_some_time() -> None:
    what = known(
        server(1),
        records=(migration(9, 1, "preparing"),),
        flying_s={(9, "preparing"): NOW_S - 100.0},
    )
    assert leaving(decided(drained(), what)) == ["server-1"]
    busy = known(
        server(1, task_state="migrating"),
        records=(migration(9, 1, "preparing"),),
        flying_s={(9, "preparing"): NOW_S - 100.0},
    )
    assert leaving(decided(drained(), busy)) == []


def test_a_slow_one_is_shown_and_keeps_no_slot() -> None:
    since = {(9, "running"): NOW_S - 700.0}
    moving = server(1, task_state="migrating")
    what = known(moving, server(2), records=(migration(9, 1, "running"),), flying_s=since)
    decisions = decided(drained(), what, replace(POLICY, drain_in_flight=1))
    assert leaving(decisions) == ["server-2"]
    assert "9 to compute-2 is running" in held(decisions)[Reason.DRAIN_SLOW]


def test_those_that_have_left_are_counted() -> None:
    gone = (
        migration(9, 1, "completed"),
        migration(10, 2, "completed"),
        migration(3, 4, "completed"),
    )
    decisions = decided(drained(withdrawn=(replace(CLOSED, after=5),)), known(records=gone))
    assert held(decisions)[Reason.DRAINED].endswith("2 of 2 instances have left")


def test_yellow_closes_and_red_empties() -> None:
    yellow = drained(drains=(), health={NODE: Health.YELLOW})
    assert set(held(decided(yellow, known(server(1))))) == {Reason.CLOSED}
    red = drained(drains=(), health={NODE: Health.RED})
    assert leaving(decided(red, known(server(1)))) == ["server-1"]
