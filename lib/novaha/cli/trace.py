"""Explaining from a saved trace: what concerns a subject, and where it stands at the end.

A line of a trace is `<seconds>  <who>  <text>` (sim/report.py); of ours are `SUBJECT: BEFORE ->
AFTER`, `holds SUBJECT, CODE: text` and `no longer holds SUBJECT, CODE`. The summary may be missing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from novaha.core.explain import EVERYBODY, SubjectUnknown
from novaha.core.reasons import Reason
from novaha.core.states import InstanceState, RecoveryState
from novaha.errors import ConfigError

_LINE = re.compile(r"(\d+(?:\.\d+)?)\s+(\S+)\s+(.*\S)\s*")
_STATE = re.compile(r"(\S+): (?:[A-Z_]+ -> )?([A-Z_]+)")
_HOLDS = re.compile(r"holds (\S+), ([a-z-]+): (.*)")
_NO_LONGER = re.compile(r"no longer holds (\S+), ([a-z-]+)")
_OFF = re.compile(r"evacuates (\S+) off (\S+)")
_ROW = re.compile(r"  (\S+)\s+(\S.*)")

_OURS = "nova-ha"
_MEANINGS = {s.name: s.value for s in (*RecoveryState, *InstanceState)}
_REASONS = {reason.code: reason for reason in Reason}


@dataclass(frozen=True)
class Line:
    """A line of a trace."""

    at_s: float
    who: str
    text: str


@dataclass(frozen=True)
class Held:
    """What is waited for at the end, since when, and what ends it."""

    subject: str
    code: str
    since_s: float
    text: str
    ends: str


@dataclass(frozen=True)
class Ending:
    """What a trace tells of a subject. rest: what its summary says of it."""

    subject: str
    lines: tuple[Line, ...]
    ended_s: float
    state: str
    meaning: str
    held: tuple[Held, ...]
    rest: tuple[str, ...]


def explain_trace(path: Path, subject: str | None, *, as_json: bool) -> str:
    """Return what is to be printed; raises ConfigError, SubjectUnknown."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read as a trace: {error}"
        raise ConfigError(msg) from error
    lines, rest = read(text)
    if not lines:
        msg = f"{path} is no trace: no line of it is `<seconds>  <who>  <text>`"
        raise ConfigError(msg)
    if subject is None:
        msg = f"say of whom; {path} tells of: {', '.join(names(lines))}"
        raise SubjectUnknown(msg)
    ending = explain_lines(lines, rest, subject)
    if as_json:
        return json.dumps(asdict(ending), indent=2, ensure_ascii=False) + "\n"
    return "\n".join(_told(ending)) + "\n"


def read(text: str) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Split a trace into its lines and what its summary says."""
    lines, rest = [], []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            lines.append(Line(float(match[1]), match[2], match[3]))
        else:
            rest.append(line)
    return tuple(lines), tuple(rest)


def names(lines: Iterable[Line]) -> list[str]:
    """Return what a trace gives a state to or holds: all that it can be asked about."""
    matches = (_STATE.fullmatch(line.text) or _HOLDS.fullmatch(line.text) for line in lines)
    return sorted({match[1] for match in matches if match} - EVERYBODY)


def explain_lines(lines: Sequence[Line], rest: Iterable[str], subject: str) -> Ending:
    """Return what lines and summary tell of a subject; raises SubjectUnknown."""
    word = re.compile(rf"(?<![\w.-]){re.escape(subject)}(?![\w-]|\.\w)")
    mine = tuple(line for line in lines if word.search(line.text))
    rows = tuple(match[2] for row in rest if (match := _ROW.match(row)) and match[1] == subject)
    if not mine and not rows:
        msg = f"the trace tells nothing of {subject}; it tells of: {', '.join(names(lines))}"
        raise SubjectUnknown(msg)
    state = _last_state(mine, subject)
    hosts = {match[2] for line in mine if (match := _OFF.search(line.text)) and match[1] == subject}
    held = tuple(_held(lines, {subject, *EVERYBODY, *hosts}))
    return Ending(subject, mine, lines[-1].at_s, state, _MEANINGS.get(state, ""), held, rows)


def _last_state(lines: Iterable[Line], subject: str) -> str:
    state = ""
    for line in lines:
        match = _STATE.fullmatch(line.text) if line.who == _OURS else None
        if match is not None and match[1] == subject:
            state = match[2]
    return state


def _held(lines: Iterable[Line], subjects: set[str]) -> Iterator[Held]:
    """Yield what of these subjects is held when the trace ends."""
    held: dict[tuple[str, str], Held] = {}
    for line in lines:
        if line.who != _OURS:
            continue
        if begun := _HOLDS.fullmatch(line.text):
            subject, code, text = begun.groups()
            ends = _REASONS[code].ends if code in _REASONS else ""
            held[subject, code] = Held(subject, code, line.at_s, text, ends)
        elif over := _NO_LONGER.fullmatch(line.text):
            held.pop((over[1], over[2]), None)
    yield from (each for each in held.values() if each.subject in subjects)


def _told(ending: Ending) -> Iterator[str]:
    yield ending.subject
    for line in ending.lines:
        yield f"  {line.at_s:8.3f}  {line.who:<8}  {line.text}"
    yield f"at the end, {ending.ended_s:g} s"
    yield f"  {ending.state}: {ending.meaning}" if ending.state else "  no recovery concerns it"
    yield from (f"  {row}" for row in ending.rest)
    yield "waits for"
    for held in ending.held:
        yield f"  {held.code} since {held.since_s:g} s: {held.subject} {held.text}"
        yield f"    until: {held.ends}"
    if not ending.held:
        yield "  nothing"
