"""The record of starts, and what is decided on it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core import memory as remember
from novaha.core import startmemory as starts
from novaha.core.actions import (
    AskPhases,
    AskPlaced,
    Decision,
    EndStarts,
    Evacuate,
    Hold,
    KeepStarts,
    Start,
)
from novaha.core.decide import decide
from novaha.core.details import Details
from novaha.core.model import Memory, Migration, Server
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import AFTER, READY
from novaha.core.phases import Phases
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.starts import MalformedStarts, Starts, parse_starts
from worlds import HOST, NODE, NOW_S, evacuating, memory, ours, recovery, view

TWO = Policy(phases=Phases.TWO)
NEW = ComputeHost("compute-2")


@given(
    st.sets(st.from_regex(r"[0-9a-f-]{1,36}", fullmatch=True), min_size=1),
    st.integers(0, 10**9),
)
def test_a_record_is_read_back_as_it_was_written(ids: set[str], after: int) -> None:
    written = Starts(NODE, HOST, after, frozenset(map(ServerId, ids)))
    assert parse_starts(NODE, written.to_value()) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v2 host=a after=1 servers=b",
        "v1 host=a after=1 servers=",
        "v1 host=a after=1 servers=b,",
        "v1 host=a after=x servers=b",
        "v1 host=a b after=1 servers=b",
        "v1 host=a after=1 servers=b\n",
        "v1 host=a after=1 servers=<nvpair/>",
    ],
)
def test_what_is_no_record_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(MalformedStarts, match="record of starts of compute-1 is malformed"):
        parse_starts(NodeName("compute-1"), text)


def server(name: str, vm_state: str = "active", task_state: str = "", **said: str) -> Server:
    metadata = {
        key: said[word] for word, key in (("after", AFTER), ("ready", READY)) if word in said
    }
    details = Details(vm_state, task_state, metadata=metadata)
    return Server(ServerId(name), name, "", details)


def known(*servers: Server, records: tuple[Migration, ...] = (), **changes: Any) -> Memory:  # noqa: ANN401
    told = memory(services=(ours(),), migrations=(), leaves_stopped=True, **changes)
    told = remember.saw_servers(told, HOST, servers, NOW_S, details=True)
    return remember.saw_migrations(told, HOST, records, NOW_S)


def decided(of: Memory, *ids: str, policy: Policy = TWO, now_s: float = NOW_S) -> list[Decision]:
    """Return the decisions where these instances are written down to be started."""
    entry = Starts(NODE, HOST, 0, frozenset(map(ServerId, ids)))
    seen = evacuating(starts=(entry,) if ids else ())
    return list(decide(view(seen, of, now_s), policy))


def done(id_: int, name: str) -> Migration:
    return Migration(id_, ServerId(name), HOST, NEW, "done")


def placed(*servers: Server, gone: tuple[str, ...] = ()) -> Memory:
    """Return what is known once these have arrived, and those that are gone from there."""
    names = [*(str(server.id) for server in servers), *gone]
    records = tuple(done(number, name) for number, name in enumerate(names, 1))
    of = known(records=records)
    return starts.saw_placed(of, NEW, frozenset(map(ServerId, names)), servers, NOW_S)


def started(decisions: list[Decision]) -> list[str]:
    return [str(d.server) for d in decisions if isinstance(d, Start)]


def reasons(decisions: list[Decision]) -> set[Reason]:
    return {d.reason for d in decisions if isinstance(d, Hold)}


def test_who_runs_is_written_down_before_the_first_of_them_is_to_be_left_stopped() -> None:
    of = known(server("runs"), server("waits", after="runs"), server("idle", "stopped"))
    decisions = decided(of)
    kept = [d.starts.servers for d in decisions if isinstance(d, KeepStarts)]
    assert kept == [{"runs", "waits"}]
    sent = {str(d.server): d.stopped for d in decisions if isinstance(d, Evacuate)}
    assert sent == {"runs": True, "waits": True, "idle": False}, "nobody waits for a place"
    kinds = [type(d) for d in decisions if isinstance(d, KeepStarts | Evacuate)]
    assert kinds[0] is KeepStarts


def test_what_is_written_already_is_not_written_again() -> None:
    decisions = decided(known(server("runs")), "runs")
    assert not [d for d in decisions if isinstance(d, KeepStarts)]
    assert [d for d in decisions if isinstance(d, Evacuate)]


def test_one_in_error_runs_at_once_and_so_waits_for_its_turn() -> None:
    decisions = decided(known(server("db"), server("web", "error", after="db")))
    sent = {str(d.server): d.stopped for d in decisions if isinstance(d, Evacuate)}
    assert sent == {"db": True}
    assert Reason.AFTER in reasons(decisions)


def test_with_one_phase_nothing_is_asked_written_or_left_stopped() -> None:
    of = replace(known(server("runs")), leaves_stopped=None)
    decisions = decided(of, policy=Policy())
    assert [d.stopped for d in decisions if isinstance(d, Evacuate)] == [False]
    assert not [d for d in decisions if isinstance(d, KeepStarts | AskPhases)]


def test_whether_nova_can_is_asked_once_and_where_it_cannot_it_is_one_phase() -> None:
    of = replace(known(server("runs")), leaves_stopped=None)
    first = decided(of)
    assert AskPhases() in first
    assert not [d for d in first if isinstance(d, Evacuate)]
    then = decided(starts.saw_phases(of, leaves_stopped=False))
    assert [d.stopped for d in then if isinstance(d, Evacuate)] == [False]
    assert remember.began(of, recovery()).leaves_stopped is None, "Nova may be newer by then"


def test_nothing_is_started_while_something_of_the_host_can_still_be_placed() -> None:
    of = known(server("b"), records=(done(1, "a"),))
    assert not [d for d in decided(of, "a", "b") if isinstance(d, AskPlaced | Start)]
    late_s = NOW_S + TWO.order_wait_s
    assert [d.host for d in decided(of, "a", "b", now_s=late_s) if isinstance(d, AskPlaced)] == [
        NEW
    ]


def test_what_has_arrived_is_looked_at_and_then_started_in_order() -> None:
    of = known(records=(done(1, "a"), done(2, "b")))
    assert AskPlaced(NEW, frozenset({ServerId("a"), ServerId("b")})) in decided(of, "a", "b")
    there = placed(server("a", "stopped", after="b"), server("b", "stopped"))
    decisions = decided(there, "a", "b")
    assert started(decisions) == ["b"]
    assert Reason.AFTER in reasons(decisions)
    up = placed(server("a", "stopped", after="b"), server("b"))
    assert started(decided(up, "a", "b")) == ["a"]
    assert started(decided(there, "a", "b", now_s=NOW_S + TWO.order_wait_s)) == ["a", "b"]


def test_who_waits_for_one_waits_as_long_as_was_said_however_often_its_host_is_looked_at() -> None:
    up, waits = server("b", ready="delay:40"), server("a", "stopped", after="b")
    of, soon = placed(waits, up), NOW_S + 15
    again = starts.saw_placed(of, NEW, frozenset({waits.id}), (waits,), soon)
    assert started(decided(again, "a", "b", now_s=soon)) == []
    assert Reason.AFTER in reasons(decided(again, "a", "b", now_s=soon))
    later = starts.saw_placed(again, NEW, frozenset({waits.id}), (waits,), NOW_S + 41)
    assert started(decided(later, "a", "b", now_s=NOW_S + 41)) == ["a"]


def test_no_more_are_started_at_once_than_may_be_evacuated() -> None:
    there = placed(*(server(f"vm-{n}", "stopped") for n in range(5)))
    ids = [f"vm-{n}" for n in range(5)]
    assert len(started(decided(there, *ids, policy=replace(TWO, max_in_flight=2)))) == 2
    assert len(started(decided(there, *ids, policy=replace(TWO, max_per_destination=3)))) == 3


@pytest.mark.parametrize("task", ["powering-on", "powering-off"])
def test_one_with_which_nova_does_something_is_let_be(task: str) -> None:
    assert started(decided(placed(server("a", "stopped", task)), "a")) == []


@pytest.mark.parametrize("mine", [True, False])
def test_a_start_that_was_lost_with_its_host_is_shown_and_tried_again(*, mine: bool) -> None:
    """Nova keeps `powering-on` then; a process before this one may have sent it."""
    known = placed(server("a", "stopped", "powering-on"))
    if mine:
        known = starts.starting(known, ServerId("a"), NOW_S)
        known = starts.start_ended(known, ServerId("a"), "accepted", NOW_S)
    assert started(decided(known, "a", now_s=NOW_S + TWO.stuck_s - 1)) == []
    again = decided(known, "a", now_s=NOW_S + TWO.stuck_s)
    assert started(again) == ["a"]
    assert (Reason.NOT_STARTED in reasons(again)) is mine
    known = starts.start_refused(known, ServerId("a"), NOW_S + TWO.stuck_s, "powering-on (409)")
    assert Reason.NOT_STARTED in reasons(decided(known, "a", now_s=NOW_S + TWO.stuck_s + 1))


def test_a_start_is_sent_once_and_again_only_when_its_turn_has_come() -> None:
    sent = starts.starting(placed(server("a", "stopped")), ServerId("a"), NOW_S)
    assert started(decided(sent, "a")) == []
    accepted = starts.start_ended(sent, ServerId("a"), "accepted", NOW_S + 1)
    assert started(decided(accepted, "a", now_s=NOW_S + 60)) == [], "not looked at since"
    looked = starts.saw_placed(
        accepted, NEW, frozenset({ServerId("a")}), (server("a", "stopped"),), NOW_S + 2
    )
    waits = decided(looked, "a", now_s=NOW_S + 3)
    assert (started(waits), Reason.NOT_STARTED in reasons(waits)) == ([], True)
    assert started(decided(looked, "a", now_s=NOW_S + 1 + TWO.retry_first_s)) == ["a"]


def test_a_refusal_is_shown_with_novas_words_and_tried_again() -> None:
    sent = starts.starting(placed(server("a", "stopped")), ServerId("a"), NOW_S)
    refused = starts.start_refused(sent, ServerId("a"), NOW_S, "no room (409)")
    decisions = decided(refused, "a", now_s=NOW_S + 1)
    told = [d.text for d in decisions if isinstance(d, Hold) and d.reason is Reason.NOT_STARTED]
    assert "no room (409); 1 tries, next in 29 s" in told[0]
    assert started(decided(refused, "a", now_s=NOW_S + TWO.retry_first_s)) == ["a"]


def test_the_record_goes_when_all_run_or_need_no_start() -> None:
    there = placed(server("a"), server("b", "stopped"))
    assert not [d for d in decided(there, "a", "b") if isinstance(d, EndStarts)]
    over = starts.needs_no_start(there, ServerId("b"))
    assert [d for d in decided(over, "a", "b") if isinstance(d, EndStarts)]
    ended = starts.starts_ended(over, {ServerId("a"), ServerId("b")})
    assert (ended.up, ended.needless, ended.placed) == ({}, frozenset(), {})


def test_one_that_was_never_placed_and_is_gone_needs_no_start() -> None:
    assert [d for d in decided(known(), "deleted") if isinstance(d, EndStarts)]


def test_what_a_person_may_stop_later_is_dropped_from_the_record_when_others_take_long() -> None:
    there = placed(server("a"), server("b", "stopped"))
    late_s = NOW_S + TWO.order_wait_s
    kept = [d.starts for d in decided(there, "a", "b", now_s=late_s) if isinstance(d, KeepStarts)]
    assert [entry.servers for entry in kept] == [{"b"}]


def test_one_that_is_evacuated_once_more_has_to_be_started_once_more() -> None:
    of = starts.needs_no_start(placed(server("a")), ServerId("a"))
    again = remember.posting(of, ServerId("a"), NEW, NOW_S)
    assert (dict(again.up), again.needless) == ({}, frozenset())
