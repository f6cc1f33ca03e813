"""The way back: held, released, started, forced up, enabled, as a person had left it."""

from dataclasses import replace
from typing import Any

import pytest
from novaha.core.actions import (
    AskServices,
    Decision,
    DropHold,
    Enable,
    EndRecovery,
    ForceUp,
    Hold,
    Release,
)
from novaha.core.decide import decide
from novaha.core.model import ClusterView, Migration, RefusedChange, Service
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.returning import back_ids
from worlds import (
    HOST,
    NODE,
    NOW_S,
    cluster,
    mark,
    memory,
    migration,
    ours,
    receipt,
    recovery,
    service,
    view,
)

POLICY = Policy()
BEAT = "2024-05-03T12:00:00.000000"
RELEASED = recovery(phase="returning", heartbeat=BEAT)
STARTED = "2024-05-03T12:05:00.000000"


def back(**changes: Any) -> ClusterView:  # noqa: ANN401
    seen = cluster(receipts=(), marks=(), records=(RELEASED,), online=frozenset({NODE}))
    return replace(seen, **changes)


def decided(
    of: Service,
    now_s: float = NOW_S,
    seen: ClusterView | None = None,
    **known: Any,  # noqa: ANN401
) -> tuple[Decision, ...]:
    lists: dict[str, Any] = {"migrations": (), **known}
    return decide(view(seen or back(), memory(services=(of,), **lists), now_s), POLICY)


def reasons(decisions: tuple[Decision, ...]) -> list[Reason]:
    return [d.reason for d in decisions if isinstance(d, Hold)]


def test_a_host_that_is_off_is_waited_for_without_a_question() -> None:
    assert reasons(decided(ours(), seen=back(online=frozenset()))) == [Reason.HOST_OFF]


def test_the_recovery_of_a_host_behind_a_down_cell_does_not_end() -> None:
    decisions = decided(service(ComputeHost("compute-2")), hidden=frozenset({HOST}))
    assert reasons(decisions) == [Reason.CELL_DOWN]
    assert not any(isinstance(d, EndRecovery) for d in decisions)


def test_the_services_are_asked_again_as_often_as_the_policy_says() -> None:
    started = ours(heartbeat=STARTED)
    assert AskServices() not in decided(started, NOW_S + 0.9 * POLICY.return_poll_s)
    assert AskServices() in decided(started, NOW_S + POLICY.return_poll_s)


def test_a_host_whose_service_did_not_beat_since_its_release_is_not_forced_up() -> None:
    assert reasons(decided(ours(heartbeat=BEAT))) == [Reason.HOST_STARTING]


@pytest.mark.parametrize(
    ("for_s", "reason"),
    [(POLICY.stuck_s - 1, Reason.HOST_STARTING), (POLICY.stuck_s, Reason.NO_HEARTBEAT)],
)
def test_a_host_that_is_back_and_does_not_beat_for_long_is_trouble(
    for_s: float, reason: Reason
) -> None:
    (id_,) = back_ids(back())
    first_seen = {id_: NOW_S - for_s}
    (*_, hold) = decided(ours(heartbeat=BEAT), first_seen=first_seen)
    assert isinstance(hold, Hold)
    assert hold.reason is reason
    assert reason.trouble is (for_s >= POLICY.stuck_s)


def test_a_host_counts_as_back_from_its_release_on_and_while_it_is_there() -> None:
    assert back_ids(back(online=frozenset())) == []
    assert back_ids(back(records=(recovery(phase="evacuating"),))) == []


def test_a_host_that_never_beat_is_not_forced_up_before_it_does() -> None:
    seen = back(records=(RELEASED.released(""),))
    assert reasons(decided(ours(heartbeat=""), seen=seen)) == [Reason.HOST_STARTING]


def test_a_started_host_is_forced_up_then_enabled_then_the_record_goes() -> None:
    started = ours(heartbeat=STARTED)
    assert decided(started) == (ForceUp(started),)
    up = replace(started, forced_down=False)
    assert decided(up) == (Enable(up),)
    assert decided(replace(up, enabled=True)) == (EndRecovery(RELEASED),)


def test_a_refused_force_up_is_waited_for_and_tried_again() -> None:
    started = ours(heartbeat=STARTED)
    refused = {HOST: RefusedChange(NOW_S, NOW_S, "evacuations are not completed")}
    assert reasons(decided(started, service_refused=refused)) == [Reason.RECORDS_OPEN]
    later_s = NOW_S + POLICY.return_poll_s
    assert ForceUp(started) in decided(started, later_s, service_refused=refused)


def test_a_force_up_that_is_refused_for_long_is_tried_less_often() -> None:
    started = ours(heartbeat=STARTED)
    refused = {HOST: RefusedChange(NOW_S - 20.0, NOW_S, "evacuations are not completed")}
    early = decided(started, NOW_S + 7.9, service_refused=refused)
    assert (reasons(early), AskServices() in early) == ([Reason.RECORDS_OPEN], False)
    assert ForceUp(started) in decided(started, NOW_S + 8.0, service_refused=refused)


def test_records_that_stay_open_become_trouble_and_say_what_to_do() -> None:
    started = ours(heartbeat=STARTED)
    refused = {HOST: RefusedChange(NOW_S - POLICY.stuck_s, NOW_S, "evacuations not completed")}
    (hold,) = decided(started, service_refused=refused)
    assert isinstance(hold, Hold)
    assert hold.reason is Reason.BLOCKED
    assert "restart nova-compute" in hold.text


