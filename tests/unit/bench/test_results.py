import json
from collections.abc import Callable
from pathlib import Path

import pytest
from race import results
from race.results import Result, Results

Make = Callable[..., Result]


def test_what_is_saved_is_loaded(tmp_path: Path, heat: Make) -> None:
    kept = Results(
        {"date": "today"}, (heat("floor", 4.0), Result(4, 1, "classic", "", problem="?"))
    )
    results.save(tmp_path / "new" / "race.json", kept)
    loaded = results.load(tmp_path / "new" / "race.json")
    assert loaded == kept
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["race.json"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 0}', '{"format": 1, "results": [{}]}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "race.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"race\.json"):
        results.load(path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "race.json"
    path.write_text("# The race")
    with pytest.raises(ValueError, match=r"race\.json"):
        results.load(path)


def test_only_complete_heats_are_done(heat: Make) -> None:
    failed = Result(4, 2, "floor", "", active_s=(1.0,))
    found = Results({}, (heat("floor", 4.0), failed))
    assert found.done() == {heat("floor", 4.0).heat}


def test_a_heat_that_is_run_again_replaces_its_first_try(heat: Make) -> None:
    found = Results({}, (Result(4, 1, "floor", "", problem="broken"),))
    again = results.with_result(found, heat("floor", 4.0))
    assert [result.problem for result in again.results] == [""]


def test_the_file_says_which_format_it_is(tmp_path: Path) -> None:
    results.save(tmp_path / "race.json", Results({}))
    assert json.loads((tmp_path / "race.json").read_text())["format"] == results.FORMAT
