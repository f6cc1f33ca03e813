"""Which instances go first, and which wait for others: what owners say, and what it means.

    nova_ha:priority = 100        higher ones first; 0 where nothing is said
    nova_ha:after = db-1 db-2     not before these are up, where they are being recovered, too
    nova_ha:ready = tcp:5432      when this one counts as up: `active`, so many seconds later
                                  (`delay:30`), or once this port of it answers

Inside a priority the largest go first, as long as there is room for them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from novaha.core.details import Details
from novaha.core.model import Server
from novaha.core.names import ServerId
from novaha.core.rules import Rules, said
from novaha.core.segments import PREFIX

PRIORITY = f"{PREFIX}priority"
AFTER = f"{PREFIX}after"
READY = f"{PREFIX}ready"
HA_ENABLED = "HA_Enabled"
"""Masakari's key; it evacuates the instances that have it before all others.

Source: masakari/conf/engine_driver.py, 22.0.
"""

_YES = frozenset({"1", "t", "true", "on", "y", "yes"})
"""What it takes for true. Source: oslo.utils, strutils.bool_from_string."""

KEYS = (
    (PRIORITY, "a whole number", "the higher go first; 0 where it is missing or no number"),
    (AFTER, "names or ids", "of the same project: not before they are up, if they failed, too"),
    (
        READY,
        "active, delay:SECONDS or tcp:PORT",
        "when it counts as up: once it has arrived, so long after, or once this port answers",
    ),
    (HA_ENABLED, "true", "Masakari's key in an instance's metadata: priority 1"),
)
"""Key, value, meaning: for the reference."""

MOST, LONGEST_S = 1_000_000, 3600.0
TOLD = 40
"""So much of a word that nobody understands is shown."""
_DELAY = re.compile(r"delay:(\d{1,4})", re.ASCII)
_TCP = re.compile(r"tcp:(\d{1,5})", re.ASCII)
PORTS = range(1, 65_536)


class Rank(NamedTuple):
    """What an instance is sorted by; the smallest goes first."""

    less_important: int
    failures: int
    less_ram_mib: int
    less_vcpus: int
    name: str


@dataclass(frozen=True)
class Wish:
    """What is said about the order of one instance.

    delay_s: from its arrival until it is up. port: of it that has to answer before, 0 for none.
    """

    priority: int = 0
    after: frozenset[str] = frozenset()
    delay_s: float = 0.0
    port: int = 0


def wish_of(details: Details | None, rules: Rules) -> Wish:
    """Return what is said of an instance; what cannot be read counts as not said."""
    if details is None:
        return Wish()
    ready = _ready(details, rules) or _Ready()
    return Wish(_priority(details, rules), _after(details, rules), *ready)


def misread(details: Details, rules: Rules) -> str:
    """Return what is said about the order of an instance that cannot be understood, or ""."""
    wrong = []
    told = said(PRIORITY, details, rules)
    if told and _number(told.value) is None:
        wrong.append(f"{PRIORITY}={told.value[:TOLD]!r} of {told.where} is no whole number")
    told = said(READY, details, rules)
    if told and _ready(details, rules) is None:
        text = "is neither active, delay:SECONDS nor tcp:PORT"
        wrong.append(f"{READY}={told.value[:TOLD]!r} of {told.where} {text}")
    return "; ".join(wrong)


def rank(server: Server, wish: Wish, failures: int) -> Rank:
    """Return what an instance is sorted by."""
    flavor = server.details.flavor if server.details else None
    ram_mib, vcpus = (flavor.ram_mib, flavor.vcpus) if flavor else (0, 0)
    return Rank(-wish.priority, failures, -ram_mib, -vcpus, server.name)


def ha_enabled(details: Details) -> bool:
    """Tell whether Masakari would take an instance for one of those."""
    return details.metadata.get(HA_ENABLED, "").strip().lower() in _YES


def _priority(details: Details, rules: Rules) -> int:
    told = said(PRIORITY, details, rules)
    number = _number(told.value) if told else None
    if number is None:
        return 1 if ha_enabled(details) else 0
    return max(min(number, MOST), -MOST)


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _after(details: Details, rules: Rules) -> frozenset[str]:
    told = said(AFTER, details, rules)
    return frozenset(re.split(r"[\s,]+", told.value.strip())) - {""} if told else frozenset()


class _Ready(NamedTuple):
    """When an instance counts as up: so long after its arrival, and once this port answers."""

    delay_s: float = 0.0
    port: int = 0


def _ready(details: Details, rules: Rules) -> _Ready | None:
    """Return what is said about it, None for what nobody can understand."""
    told = said(READY, details, rules)
    word = told.value.strip() if told else "active"
    if word == "active":
        return _Ready()
    if match := _DELAY.fullmatch(word):
        return _Ready(delay_s=min(float(match[1]), LONGEST_S))
    match = _TCP.fullmatch(word)
    return _Ready(port=int(match[1])) if match and int(match[1]) in PORTS else None


@dataclass(frozen=True)
class Member:
    """An instance of the recoveries that run, for the order among them.

    up_s: since when it is up elsewhere (monotonic seconds), None while it is not. addresses: where
    its port is looked for. answers: it was found there.
    """

    id: ServerId
    name: str
    project: str
    wish: Wish = Wish()
    up_s: float | None = None
    addresses: tuple[str, ...] = ()
    answers: bool = False


class Target(NamedTuple):
    """A port of an instance that may answer, and the addresses at which it may."""

    server: ServerId
    port: int
    addresses: tuple[str, ...]


class Waits(NamedTuple):
    """What each waiting instance waits for, and the instances that wait for each other.

    silent: the ports that others wait for, of instances that are there.
    """

    waiting: Mapping[ServerId, tuple[str, ...]]
    cycle: frozenset[ServerId]
    silent: tuple[Target, ...] = ()


def waits(members: Iterable[Member], now_s: float) -> Waits:
    """Return which instances have to wait; those of a cycle wait for no one in it."""
    everyone = {member.id: member for member in members}
    named = _by_name(everyone.values())
    edges = {
        member.id: frozenset(
            other.id for other in _awaited(member, everyone, named) if not _is_up(other, now_s)
        )
        for member in everyone.values()
        if member.up_s is None and member.wish.after
    }
    cycle = frozenset(id_ for id_ in edges if _reaches(id_, id_, edges))
    left = {id_: others - cycle if id_ in cycle else others for id_, others in edges.items()}
    waiting = {
        id_: tuple(sorted(everyone[other].name or other for other in others))
        for id_, others in left.items()
        if others
    }
    awaited = frozenset[ServerId]().union(*left.values())
    return Waits(waiting, cycle, tuple(_silent(everyone, awaited)))


def _silent(everyone: Mapping[ServerId, Member], awaited: frozenset[ServerId]) -> Iterator[Target]:
    for one in (everyone[id_] for id_ in sorted(awaited)):
        if one.wish.port and one.up_s is not None and one.addresses:
            yield Target(one.id, one.wish.port, one.addresses)


def _by_name(members: Iterable[Member]) -> dict[tuple[str, str], list[Member]]:
    named: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        named.setdefault((member.project, member.name), []).append(member)
    return named


def _awaited(
    member: Member,
    everyone: Mapping[ServerId, Member],
    named: Mapping[tuple[str, str], list[Member]],
) -> Iterator[Member]:
    """Yield the instances that a member names, by their ids or by their names in its project."""
    for word in member.wish.after:
        others = named.get((member.project, word), [])
        by_id = everyone.get(ServerId(word))
        yield from (other for other in (*others, by_id) if other and other.id != member.id)


def _is_up(member: Member, now_s: float) -> bool:
    if member.up_s is None or (member.wish.port and not member.answers):
        return False
    return now_s >= member.up_s + member.wish.delay_s


def _reaches(
    start: ServerId, goal: ServerId, edges: Mapping[ServerId, frozenset[ServerId]]
) -> bool:
    """Tell whether one instance waits for another, directly or by others."""
    seen, todo = set[ServerId](), list(edges.get(start, ()))
    while todo:
        at = todo.pop()
        if at == goal:
            return True
        if at not in seen:
            seen.add(at)
            todo.extend(edges.get(at, ()))
    return False
