"""The books of the fake driver count for the boot that they were written in, and no other."""

import json
import os
from pathlib import Path

import pytest
from testcloud.referee import running_by_books

SERVER = "9d0f1a52-0000-4000-8000-000000000001"
NOTED_S = 1_700_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a node whose driver says that one guest runs and another does not."""
    guests = {SERVER: {"state": 1}, "stopped": {"state": 4}}
    (tmp_path / "guests.json").write_text(json.dumps({"boot_id": "b1", "guests": guests}))
    (tmp_path / "boot-id").write_text("b1")
    os.utime(tmp_path / "boot-id", (NOTED_S, NOTED_S))
    return tmp_path


def test_what_the_books_of_this_boot_say_runs(folder: Path) -> None:
    assert running_by_books(folder, NOTED_S - 0.2) == [SERVER]


def test_a_boot_that_has_not_noted_its_id_yet_runs_nothing_of_the_one_before(folder: Path) -> None:
    assert running_by_books(folder, NOTED_S + 30.0) == []


def test_a_new_boot_id_makes_the_books_void(folder: Path) -> None:
    (folder / "boot-id").write_text("b2")
    assert running_by_books(folder, NOTED_S) == []


def test_a_node_that_never_ran_a_guest_has_no_books(tmp_path: Path) -> None:
    assert running_by_books(tmp_path, NOTED_S) == []
