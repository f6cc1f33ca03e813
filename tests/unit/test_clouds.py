"""clouds.yaml: all that can be wrong has its exit code and its next step; no secret shows."""

import os
from pathlib import Path

import pytest
from novaha import clouds
from novaha.ocf.codes import OK, Rc

GOOD = "clouds:\n  prod: {auth: {password: hunter2}}\n  test: {}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clouds.yaml"
    path.write_text(GOOD)
    path.chmod(0o600)
    return path


def test_a_good_file_is_accepted(path: Path) -> None:
    assert clouds.check(str(path), "prod") == OK


def test_a_missing_file_is_not_installed(tmp_path: Path) -> None:
    outcome = clouds.check(str(tmp_path / "none"), "prod")
    assert outcome.rc == Rc.NOT_INSTALLED
    assert "copy it to every controller" in outcome.reason


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    outcome = clouds.check(str(tmp_path), "prod")
    assert outcome.rc == Rc.NOT_INSTALLED
    assert "is not a file" in outcome.reason


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    outcome = clouds.check(str(path), "prod")
    assert outcome.rc == Rc.PERMISSION
    assert f"run: chmod 600 {path}" in outcome.reason


def test_a_file_of_another_owner_is_refused() -> None:
    outcome = clouds.protection("/c.yaml", os.geteuid() + 1, 0o600)
    assert outcome is not None
    assert outcome.rc == Rc.PERMISSION
    assert outcome.reason.endswith("run: chown root /c.yaml")


def test_a_wrong_name_is_told_with_the_names_there_are(path: Path) -> None:
    outcome = clouds.check(str(path), "prd")
    assert outcome.rc == Rc.ARGS
    assert outcome.reason == f"{path} has no cloud 'prd'; it has: prod, test"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no section 'clouds'"),
        ("clouds:\n", "has no section 'clouds'"),
        ("clouds: []\n", "has no section 'clouds'"),
        ("- a\n", "has no section 'clouds'"),
        ("just words", "has no section 'clouds'"),
        ("clouds:\n  prod: {password: *hunter2}\n", "line 2 is not valid YAML"),
        ("clouds: {prod: {password: hunter2\n", "is not valid YAML"),
        ("clouds: !hunter2 {}\n", "line 1 is not valid YAML"),
        ("a: \x01hunter2\n", "is not YAML text"),
        ("clouds:\n  prod: hunter2\n", "the entry of cloud 'prod' is no mapping"),
        ("clouds:\n  prod: 5\n", "the entry of cloud 'prod' is no mapping"),
        ("clouds:\n  prod:\n", "the entry of cloud 'prod' is no mapping"),
        ("clouds:\n  prod: [hunter2]\n", "the entry of cloud 'prod' is no mapping"),
    ],
)
def test_a_malformed_file_is_refused_without_a_word_of_its_content(
    path: Path, text: str, reason: str
) -> None:
    path.write_text(text)
    outcome = clouds.check(str(path), "prod")
    assert outcome.rc == Rc.ARGS
    assert reason in outcome.reason
    assert "hunter2" not in outcome.reason


def test_a_file_in_another_encoding_is_refused(path: Path) -> None:
    path.write_bytes(b"clouds: \xff\xfe\xff\n")
    assert clouds.check(str(path), "prod").rc == Rc.ARGS
