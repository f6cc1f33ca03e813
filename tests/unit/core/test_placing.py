"""Where instances of a segment go, and the steps that ready a reserved host."""

from dataclasses import replace

import pytest
from novaha.core import memory as remember
from novaha.core.actions import (
    AddToAggregate,
    AskMigrations,
    AskRules,
    AskServers,
    AskServices,
    Enable,
    Evacuate,
    Hold,
    Release,
    SetUse,
)
from novaha.core.decide import decide
from novaha.core.model import Answer
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.segments import SEGMENT, Aggregate, Use
from novaha.core.silence import WAIT_S, topic_of_change, unheard
from reserves import (
    FREE,
    IN_USE,
    R1,
    R2,
    RACK,
    READY,
    adding,
    decided,
    held,
    known,
    segment,
    sent,
    uses,
)
from worlds import (
    HOST,
    NODE,
    NOW_S,
    evacuating,
    migration,
    ours,
    receipt,
    recovery,
    server,
    service,
    view,
)

# Where they go


@pytest.mark.parametrize("aggregates", [(), (RACK,), (segment("auto"),)])
def test_without_a_method_of_its_own_nothing_is_asked_and_the_scheduler_chooses(
    aggregates: tuple[Aggregate, ...],
) -> None:
    assert decided(known(*aggregates, asked_s=NOW_S - 8.0, rules_s=NOW_S - 50.0)) == (
        Evacuate(server().id, HOST),
    )


def test_an_unknown_method_is_shown_and_the_scheduler_chooses() -> None:
    decisions = decided(known(segment("reserved-host")))
    assert sent(decisions) == {server().id: None}
    assert Reason.SEGMENT in held(decisions)
    assert Reason.SEGMENT.trouble


def test_one_that_is_ready_gets_the_instances() -> None:
    decisions = decided(known(segment(reserved_1=READY.to_value()), services=IN_USE))
    assert decisions == (Evacuate(server().id, HOST, to=R1),)


@pytest.mark.parametrize(
    ("method", "failures", "to"),
    [
        ("reserved_host", 0, R1),
        ("reserved_host", 1, R1),
        ("rh_priority", 0, R1),
        ("rh_priority", 1, None),
        ("rh_priority", 2, R1),
        ("auto_priority", 0, None),
        ("auto_priority", 1, R1),
        ("auto_priority", 2, None),
    ],
)
def test_tries_take_turns_as_the_method_says(
    method: str, failures: int, to: ComputeHost | None
) -> None:
    failed = tuple(migration(number, status="failed") for number in range(1, failures + 1))
    seg = segment(method, reserved_1=READY.to_value())
    of = known(seg, services=IN_USE, migrations=failed)
    of = replace(of, failed_at={m.id: NOW_S - 1e4 for m in failed})
    assert sent(decided(of)) == {server().id: to}


@pytest.mark.parametrize(
    "wrong",
    [{"enabled": False, "disabled_reason": "repair"}, {"up": False}, {"forced_down": True}],
)
def test_the_scheduler_chooses_where_it_may_while_the_one_in_use_is_unusable(
    wrong: dict[str, object],
) -> None:
    services = (ours(), service(R1, **wrong), service(R2, **FREE))
    value = READY.to_value()
    free = decided(known(segment("rh_priority", reserved_1=value), services=services))
    bound = decided(known(segment(reserved_1=value, reserved_2="true"), services=services))
    assert sent(free) == {server().id: None}
    assert sent(bound) == {}
    assert uses(free) == uses(bound) == []
    assert held(bound)[Reason.NO_RESERVED].startswith(f"1 instances wait: its reserved host {R1}")


def test_without_a_reserved_host_instances_wait_and_all_is_read_again_now_and_then() -> None:
    of = known(segment(reserved_2="used:compute-9"), asked_s=NOW_S - 61.0, rules_s=NOW_S - 61.0)
    decisions = decided(of)
    assert sent(decisions) == {}
    assert {AskServices(), AskRules(), AskMigrations(HOST)} <= set(decisions)
    assert AskServers(HOST, details=True) in decisions
    assert decided(known(segment(reserved_2="used:compute-9")))[0] == Hold(
        HOST, Reason.NO_RESERVED, f"1 instances wait: {R2} is used for compute-9"
    )


