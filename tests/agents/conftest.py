"""Fixtures of the tests that run the real executables."""

import shutil
import syslog
from collections.abc import Iterator
from pathlib import Path

import pytest
from agentnode import ROOT, Node


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the library with the stand-in as its recovery process."""
    library = tmp_path_factory.mktemp("library")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lib/novaha", library / "novaha", ignore=ignore)
    shutil.copy(ROOT / "tests/helpers/standin.py", library / "novaha/daemon.py")
    return library


@pytest.fixture
def node(tmp_path: Path, library: Path) -> Iterator[Node]:
    """Return a node; whatever runs on it at the end of the test is stopped."""
    node = Node(tmp_path, library)
    yield node
    stopped = node.run("agents/NovaEvacuate", "stop")
    assert (stopped.rc, stopped.reason) == (0, "")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is written into the system's log, as it comes."""
    lines: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda _, text: lines.append(text))
    return lines
