"""The incident report of a simulation."""

import json
from collections import Counter

from novaha.core.actions import Hold
from novaha.core.names import ComputeHost, ServerId
from novaha.core.reasons import Reason
from novaha.sim.report import as_json, report
from novaha.sim.spec import Outcome, TraceLine, Violation
from worlds import service

VM_1, VM_2 = ServerId("vm-1"), ServerId("vm-2")
OUTCOME = Outcome(
    trace=[
        TraceLine(10.0, "cluster", "compute-1 crashes"),
        TraceLine(1013.25, "nova-ha", "compute-1: FENCING -> EVACUATING"),
    ],
    violations=[Violation("L2", 12.5, "vm-1 runs twice")],
    ended_s=1062.04,
    calm=True,
    hosts={VM_1: "compute-2", VM_2: ""},
    accepted=Counter({VM_1: 2}),
    services=(
        service(ComputeHost("compute-1")),
        service(ComputeHost("compute-2"), enabled=False, disabled_reason="disk", forced_down=True),
    ),
    holds=(Hold("vm-2", Reason.BLOCKED, "no valid host"),),
)


def test_a_report_has_a_line_for_each_event_and_a_summary() -> None:
    assert report(OUTCOME) == (
        "0010.000  cluster   compute-1 crashes\n"
        "1013.250  nova-ha   compute-1: FENCING -> EVACUATING\n"
        "end at 1062 s: nothing is left to recover, or its rest is shown\n"
        "instances\n"
        "  vm-1        on compute-2, 2 requests accepted\n"
        "  vm-2        deleted, 0 requests accepted\n"
        "services\n"
        "  compute-1   enabled\n"
        "  compute-2   disabled, disk, forced down\n"
        "still shown\n"
        "  vm-2        blocked: no valid host\n"
        "violations\n"
        "  L2          at 12.5 s: vm-1 runs twice\n"
    )


def test_an_outcome_with_nothing_says_so() -> None:
    text = report(Outcome())
    assert text == (
        "end at 0 s: not at rest\ninstances\n  none\nservices\n  none\n"
        "still shown\n  nothing\nviolations\n  none\n"
    )


def test_the_json_has_what_the_text_has() -> None:
    content = json.loads(as_json(OUTCOME))
    assert content["trace"][0] == {"at_s": 10.0, "who": "cluster", "text": "compute-1 crashes"}
    assert content["instances"]["vm-1"] == {"host": "compute-2", "accepted": 2}
    assert content["instances"]["vm-2"] == {"host": "", "accepted": 0}
    assert content["services"] == {
        "compute-1": "enabled",
        "compute-2": "disabled, disk, forced down",
    }
    assert content["shown"] == [{"subject": "vm-2", "code": "blocked", "text": "no valid host"}]
    assert content["violations"] == [{"law": "L2", "at_s": 12.5, "text": "vm-1 runs twice"}]
    assert content["calm"] is True
    assert content["ended_s"] == 1062.04