def test_without_a_reserved_host_instances_go_back_with_their_host() -> None:
    of = known(segment(reserved_2="used:compute-9"))
    decisions = decide(view(evacuating(online=frozenset({NODE})), of), Policy())
    assert Release(recovery(), receipt()) in decisions


@pytest.mark.parametrize("method", ["rh_priority", "auto_priority"])
def test_where_the_scheduler_may_choose_no_reserved_host_is_no_trouble(method: str) -> None:
    assert decided(known(segment(method, reserved_2="used:compute-9"))) == (
        Evacuate(server().id, HOST),
    )


# How one is readied


def test_it_is_written_down_before_anything_else_is_done() -> None:
    decisions = decided(known(segment()))
    assert uses(decisions) == [(R1, f"taking:{HOST};enabled")]
    assert sent(decisions) == {}
    assert not any(isinstance(d, Enable) for d in decisions)


def test_one_that_is_enabled_is_used_as_it_is() -> None:
    services = (ours(), service(R1))
    assert uses(decided(known(segment(), services=services))) == [(R1, f"taking:{HOST}")]


def test_it_joins_the_other_aggregates_of_the_host_where_that_is_told() -> None:
    both = Aggregate(4, "both", frozenset({HOST, R1}))
    other = Aggregate(5, "seg-2", frozenset({HOST}), {SEGMENT: "seg-2"})
    elsewhere = Aggregate(6, "elsewhere", frozenset({R2}))
    all_ = (adding(segment()), RACK, both, other, elsewhere)
    assert uses(decided(known(*all_))) == [(R1, f"taking:{HOST};enabled;added:3")]


def test_no_more_aggregates_are_joined_than_can_be_written_down() -> None:
    racks = tuple(Aggregate(10**9 + n, f"rack-{n:02}", frozenset({HOST})) for n in range(40))
    ((_, value),) = uses(decided(known(adding(segment()), *racks)))
    assert 240 < len(value) <= 255


def test_then_it_joins_is_enabled_and_that_is_written_down() -> None:
    taking = Use(HOST, enabled=True, added=(3,))
    of = known(segment(reserved_1=taking.to_value()), RACK)
    decisions = [d for d in decided(of) if isinstance(d, AddToAggregate | Enable | SetUse)]
    assert decisions == [
        AddToAggregate(RACK, R1),
        Enable(service(R1, **FREE)),
        SetUse(segment(reserved_1=taking.to_value()), R1, replace(taking, ready=True)),
    ]


def test_what_was_done_of_it_before_a_kill_is_not_done_again() -> None:
    taking = Use(HOST, enabled=True, added=(3,))
    rack = replace(RACK, hosts=frozenset({HOST, R1}))
    of = known(segment(reserved_1=taking.to_value()), rack, services=(ours(), service(R1)))
    assert uses(decided(of)) == [(R1, replace(taking, ready=True).to_value())]
    assert not any(isinstance(d, AddToAggregate | Enable) for d in decided(of))


def test_an_aggregate_that_refuses_it_is_left_out() -> None:
    taking = Use(HOST, enabled=True, added=(3,))
    of = known(segment(reserved_1=taking.to_value()), RACK)
    of = remember.aggregate_refused(of, RACK, R1, NOW_S - 100.0, "another zone (409)")
    assert AskRules() in decided(of)
    again = replace(of, rules=Answer(of.rules.value, NOW_S)) if of.rules else of
    assert uses(decided(again)) == [(R1, f"used:{HOST};enabled")]
    assert not any(isinstance(d, AddToAggregate) for d in decided(again))


def test_an_aggregate_whose_change_got_no_answer_is_not_left_out_but_waited_for() -> None:
    of = known(segment(reserved_1=Use(HOST, enabled=True, added=(3,)).to_value()), RACK)
    topic = topic_of_change(AddToAggregate(RACK, R1))
    of, _ = unheard(replace(of, heard_s=NOW_S), topic, "timeout", NOW_S, since_s=NOW_S)
    assert "a change of its aggregates" in held(decided(of))[Reason.BLOCKED]
    assert not any(isinstance(d, AddToAggregate | Enable | SetUse) for d in decided(of))
    due = decided(of, NOW_S + WAIT_S)
    assert AskRules() in due
    assert Reason.BLOCKED not in held(due)


