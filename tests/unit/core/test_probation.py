"""A host that was fenced again and again: it is up, and serves later."""

from dataclasses import replace

import pytest
from novaha.core.actions import AskServices, Decision, Enable, ForceUp, Hold, KeepFound
from novaha.core.decide import decide
from novaha.core.model import FencingEvent
from novaha.core.policy import Policy
from novaha.core.probation import probation_s
from novaha.core.proof import prove
from novaha.core.reasons import Reason
from novaha.core.recovery import Proof, parse_record
from worlds import (
    NODE,
    NOW_S,
    RECEIPT_ID,
    WRITTEN_S,
    cluster,
    event,
    memory,
    ours,
    proof,
    receipt,
    recovery,
    service,
    view,
)

POLICY = Policy(flap_limit=3, flap_wait_s=600.0)


def back(fencings: int, now_s: float = NOW_S, *, released: bool = False) -> tuple[Decision, ...]:
    """Return what is decided of a host that is up and forced up again, fenced so often."""
    record = replace(
        recovery(phase="returning", heartbeat="before"),
        proof=replace(proof(), fencings=fencings),
    )
    freed = frozenset({NODE}) if released else frozenset()
    seen = cluster(receipts=(), records=(record,), online=frozenset({NODE}), released=freed)
    known = memory(services=(ours(forced_down=False),), first_seen={RECEIPT_ID: NOW_S})
    return decide(view(seen, replace(known, services=known.services), now_s), POLICY)


@pytest.mark.parametrize("fencings", [1, 2])
def test_a_host_that_was_fenced_now_and_then_serves_at_once(fencings: int) -> None:
    assert any(isinstance(d, Enable) for d in back(fencings))


def test_one_that_was_fenced_too_often_stays_disabled_until_its_time_is_over() -> None:
    (hold,) = [d for d in back(3) if isinstance(d, Hold)]
    assert hold.reason is Reason.PROBATION
    assert "3 times within 24 h" in hold.text
    assert "10 min more" in hold.text
    assert f"nova-ha release {NODE}" in hold.text
    assert not [d for d in back(3, NOW_S + 599) if isinstance(d, Enable)]
    assert [d for d in back(3, NOW_S + 600) if isinstance(d, Enable)]


def test_while_it_waits_it_is_written_down_that_our_force_down_is_gone() -> None:
    """Who waits may be another process by then: a force-down that it finds is a person's."""
    (note,) = [d for d in back(3) if isinstance(d, KeepFound)]
    assert parse_record(NODE, note.recovery.to_value()) == note.recovery
    assert note.recovery.raised
    seen = cluster(receipts=(), records=(note.recovery,), online=frozenset({NODE}))
    known = memory(services=(ours(),), first_seen={RECEIPT_ID: NOW_S})
    theirs = decide(view(seen, known), POLICY)
    assert not [d for d in theirs if isinstance(d, ForceUp | KeepFound)]
    unsaid = replace(note.recovery, raised=False)
    again = decide(view(replace(seen, records=(unsaid,)), known), POLICY)
    assert [d for d in again if isinstance(d, ForceUp)], "its own force-down has to be taken back"


@pytest.mark.parametrize(("ago_s", "asks"), [(59.0, False), (60.0, True)])
def test_nova_is_asked_once_a_minute_meanwhile(ago_s: float, asks: bool) -> None:  # noqa: FBT001
    record = replace(
        recovery(phase="returning", heartbeat="before"), proof=replace(proof(), fencings=3)
    )
    seen = cluster(receipts=(), records=(record,), online=frozenset({NODE}))
    known = memory(services=(ours(forced_down=False),), first_seen={RECEIPT_ID: NOW_S})
    decisions = decide(view(seen, known, NOW_S + ago_s), POLICY)
    assert (AskServices() in decisions) is asks


def test_a_person_ends_it() -> None:
    assert any(isinstance(d, Enable) for d in back(5, released=True))


def test_it_is_forced_up_all_the_same() -> None:
    record = replace(
        recovery(phase="returning", heartbeat="before"), proof=replace(proof(), fencings=9)
    )
    seen = cluster(receipts=(), records=(record,), online=frozenset({NODE}))
    known = memory(services=(ours(),), first_seen={RECEIPT_ID: NOW_S})
    assert any(isinstance(d, ForceUp) for d in decide(view(seen, known), POLICY))


def test_one_that_a_person_enabled_is_let_alone() -> None:
    record = replace(
        recovery(phase="returning", heartbeat="before"), proof=replace(proof(), fencings=9)
    )
    seen = cluster(receipts=(), records=(record,), online=frozenset({NODE}))
    decisions = decide(view(seen, memory(services=(service(),))), POLICY)
    assert not [d for d in decisions if isinstance(d, Hold)]


@pytest.mark.parametrize(
    ("fencings", "wait_s"), [(0, 0), (2, 0), (3, 600), (4, 1200), (5, 2400), (90, 28_800)]
)
def test_the_wait_doubles_with_each_fencing_up_to_eight_hours(fencings: int, wait_s: float) -> None:
    assert probation_s(POLICY, fencings) == wait_s
    assert probation_s(replace(POLICY, flap_limit=0), fencings) == 0


def test_the_fencings_of_the_last_day_are_counted_when_the_fencing_is_proven() -> None:
    events = tuple(
        event(completed_s=WRITTEN_S + 3.0 - ago_s) for ago_s in (90_000.0, 80_000.0, 50.0, 0.0)
    )
    other = FencingEvent(type(NODE)("compute-9"), "reboot", "success", WRITTEN_S + 1.0)
    failed = event(status="failed")
    seen = cluster(receipts=(receipt(before=3),), events=(*events, other, failed))
    found = prove(receipt(before=3), view(seen), POLICY)
    assert isinstance(found, Proof)
    assert found.fencings == 3


@pytest.mark.parametrize("fencings", [1, 2, 999])
def test_how_often_stands_in_the_record_and_is_read_back(fencings: int) -> None:
    record = replace(recovery(), proof=replace(proof(), fencings=fencings))
    assert parse_record(NODE, record.to_value()) == record
    assert ("fencings=" in record.to_value()) is (fencings > 1)
