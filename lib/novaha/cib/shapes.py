"""The keys of an inventory and what each must be; docs/cib.md is drawn from this table."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from novaha.cib.lines import Path
from novaha.cib.profiles import PROFILES
from novaha.core.storage import MEANINGS, WORDS, Storage

__all__ = ["ROOT", "Any", "Key", "Problem", "of_syntax", "problems", "rows"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}")
_AGENT = re.compile(r"(?:ocf:[a-z0-9_-]+|lsb|systemd|service):[A-Za-z0-9@._-]+")
_FENCE_AGENT = re.compile(r"fence_[a-z0-9_]+")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong, and on which line."""

    line: int
    text: str

    def __str__(self) -> str:
        """Return it as it is shown."""
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True)
class Key:
    """One key of a table: its meaning, and what its value must be.

    wrong: says what is accepted when a value is not. below: the keys of a table, of each table of
    an array (is_array), or of each member of a table with free names (is_named).
    """

    name: str
    text: str
    accepted: str
    fits: Callable[[Any], bool]
    required: bool = False
    default: str = ""
    below: "tuple[Key, ...]" = ()
    is_array: bool = False
    is_named: bool = False


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_table, value))


def _is_options(value: object) -> bool:
    return isinstance(value, dict) and all(
        _KIND.fullmatch(name) and (_is_text(each) or isinstance(each, int))
        for name, each in value.items()
    )


def _is_kinds(value: object) -> bool:
    return isinstance(value, dict) and all(map(_KIND.fullmatch, value))


def _is_groups(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(names, list) and names != [] and all(isinstance(name, str) for name in names)
        for names in value.values()
    )


def _is_levels(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(level, list) and level != [] and all(isinstance(kind, str) for kind in level)
        for level in value
    )


OPTIONS = "a table of texts, numbers, true or false"
LEVELS = "a list of lists of names under fence"
_NODE = (
    Key("name", "the node's name in Pacemaker", "a node name", _matches(_NAME), required=True),
    Key("levels", "its own levels", LEVELS, _is_levels, default="the common ones"),
    Key(
        "fence",
        "options of its own devices, by kind; for a shared one `plug`",
        "tables of options by kind",
        lambda value: _is_kinds(value) and all(map(_is_options, value.values())),
    ),
)
_COMPUTE = (
    Key(
        "address",
        "where its pacemaker_remote answers",
        "an address",
        _matches(_ADDRESS),
        required=True,
    ),
    Key(
        "nova_host",
        "its name in Nova, where that is another one",
        "a host name",
        _matches(_NAME),
        default="the name",
    ),
)
_FENCE = (
    Key("agent", "its fence agent", "fence_...", _matches(_FENCE_AGENT), required=True),
    Key("options", "options of all devices of this kind", OPTIONS, _is_options),
    Key("shared", "one device for all nodes", "true or false", _is_bool, default="false"),
    Key(
        "password_in_cib",
        "allow a password in the CIB",
        "true or false",
        _is_bool,
        default="false",
    ),
)
ROOT = (
    Key("cloud", "name of the cloud in clouds.yaml", "a text", _is_text, required=True),
    Key(
        "storage",
        "where image-booted instances have their disks: "
        + "; ".join(f"{word}, {text}" for word, text in MEANINGS.items()),
        WORDS,
        lambda value: isinstance(value, str) and value in set(Storage),
        required=True,
    ),
    Key(
        "profile",
        "timings",
        " or ".join(PROFILES),
        lambda value: isinstance(value, str) and value in PROFILES,
        default="default",
    ),
    Key(
        "nova_compute",
        "the agent that starts nova-compute",
        "a resource agent such as systemd:nova-compute",
        _matches(_AGENT),
        default="systemd:nova-compute",
    ),
    Key(
        "levels",
        "kinds of devices of each fencing level, in order; fence_nova is added",
        LEVELS,
        _is_levels,
        required=True,
    ),
    Key(
        "fence",
        "kinds of fence devices, each a table",
        "tables by kind (a letter, then letters, digits, _ or -)",
        _is_kinds,
        required=True,
        below=_FENCE,
        is_named=True,
    ),
    Key(
        "controller",
        "one table for each full cluster node",
        "[[controller]] tables",
        _is_tables,
        required=True,
        below=_NODE,
        is_array=True,
    ),
    Key(
        "compute",
        "one table for each compute",
        "[[compute]] tables",
        _is_tables,
        required=True,
        below=(*_NODE, *_COMPUTE),
        is_array=True,
    ),
    Key(
        "fail_counts",
        "false: failures ban nothing, and the scheduler is faster (docs/scale.md)",
        "true or false",
        _is_bool,
        default="true",
    ),
    Key("evacuate", "parameters of NovaEvacuate", OPTIONS, _is_options),
    Key("unfence", "parameters of NovaComputeUnfence", OPTIONS, _is_options),
    Key(
        "gate",
        "parameters of fence_nova_gate (storm-brake.md), then the first device of each level of a"
        " compute; its wait is a second longer than the monitor interval if you do not say it",
        OPTIONS,
        _is_options,
        default="no storm brake",
    ),
    Key(
        "groups",
        "what fails together, each a rack, a switch or an aggregate: for the limits of the gate",
        "a table of lists of names of computes",
        _is_groups,
        default="none",
    ),
)


def problems(
    table: Mapping[str, Any], keys: tuple[Key, ...], path: Path
) -> Iterator[tuple[Path, str]]:
    """Yield the place and the text of everything in a table that has the wrong shape."""
    where = f" in {_shown(path)}" if path else ""
    known = {key.name: key for key in keys}
    for name in table.keys() - known.keys():
        yield (*path, name), f"unknown key {name!r}{where}; expected one of {', '.join(known)}"
    for name, key in known.items():
        if name not in table:
            if key.required:
                yield path, f"{name} is missing{where}: {key.text}"
        elif not key.fits(table[name]):
            yield (*path, name), f"{name}{where} must be {key.accepted}"
        else:
            yield from _below(table[name], key, (*path, name))


def _below(value: Any, key: Key, path: Path) -> Iterator[tuple[Path, str]]:  # noqa: ANN401
    members = enumerate(value) if key.is_array else value.items() if key.is_named else ()
    for name, member in members:
        if isinstance(member, dict):
            yield from problems(member, key.below, (*path, name))
        else:
            yield (*path, name), f"{name} in {_shown(path)} must be a table"


def of_syntax(error: tomllib.TOMLDecodeError) -> Problem:
    """Return what tomllib said, with the line that it put into its text."""
    match = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
    text = str(error)[: match.start()] if match else str(error)
    return Problem(int(match[1]) if match and match[1] else 1, text)


def rows(keys: tuple[Key, ...] = ROOT, place: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield (key, value, default, meaning) of every key, for the reference."""
    for key in keys:
        default = "required" if key.required else key.default
        yield place + key.name, key.accepted, default, key.text
        inner = f"{place}{key.name}." + ("<kind>." if key.is_named else "")
        yield from rows(key.below, inner)


def _shown(path: Path) -> str:
    return ".".join(str(word + 1) if isinstance(word, int) else word for word in path)