def test_a_refused_enabling_is_trouble_and_tried_again() -> None:
    up = ours(heartbeat=STARTED, forced_down=False)
    refused = {HOST: RefusedChange(NOW_S, NOW_S, "forbidden")}
    assert reasons(decided(up, service_refused=refused)) == [Reason.BLOCKED]
    assert Enable(up) in decided(up, NOW_S + POLICY.return_poll_s, service_refused=refused)


def test_a_service_that_a_person_had_forced_down_is_left_so() -> None:
    found = recovery(phase="returning", heartbeat=BEAT, forced_down=True)
    started = ours(heartbeat=STARTED, enabled=True)
    assert decided(started, seen=back(records=(found,))) == (EndRecovery(found),)


def test_a_service_that_a_person_had_disabled_is_left_so() -> None:
    found = recovery(phase="returning", heartbeat=BEAT, enabled=False)
    theirs = ours(heartbeat=STARTED, forced_down=False, disabled_reason="broken fan")
    assert decided(theirs, seen=back(records=(found,))) == (EndRecovery(found),)


def test_a_service_that_a_person_enabled_meanwhile_and_we_disabled_is_enabled_again() -> None:
    found = recovery(phase="returning", heartbeat=BEAT, enabled=False)
    held = ours(heartbeat=STARTED, forced_down=False)
    assert decided(held, seen=back(records=(found,))) == (Enable(held),)


def test_a_service_that_a_person_disabled_meanwhile_is_left_so() -> None:
    theirs = ours(heartbeat=STARTED, forced_down=False, disabled_reason="broken fan")
    assert decided(theirs) == (EndRecovery(RELEASED),)


def test_the_record_of_a_service_that_is_gone_goes_too() -> None:
    assert decided(service(ComputeHost("compute-9"))) == (EndRecovery(RELEASED),)


def test_completed_records_are_not_enough_for_a_host_to_be_up() -> None:
    """nova-compute does not listen yet, and would miss that it is enabled."""
    done = (migration(8, status="completed"),)
    decisions = decided(ours(heartbeat=RELEASED.heartbeat), migrations=done)
    assert [d.reason for d in decisions if isinstance(d, Hold)] == [Reason.HOST_STARTING]


@pytest.mark.parametrize(
    "records",
    [
        (migration(1, 1, "completed"), migration(2, 2, "done")),
        (migration(1, 1, "done"),),
        (migration(1, 1, "failed"),),
    ],
)
def test_a_host_with_a_record_that_is_not_completed_is_waited_for(
    records: tuple[Migration, ...],
) -> None:
    assert reasons(decided(ours(heartbeat=BEAT), migrations=records)) == [Reason.HOST_STARTING]


def test_records_completed_in_an_earlier_recovery_say_nothing_of_this_one() -> None:
    later = replace(RELEASED, after_migration=7)
    decisions = decided(
        ours(heartbeat=BEAT),
        seen=back(records=(later,)),
        migrations=(migration(7, 1, "completed"),),
    )
    assert reasons(decisions) == [Reason.HOST_STARTING]


def test_a_question_that_is_due_keeps_no_force_up_waiting() -> None:
    started = ours(heartbeat=STARTED)
    assert decided(started, NOW_S + 9) == (AskServices(), ForceUp(started))


def test_unknown_services_are_asked_for_first() -> None:
    assert decide(view(back(), memory()), POLICY) == (AskServices(),)


def test_a_release_that_was_broken_off_is_gone_on_with() -> None:
    """The record was written, and the receipt and its hold are still there."""
    seen = back(receipts=(receipt(),), marks=(mark(),))
    assert decided(ours(), seen=seen) == (Release(RELEASED, receipt()),)


def test_a_release_that_was_broken_off_before_the_hold_went_is_gone_on_with() -> None:
    assert DropHold(mark()) in decided(ours(), seen=back(marks=(mark(),)))


@pytest.mark.parametrize(
    "seen",
    [
        cluster(),
        cluster(records=(recovery(),)),
        cluster(receipts=(), records=(recovery(),)),
    ],
    ids=["receipt", "both", "evacuation"],
)
def test_a_hold_with_an_explanation_stays(seen: ClusterView) -> None:
    assert not [d for d in decide(view(seen), POLICY) if isinstance(d, DropHold)]


def test_the_hold_of_an_overwritten_receipt_goes_and_the_newer_one_stays() -> None:
    newer = receipt(id_="f" * 12)
    seen = cluster(receipts=(newer,), marks=(mark(), mark(newer)))
    drops = [d for d in decide(view(seen), POLICY) if isinstance(d, DropHold)]
    assert drops == [DropHold(mark())]


@pytest.mark.parametrize("by", ["fenced", "hand"])
def test_a_host_with_a_newer_receipt_is_neither_forced_up_nor_enabled(by: Any) -> None:  # noqa: ANN401
    seen = back(receipts=(receipt(id_="f" * 12, by=by),), levels=())
    decisions = decided(ours(heartbeat=STARTED), seen=seen)
    assert not [d for d in decisions if isinstance(d, ForceUp | Enable | EndRecovery)]
