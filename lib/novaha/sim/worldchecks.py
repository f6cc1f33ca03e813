"""Checks of what a person wrote in world.toml: each problem with its line, all of them at once."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from novaha.sim.script import LONGEST_S, MOST, Problem, seconds

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
"""What nodes, instances and groups may be called."""

MOST_NODES = 200
"""More computes, or instances, than anybody reads a trace of."""

_QUOTED = 60
"""So much of a wrong value is quoted."""


class Checks:
    """Checks everything and keeps the problems; what is wrong is left at its default."""

    def __init__(self, text: str, file: str) -> None:
        """Begin without a problem."""
        self.lines = text.splitlines()
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, key: str, found: object, expected: str) -> None:
        """Note a problem at the line where the last part of a key stands."""
        last = re.escape(key.rsplit(".", 1)[-1])
        at = re.compile(rf"\s*(\[\s*([\w-]+\.)*)?[\"']?{last}[\"']?\s*[=\]]")
        line = next((n for n, text in enumerate(self.lines, 1) if at.match(text)), 0)
        self.problems.append(Problem(self.file, line, f"{key}: found {found}, expected {expected}"))

    def unknown(self, where: str, data: Mapping[str, object], known: tuple[str, ...]) -> None:
        """Note the keys that are not known."""
        for key in data:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.wrong(f"{where}{key}", "an unknown key", f"one of {joined(known)}{hint}")

    def table(self, key: str, data: Mapping[str, object]) -> Mapping[str, object]:
        """Return a table of the text."""
        return self.as_table(key, data.get(key, {}))

    def as_table(self, key: str, value: object) -> Mapping[str, object]:
        """Return what must be a table."""
        if isinstance(value, dict):
            return value
        self.wrong(key, repr(value), f"a table: [{key}]")
        return {}

    def names(self, key: str, value: object, least: int = 0) -> list[str]:
        """Return a list of different names."""
        if not isinstance(value, list) or not least <= len(value) <= MOST_NODES:
            expected = f"a list of {least} to {MOST_NODES} names"
            self.wrong(key, short(value), expected)
            return []
        good: list[str] = []
        for name in value:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                self.wrong(key, short(name), "names of small letters, digits, - and .")
            elif name in good:
                self.wrong(key, f"{name!r} twice", "each name once")
            else:
                good.append(name)
        return good

    def texts(self, key: str, value: object) -> dict[str, str]:
        """Return a table of texts, such as the metadata of an instance."""
        table = self.as_table(key, value)
        for name, text in table.items():
            if not isinstance(text, str):
                self.wrong(f"{key}.{name}", short(text), "a text")
        return {name: text for name, text in table.items() if isinstance(text, str)}

    def number(self, key: str, value: object) -> float:
        """Return a number of seconds above 0."""
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if good and isinstance(value, int | float) and 0 < value <= LONGEST_S:
            return float(value)
        self.wrong(key, short(value), f"a number above 0, at most {seconds(LONGEST_S)}")
        return 1.0

    def count(self, key: str, value: object) -> int:
        """Return a whole number, 1 or more."""
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
            return value
        self.wrong(key, short(value), f"a whole number from 1 to {MOST}")
        return 1


def short(value: object) -> str:
    """Return a value as a complaint quotes it."""
    text = repr(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def joined(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return " ".join(names) or "none (there is none)"
