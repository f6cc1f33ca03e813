"""`nova-ha simulate`: exit codes, what it prints, and what bad input gets."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from novaha.cli import simulate_seeds
from novaha.cli.main import main
from novaha.sim import seeds
from novaha.sim.report import report
from novaha.sim.scenario import Scenario, load, save
from novaha.sim.script import Script
from novaha.sim.seeds import play, schedule
from novaha.sim.spec import Event, Outcome, Violation, WorldSpec

PLAIN = Path(__file__).parents[2] / "scenarios" / "crash-plain"


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    save(load(PLAIN), tmp_path / "all" / "crash-plain")
    return tmp_path / "all" / "crash-plain"


def simulate(*words: str | Path) -> int:
    return main(["simulate", *map(str, words)])


def breaking_law(word: str) -> object:
    """Return a `play` in which every script with a certain word breaks L4."""

    def broken(spec: WorldSpec, script: Script) -> Outcome:
        outcome = play(spec, script)
        if word in {event.word for event in script.events}:
            outcome.violations.append(Violation("L4", 1.0, "two requests"))
        return outcome

    return broken


def test_a_scenario_prints_its_trace(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(scenario) == 0
    assert capsys.readouterr().out == load(PLAIN).trace


def test_a_scenario_that_differs_says_so(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scenario / "trace").write_text("another\n")
    assert simulate(scenario, "--diff") == 1
    assert "-another\n" in capsys.readouterr().out


def test_a_scenario_without_trace_is_run_and_that_is_said(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scenario / "trace").unlink()
    assert simulate(scenario) == 0
    captured = capsys.readouterr()
    assert captured.out == load(PLAIN).trace
    assert "there is no expected trace" in captured.err


def test_all_scenarios_of_a_folder_get_a_line_each(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(load(scenario), scenario.parent / "second")
    (scenario.parent / "second" / "trace").write_text("another\n")
    assert simulate("--all", scenario.parent) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("same      crash-plain: ")
    assert second.startswith("DIFFERS   second: ")


def test_a_scenario_as_json(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(scenario, "--json") == 0
    assert json.loads(capsys.readouterr().out)["violations"] == []


def test_the_crash_points_of_a_scenario_are_counted(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate("--crash-points", scenario) == 0
    assert "crash points, 0 end otherwise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "expected one of: folders of scenarios, --all, --seeds A..B"),
        (["--seeds", "1..2", "--all"], "expected one of"),
        (["--seeds", "9..3"], "found '9..3', expected the lower seed first"),
        (["--seeds", "x"], "found 'x', expected two whole numbers such as 1..300"),
        (["--seeds=-3..3"], "found '-3..3', expected two whole numbers"),
        (["--seeds", "1..2..3"], "expected two whole numbers"),
        (["--seeds", "1.."], "expected two whole numbers"),
        (["--seeds", "0..999999999999"], "at most 100000000 seeds"),
        (["--seeds", "1..2", "--jobs", "0"], "--jobs: found '0', expected a whole number from 1"),
        (["--seeds", "1..2", "--jobs", "many"], "--jobs: found 'many'"),
        (["/nowhere"], "/nowhere/README: No such file or directory"),
        (["--all", "/nowhere"], "/nowhere: found no scenario"),
    ],
)
def test_bad_input_is_named(
    words: Sequence[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate(*words) == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert captured.out == ""


def test_a_script_with_an_unknown_word_is_bad_input(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scenario / "script").write_text("10s crahs compute-1\n")
    assert simulate(scenario) == 2
    assert f"{scenario}/script:1: found the unknown word 'crahs'" in capsys.readouterr().err


def test_seeds_are_played_and_summed(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("--seeds", "1..5") == 0
    out = capsys.readouterr().out
    assert out.startswith("5 schedules in ")
    assert "0 schedules broke a law" in out


def test_several_processes_come_to_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    contents = []
    for jobs in ("1", "2"):
        assert simulate("--seeds", "1..60", "--jobs", jobs, "--json") == 0
        contents.append(json.loads(capsys.readouterr().out))
        del contents[-1]["seconds"]
    assert contents[0] == contents[1]
    assert contents[0]["seeds"] == [1, 60]


def test_the_first_that_breaks_a_law_is_shrunk_and_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "play", breaking_law("kill"))
    assert simulate("--seeds", "1..20", "--save", tmp_path) == 1
    captured = capsys.readouterr()
    (folder,) = tmp_path.iterdir()
    saved = load(folder)
    assert [event.word for event in saved.script.events] == ["kill"]
    assert "L4" in saved.readme
    assert f"saved as {folder}" in captured.err
    assert "L4          at 1 s: two requests" in captured.out


def test_the_lowest_seed_is_the_one_that_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "play", breaking_law("kill"))
    tally = seeds.run(range(1, 40))
    first = next(n for n in range(1, 40) if "kill" in {e.word for e in schedule(n).script.events})
    shrunk = simulate_seeds.shrink_first(tally)
    assert shrunk.scenario.name == f"seed-{first}"
    assert shrunk.violation.law == "L4"


def test_a_broken_law_is_no_success_though_the_trace_is_as_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = load(PLAIN).spec
    script = Script((Event(1.0, "kill-now"),), 60.0)
    save(Scenario("s", "A kill.", spec, script, report(play(spec, script))), tmp_path / "s")
    assert simulate(tmp_path / "s") == 0
    monkeypatch.setattr("novaha.cli.simulate.play", breaking_law("kill-now"))
    assert simulate(tmp_path / "s") == 1
