"""On which line of a TOML text a key stands, which tomllib does not tell.

Only keys that begin a line are found, which is how people write them; a place inside an inline
table or a list gets the line of the key that it belongs to.
"""

import re

Path = tuple[str | int, ...]
"""Keys from the root on; a number counts the tables of an array of tables, from 0."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_"'-]+)*)\s*=""")


class Lines:
    """The lines of one text."""

    def __init__(self, text: str) -> None:
        """Look at every line once."""
        self._found: dict[Path, int] = {}
        self._counts: dict[str, int] = {}
        table: Path = ()
        for number, line in enumerate(text.splitlines(), 1):
            header, key = _HEADER.match(line), _KEY.match(line)
            if header:
                table = self._table(header[1] == "[[", _words(header[2]))
                self._found.setdefault(table, number)
            elif key:
                self._found.setdefault((*table, *_words(key[1])), number)

    def of(self, path: Path) -> int:
        """Return the line of a place, or of the nearest one around it; 1 for the whole text."""
        for end in range(len(path), 0, -1):
            below = [n for found, n in self._found.items() if found[:end] == path[:end]]
            if below:
                return min(below)
        return 1

    def _table(self, is_array: bool, words: tuple[str, ...]) -> Path:  # noqa: FBT001
        """Return the place that a header opens; a table below an array is in its newest member."""
        first = words[0]
        if is_array and len(words) == 1:
            self._counts[first] = self._counts.get(first, -1) + 1
        if first in self._counts:
            return (first, self._counts[first], *words[1:])
        return words


def _words(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip().strip("\"'") for word in dotted.split("."))
