"""A power cut of a whole site: who is fenced, with the grace and without it."""

from dataclasses import replace
from pathlib import Path

import pytest
from novaha.core.coldstart import Beginning
from novaha.core.reasons import Reason
from novaha.sim.scenario import load
from novaha.sim.seeds import play, violations
from novaha.sim.spec import Event, Outcome

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def played(name: str) -> Outcome:
    scenario = load(SCENARIOS / name)
    return play(scenario.spec, scenario.script)


def fenced(outcome: Outcome) -> set[str]:
    """Return the nodes whose fencing succeeded."""
    beginning = "the fencing of "
    texts = (line.text for line in outcome.trace if line.text.startswith(beginning))
    return {text.removeprefix(beginning).split()[0] for text in texts}


def test_of_a_hundred_hosts_none_is_fenced_and_no_instance_leaves_its_host() -> None:
    outcome = played("cold-start-100-hosts")
    assert fenced(outcome) == set()
    assert outcome.accepted.total() == 0
    assert violations(outcome) == ()
    scenario = load(SCENARIOS / "cold-start-100-hosts")
    assert outcome.hosts == {each.id: each.node for each in scenario.spec.instances}


def test_without_the_grace_hosts_that_are_merely_late_are_fenced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "cold-start-late-and-lost"
    assert fenced(played(name)) == {"compute-3"}
    monkeypatch.setattr(Beginning, "late", lambda *_: frozenset())
    assert "compute-2" in fenced(played(name))


def test_too_many_that_never_come_are_a_storm_when_the_grace_is_over() -> None:
    scenario = load(SCENARIOS / "cold-start-100-hosts")
    never = [Event(1.0, "stay-off", (f"c-{number:03}",)) for number in range(1, 11)]
    events = tuple(sorted((*never, *scenario.script.events), key=lambda event: event.at_s))
    outcome = play(scenario.spec, replace(scenario.script, events=events))
    assert fenced(outcome) == set()
    shown = {hold.subject for hold in outcome.holds if hold.reason is Reason.STORM_BRAKE}
    assert shown == {f"c-{number:03}" for number in range(1, 11)}
