"""What was seen of a real cluster becomes facts, and the judge finds in them what went wrong."""

from dataclasses import replace

import pytest
from gathering import Lists, Places, Seen, Sent, facts_of
from novaha.core.facts import Accepted, Fact, Fenced, RecordEnded
from novaha.core.invariants import violations
from rehearsal.fencings import Fencing, successes_in
from rehearsal.power import Switched
from testcloud.cloudctl import Migration, Server, Service
from testcloud.names import NodeName, ServerId
from testcloud.referee import Daemon

NODE, OTHER = NodeName("compute-1"), NodeName("compute-2")
VM = ServerId("0c9a3d1e-0000-4000-8000-000000000001")
BEGIN_S = 1_700_000_000.0


def stamp(at_s: float) -> str:
    """Return a time as Nova prints it: whole seconds, UTC."""
    seconds = int(at_s)  # BEGIN_S is 22:13:20
    return f"2023-11-14T22:{13 + (20 + seconds) // 60}:{(20 + seconds) % 60:02d}.000000"


def service(**changes: object) -> Service:
    plain = Service("1", NODE, "up", "enabled", False, None, None)  # noqa: FBT003
    return replace(plain, **changes)  # type: ignore[arg-type]


def record(id_: int, at_s: float, status: str = "done", ended_s: float | None = None) -> Migration:
    updated = None if ended_s is None else stamp(ended_s)
    return Migration(id_, VM, "evacuation", status, NODE, OTHER, stamp(at_s), updated)


def lists(at_s: float, host: NodeName, *records: Migration, of: Service | None = None) -> Lists:
    server = Server(VM, "vm-1", "ACTIVE", None, host)
    return Lists(BEGIN_S + at_s, (of or service(),), (server,), records)


def at(seconds: float, *places: tuple[str, str]) -> tuple[float, Places]:
    return BEGIN_S + seconds, frozenset(places)


def good() -> Seen:
    """Return a loss that went well: off at 1, fenced at 3, asked at 4, moved at 6, back at 20."""
    moved = record(7, 4.0, "done", 6.0)
    return Seen(
        lists(0.0, NODE, record(6, -90.0)),
        lists(30.0, OTHER, record(6, -90.0), replace(moved, status="completed")),
        lost={NODE: BEGIN_S + 1.0},
        allowed_s=5.0,
        power=[Switched(BEGIN_S + 1.0, NODE, on=False), Switched(BEGIN_S + 2.5, NODE, on=True)],
        daemons=[Daemon(NODE, 12, BEGIN_S - 500.0), Daemon(NODE, 99, BEGIN_S + 20.0)],
        fencings=[Fencing(BEGIN_S + 3.0, NODE)],
        copies=[at(0.1, (VM, NODE)), at(1.1), at(5.8, (VM, OTHER))],
        sent=[Sent(BEGIN_S + 4.2, VM, "process")],
        records=[(BEGIN_S + 4.5, (record(7, 4.0, "accepted"),)), (BEGIN_S + 6.4, (moved,))],
    )


def broken(seen: Seen) -> list[str]:
    return [violation.law for violation in violations(facts_of(seen), limit=8)]


def facts(seen: Seen, *kinds: type[Fact]) -> list[Fact]:
    return [fact for fact in facts_of(seen) if isinstance(fact, kinds)]


DAEMON = "controller-1 pacemaker-fenced    [34]"
CLIENT = "pacemaker-controld.38@controller-1"
LOG = f"""
Nov 25 12:40:05.777 {DAEMON} (request_peer_fencing) \tnotice: Requesting peer fencing (reboot)
Nov 25 12:40:06.888 {DAEMON} (finalize_op) \tnotice: Operation 'reboot' targeting compute-1 by \
controller-3 for {CLIENT}: OK (complete) | id=a117a152
Nov 25 12:40:07.003 {DAEMON} (finalize_op) \terror: Operation 'off' targeting ghost-1 by \
unknown node for {CLIENT}: No such device | id=ffeeddcc
"""