def test_one_that_a_person_disables_meanwhile_is_given_free_and_another_is_taken() -> None:
    taking = Use(HOST, enabled=True)
    services = (ours(), service(R1, enabled=False, disabled_reason="repair"), service(R2, **FREE))
    keys = {"reserved_1": taking.to_value(), "reserved_2": "true"}
    assert uses(decided(known(segment(**keys), services=services))) == [(R1, "true")]
    keys["reserved_1"] = "true"
    assert uses(decided(known(segment(**keys), services=services))) == [
        (R2, f"taking:{HOST};enabled")
    ]


@pytest.mark.parametrize("method", ["reserved_host", "rh_priority", "auto_priority"])
def test_while_nova_refuses_to_enable_it_that_is_shown(method: str) -> None:
    failed = (migration(1, status="failed"),) if method == "auto_priority" else ()
    of = known(segment(method, reserved_1=f"taking:{HOST};enabled"), migrations=failed)
    of = replace(of, failed_at={m.id: 0.0 for m in failed})
    decisions = decided(remember.service_refused(of, R1, NOW_S, "no (403)"))
    assert Reason.BLOCKED in held(decisions)
    assert sent(decisions) == ({} if method == "reserved_host" else {server().id: None})


def test_two_hosts_that_want_one_reserved_host_do_not_get_it_both() -> None:
    other, node = ComputeHost("compute-2"), NodeName("compute-2")
    seg = replace(segment(), hosts=frozenset({HOST, other}))
    of = known(seg, services=(ours(), ours(other), service(R1, **FREE)))
    of = replace(
        of,
        servers={**of.servers, other: Answer((server(2),), NOW_S)},
        migrations={**of.migrations, other: Answer((), NOW_S)},
        begun={**of.begun, "f" * 12: 0},
    )
    records = (recovery(), recovery(node, "f" * 12, host=other))
    receipts = (receipt(), receipt(node, "f" * 12))
    found = decide(view(evacuating(records=records, receipts=receipts), of), Policy())
    assert uses(found) == [(R1, f"taking:{HOST};enabled")]


def test_what_a_person_did_meanwhile_is_read_before_one_is_taken() -> None:
    asked = decided(known(segment(), asked_s=NOW_S - 5.0, rules_s=NOW_S - 5.0))
    assert {AskServices(), AskRules(), AskMigrations(HOST)} <= set(asked)
    assert AskServers(HOST, details=True) not in asked
    long = decided(known(segment(), asked_s=NOW_S - 30.0, rules_s=NOW_S - 30.0))
    assert AskServers(HOST, details=True) in long
    assert uses(asked) == uses(long) == []


def test_and_again_when_more_are_sent_to_it_later() -> None:
    of = known(segment(reserved_1=READY.to_value()), services=IN_USE, asked_s=NOW_S - 30.0)
    assert {AskServices(), AskMigrations(HOST)} <= set(decided(of))
    assert sent(decided(of)) == {}


def test_a_process_that_has_just_started_waits_for_changes_of_the_one_before() -> None:
    of = replace(known(segment()), started_s=NOW_S - 10.0)
    decisions = decided(of)
    assert uses(decisions) == []
    assert held(decisions)[Reason.SETTLING] == "its reserved host waits 20 s for requests of before"
    late = replace(of, started_s=NOW_S - 31.0)
    assert uses(decided(late)) == [(R1, f"taking:{HOST};enabled")]
    old = replace(known(segment(), rules_s=NOW_S - 5.0), started_s=NOW_S - 31.0)
    assert AskRules() in decided(old)


def test_auto_priority_readies_one_as_soon_as_something_has_failed() -> None:
    failed = (migration(1, status="error"),)
    of = known(segment("auto_priority"), migrations=failed)
    assert uses(decided(replace(of, failed_at={1: NOW_S}))) == [(R1, f"taking:{HOST};enabled")]
    assert uses(decided(known(segment("auto_priority")))) == []


def test_one_that_is_lost_while_it_is_readied_is_left_to_its_own_recovery() -> None:
    seg, node = segment(reserved_1=f"taking:{HOST};enabled"), NodeName(R1)
    records = (recovery(), recovery(node, "f" * 12, host=R1))
    receipts = (receipt(), receipt(node, "f" * 12))
    of = evacuating(records=records, receipts=receipts)
    decisions = decide(view(of, known(seg, services=(ours(), ours(R1)))), Policy())
    assert held(decisions)[Reason.BLOCKED] == f"its reserved host {R1} is lost"
    assert uses(decisions) == []
    assert sent(decisions) == {}
