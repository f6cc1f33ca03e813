"""The text of a script, read into events: `<time> <word> <arguments>`, one event to a line.

    # what follows a number sign is for people
    10s    crash compute-1
    +2.5s  fault reply-lost evacuate 1     + counts from the event before
    until 300s                             where the simulation ends, at the latest

A first line `seed 17` spreads the times of the world (boots, moves) as that seed decides.
The words are in sim/words.py. All that is wrong with a script is found in one go.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from novaha.core.names import NodeName, ServerId
from novaha.errors import NovaHaError
from novaha.sim.spec import Event, WorldSpec
from novaha.sim.words import (
    BY_NAME,
    CALLS,
    CANARY_CALLS,
    DRAIN_CALLS,
    RESERVE_CALLS,
    START_CALLS,
    Choice,
    Kind,
    Word,
)

END_S = 3600.0
"""Where a script without `until` ends."""

LONGEST_S = 86_400.0
"""A day: no time of a script may lie beyond it."""

MOST = 1000
"""No count of a script may be higher."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]{1,3})?")
_SEED = re.compile(r"[1-9][0-9]{0,11}")
_TIME = re.compile(r"(\+?)([^+]+)s")
_LISTED = 8
"""So many known names are listed in a complaint."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what was found and what was expected; line 0: nowhere."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return one line that editors can jump to."""
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class ScriptError(NovaHaError):
    """What a person wrote for the simulator cannot be used; all its problems, each a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in the order of the file."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Script:
    """What happens, in the order of time, and when the simulation ends at the latest.

    seed: decides how the times of the world are spread; with 0 they are as the world says.
    """

    events: tuple[Event, ...]
    end_s: float = END_S
    seed: int = 0


class _Wrong(ValueError):
    """One line cannot be read; the text says what was found and what was expected."""


@dataclass(frozen=True)
class Names:
    """What a script may name: nodes and instances of one world."""

    computes: tuple[NodeName, ...]
    controllers: tuple[NodeName, ...]
    instances: tuple[ServerId, ...]

    @staticmethod
    def of(spec: WorldSpec) -> "Names":
        """Return the names of a world."""
        ids = tuple(instance.id for instance in spec.instances)
        return Names(spec.computes, spec.controllers, ids)

    def known(self, kind: Kind) -> tuple[str, ...] | None:
        """Return the names of a kind, None where the kind is no name."""
        names: dict[Kind, tuple[str, ...]] = {
            Kind.COMPUTE: self.computes,
            Kind.CONTROLLER: self.controllers,
            Kind.INSTANCE: self.instances,
            Kind.CALL: (*CALLS, *RESERVE_CALLS, *START_CALLS, *DRAIN_CALLS, *CANARY_CALLS),
        }
        return names.get(kind)


def parse(text: str, spec: WorldSpec, file: str = "script") -> Script:
    """Read a script for a world; raises ScriptError with every problem of the text."""
    reader = _Reader(Names.of(spec), file)
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("#", 1)[0].split()
        if fields:
            reader.take(number, fields)
    reader.end()
    if reader.problems:
        raise ScriptError(reader.problems)
    return Script(tuple(reader.events), reader.end_s, reader.seed)


def render(script: Script) -> str:
    """Return the text of a script; `parse` reads the same events back."""
    seed = [f"seed {script.seed}"] if script.seed else []
    lines = [f"{seconds(e.at_s)}s {' '.join((e.word, *e.arguments))}" for e in script.events]
    return "\n".join([*seed, *lines, f"until {seconds(script.end_s)}s"]) + "\n"


def seconds(value: float) -> str:
    """Return a number of seconds as scripts have it: no more digits than it needs."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


