"""Whole recoveries in the fake world, one kind of trouble at a time."""

from dataclasses import replace
from itertools import repeat

import pytest
from fakeports import Fault, Process
from novaha.core import fates
from novaha.core.actions import (
    BeginRecovery,
    Disable,
    Enable,
    EndRecovery,
    Evacuate,
    ForceDown,
    ForceUp,
    Hold,
    Release,
)
from novaha.core.model import Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery
from novaha.errors import CloudRefused
from recoveries import (
    TOUCH_NOVA,
    assert_recovered,
    host,
    left_on,
    left_on_is_empty,
    process,
    reasons,
    touched,
    world,
)
from worlds import level


def test_a_fenced_host_is_evacuated_released_and_serves_again_as_before() -> None:
    it = world(3)
    before = it.services[host("compute-0")]
    run = process(it)
    it.fence("compute-0")
    run.run_to_rest()
    assert_recovered(run)
    assert [i.posts for i in it.instances.values()] == [1, 1, 1]
    assert it.services[host("compute-0")] == replace(
        before, heartbeat=it.services[host("compute-0")].heartbeat
    )


def test_the_first_evacuation_is_posted_in_the_cycle_that_sees_the_proof() -> None:
    it = world(3)
    run = process(it)
    it.fence("compute-0")
    it.advance(0.4)
    began_s = it.now_s
    run.step()
    assert touched(run) == ["force_down", "send", "send", "send", "disable"]
    assert it.now_s - began_s < 0.5


def test_the_request_budget_of_a_recovery_is_kept() -> None:
    """At most 2 N + 20 requests, the polls of four-second moves included."""
    it = world(20)
    run = process(it)
    it.fence("compute-0")
    run.run_to_rest()
    assert_recovered(run)
    asked = [call for call in run.wire.calls if call in TOUCH_NOVA | {"services", "servers"}]
    polls = run.wire.calls.count("migrations")
    assert len(asked) + polls <= 2 * 20 + 20


def test_a_quiet_cluster_costs_one_look_a_cycle_and_nothing_of_nova() -> None:
    run = process(world(3))
    run.run(60)
    assert set(run.wire.calls) == {"observe"}
    assert len(run.wire.calls) == 12


def test_a_host_that_is_back_early_is_held_until_its_last_instance_has_moved() -> None:
    it = world(6, limit=1)
    it.back_s = 1.0
    run = process(it)
    it.fence("compute-0")
    run.run_to_rest()
    assert_recovered(run)


@pytest.mark.parametrize("by", ["levels", "hand", "history"])
def test_without_a_proof_nova_is_never_touched_however_long_it_takes(by: str) -> None:
    it = world(3)
    run = process(it)
    if by == "levels":
        it.levels = [level(NodeName("compute-0"), "fence_kdump", "fence_nova")]
    it.leave_receipt("compute-0", by="hand" if by == "hand" else "fenced")
    if by != "history":
        it.note_fencing(NodeName("compute-0"))
    run.run(600)
    assert touched(run) == []
    assert all(hold.reason.trouble for hold in run.journal.held)
    assert run.journal.held


def test_a_proof_that_comes_late_is_taken_up_without_a_person() -> None:
    it = world(3)
    run = process(it)
    it.fence("compute-0", history=False)
    run.run(300)
    assert reasons(run) == {Reason.FENCE_UNPROVEN}
    it.note_fencing(NodeName("compute-0"))
    run.run_to_rest()
    assert_recovered(run)


def test_without_quorum_hands_are_off_until_it_is_back() -> None:
    it = world(3)
    run = process(it)
    it.quorate = False
    it.fence("compute-0")
    run.run(120)
    assert set(run.wire.calls) == {"observe"}
    it.quorate = True
    run.run_to_rest()
    assert_recovered(run)


@pytest.mark.parametrize("down_s", [0.0, 1.0, 3.0, 8.0, 15.0])
def test_nova_may_go_down_at_any_moment_and_is_left_alone_meanwhile(down_s: float) -> None:
    it = world(5, limit=2)
    run = process(it)
    it.fence("compute-0")
    run.run(down_s)
    it.nova_down = True
    before = len([call for call in run.wire.calls if call != "observe"])
    run.run(600)
    asked = len([call for call in run.wire.calls if call != "observe"]) - before
    assert asked <= 600 / 2 + 10
    assert Reason.CLOUD in reasons(run)
    it.nova_down = False
    run.run_to_rest()
    assert_recovered(run)
    assert {i.posts for i in it.instances.values()} == {1}


