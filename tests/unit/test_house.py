"""House rules that no linter knows: sizes, and no trace of one person's machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    *("agents", "bench", "containers", "crm-config", "docs", "fence", "lib", "packaging", "tests"),
    ".ci",
)
TOP_FILES = ("Makefile", "README.md", "pyproject.toml", "setup.py", "requirements-dev.txt")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_SCRIPT_LINES = 80
MACHINE_PATH = re.compile(r"/(?:work|home)/|/tmp/w\b")

REFERENCE = re.compile(r"`([a-z_]+(?:/[A-Za-z_]+)*\.py): (\w+)")


def texts() -> Iterator[tuple[Path, str]]:
    """Yield (path below the root, text) of each file that people write."""
    candidates = [ROOT / name for name in TOP_FILES]
    for folder in FOLDERS:
        candidates += sorted((ROOT / folder).rglob("*"))
    for path in candidates:
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def is_python(path: Path, text: str) -> bool:
    """Tell by suffix, or by the first line where there is none."""
    return path.suffix == ".py" or (not path.suffix and "python3" in text.split("\n", 1)[0])


def oversize(path: Path, text: str) -> Iterator[str]:
    """Yield what is too long in a file of Python."""
    lines = text.count("\n")
    limit = MAX_SCRIPT_LINES if path.parts[0] in {"agents", "fence"} else MAX_FILE_LINES
    if lines > limit:
        yield f"{path}: {lines} lines, at most {limit}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{path}: {node.name}() has {length} lines, at most {MAX_FUNCTION_LINES}"


def machine_paths(path: Path, text: str) -> list[str]:
    """Return the places that name a path of one machine."""
    return [
        f"{path}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]


def test_files_functions_and_agents_stay_small() -> None:
    found = [
        text
        for path, source in texts()
        if is_python(path, source)
        for text in oversize(path, source)
    ]
    assert found == []


def test_nothing_names_a_path_of_one_machine() -> None:
    this = Path(__file__).relative_to(ROOT)
    assert [
        hit for path, text in texts() if path != this for hit in machine_paths(path, text)
    ] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lib/novaha/long.py", "x = 1\n" * 401),
        ("agents/Long", "#!/usr/bin/python3\n" + "x = 1\n" * 80),
        ("lib/novaha/deep.py", "def deep() -> None:\n" + "    x = 1\n" * 50),
    ],
)
def test_an_oversized_sample_is_found(path: str, text: str) -> None:
    assert is_python(Path(path), text)
    assert list(oversize(Path(path), text)) != []


@pytest.mark.parametrize("text", ["LOG = '/work/main/log'", "cd /home/someone/nova-ha"])
def test_a_machine_path_is_found(text: str) -> None:
    assert machine_paths(Path("Makefile"), f"first\n{text}\n")[0].startswith("Makefile:2:")


def dead_references(text: str) -> list[str]:
    """Return each `file.py: name` of a page whose file, or whose name in it, does not exist."""
    found = []
    for file, name in REFERENCE.findall(text):
        paths = [ROOT / "lib" / "novaha" / file, ROOT / file, ROOT / "tests" / "model" / file]
        sources = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
        defined = re.compile(rf"^\s*(?:(?:def|class) {name}\b|{name} *[:=])", re.MULTILINE)
        if not any(map(defined.search, sources)):
            found.append(f"{file}: {name}")
    return found


def test_what_the_pages_say_of_where_something_is_decided_is_there() -> None:
    pages = [(path, text) for path, text in texts() if path.suffix == ".md"]
    assert sum(len(REFERENCE.findall(text)) for _, text in pages) > 0
    assert {str(path): dead for path, text in pages if (dead := dead_references(text))} == {}


def test_a_dead_reference_is_found() -> None:
    text = "in `core/decide.py: decide`, not in `core/decide.py: nowhere` or `core/no.py: decide`"
    assert dead_references(text) == ["core/decide.py: nowhere", "core/no.py: decide"]