class _Reader:
    """Reads line by line, and goes on after a line that cannot be read."""

    def __init__(self, names: Names, file: str) -> None:
        self.names = names
        self.file = file
        self.events: list[Event] = []
        self.problems: list[Problem] = []
        self.end_s = END_S
        self.seed = 0
        self.last_s = 0.0
        self.until_line = 0

    def take(self, number: int, fields: list[str]) -> None:
        """Read one line that is not empty."""
        try:
            if self.until_line:
                self.wrong(number, f"found a line after `until` of line {self.until_line}")
            elif fields[0] == "seed":
                self.seed = self.seed_of(fields[1:])
            elif fields[0] == "until":
                self.until_line = number
                self.end_s = self.until(fields[1:])
            else:
                self.event(number, fields)
        except _Wrong as problem:
            self.wrong(number, str(problem))

    def wrong(self, number: int, text: str) -> None:
        self.problems.append(Problem(self.file, number, text))

    def event(self, number: int, fields: list[str]) -> None:
        """Read one event; the time is taken in even when what follows it is wrong."""
        at_s = self.time(fields[0])
        if at_s < self.last_s:
            msg = f"time goes backwards: {fields[0]} after {seconds(self.last_s)}s"
            raise _Wrong(msg)
        self.last_s = at_s
        if len(fields) == 1:
            msg = f"found a time alone, expected a word after {fields[0]}"
            raise _Wrong(msg)
        word = _word(fields[1])
        self.events.append(Event(at_s, word.name, self.arguments(word, fields[2:]), number))

    def seed_of(self, fields: list[str]) -> int:
        """Read the seed, which stands before all events."""
        if self.events or self.seed or len(fields) != 1 or not _SEED.fullmatch(fields[0]):
            expected = "one whole number from 1 to 999999999999, in the first line"
            msg = f"found {_quoted(fields)} after seed, expected {expected}"
            raise _Wrong(msg)
        return int(fields[0])

    def until(self, fields: list[str]) -> float:
        """Read the end, which counts from 0."""
        if len(fields) != 1 or fields[0].startswith("+"):
            msg = f"found {_quoted(fields)} after until, expected one time such as 300s"
            raise _Wrong(msg)
        end_s = self.time(fields[0])
        if end_s <= self.last_s:
            msg = f"the end {fields[0]} is not after the last event at {seconds(self.last_s)}s"
            raise _Wrong(msg)
        return end_s

    def end(self) -> None:
        """Complain about what only the whole can tell."""
        if self.last_s >= self.end_s and not self.problems:
            text = f"the last event is at {seconds(self.last_s)}s; say `until` a later time"
            self.wrong(self.events[-1].line, text)

    def time(self, text: str) -> float:
        """Return the virtual second that the first field of a line means."""
        match = _TIME.fullmatch(text)
        if match is None:
            hint = _near(text, BY_NAME, "a time comes before the word; ")
            msg = f"found {text!r}, expected a time such as 10s or +2.5s{hint}"
            raise _Wrong(msg)
        at_s = _number(match[2], "a time", 0.0, LONGEST_S)
        at_s = round(at_s + self.last_s, 3) if match[1] else at_s
        if at_s > LONGEST_S:
            msg = f"{text} is {seconds(at_s)}s, expected at most {seconds(LONGEST_S)}s"
            raise _Wrong(msg)
        return at_s

    def arguments(self, word: Word, found: list[str]) -> tuple[str, ...]:
        """Return the arguments of a word, each as the world takes it."""
        if len(found) != len(word.arguments):
            expected = ", ".join(map(_meaning, word.arguments)) or "nothing"
            msg = f"found {_quoted(found)} after {word.name}, expected {expected}"
            raise _Wrong(msg)
        pairs = zip(word.arguments, found, strict=True)
        arguments = tuple(self.argument(word, kind, text) for kind, text in pairs)
        check_fault(word.name, arguments)
        return arguments

    def argument(self, word: Word, kind: Kind | Choice, text: str) -> str:
        where = f"{word.name}: "
        if isinstance(kind, Choice):
            return _known(text, kind.words, where, "one of")
        known = self.names.known(kind)
        if known is not None:
            return _known(text, known, where, f"{kind.value}:")
        if kind is Kind.TEXT:
            return text
        if kind is Kind.COUNT:
            return _count(text, where)
        lowest = -LONGEST_S if kind is Kind.OFFSET else 0.0
        number = text.removesuffix("s")
        return seconds(_number(number, f"{where}{kind.value}", lowest, LONGEST_S))