def test_a_nova_slower_than_our_polls_is_still_given_work() -> None:
    it = world(4, 4, limit=2)
    run = Process(it, repeat(Fault.SLOW), Policy(max_in_flight=2))
    it.fence("compute-0")
    it.fence("compute-1")
    run.run(240, run.at_rest)
    assert_recovered(run)


def test_a_service_that_vanished_from_nova_keeps_no_other_host_waiting() -> None:
    it = world(2, 2)
    run = process(it, *[Fault.NONE] * 14)
    it.fence("compute-0")
    run.run(1.0)
    it.services.pop(host("compute-0"))
    run.reconciler.memory = replace(run.reconciler.memory, services=None)
    it.fence("compute-1")
    run.run(2.0)
    assert Reason.HOST_UNKNOWN in reasons(run)
    run.run(58)
    assert left_on_is_empty(it, "compute-1")
    assert run.wire.calls.count("services") < 60
    run.run_to_rest()
    assert_recovered(run)


def test_a_host_that_died_before_it_registered_is_let_go_and_registers() -> None:
    it = world(0, 2)
    it.services.pop(host("compute-0"))
    run = process(it)
    it.fence("compute-0")
    it.fence("compute-1")
    run.run(6.0)
    assert Reason.HOST_UNKNOWN in reasons(run)
    run.run(120.0, run.at_rest)
    assert_recovered(run)
    new = it.services[host("compute-0")]
    assert (new.enabled, new.forced_down) == (True, False)


def test_a_host_that_was_removed_from_nova_while_it_was_held_is_let_go() -> None:
    it = world(1, 0)
    run = process(it)
    it.fence("compute-0")
    run.run(120.0, lambda: left_on_is_empty(it, "compute-0"))
    it.services.pop(host("compute-0"))
    run.run(120.0, run.at_rest)
    assert_recovered(run)
    new = it.services[host("compute-0")]
    assert (new.enabled, new.forced_down) == (True, False)


def test_a_host_that_was_renamed_is_recovered_when_host_map_says_so() -> None:
    it = world(2, 1)
    it.back_s = 600.0
    node = NodeName("compute-0")
    run = process(it)
    it.fence(node)
    renamed = it.services.pop(host(node))
    it.nodes[node].host = ComputeHost("cmp-0")
    it.services[ComputeHost("cmp-0")] = replace(renamed, host=ComputeHost("cmp-0"))
    for instance in it.instances.values():
        if instance.host == host(node):
            instance.host = ComputeHost("cmp-0")
    run.run(30.0)
    assert Reason.HOST_UNKNOWN in reasons(run)
    mended = Process(it, (), Policy(host_map={node: ComputeHost("cmp-0")}))
    mended.run(60.0, lambda: not any(i.host == "cmp-0" for i in it.instances.values()))
    assert not any(i.host == "cmp-0" for i in it.instances.values())


