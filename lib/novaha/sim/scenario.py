"""A scenario: a folder with what goes wrong and the incident report that must come out of it.

README        one line: what goes wrong, and what must come of it
world.toml    computes, instances and the numbers that differ from the defaults
script        what happens, see sim/script.py
trace         the report that is expected, see sim/report.py
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from novaha.sim.script import Problem, Script, ScriptError, parse, render
from novaha.sim.spec import WorldSpec
from novaha.sim.worldfile import parse_world, render_world

T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """A scenario as it stands in its folder; trace: "" when none is there yet."""

    name: str
    readme: str
    spec: WorldSpec
    script: Script
    trace: str = ""


def load(folder: Path) -> Scenario:
    """Read a scenario; raises ScriptError with all problems of all its files."""
    problems: list[Problem] = []
    readme = _attempt(lambda: _readme(folder / "README"), problems)
    spec = _attempt(lambda: _world(folder / "world.toml"), problems)
    script = None
    if spec is not None:
        script = _attempt(lambda: _script(folder / "script", spec), problems)
    if problems or readme is None or spec is None or script is None:
        raise ScriptError(problems)
    trace = folder / "trace"
    expected = _text(trace) if trace.exists() else ""
    return Scenario(folder.name, readme, spec, script, expected)


def save(scenario: Scenario, folder: Path) -> None:
    """Write a scenario's folder, over what is there; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "README": scenario.readme + "\n",
        "world.toml": render_world(scenario.spec),
        "script": render(scenario.script),
        "trace": scenario.trace,
    }
    for name, text in parts.items():
        (folder / name).write_text(text, encoding="utf-8")


def folders(parent: Path) -> list[Path]:
    """Return the folders of all scenarios below a folder, by name; raises ScriptError for none."""
    found = sorted(p for p in parent.glob("*/") if p.name[0] not in "._") if parent.is_dir() else []
    if not found:
        raise ScriptError([Problem(str(parent), 0, "found no scenario, expected folders of them")])
    return found


def _readme(path: Path) -> str:
    text = _text(path).strip()
    if not text or "\n" in text:
        lines = len(text.splitlines())
        expected = "expected one: what goes wrong and what must come of it"
        raise ScriptError([Problem(str(path), 0, f"found {lines} lines, {expected}")])
    return text


def _world(path: Path) -> WorldSpec:
    return parse_world(_text(path), str(path))


def _script(path: Path, spec: WorldSpec) -> Script:
    return parse(_text(path), spec, str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        problem = Problem(str(path), 0, f"{reason}; expected a text")
        raise ScriptError([problem]) from error


def _attempt(read: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return read()
    except ScriptError as error:
        problems.extend(error.problems)
        return None
