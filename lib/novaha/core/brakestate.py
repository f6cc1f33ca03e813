"""What the storm brake keeps in the CIB: who was let through, which brake is on, what was released.

Times are seconds since the epoch on the writer's clock. Each is good for so long only, counted in
both directions: a clock that was wrong by years must not keep a brake on for years.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from novaha.core.names import NodeName

CLUSTER = "cluster"
"""The scope of a brake that holds every host; that of a group is `group_scope`."""

COLD_START = "cold-start"
"""The scope of what holds hosts that have not come yet since the cluster began."""

MAX_WHY = 200
"""Longest reason for a release that is kept, in characters."""

_GROUP = re.compile(r"[A-Za-z0-9_-]{1,63}")
_PASSED = re.compile(r"v1 time=(\d{1,12}) by=(\S+)")
_BRAKE = re.compile(
    r"v1 since=(\d{1,12}) seen=(\d{1,12}) for=(\d{1,6}) limit=(\d{1,6}) hosts=(\S+)"
)
_RELEASE = re.compile(r"v1 time=(\d{1,12}) for=(\d{1,6}) by=(\S+) why=(.*)")


class MalformedBrakeState(ValueError):
    """The CIB holds something of the storm brake that cannot be read; the text quotes it."""


@dataclass(frozen=True)
class Passed:
    """A host that the gate let through, when, and the controller on which the gate ran."""

    node: NodeName
    at_s: float
    by: str

    def within(self, seconds: float, now_s: float) -> bool:
        """Tell whether it was so recently."""
        return abs(now_s - self.at_s) < seconds

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        return f"v1 time={self.at_s:.0f} by={self.by}"


@dataclass(frozen=True)
class Brake:
    """A brake that is on.

    scope: CLUSTER or that of a group. since_s: when it came on. seen_s: when more hosts than limit
    were seen last. cooldown_s: how long it stays on after that. hosts: those that it holds.
    """

    scope: str
    since_s: float
    seen_s: float
    cooldown_s: float
    limit: int
    hosts: tuple[NodeName, ...]

    def is_on(self, now_s: float) -> bool:
        """Tell whether it holds at a moment."""
        return abs(now_s - self.seen_s) < self.cooldown_s

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        return (
            f"v1 since={self.since_s:.0f} seen={self.seen_s:.0f} for={self.cooldown_s:.0f}"
            f" limit={self.limit} hosts={','.join(self.hosts)}"
        )


@dataclass(frozen=True)
class Release:
    """A person's word that a host shall be fenced and recovered, brake and limits or not.

    For so many seconds, who said it, and why.
    """

    node: NodeName
    at_s: float
    lasts_s: float
    by: str
    why: str

    def holds(self, now_s: float) -> bool:
        """Tell whether it is still good."""
        return abs(now_s - self.at_s) < self.lasts_s

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        return f"v1 time={self.at_s:.0f} for={self.lasts_s:.0f} by={self.by} why={self.why}"


@dataclass(frozen=True)
class Kept:
    """All of it."""

    passed: tuple[Passed, ...] = ()
    brakes: tuple[Brake, ...] = ()
    releases: tuple[Release, ...] = ()

    def released(self, now_s: float) -> frozenset[NodeName]:
        """Return the hosts that a person's release is good for."""
        return frozenset(release.node for release in self.releases if release.holds(now_s))

    def held(self, now_s: float) -> tuple[tuple[NodeName, Brake], ...]:
        """Return each host that is held, with a brake that holds it."""
        free = self.released(now_s)
        hosts = {host: brake for brake in self.brakes if brake.is_on(now_s) for host in brake.hosts}
        return tuple((host, hosts[host]) for host in sorted(hosts.keys() - free))

    def without(self, seen: Collection[NodeName]) -> "Kept":
        """Return it with none of these hosts under the cold start: they have come."""
        brakes = (
            replace(b, hosts=tuple(host for host in b.hosts if host not in seen))
            if b.scope == COLD_START
            else b
            for b in self.brakes
        )
        return replace(self, brakes=tuple(b for b in brakes if b.hosts))

    def on(self, now_s: float) -> tuple[Brake, ...]:
        """Return the brakes that are on; one whose hosts are all released is not."""
        free = self.released(now_s)
        return tuple(b for b in self.brakes if b.is_on(now_s) and not free.issuperset(b.hosts))

    def expired(self, window_s: float, now_s: float) -> "tuple[Passed | Brake | Release, ...]":
        """Return what nobody needs any more."""
        return (
            *(passed for passed in self.passed if not passed.within(window_s, now_s)),
            *(brake for brake in self.brakes if not brake.is_on(now_s)),
            *(release for release in self.releases if not release.holds(now_s)),
        )


def group_scope(group: str) -> str:
    """Return the scope of the brake of a group."""
    return f"group.{group}"


def shown_scope(scope: str) -> str:
    """Return a scope as people read it."""
    whole = {CLUSTER: "the cluster", COLD_START: "the cold start"}
    return whole.get(scope) or scope.replace("group.", "group ", 1)


def parse_groups(text: str) -> frozenset[str]:
    """Read names of groups separated by blanks; raises ValueError with what is accepted."""
    names = text.split()
    for name in names:
        check_group(name)
        if names.count(name) > 1:
            msg = f"names the group {name} twice"
            raise ValueError(msg)
    return frozenset(names)


def check_group(name: str) -> None:
    """Refuse what is no name of a group; raises ValueError with what is accepted."""
    if not _GROUP.fullmatch(name):
        msg = f"{name[:80]!a} is no group: letters, digits, _ and - (at most 63)"
        raise ValueError(msg)


def parse_passed(node: str, value: str) -> Passed:
    """Read one that was let through back; raises MalformedBrakeState."""
    match = _match(_PASSED, node, value)
    return Passed(NodeName(node), int(match[1]), match[2])


def parse_brake(scope: str, value: str) -> Brake:
    """Read a brake back; raises MalformedBrakeState."""
    match = _match(_BRAKE, scope, value)
    since_s, seen_s, cooldown_s, limit = map(int, match.group(1, 2, 3, 4))
    hosts = tuple(NodeName(name) for name in match[5].split(","))
    return Brake(scope, since_s, seen_s, cooldown_s, limit, hosts)


def parse_release(node: str, value: str) -> Release:
    """Read a release back; raises MalformedBrakeState."""
    match = _match(_RELEASE, node, value)
    return Release(NodeName(node), int(match[1]), int(match[2]), match[3], match[4])


def _match(pattern: re.Pattern[str], name: str, value: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        msg = f"what the storm brake keeps of {name} is malformed: {value[:120]!r}"
        raise MalformedBrakeState(msg)
    return match
