"""Who may import whom: the house plan, checked on every module's syntax tree."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIB = ROOT / "lib"

STDLIB = frozenset(sys.stdlib_module_names)
PURE = frozenset(
    {"abc", "collections", "dataclasses", "enum", "fnmatch", "functools", "heapq", "hashlib"}
)
PURE |= {"itertools", "math", "operator", "re", "textwrap", "types", "typing"}
FOUNDATION = frozenset({"errors", "core"})
ANY = frozenset({"*"})


@dataclass(frozen=True)
class Layer:
    """What one part of the package may import.

    ours: parts of novaha beside itself; "*" for all. stdlib: modules of the standard library.
    outside: distributions that are neither.
    """

    ours: frozenset[str] = FOUNDATION
    stdlib: frozenset[str] = STDLIB
    outside: frozenset[str] = frozenset()


LAYERS = {
    "errors": Layer(ours=frozenset(), stdlib=PURE),
    "core": Layer(ours=frozenset({"errors"}), stdlib=PURE),
    "ports": Layer(ours=FOUNDATION, stdlib=PURE),
    "app": Layer(ours=FOUNDATION | {"ports"}),
    "adapters": Layer(
        ours=FOUNDATION | {"ports"},
        outside=frozenset({"openstack", "keystoneauth1", "lxml", "yaml", "requests"}),
    ),
    "sim": Layer(ours=FOUNDATION | {"ports", "app"}),
    "params": Layer(),
    "ocf": Layer(ours=FOUNDATION | {"params"}),
    "fencing": Layer(ours=FOUNDATION | {"params"}),
    "specs": Layer(ours=FOUNDATION | {"ocf", "fencing", "params"}),
    "cib": Layer(ours=FOUNDATION | {"specs", "params"}, outside=frozenset({"lxml"})),
    "migrate": Layer(ours=FOUNDATION | {"cib"}, outside=frozenset({"lxml"})),
    "rundir": Layer(),
    "supervise": Layer(ours=FOUNDATION | {"rundir", "ocf"}),
    "clouds": Layer(ours=frozenset({"ocf"}), outside=frozenset({"yaml"})),
    "hold": Layer(ours=FOUNDATION | {"ocf"}),
    "saidpolicy": Layer(ours=FOUNDATION | {"params", "specs"}),
    "held": Layer(ours=FOUNDATION | {"hold", "adapters"}),
    # Composition roots: they put the others together and decide nothing.
    "daemon": Layer(ours=ANY),
    "cli": Layer(ours=ANY),
    "agents": Layer(ours=ANY),
    "fence": Layer(ours=ANY),
}


def imported(source: str, module: str) -> Iterator[str]:
    """Yield the absolute name of everything a module imports, late imports included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.rsplit(".", node.level)[0] if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            if name == "novaha":
                yield from (f"novaha.{alias.name}" for alias in node.names)
            else:
                yield name


def complaint(part: str, name: str) -> str | None:
    """Say what is wrong with one import of one part, or None."""
    layer = LAYERS.get(part)
    if layer is None:
        return f"novaha.{part} has no layer: give it one in {Path(__file__).name}"
    top, _, rest = name.partition(".")
    if top == "novaha":
        target = rest.split(".", 1)[0]
        allowed = target in layer.ours | {part} or "*" in layer.ours or target == ""
    elif top in STDLIB:
        allowed = top in layer.stdlib
    else:
        allowed = top in layer.outside
    return None if allowed else f"{part} must not import {name}"


def complaints(part: str, module: str, source: str) -> list[str]:
    """Return every forbidden import of a module's source."""
    found = (complaint(part, name) for name in imported(source, module))
    return sorted({f"{module}: {text}" for text in found if text})


def modules() -> Iterator[tuple[str, str, Path]]:
    """Yield (part, dotted module name, file) for all that is installed on a node."""
    for path in sorted((LIB / "novaha").rglob("*.py")):
        relative = path.relative_to(LIB).with_suffix("")
        if relative.parts[1:] != ("__init__",):
            yield relative.parts[1], ".".join(relative.parts), path
    for folder in ("agents", "fence"):
        for path in sorted((ROOT / folder).iterdir()):
            if path.is_file() and path.suffix != ".md":
                yield folder, path.name, path


def test_every_module_imports_only_what_its_layer_allows() -> None:
    found = [
        text for part, name, path in modules() for text in complaints(part, name, path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("core", "import time"),
        ("core", "from novaha.adapters import cib"),
        ("core", "def late():\n    import subprocess"),
        ("core", "from novaha import adapters"),
        ("core", "from ..adapters import cib"),
        ("ports", "import openstack"),
        ("app", "from novaha.adapters.command import run"),
        ("app", "import yaml"),
        ("adapters", "from novaha.app.cycle import run_cycle"),
        ("sim", "from novaha.adapters import nova"),
        ("ocf", "from novaha.specs.nova_evacuate import SPEC"),
        ("fencing", "import lxml.etree"),
        ("specs", "from novaha.adapters import cib"),
        ("rundir", "from novaha.ocf.codes import Rc"),
        ("supervise", "import openstack"),
        ("newcomer", "import os"),
    ],
)
def test_a_forbidden_import_is_found(part: str, source: str) -> None:
    assert complaints(part, f"novaha.{part}.sample", source) != []


def test_an_allowed_import_is_let_through() -> None:
    source = (
        "import re\nfrom novaha.core.names import NodeName\nfrom novaha.errors import NovaHaError"
    )
    assert complaints("core", "novaha.core.sample", source) == []
