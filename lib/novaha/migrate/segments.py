"""From Masakari's segments to host aggregates: what must be done in Nova, as a list to review.

Nothing is ever removed: a key, a host or an aggregate that Masakari does not know stays.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from novaha.core.names import ComputeHost
from novaha.core.recovery import RESERVED_REASON
from novaha.core.segments import (
    MAX_LENGTH,
    RESERVED,
    SEGMENT,
    Aggregate,
    RecoveryMethod,
    Segment,
    metadata_of,
    use_of,
)
from novaha.errors import ConfigError

_KEY = re.compile(r"[a-zA-Z0-9_:. -]{1,255}")
"""What Nova takes as a key. Source: nova/api/validation/parameter_types.py, 34.0."""


@dataclass(frozen=True)
class Step:
    """One change of an aggregate.

    verb: "create", "set" (name, before, after) or "add-host" (name). before: "" for none.
    """

    verb: str
    aggregate: str
    name: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        match self.verb:
            case "create":
                return f"create the aggregate {self.aggregate}"
            case "set":
                was = f", which is {self.before}" if self.before else ""
                return f"set {self.name} of {self.aggregate} to {self.after}{was}"
        return f"add the host {self.name} to {self.aggregate}"

    def command(self) -> str:
        """Return the command of the OpenStack client that does the same."""
        return _openstack(self.verb, self.aggregate, self.name, self.after)

    def undo(self) -> str:
        """Return the command that takes it back."""
        match self.verb:
            case "create":
                return _openstack("delete", self.aggregate)
            case "set" if self.before:
                return _openstack("set", self.aggregate, self.name, self.before)
            case "set":
                return _openstack("unset", self.aggregate, self.name)
        return _openstack("remove-host", self.aggregate, self.name)


@dataclass(frozen=True)
class Plan:
    """All steps, in order. notes: what has no counterpart here, and what to do about it."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = field(default=())


def _openstack(verb: str, aggregate: str, name: str = "", value: str = "") -> str:
    words = {
        "create": [],
        "delete": [],
        "set": ["--property", f"{name}={value}"],
        "unset": ["--property", name],
        "add-host": [],
        "remove-host": [],
    }[verb]
    parts = verb.split("-")
    host = [name] if len(parts) > 1 else []
    return shlex.join(["openstack", "aggregate", *parts, *words, "--", aggregate, *host])


def plan(
    segments: Sequence[Segment], aggregates: Sequence[Aggregate], hosts: Sequence[ComputeHost]
) -> Plan:
    """Return what makes aggregates of segments.

    hosts: those of Nova's compute services. Raises ConfigError with everything that a person must
    settle first.
    """
    wrong = [
        *_wrong_names(segments, frozenset(hosts)),
        *_twice(segments),
        *(text for each in segments for text in _wrong_place(each, aggregates)),
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))
    steps = tuple(step for each in segments for step in _steps(each, _home(each, aggregates)))
    return Plan(steps, tuple(_notes(segments, aggregates)))


def _steps(segment: Segment, home: Aggregate | None) -> Iterator[Step]:
    name = home.name if home else segment.name
    if home is None:
        yield Step("create", name)
    # Hosts first: a segment that is named and has no hosts yet would look complete.
    for host in segment.hosts:
        if home is None or host.name not in home.hosts:
            yield Step("add-host", name, host.name)
    for key, value in metadata_of(segment).items():
        before = home.metadata.get(key, "") if home else ""
        in_use = key.startswith(RESERVED) and use_of(before) is not None
        if before != value and not in_use:
            yield Step("set", name, key, before, value)


def _home(segment: Segment, aggregates: Sequence[Aggregate]) -> Aggregate | None:
    """Return the aggregate that is this segment: marked so, else of its name."""
    marked = [each for each in aggregates if each.metadata.get(SEGMENT) == segment.name]
    named = [each for each in aggregates if each.name == segment.name]
    return next(iter((*marked, *named)), None)


