"""What the storm brake keeps in the CIB: written, read back, deleted when it is over.

    crm_config/cluster_property_set#nova-ha-state
        nvpair nova-ha-passed-<node>      a host that the gate let through
        nvpair nova-ha-brake-<scope>      a brake that is on
        nvpair nova-ha-release-<node>     a host that a person released

Each has one writer at a time that means it, so nothing is read, changed and written back; see
core/brake.py for why no lock is needed.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, TypeVar
from xml.etree import ElementTree as ET

from novaha.adapters import cib, coldstart
from novaha.core.brakestate import (
    Brake,
    Kept,
    MalformedBrakeState,
    Passed,
    Release,
    parse_brake,
    parse_passed,
    parse_release,
)
from novaha.errors import ClusterUnavailable

T = TypeVar("T")

PASSED_PREFIX = "nova-ha-passed-"
BRAKE_PREFIX = "nova-ha-brake-"
RELEASE_PREFIX = "nova-ha-release-"


class State(NamedTuple):
    """What the CIB holds of the brake. unreadable: (name, value) of what nobody can read."""

    kept: Kept
    unreadable: tuple[tuple[str, str], ...]


def state_of(root: ET.Element) -> State:
    """Return what a CIB holds of the brake."""
    unreadable: list[tuple[str, str]] = []
    kept = Kept(
        tuple(_read(root, PASSED_PREFIX, parse_passed, unreadable)),
        tuple(_read(root, BRAKE_PREFIX, parse_brake, unreadable)),
        tuple(_read(root, RELEASE_PREFIX, parse_release, unreadable)),
    )
    return State(kept, tuple(unreadable))


def kept_of(root: ET.Element) -> Kept:
    """Return what holds by now: not those for whom the cold start was over when they came."""
    return state_of(root).kept.without(frozenset(coldstart.seen_of(root)))


def _read(
    root: ET.Element,
    prefix: str,
    parse: Callable[[str, str], T],
    unreadable: list[tuple[str, str]],
) -> Iterator[T]:
    for name, value in cib.properties_of(root, prefix):
        try:
            yield parse(name, value)
        except MalformedBrakeState:
            unreadable.append((prefix + name, value))


def write(things: Iterable[Passed | Brake | Release]) -> None:
    """Write all of these over those before, in one change; raises ClusterUnavailable."""
    if values := {_name(thing): thing.to_value() for thing in things}:
        cib.write_properties(values)


def _name(thing: Passed | Brake | Release) -> str:
    match thing:
        case Passed(node=node):
            return PASSED_PREFIX + node
        case Brake(scope=scope):
            return BRAKE_PREFIX + scope
        case Release(node=node):
            return RELEASE_PREFIX + node


def tidy(window_s: float) -> None:
    """Delete what is over and what cannot be read, each as it stands, so nothing new is lost."""
    with suppress(ClusterUnavailable):
        state = state_of(cib.query())
        over = [
            (_name(thing), thing.to_value()) for thing in state.kept.expired(window_s, time.time())
        ]
        for name, value in (*over, *state.unreadable):
            cib.delete_property(name, value)
