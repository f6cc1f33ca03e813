"""Which instances go first, and which wait for others: what owners say, and what it means.

    nova_ha:priority = 100        higher ones first; 0 where nothing is said
    nova_ha:after = db-1 db-2     not before these are up, where they are being recovered, too
    nova_ha:ready = delay:30      when this one counts as up: `active`, or so many seconds later

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
    (READY, "active or delay:SECONDS", "when it counts as up for those that wait for it"),
    (HA_ENABLED, "true", "Masakari's key in an instance's metadata: priority 1"),
)
"""Key, value, meaning: for the reference."""

MOST, LONGEST_S = 1_000_000, 3600.0
_DELAY = re.compile(r"delay:(\d{1,4})")


class Rank(NamedTuple):
    """What an instance is sorted by; the smallest goes first."""

    less_important: int
    failures: int
    less_ram_mib: int
    less_vcpus: int
    name: str


@dataclass(frozen=True)
class Wish:
    """What is said about the order of one instance. delay_s: from its arrival until it is up."""

    priority: int = 0
    after: frozenset[str] = frozenset()
    delay_s: float = 0.0


def wish_of(details: Details | None, rules: Rules) -> Wish:
    """Return what is said of an instance; what cannot be read counts as not said."""
    if details is None:
        return Wish()
    return Wish(_priority(details, rules), _after(details, rules), _delay_s(details, rules))


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
    try:
        number = int(told.value) if told else None
    except ValueError:
        number = None
    if number is None:
        return 1 if ha_enabled(details) else 0
    return max(min(number, MOST), -MOST)


def _after(details: Details, rules: Rules) -> frozenset[str]:
    told = said(AFTER, details, rules)
    return frozenset(re.split(r"[\s,]+", told.value.strip())) - {""} if told else frozenset()


def _delay_s(details: Details, rules: Rules) -> float:
    told = said(READY, details, rules)
    match = _DELAY.fullmatch(told.value.strip()) if told else None
    return min(float(match[1]), LONGEST_S) if match else 0.0


@dataclass(frozen=True)
class Member:
    """An instance of the recoveries that run, for the order among them.

    up_s: since when it is up elsewhere (monotonic seconds), None while it is not.
    """

    id: ServerId
    name: str
    project: str
    wish: Wish = Wish()
    up_s: float | None = None


class Waits(NamedTuple):
    """What each waiting instance waits for, and the instances that wait for each other."""

    waiting: Mapping[ServerId, tuple[str, ...]]
    cycle: frozenset[ServerId]


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
    waiting = {}
    for id_, others in edges.items():
        left = others - cycle if id_ in cycle else others
        if left:
            waiting[id_] = tuple(sorted(everyone[other].name or other for other in left))
    return Waits(waiting, cycle)


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
    return member.up_s is not None and now_s >= member.up_s + member.wish.delay_s


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