def _wrong_names(segments: Sequence[Segment], hosts: frozenset[ComputeHost]) -> Iterator[str]:
    methods = [method.value for method in RecoveryMethod]
    for each in segments:
        if not each.name.strip() or len(each.name) > MAX_LENGTH or not each.name.isprintable():
            yield f"segment {each.name!r}: an aggregate cannot be called so; rename it in Masakari"
        if each.method not in methods:
            yield f"segment {each.name}: recovery method {each.method!r} is none of {methods}"
        for host in each.hosts:
            if host.name not in hosts:
                yield (
                    f"segment {each.name}: Nova has no compute service on {host.name!r}: remove the"
                    f" host from the segment, or start its nova-compute"
                )
            elif host.reserved and not _KEY.fullmatch(f"{RESERVED}{host.name}"):
                yield f"segment {each.name}: {host.name} does not fit into a key of an aggregate"


def _twice(segments: Sequence[Segment]) -> Iterator[str]:
    for name, count in Counter(each.name for each in segments).items():
        if count > 1:
            yield f"segment {name} is there {count} times: rename one in Masakari"
    places = Counter(host.name for each in segments for host in each.hosts)
    for host in (host for host, count in places.items() if count > 1):
        names = [s.name for s in segments if host in {each.name for each in s.hosts}]
        yield f"host {host} is in more than one segment: {', '.join(names)}; leave it in one"


def _wrong_place(segment: Segment, aggregates: Sequence[Aggregate]) -> Iterator[str]:
    home, wanted = _home(segment, aggregates), {host.name for host in segment.hosts}
    marked = [each.name for each in aggregates if each.metadata.get(SEGMENT) == segment.name]
    if len(marked) > 1:
        yield f"segment {segment.name}: aggregates {', '.join(marked)} all say that they are it"
    if home is not None:
        yield from _wrong_home(segment, home, wanted)
    for each in aggregates:
        other = each.metadata.get(SEGMENT)
        if other not in {None, segment.name}:
            for host in sorted(wanted & each.hosts):
                yield f"host {host} of segment {segment.name} is in segment {other} of Nova already"


def _wrong_home(segment: Segment, home: Aggregate, wanted: set[ComputeHost]) -> Iterator[str]:
    is_new = SEGMENT not in home.metadata
    if is_new and home.hosts - wanted:
        names = ", ".join(sorted(home.hosts - wanted))
        yield (
            f"aggregate {home.name} has hosts that are not in the segment of that name: {names};"
            f" rename the segment in Masakari, or the aggregate"
        )
    elif not is_new and home.metadata[SEGMENT] != segment.name:
        yield f"aggregate {home.name} says that it is the segment {home.metadata[SEGMENT]}"
    if home.zone and wanted - home.hosts:
        names = ", ".join(sorted(wanted - home.hosts))
        yield (
            f"aggregate {home.name} is the availability zone {home.zone}: adding {names} would move"
            f" them there; rename the segment in Masakari, or add them yourself"
        )


def _notes(segments: Sequence[Segment], aggregates: Sequence[Aggregate]) -> Iterator[str]:
    for each in segments:
        home = _home(each, aggregates)
        for host in each.hosts:
            if host.reserved:
                command = "openstack compute service set --disable --disable-reason"
                text = f"{command} {shlex.quote(RESERVED_REASON)} {host.name} nova-compute"
                yield f"{host.name} is a reserved host: it is used when it is kept free by: {text}"
            if host.on_maintenance:
                yield (
                    f"{host.name} is on maintenance in Masakari, set by a person or by a failure:"
                    f" if it shall stay out, disable its compute service"
                )
        for key in sorted((home.metadata.keys() if home else set()) - metadata_of(each).keys()):
            if key.startswith(RESERVED):
                yield f"{home.name if home else ''} also has {key}: it stays"
        if not each.hosts:
            yield f"segment {each.name} has no hosts"
        needs = each.method != RecoveryMethod.AUTO.value
        if needs and not any(host.reserved for host in each.hosts):
            yield f"segment {each.name} has the method {each.method} and no reserved host"
    if segments:
        yield "max_failures has no counterpart in Masakari: without it only max_recoveries limits"