def check_fault(word: str, arguments: tuple[str, ...]) -> None:
    """Refuse a fault that the call cannot have; raises ValueError."""
    if word != "fault":
        return
    others = (*RESERVE_CALLS, *START_CALLS, *CANARY_CALLS)
    more = {"late": ("start",), "stale": ()}.get(arguments[0], others)
    drain = _DRAIN_STRIKES.get(arguments[0], DRAIN_CALLS)
    calls = (*calls_of(arguments[0]), *more, *drain)
    if arguments[1] not in calls:
        msg = f"fault: {arguments[0]} strikes {' '.join(calls)} only"
        raise _Wrong(msg)


_READS = ("observe", "services", "servers", "migrations", "rules")
_NOVA = (*_READS[1:], "force-down", "force-up", "enable", "disable", "evacuate")
_STRIKES = {"late": ("evacuate",), "stale": _READS, "conflict": _NOVA, "unauthorized": _NOVA}


_OF_NOVA = ("live-migrations", "live-migrate")
_DRAIN_STRIKES = {
    "late": ("live-migrate",),
    "stale": ("live-migrations",),
    "conflict": _OF_NOVA,
    "unauthorized": _OF_NOVA,
}


def calls_of(fault: str) -> tuple[str, ...]:
    """Return the calls of every recovery that a kind of fault can strike."""
    return _STRIKES.get(fault, CALLS)


def _word(text: str) -> Word:
    word = BY_NAME.get(text)
    if word is None:
        hint = _near(text, BY_NAME, "") or "; the words are in sim/words.py"
        msg = f"found the unknown word {text!r}{hint}"
        raise _Wrong(msg)
    return word


def _known(text: str, known: tuple[str, ...], where: str, what: str) -> str:
    if text in known:
        return text
    listed = " ".join(known[:_LISTED]) or "there is none"
    listed += " …" if len(known) > _LISTED else ""
    msg = f"{where}found {text!r}, expected {what} {listed}{_near(text, known, '')}"
    raise _Wrong(msg)


def _count(text: str, where: str) -> str:
    if not re.fullmatch(r"0*[0-9]{1,4}", text) or not 1 <= int(text) <= MOST:
        msg = f"{where}found {text!r}, expected {Kind.COUNT.value}, at most {MOST}"
        raise _Wrong(msg)
    return str(int(text))


def _number(text: str, what: str, lowest: float, highest: float) -> float:
    if not _NUMBER.fullmatch(text) or not lowest <= float(text) <= highest:
        bounds = f"from {seconds(lowest)} to {seconds(highest)}, with at most 3 decimals"
        msg = f"found {text!r}, expected {what} {bounds}"
        raise _Wrong(msg)
    return float(text)


def _meaning(kind: Kind | Choice) -> str:
    return kind.value if isinstance(kind, Kind) else " or ".join(kind.words)


def _near(text: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint at names that look like the text; otherwise: when it is one of them."""
    names = list(known)
    if text in names:
        return f"; {otherwise}" if otherwise else ""
    matches = get_close_matches(text, names, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(matches)}?" if matches else ""


def _quoted(fields: list[str]) -> str:
    return repr(" ".join(fields)) if fields else "nothing"


def describe() -> Iterator[tuple[str, str]]:
    """Yield (word with its arguments, meaning) of the whole language, for the documentation."""
    for word in BY_NAME.values():
        kinds = ("|".join(a.words) if isinstance(a, Choice) else a.name for a in word.arguments)
        yield " ".join((word.name, *kinds)), word.meaning