def test_successes_are_read_from_a_fencer_s_log_and_failures_are_none() -> None:
    ((id_, fencing),) = successes_in(LOG)
    assert (id_, fencing.node) == ("a117a152", NODE)
    assert round(fencing.at_s % 86400.0, 3) == 12 * 3600 + 40 * 60 + 6.888


def test_a_loss_that_went_well_breaks_no_law() -> None:
    assert broken(good()) == []


def test_a_request_is_joined_with_the_record_that_it_made_and_old_records_do_not_count() -> None:
    assert facts(good(), Accepted, RecordEnded) == [
        Accepted(BEGIN_S + 4.2, VM, NODE, 7),  # type: ignore[arg-type]
        RecordEnded(BEGIN_S + 6.0, 7),
    ]


@pytest.mark.parametrize(
    ("change", "law"),
    [
        pytest.param({"fencings": []}, "L1", id="no fencing"),
        pytest.param({"fencings": [Fencing(BEGIN_S + 4.3, NODE)]}, "L1", id="fenced too late"),
        pytest.param({"power": []}, "L1", id="fenced by name only"),
        pytest.param(
            {"daemons": [Daemon(NODE, 99, BEGIN_S + 4.0)]}, "L1", id="nova-compute runs again"
        ),
        pytest.param(
            {"copies": [at(0.1, (VM, NODE)), at(0.9, (VM, NODE), (VM, OTHER))]}, "L2", id="twice"
        ),
        pytest.param({"fencings": [Fencing(BEGIN_S + 9.0, NODE)]}, "L5", id="slow fencing"),
        ({"silent": [(BEGIN_S + 5.0, NODE)]}, "L7"),
    ],
)
def test_a_loss_that_went_wrong_is_told_by_its_law(change: dict[str, object], law: str) -> None:
    assert law in broken(replace(good(), **change))  # type: ignore[arg-type]


def test_an_instance_that_runs_nowhere_in_the_end_is_lost() -> None:
    seen = replace(good(), copies=[at(0.1, (VM, NODE)), at(1.1)])
    assert broken(replace(seen, end=lists(19.0, NODE), daemons=[], sent=[], records=[])) == ["L3"]


def test_what_is_not_protected_must_not_be_evacuated_and_is_not_missed() -> None:
    assert broken(replace(good(), unprotected={VM})) == ["L6"]
    stays = replace(good(), end=lists(19.0, NODE), daemons=[], sent=[], records=[])
    stays.copies = [at(0.1, (VM, NODE)), at(1.1)]
    assert broken(replace(stays, unprotected={VM})) == []


def test_two_requests_at_once_for_one_instance_break_the_fourth_law() -> None:
    second = record(8, 5.0, "done", 9.0)
    seen = good()
    seen.sent = [*seen.sent, Sent(BEGIN_S + 5.1, VM, "process")]
    seen.end = replace(seen.end, migrations=(*seen.end.migrations, second))
    assert broken(seen) == ["L4"]


def test_a_request_whose_answer_was_lost_counts_by_its_record() -> None:
    seen = replace(good(), sent=[])
    assert facts(seen, Accepted) == [Accepted(BEGIN_S + 5.0, VM, NODE, 7)]  # type: ignore[arg-type]


def test_an_accepted_request_without_any_record_is_not_passed_over() -> None:
    seen = replace(good(), sent=[*good().sent, Sent(BEGIN_S + 8.0, VM, "process")])
    with pytest.raises(AssertionError, match="shows no records"):
        facts_of(seen)


def test_a_service_that_a_person_had_disabled_must_be_left_so() -> None:
    seen = good()
    by_a_person = service(status="disabled", disabled_reason="disk swap")
    seen.begin = replace(seen.begin, services=(by_a_person,))
    assert broken(seen) == ["L6"]


def test_only_the_first_fencing_after_a_loss_is_measured_from_it() -> None:
    fencings = [Fencing(BEGIN_S + 3.0, NODE), Fencing(BEGIN_S + 25.0, NODE)]
    seen = replace(good(), fencings=fencings)
    first, second = facts(seen, Fenced)
    assert isinstance(first, Fenced)
    assert isinstance(second, Fenced)
    assert (first.lost_s, first.allowed_s) == (BEGIN_S + 1.0, 5.0)
    assert second.allowed_s is None
