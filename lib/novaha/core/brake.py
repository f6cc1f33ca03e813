"""The storm brake: whether one more host may be fenced now, or a person has to look first.

Hosts that die on their own die one by one. Many at once are most likely healthy, behind a switch
or a cable that is dead, and fencing them would make the fault a disaster. A gate is the first
device of a host's fencing level; it waits a little, looks, and then lets the fencing go on or
fails it, and Pacemaker asks again.

    at once      already off, released, or fenced by a person
    late         not seen since the cluster began, a moment ago: core/coldstart.py
    counted      hosts that are lost now, and those that gates have let through within the window
    braked       more of them than the limit, in a group of the host or in the cluster; and after
                 that as long as the cooldown

Why gates on several controllers let no more through than the limit, without a lock: a host is lost
in the CIB before its gate is asked, and a gate writes whom it lets through before the fencing goes
on. The CIB has one order of its changes for all controllers, so of two hosts the gate that looks
later sees the other one as lost, or as let through. Who is lost has to be read first.

A lost fencing history changes nothing, because it is not asked whom it knows as fenced. What the
CIB forgets, a person has deleted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from novaha.core.actions import Hold
from novaha.core.brakestate import (
    CLUSTER,
    COLD_START,
    Brake,
    Kept,
    Passed,
    group_scope,
    shown_scope,
)
from novaha.core.coldstart import Beginning
from novaha.core.model import ClusterView
from novaha.core.names import NodeName, some_of
from novaha.core.reasons import Reason
from novaha.errors import NovaHaError

REFRESH = 4
"""So often within its time something is written anew that would be the same otherwise."""

NAMED = 8
"""So many hosts are named in a sentence."""


class Because(Enum):
    """Why a gate opens or stays shut: the closed list.

    code: as `--json` shows it. opens: what the gate does; None while it is too early to tell.
    sentence: what it means. ends: what changes it.
    """

    PROVEN_OFF = (
        "proven-off",
        True,
        "The host was fenced and has not joined since: there is nothing to switch off.",
        "The host joins the cluster.",
    )
    RELEASED = (
        "released",
        True,
        "A person released the host with `nova-ha release`.",
        "The release is over.",
    )
    BY_PERSON = (
        "by-person",
        True,
        "A person asked for this fencing: pcs stonith fence, stonith_admin.",
        "",
    )
    WITHIN_LIMITS = (
        "within-limits",
        True,
        "No more hosts are lost, or were let through, than may be.",
        "More of them are.",
    )
    WATCHING = (
        "watching",
        None,
        "The gate waits, to see whether a storm unfolds.",
        "`wait` is over.",
    )
    COLD_START = (
        "cold-start",
        False,
        "The cluster began a moment ago, and the host has not come yet: it may still boot.",
        "The host joins, `grace` is over, or a person releases it.",
    )
    GROUP_LIMIT = (
        "group-limit",
        False,
        "More hosts of one group are lost, or were let through, than may be.",
        "Hosts are back, the window is over, or a person releases them.",
    )
    CLUSTER_LIMIT = (
        "cluster-limit",
        False,
        "More hosts are lost, or were let through, than may be; a braked group is not counted.",
        "Hosts are back, the window is over, or a person releases them.",
    )
    COOLDOWN = (
        "cooldown",
        False,
        "A brake came on a moment ago.",
        "No gate sees too many hosts for as long as `cooldown`, or a person releases them.",
    )

    def __init__(
        self,
        code: str,
        opens: bool | None,  # noqa: FBT001
        sentence: str,
        ends: str,
    ) -> None:
        """Name the columns of the table above (an Enum has no keywords)."""
        self.code = code
        self.opens = opens
        self.sentence = sentence
        self.ends = ends


class Braked(NovaHaError):
    """The gate stays shut; the text says why, and what a person can do."""


@dataclass(frozen=True)
class Limits:
    """What may be fenced within the window: hosts of the cluster, and of each group.

    grace_s: how long after the beginning of the cluster nobody is fenced who has not come yet.
    """

    cluster: int
    group: int
    window_s: float
    cooldown_s: float
    grace_s: float = 0.0


@dataclass(frozen=True)
class Sight:
    """What a gate sees of the host it is asked for, and of all others.

    now_s: on the clock that the times of the others are of. lost: the hosts that Pacemaker has
    lost and not fenced yet. groups: of each host. off: hosts whose last life is proven to be over.
    by_person: somebody has asked for just this fencing. beginning: of the cluster.
    """

    node: NodeName
    now_s: float
    writer: str
    lost: frozenset[NodeName] = frozenset()
    groups: Mapping[NodeName, frozenset[str]] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)
    off: frozenset[NodeName] = frozenset()
    by_person: bool = False
    beginning: Beginning = field(default_factory=Beginning)


@dataclass(frozen=True)
class Verdict:
    """What the gate does, why, and what has to be in the CIB before it does so.

    passed: the host, where it is let through and counted. brakes: those that are on by now.
    """

    because: Because
    text: str
    passed: Passed | None = None
    brakes: tuple[Brake, ...] = ()


@dataclass(frozen=True)
class _Count:
    """The hosts of one scope: those that are counted, and those of them that want to be fenced."""

    scope: str
    limit: int
    counted: frozenset[NodeName]
    wanting: frozenset[NodeName]

    @property
    def over(self) -> bool:
        """Tell whether there are too many."""
        return len(self.counted) > self.limit


def judge(sight: Sight, limits: Limits, *, waited: bool) -> Verdict:
    """Return whether the gate opens. waited: the time in which a storm would show is over."""
    because = _at_once(sight)
    # One that was fenced before the site lost its power may be booting, too: it can wait.
    if because in (None, Because.PROVEN_OFF) and sight.node in late(sight, limits):
        return _too_early(sight, limits)
    if because is None and not waited:
        because = Because.WATCHING
    if because is not None:
        return Verdict(because, f"{sight.node}: {because.sentence}")
    groups, cluster = _counts(sight, limits)
    for counts in (groups, (cluster,)):
        if shut := _shut(sight, limits, counts):
            return shut
    text = f"{sight.node}: {Because.WITHIN_LIMITS.sentence}"
    return Verdict(Because.WITHIN_LIMITS, text, _passed(sight, limits))


def late(sight: Sight, limits: Limits) -> frozenset[NodeName]:
    """Return the hosts that nobody waits to fence yet: the cluster began a moment ago."""
    return sight.beginning.late(limits.grace_s, sight.now_s)


def _too_early(sight: Sight, limits: Limits) -> Verdict:
    """Return the verdict on a host that may still boot, and what shows all that are as late.

    Every gate writes the same, so that of two at the same moment neither spoils the other's.
    """
    hosts = tuple(sorted(late(sight, limits) - _released(sight)))
    began_s = sight.beginning.at_s or sight.now_s
    rest_s = began_s + limits.grace_s - sight.now_s
    text = (
        f"{sight.node} has not come yet since the cluster began, and is not fenced for"
        f" {rest_s:.0f} s more; is it dead? nova-ha release"
    )
    shown = Brake(COLD_START, began_s, began_s, limits.grace_s, 0, hosts)
    stands = shown in sight.kept.brakes
    return Verdict(Because.COLD_START, text, brakes=() if stands else (shown,))


def _shut(sight: Sight, limits: Limits, counts: tuple[_Count, ...]) -> Verdict | None:
    """Return why the gate stays shut for scopes of one kind, or None."""
    over = tuple(count for count in counts if count.over)
    if over:
        because = Because.CLUSTER_LIMIT if over[0].scope == CLUSTER else Because.GROUP_LIMIT
        brakes = tuple(brake for count in over if (brake := _brake(sight, limits, count)))
        return Verdict(because, _too_many(sight, limits, over[0]), brakes=brakes)
    on = {brake.scope: brake for brake in sight.kept.on(sight.now_s)}
    for count in counts:
        if brake := on.get(count.scope):
            return Verdict(Because.COOLDOWN, _cooling(sight, brake), brakes=_joined(sight, count))
    return None


def holds(cluster: ClusterView) -> tuple[Hold, ...]:
    """Return what an operator is told of the hosts that are held."""
    return tuple(Hold(node, _reason(brake), _held(brake)) for node, brake in cluster.braked)


def _reason(brake: Brake) -> Reason:
    return Reason.COLD_START if brake.scope == COLD_START else Reason.STORM_BRAKE


def _held(brake: Brake) -> str:
    # What to do comes early: pcs status shows some 127 characters.
    if brake.scope == COLD_START:
        return (
            "has not come yet since the cluster began, and is not fenced; if dead: nova-ha"
            f" release; waited for: {brake.cooldown_s:.0f} s, of {len(brake.hosts)}:"
            f" {named(brake.hosts)}"
        )
    return (
        f"is not fenced: storm brake of {shown_scope(brake.scope)}; if dead: nova-ha release;"
        f" held: {len(brake.hosts)}, {brake.limit} may be fenced within the window:"
        f" {named(brake.hosts)}"
    )


def _at_once(sight: Sight) -> Because | None:
    if sight.by_person:
        return Because.BY_PERSON
    if sight.node in sight.off:
        return Because.PROVEN_OFF
    return Because.RELEASED if sight.node in _released(sight) else None


def _released(sight: Sight) -> frozenset[NodeName]:
    return sight.kept.released(sight.now_s)


def _counts(sight: Sight, limits: Limits) -> tuple[tuple[_Count, ...], _Count]:
    """Return what is counted for the host: in each of its groups, and in the cluster."""
    settled = sight.off | _released(sight) | late(sight, limits)
    wanting = (sight.lost | {sight.node}) - settled
    recent = {p.node for p in sight.kept.passed if p.within(limits.window_s, sight.now_s)}
    counted = wanting | recent
    names = sorted({name for host in counted for name in sight.groups.get(host, ())})
    groups = {name: _of_group(sight, limits, name, counted, wanting) for name in names}
    on = {brake.scope for brake in sight.kept.on(sight.now_s)}
    shut = {name for name, count in groups.items() if count.over or count.scope in on}
    free = frozenset(h for h in wanting if not shut & sight.groups.get(h, frozenset()))
    cluster = _Count(CLUSTER, limits.cluster, free | recent, free)
    mine = sight.groups.get(sight.node, frozenset())
    return tuple(groups[name] for name in names if name in mine), cluster


def _of_group(
    sight: Sight,
    limits: Limits,
    name: str,
    counted: frozenset[NodeName],
    wanting: frozenset[NodeName],
) -> _Count:
    members = frozenset(h for h in counted if name in sight.groups.get(h, ()))
    return _Count(group_scope(name), limits.group, members, members & wanting)


def _brake(sight: Sight, limits: Limits, count: _Count) -> Brake | None:
    """Return the brake of a scope as it has to be written, None where it stands so already."""
    hosts = tuple(sorted(count.wanting))
    before = next((b for b in sight.kept.brakes if b.scope == count.scope), None)
    if before is None or not before.is_on(sight.now_s):
        since_s = sight.now_s
    else:
        since_s = before.since_s
        young = abs(sight.now_s - before.seen_s) < limits.cooldown_s / REFRESH
        if before.hosts == hosts and young:
            return None
    return Brake(count.scope, since_s, sight.now_s, limits.cooldown_s, count.limit, hosts)


def _joined(sight: Sight, count: _Count) -> tuple[Brake, ...]:
    """Return the brake of a scope with the host among those that it holds, where it is not yet."""
    return tuple(
        replace(brake, hosts=tuple(sorted(count.wanting)))
        for brake in sight.kept.brakes
        if brake.scope == count.scope and sight.node not in brake.hosts
    )


def _passed(sight: Sight, limits: Limits) -> Passed | None:
    """Return the host as it has to be written, None where it was let through a moment ago."""
    young_s = limits.window_s / REFRESH
    if any(p.node == sight.node and p.within(young_s, sight.now_s) for p in sight.kept.passed):
        return None
    return Passed(sight.node, sight.now_s, sight.writer)


def _too_many(sight: Sight, limits: Limits, count: _Count) -> str:
    return (
        f"storm brake holds {sight.node}: {len(count.counted)} hosts of {shown_scope(count.scope)}"
        f" are lost or were fenced within {limits.window_s:.0f} s, {count.limit} may be"
        f" ({named(count.counted)}); are they dead? nova-ha release"
    )


def _cooling(sight: Sight, brake: Brake) -> str:
    rest_s = brake.cooldown_s - abs(sight.now_s - brake.seen_s)
    return (
        f"storm brake holds {sight.node} for {rest_s:.0f} s more: there were too many hosts of"
        f" {shown_scope(brake.scope)} a moment ago; is it dead? nova-ha release"
    )


def named(hosts: Iterable[NodeName]) -> str:
    """Return names of hosts, not too many."""
    return some_of(sorted(hosts), NAMED)
