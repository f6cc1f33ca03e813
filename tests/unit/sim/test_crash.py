"""Crash points: which there are, and what counts as another end."""

from collections import Counter
from dataclasses import replace

import pytest
from novaha.core.actions import Hold
from novaha.core.model import Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.reasons import Reason
from novaha.sim.crash import crashes, differences, points
from novaha.sim.script import Script
from novaha.sim.seeds import play
from novaha.sim.spec import Event, Instance, Outcome, Violation, WorldSpec

NODE = NodeName("compute-1")
VM = ServerId("vm-1")
SPEC = WorldSpec(
    (NODE, NodeName("compute-2"), NodeName("compute-3")), instances=(Instance(VM, NODE),)
)
SCRIPT = Script((Event(10.0, "crash", (NODE,)),), 600.0)
SERVICE = Service(
    "1",
    ComputeHost("compute-1"),
    enabled=True,
    disabled_reason="",
    forced_down=False,
    heartbeat="1",
)
PLAIN = Outcome(calm=True, hosts={VM: "compute-2"}, accepted=Counter({VM: 1}), services=(SERVICE,))


CALLS = Outcome(calls=["observe", "evacuate"])


def test_a_run_whose_script_loses_the_history_has_none_before_the_proof_is_kept() -> None:
    lost = Script((*SCRIPT.events, Event(20.0, "history", ("lost",))), 600.0)
    assert points(CALLS, lost) == []
    calls = Outcome(calls=["observe", "write-record", "evacuate"])
    assert [str(point) for point in points(calls, lost)] == [
        "after call 1 (write-record)",
        "before call 2 (evacuate)",
        "after call 2 (evacuate)",
    ]


def test_a_run_has_a_point_before_and_after_each_call() -> None:
    assert [str(point) for point in points(CALLS, SCRIPT)] == [
        "before call 0 (observe)",
        "after call 0 (observe)",
        "before call 1 (evacuate)",
        "after call 1 (evacuate)",
    ]


def test_another_destination_and_another_time_are_the_same_end() -> None:
    killed = replace(PLAIN, hosts={VM: "compute-3"}, ended_s=99.0)
    assert list(differences(SPEC, PLAIN, killed)) == []


@pytest.mark.parametrize(
    ("killed", "expected"),
    [
        (replace(PLAIN, hosts={VM: "compute-1"}), "vm-1 is on compute-1 and not on compute-2"),
        (replace(PLAIN, hosts={VM: ""}), "vm-1 is on no host and not on compute-2"),
        (replace(PLAIN, accepted=Counter({VM: 2})), "2 requests for vm-1 and not 1"),
        (
            replace(PLAIN, services=(replace(SERVICE, enabled=False),)),
            "compute-1 is disabled and not enabled",
        ),
        (replace(PLAIN, calm=False), "it is not at rest at the end"),
        (replace(PLAIN, violations=[Violation("L4", 1.0, "twice")]), "L4: twice"),
        (
            replace(PLAIN, holds=(Hold(VM, Reason.BLOCKED, "no host"),)),
            "shown is vm-1 blocked",
        ),
    ],
)  # fmt: skip
def test_what_differs_at_the_end_is_told(killed: Outcome, expected: str) -> None:
    assert list(differences(SPEC, PLAIN, killed)) == [expected]


def test_a_kill_anywhere_in_a_plain_recovery_changes_nothing_of_the_end() -> None:
    plain = play(SPEC, SCRIPT)
    every = points(plain, SCRIPT)
    assert "evacuate" in {point.call for point in every}
    assert list(crashes(SPEC, SCRIPT, plain, every)) == []