def test_a_host_that_nova_will_not_force_down_keeps_no_other_host_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = world(2, 2)
    honest = it.set_forced_down

    def refusing(of: ComputeHost, *, forced_down: bool) -> Service:
        if of == host("compute-0"):
            msg = "no such service"
            raise CloudRefused(msg, 404)
        return honest(of, forced_down=forced_down)

    monkeypatch.setattr(it, "set_forced_down", refusing)
    run = process(it)
    it.fence("compute-0")
    it.fence("compute-1")
    run.run(60)
    assert left_on_is_empty(it, "compute-1")
    (hold,) = [hold for hold in run.journal.held if hold.reason is Reason.BLOCKED]
    assert "no such service" in hold.text
    monkeypatch.undo()
    run.run_to_rest()
    assert_recovered(run)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no instance go back to its host, which here is there again at once."""
    monkeypatch.setattr(fates, "TRIES_BEFORE_ITS_HOST", 1000)


@pytest.mark.usefixtures("patient")
def test_instances_that_nova_chokes_on_keep_no_other_waiting_and_are_shown() -> None:
    it = world(20, limit=4)
    for number in range(8):
        it.instances[ServerId(f"compute-0-vm-{number}")].chokes = True
    run = process(it)
    it.fence("compute-0")
    run.run(200)
    assert len(left_on(it, "compute-0")) == 8
    run.run(200, lambda: Reason.BLOCKED in reasons(run))
    assert Reason.BLOCKED in reasons(run)
    for instance in it.instances.values():
        instance.chokes = False
    run.run_to_rest()
    assert_recovered(run)


@pytest.mark.usefixtures("patient")
def test_failed_evacuations_are_tried_again_for_ever_less_and_less_often() -> None:
    it = world(3)
    it.instances[ServerId("compute-0-vm-1")].outcomes = ["failed", "error"] * 6
    run = process(it)
    it.fence("compute-0")
    run.run_to_rest()
    assert_recovered(run)
    assert it.instances[ServerId("compute-0-vm-1")].posts == 13
    assert it.now_s > 30 * 2**6


def test_an_instance_that_a_person_evacuates_meanwhile_is_not_joined() -> None:
    it = world(2)
    stuck = it.instances[ServerId("compute-0-vm-0")]
    stuck.outcomes = ["failed"]
    run = process(it)
    it.fence("compute-0")
    run.run(20)
    it.later(13.0, lambda: it.evacuate(stuck.id))
    run.run_to_rest()
    assert_recovered(run)
    assert stuck.posts == 2


def test_an_instance_that_is_deleted_while_blocked_is_forgotten_at_its_next_try() -> None:
    it = world(2)
    it.instances[ServerId("compute-0-vm-0")].refusals = ["locked"] * 99
    it.back_s = 9999
    run = process(it)
    it.fence("compute-0")
    run.run(60)
    del it.instances[ServerId("compute-0-vm-0")]
    run.run(200, lambda: not it.receipts)
    record = it.recoveries[NodeName("compute-0")]
    assert isinstance(record, Recovery)
    assert record.phase == "returning"


def test_a_host_that_is_back_serves_what_nova_refuses_to_move() -> None:
    it = world(2)
    it.instances[ServerId("compute-0-vm-0")].refusals = ["vTPM"] * 99
    run = process(it)
    it.fence("compute-0")
    run.run(600, run.at_rest)
    assert run.at_rest()
    assert it.violations == []
    assert left_on(it, "compute-0") == ["compute-0-vm-0"]


@pytest.mark.parametrize("second_s", [0.1, 1.0, 3.0, 5.0, 8.0, 13.0, 16.0, 18.0, 25.0])
def test_a_second_fencing_at_any_moment_is_taken_up_and_ends_the_same(second_s: float) -> None:
    it = world(3)
    run = process(it)
    it.fence("compute-0")
    run.run(second_s)
    it.fence("compute-0")
    run.run_to_rest()
    assert_recovered(run)
    state = it.services[host("compute-0")]
    assert (state.enabled, state.forced_down) == (True, False)


@pytest.mark.parametrize("broken", ["delete_receipt", "delete_hold"])
@pytest.mark.parametrize("again", [False, True])
def test_a_release_broken_off_between_its_changes_is_finished(broken: str, *, again: bool) -> None:
    it = world(2)
    run = process(it)
    it.fence("compute-0")
    run.run(60, lambda: broken in run.wire.calls)
    index = run.wire.calls.index(broken)
    it = world(2)
    run = process(it, *[Fault.NONE] * index, Fault.KILL_BEFORE)
    it.fence("compute-0")
    run.run(60, lambda: run.starts > 1)
    if again:
        it.fence("compute-0")
    run.run_to_rest()
    assert_recovered(run)


def test_the_first_change_without_an_answer_ends_the_changes_of_its_cycle() -> None:
    it = world(1, 1)
    run = process(it)
    it.fence("compute-0")
    it.fence("compute-1")
    it.advance(0.4)
    it.later(0.24, lambda: setattr(it, "nova_down", True))
    run.step()
    assert touched(run) == ["force_down"]
    it.nova_down = False
    run.run_to_rest()
    assert_recovered(run)


def test_each_action_is_journalled_with_its_outcome() -> None:
    it = world(1)
    run = process(it)
    it.fence("compute-0")
    run.run_to_rest()
    outcomes = [(type(action), outcome) for action, outcome in run.journal.actions]
    assert outcomes[:5] == [
        (BeginRecovery, "done"),
        (ForceDown, "done"),
        (Evacuate, "sent"),
        (Disable, "done"),
        (Evacuate, "accepted"),
    ]
    assert [kind for kind, _ in outcomes[5:]] == [Release, ForceUp, Enable, EndRecovery]


@pytest.mark.parametrize(
    ("reason", "wait_s"),
    [
        (Reason.FENCE_PENDING, 0.2),
        (Reason.IN_FLIGHT, 1.0),
        (Reason.ASKING, 1.0),
        (Reason.CLOUD, 2.0),
        (Reason.RECORDS_OPEN, 2.0),
        (Reason.HOST_OFF, 5.0),
        (Reason.BLOCKED, 5.0),
    ],
)
def test_the_next_cycle_comes_as_soon_as_what_is_held_needs_it(
    reason: Reason, wait_s: float
) -> None:
    run = process(world(0))
    assert run.reconciler.wait_s((Hold("x", reason, ""),), 5.0) == wait_s
    assert run.reconciler.wait_s((), 5.0) == 5.0
    assert run.reconciler.wait_s((Hold("x", reason, ""),), 0.1) == 0.1
