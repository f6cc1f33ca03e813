"""One line for each action, and for the beginning and the end of each hold."""

import logging

import pytest
from novaha.adapters.journal import LogJournal
from novaha.core.actions import (
    Action,
    AddToAggregate,
    BeginRecovery,
    Disable,
    DropHold,
    Enable,
    EndRecovery,
    Evacuate,
    ForceDown,
    ForceUp,
    Hold,
    Release,
    RemoveFromAggregate,
    SetUse,
)
from novaha.core.names import ComputeHost, ServerId
from novaha.core.reasons import Reason
from novaha.core.segments import Aggregate, Use
from worlds import HOST, mark, recovery, service

SPARE = ComputeHost("spare-1")
RACK = Aggregate(3, "rack-1")
ACTIONS: list[tuple[Action, str]] = [
    (BeginRecovery(recovery()), "node=compute-1 host=compute-1 receipt=0123456789ab"),
    (EndRecovery(recovery()), "node=compute-1 host=compute-1 receipt=0123456789ab"),
    (Release(recovery(), None), "node=compute-1 host=compute-1 receipt=0123456789ab"),
    (DropHold(mark()), "node=compute-1 receipt=0123456789ab"),
    (Evacuate(ServerId("vm-1"), HOST), "server=vm-1 host=compute-1"),
    (ForceDown(service()), "host=compute-1"),
    (ForceUp(service()), "host=compute-1"),
    (Enable(service()), "host=compute-1"),
    (Disable(service(), "why"), "host=compute-1"),
    (Evacuate(ServerId("vm-1"), HOST, to=SPARE), "server=vm-1 host=compute-1 to=spare-1"),
    (SetUse(RACK, SPARE, Use(HOST)), "host=spare-1 segment=rack-1 value=taking:compute-1"),
    (SetUse(RACK, SPARE, None), "host=spare-1 segment=rack-1 value=true"),
    (AddToAggregate(RACK, SPARE), "host=spare-1 aggregate=rack-1"),
    (RemoveFromAggregate(RACK, SPARE), "host=spare-1 aggregate=rack-1"),
]


@pytest.mark.parametrize(("action", "text"), ACTIONS)
def test_each_action_says_what_it_is_about(
    caplog: pytest.LogCaptureFixture, action: Action, text: str
) -> None:
    caplog.set_level(logging.INFO)
    LogJournal().action(action, "done")
    assert caplog.messages == [f"action={type(action).__name__} {text} outcome=done"]


def test_an_action_that_went_wrong_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    LogJournal().action(ForceDown(service()), "refused: no (409)")
    LogJournal().action(ForceDown(service()), "done")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_hold_is_told_when_it_begins_and_when_it_ends_and_not_between(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    journal = LogJournal()
    journal.holds((Hold("compute-1", Reason.HOST_OFF, "is off"),))
    journal.holds((Hold("compute-1", Reason.HOST_OFF, "is off for 5 s"),))
    journal.holds(())
    journal.holds((Hold("compute-1", Reason.NO_REAL_DEVICE, "no device"),))
    assert caplog.messages == [
        "hold=host-off subject=compute-1 is off",
        "hold=host-off subject=compute-1 over",
        "hold=no-real-device subject=compute-1 no device",
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "WARNING"]
