"""Other programs: argument lists, deadlines, and errors that say which program."""

import sys
from pathlib import Path

import pytest
from novaha.adapters.command import run
from novaha.errors import ClusterUnavailable


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_output_is_returned_and_the_input_given() -> None:
    assert run(python("print(input() * 2)"), timeout_s=20, stdin="ab\n") == "abab\n"


def test_a_failure_carries_the_code_and_the_last_line() -> None:
    code = "import sys; print('first\\nlast', file=sys.stderr); sys.exit(105)"
    with pytest.raises(ClusterUnavailable, match=r"failed \(105\): last$"):
        run(python(code), timeout_s=20)


def test_a_failure_without_a_word_is_still_told() -> None:
    with pytest.raises(ClusterUnavailable, match=r"\(3\): no message"):
        run(python("raise SystemExit(3)"), timeout_s=20)


def test_a_program_that_hangs_is_killed_at_its_deadline() -> None:
    with pytest.raises(ClusterUnavailable, match=r"did not end within 0\.2 s"):
        run(python("import time; time.sleep(60)"), timeout_s=0.2)


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(ClusterUnavailable, match="no-such-tool is not installed"):
        run(["no-such-tool"], timeout_s=1)


def test_a_program_that_may_not_be_started_is_named(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("text")
    with pytest.raises(ClusterUnavailable, match="tool cannot be started"):
        run([str(tool)], timeout_s=1)


def test_output_that_is_not_utf_8_is_no_crash() -> None:
    assert run(python(r"import os; os.write(1, b'\xff')"), timeout_s=20) == "�"
