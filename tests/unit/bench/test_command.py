from pathlib import Path

import pytest
from race import __main__ as command
from race import results
from race.plan import Heat
from race.results import Results


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plan", "many"], "'many' is not INSTANCESxROUNDS"),
        (["--contenders", "floor,nobody"], "no contender 'nobody'; there are floor, nova-ha"),
        (["--floor", "some"], "invalid int value"),
        (["--search", "8,0"], "'0' is no number of evacuations in flight"),
        (["--search", "8,"], "'' is no number of evacuations in flight"),
        (["--search", "8,-4"], "'-4' is no number of evacuations in flight"),
    ],
)
def test_bad_arguments_get_a_word_and_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_search_comes_first_unless_the_number_is_named() -> None:
    parsed = command.arguments_of(["--quick"])
    assert command.wanted(parsed)[0] == Heat(4, 1, "floor@1")
    assert command.wanted(command.arguments_of(["--quick", "--floor", "4"]))[0].contender == "floor"
    without = command.arguments_of(["--quick", "--contenders", "nova-ha"])
    assert command.wanted(without) == [Heat(4, 1, "nova-ha")]


def test_each_size_has_a_search_of_its_own() -> None:
    words = ["--plan", "4x1,9x1", "--contenders", "floor", "--search", "2,5"]
    wanted = [
        (heat.instances, heat.contender) for heat in command.wanted(command.arguments_of(words))
    ]
    of_a_size = ["floor@2", "floor@5", "floor"]
    assert wanted == [(size, name) for size in (4, 9) for name in of_a_size]


def test_a_report_is_written_beside_its_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "race.json"
    results.save(path, Results({"date": "today"}))
    assert command.main(["--report", "--out", str(path)]) == 0
    assert (tmp_path / "race.md").read_text() in capsys.readouterr().out


def test_a_file_that_is_none_of_ours_is_an_error_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "race.json"
    path.write_text("{}")
    assert command.main(["--report", "--out", str(path)]) == 1
    assert "bench: " in capsys.readouterr().err
