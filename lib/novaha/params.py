"""Parameters of our agents: one description gives metadata, parsing and complaints.

A `Param` is also the key its value is read by, so the type checker knows what
`values[MAX_IN_FLIGHT]` is.

Values are named tuples here and in the runtimes: importing dataclasses and making a dozen of them
would double what a `monitor` costs, and Pacemaker runs one every few seconds on every node.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Generic, Literal, NamedTuple, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Word = TypeVar("Word", bound=StrEnum)

MAX_TEXT = 4096
"""Longest text accepted; host maps of large clouds stay below, accidents do not."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_SECONDS = re.compile(r"([0-9]{1,9}) ?(?:s|sec)?")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


class BadParameter(ValueError):
    """A value is missing or cannot be used; the text names the parameter and what is accepted."""


class Param(NamedTuple, Generic[T_co]):
    """One parameter.

    type: as metadata knows it. convert: text to value, raising ValueError with what is accepted.
    default: None makes the parameter required. words: all values that are accepted, where these are
    few.
    """

    name: str
    type: Literal["string", "integer", "boolean", "second"]
    shortdesc: str
    longdesc: str
    convert: Callable[[str], T_co]
    default: T_co | None = None
    words: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None

    def parse(self, text: str | None) -> T_co:
        """Turn text into a value; an empty text counts as not given. Raises BadParameter."""
        if text is None or text == "":
            if self.default is None:
                msg = f"{self.name} is missing: {self.shortdesc}"
                raise BadParameter(msg)
            return self.default
        try:
            return self.convert(text)
        except ValueError as error:
            msg = f"{self.name}={_quoted(text)}: {error}"
            raise BadParameter(msg) from error


class Values:
    """The values an agent was called with, converted when they are read.

    Reading late is what lets `stop` and `monitor` work whatever nonsense is configured.
    """

    def __init__(self, params: Iterable[Param[object]], raw: Mapping[str, str]) -> None:
        """Keep the texts by parameter name; names no parameter has are ignored."""
        self._params = tuple(params)
        self._raw = raw

    def __getitem__(self, param: Param[T]) -> T:
        """Return one value; raises BadParameter."""
        return param.parse(self._raw.get(param.name))

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with any of them."""
        found = []
        for param in self._params:
            try:
                param.parse(self._raw.get(param.name))
            except BadParameter as error:
                found.append(str(error))
        return tuple(found)

    def missing(self) -> tuple[Param[object], ...]:
        """Return the required parameters without a value."""
        return tuple(p for p in self._params if p.required and not self._raw.get(p.name))


def string(
    name: str,
    shortdesc: str,
    longdesc: str,
    *,
    default: str | None = None,
    check: Callable[[str], object] | None = None,
) -> Param[str]:
    """Describe a text. check: raises ValueError with what is accepted."""

    def convert(text: str) -> str:
        value = _printable(text)
        if check is not None:
            check(value)
        return value

    return Param(name, "string", shortdesc, longdesc, convert, default)


def choice(
    name: str, shortdesc: str, longdesc: str, words: type[Word], *, default: Word | None = None
) -> Param[Word]:
    """Describe a word of a few."""

    def convert(text: str) -> Word:
        if text not in set(words):
            msg = f"must be {' or '.join(words)}"
            raise ValueError(msg)
        return words(text)

    # OCF 1.1 knows the type `select`, which ra-api-1.dtd refuses.
    return Param(name, "string", shortdesc, longdesc, convert, default, words=tuple(words))


def integer(
    name: str, shortdesc: str, longdesc: str, *, default: int | None, between: tuple[int, int]
) -> Param[int]:
    """Describe a whole number between two bounds, both accepted."""

    def convert(text: str) -> int:
        return _bounded(int(text) if _WHOLE.fullmatch(text) else None, between, "")

    return Param(name, "integer", shortdesc, longdesc, convert, default)


def second(
    name: str, shortdesc: str, longdesc: str, *, default: int | None, between: tuple[int, int]
) -> Param[int]:
    """Describe a duration in whole seconds; "5", "5s" and "5 sec" are the same."""

    def convert(text: str) -> int:
        match = _SECONDS.fullmatch(text)
        return _bounded(int(match[1]) if match else None, between, " of seconds")

    return Param(name, "second", shortdesc, longdesc, convert, default)


def boolean(name: str, shortdesc: str, longdesc: str, *, default: bool | None) -> Param[bool]:
    """Describe a switch."""

    def convert(text: str) -> bool:
        word = text.lower()
        if word not in _TRUE | _FALSE:
            msg = "must be true or false"
            raise ValueError(msg)
        return word in _TRUE

    return Param(name, "boolean", shortdesc, longdesc, convert, default)


def as_text(value: object) -> str:
    """Return a default as metadata shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def escaped(text: str) -> str:
    """Return a text safe inside XML, attribute values included."""
    return text.translate(_ESCAPES)


def _bounded(value: int | None, between: tuple[int, int], unit: str) -> int:
    minimum, maximum = between
    if value is None or not minimum <= value <= maximum:
        msg = f"must be a whole number{unit} from {minimum} to {maximum}"
        raise ValueError(msg)
    return value


def _printable(text: str) -> str:
    if len(text) > MAX_TEXT:
        msg = f"is {len(text)} characters long, at most {MAX_TEXT} are accepted"
        raise ValueError(msg)
    if not text.isprintable():
        msg = "must not contain line ends or other control characters"
        raise ValueError(msg)
    return text


def _quoted(text: str) -> str:
    """Return a text short enough for one line of log."""
    shown = ascii(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."  # noqa: PLR2004
