"""Every scenario: its trace byte for byte, no broken law, and the same end with a kill anywhere."""

from dataclasses import replace
from pathlib import Path

import pytest
from novaha.core.states import INSTANCE, RECOVERY
from novaha.sim.crash import crashes, points
from novaha.sim.report import report
from novaha.sim.scenario import Scenario, folders, load
from novaha.sim.seeds import play, violations
from novaha.sim.spec import Outcome

FOLDERS = folders(Path(__file__).parents[1] / "scenarios")
MANY = 40

ROWS = {(row.before.name, row.after.name) for row in (*RECOVERY, *INSTANCE)}

EXCUSED = {
    "bmc-lies": {"L1-bmc-lie", "L2-bmc-lie"},
    "autostart-of-nova-compute": {"L2-autostart"},
}
"""Scenarios that break a law which nobody can keep; their README says why."""

SAMPLED = 6
"""So many crash points of each are tried here; `nova-ha simulate --crash-points` tries all."""


def complaints(scenario: Scenario, outcome: Outcome) -> list[str]:
    """Return what is wrong with a run, other than its laws."""
    text = report(outcome)
    found = [] if scenario.trace.strip() else ["there is no expected trace"]
    found += ["the trace differs"] if text != scenario.trace else []
    return found + ([] if outcome.calm else ["it found no rest"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_scenario_ends_as_expected(folder: Path, request: pytest.FixtureRequest) -> None:
    scenario = load(folder)
    outcome = play(scenario.spec, scenario.script)
    if request.config.getoption("--update-scenarios"):
        (folder / "trace").write_text(report(outcome), encoding="utf-8")
        scenario = load(folder)
    assert violations(outcome) == ()
    assert {v.law for v in outcome.violations} == EXCUSED.get(folder.name, set())
    assert report(outcome) == scenario.trace
    assert complaints(scenario, outcome) == []
    assert outcome.changes.keys() <= ROWS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kill_anywhere_changes_nothing_of_the_end(folder: Path) -> None:
    scenario = load(folder)
    plain = play(scenario.spec, scenario.script)
    every = points(plain, scenario.script)
    first = FOLDERS.index(folder) % max(len(every) // SAMPLED, 1)
    chosen = every[first :: max(len(every) // SAMPLED, 1)]
    found = list(crashes(scenario.spec, scenario.script, plain, chosen))
    assert [(str(crash.point), crash.differences) for crash in found] == []


def test_there_are_many_scenarios() -> None:
    assert len(FOLDERS) >= MANY


@pytest.mark.parametrize("trace", ["", "\n", "another trace\n"])
def test_a_trace_that_is_missing_empty_or_another_is_a_complaint(trace: str) -> None:
    scenario = replace(load(FOLDERS[0]), trace=trace)
    assert complaints(scenario, play(scenario.spec, scenario.script)) != []
