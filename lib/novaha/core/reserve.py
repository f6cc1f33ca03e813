"""The reserved host of a failed one: which is used for it, or could be, or why there is none.

All of it stands in the metadata of the segment, so that a process which has just started knows as
much: the key of a reserved host says for whom it is used (core/segments.py: Use).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from novaha.core.drain import Wanted
from novaha.core.model import View
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.recovery import RESERVED_REASON
from novaha.core.rules import Rules
from novaha.core.segments import (
    RESERVED,
    SEGMENT,
    TRUE,
    Aggregate,
    RecoveryMethod,
    Use,
    method_of,
    reserved_of,
    segment_of,
    use_of,
)
from novaha.core.services import find_service, listed_host
from novaha.core.standing import concerned


@dataclass(frozen=True)
class Taken:
    """A reserved host that is used, and the segment that says so."""

    segment: Aggregate
    host: ComputeHost
    use: Use


@dataclass(frozen=True)
class Reserve:
    """What a failed host has of reserved hosts.

    method: where its instances go; wrong: what its segment says that nobody understands. taken: the
    one that is used for it. free: the one that could be. why: what is wrong with the one that is
    ready, or with each that is not free, "" where one is ready, being readied or free.
    """

    method: RecoveryMethod = RecoveryMethod.AUTO
    wrong: str = ""
    segment: Aggregate | None = None
    taken: Taken | None = None
    free: ComputeHost | None = None
    why: str = ""

    @property
    def first(self) -> bool:
        """Tell whether its instances go to a reserved host first, whatever room is elsewhere."""
        return self.method in (RecoveryMethod.RESERVED_HOST, RecoveryMethod.RH_PRIORITY)

    @property
    def lacks(self) -> bool:
        """Tell whether its instances can go nowhere."""
        return self.method is RecoveryMethod.RESERVED_HOST and bool(self.why)


def reserve_of(view: View, policy: Policy, lost: ComputeHost) -> Reserve:
    """Return what a failed host has of reserved hosts, as Nova's aggregates tell."""
    rules = view.memory.rules.value if view.memory.rules else Rules()
    segment = segment_of(rules.of(lost).aggregates)
    if segment is None:
        return Reserve()
    method = method_of(segment)
    if method is None:
        return Reserve(wrong=f"{_method(segment)} is unknown: Nova's scheduler places instances")
    if method is RecoveryMethod.AUTO:
        return Reserve()
    taken = next(taken_for(rules, lost), None)
    if taken is not None:
        wrong = unusable(view, policy, taken.host, ready=True) if taken.use.ready else ""
        why = f"its reserved host {taken.host} {wrong}" if wrong else ""
        return Reserve(method, segment=segment, taken=taken, why=why)
    reasons = dict(_candidates(view, policy, rules, segment))
    free = next((host for host, reason in reasons.items() if not reason), None)
    if free is not None:
        return Reserve(method, segment=segment, free=free)
    why = "; ".join(f"{host} {reason}" for host, reason in reasons.items())
    none = f"segment {segment.metadata[SEGMENT]} has no reserved host ({RESERVED}HOST)"
    return Reserve(method, segment=segment, why=why or none)


def taken_for(rules: Rules, lost: ComputeHost) -> Iterator[Taken]:
    """Yield the reserved hosts that are used for a failed one, of whatever segment it is now."""
    return (taken for taken in _all_taken(rules) if taken.use.host == lost)


def unusable(view: View, policy: Policy, host: ComputeHost, *, ready: bool = False) -> str:
    """Return why instances cannot go to a reserved host, "" where they can.

    Disabled in any other way than as reserved it is a person's business, enabled it is used as is.
    ready: it is used already; what is disabled then was disabled by a person, for whatever reason.
    """
    services = view.memory.services.value if view.memory.services else ()
    service = find_service(services, host)
    if service is None:
        return "has no nova-compute in Nova"
    if host in lost_hosts(view, policy):
        return "is lost itself"
    if wanted := _wanted(view, policy, host):
        return f"takes no instances: {wanted.said}"
    if service.forced_down or not service.up:
        return "is forced down" if service.forced_down else "is down"
    reserved = service.disabled_reason.startswith(RESERVED_REASON) and not ready
    if service.enabled or reserved:
        return ""
    reason = service.disabled_reason or "no reason given"
    return f"is disabled ({reason})" + ("" if ready else f", not as '{RESERVED_REASON}'")


def _candidates(
    view: View, policy: Policy, rules: Rules, segment: Aggregate
) -> Iterator[tuple[ComputeHost, str]]:
    """Yield the reserved hosts of a segment, each with the reason why it cannot be taken."""
    used = {taken.host: taken.use.host for taken in _all_taken(rules)}
    for host, value in reserved_of(segment).items():
        if host in used:
            yield host, f"is used for {used[host]}"
        elif value.lower() != TRUE:
            yield host, f"is not free: its key says {value}"
        else:
            yield host, unusable(view, policy, host)


def _all_taken(rules: Rules) -> Iterator[Taken]:
    for aggregate in sorted(rules.aggregates, key=lambda each: (each.name, each.id)):
        for host, value in reserved_of(aggregate).items():
            use = use_of(value)
            if use is not None:
                yield Taken(aggregate, host, use)


def lost_hosts(view: View, policy: Policy) -> set[ComputeHost]:
    """Return the hosts of which a fencing is recorded, whatever Nova still believes of them."""
    hosts = (listed_host(view, policy, node) for node in concerned(view.cluster))
    return {host for host in hosts if host is not None}


def _wanted(view: View, policy: Policy, host: ComputeHost) -> Wanted | None:
    """Return what is wanted of a host that is to take no instances."""
    cluster = view.cluster
    nodes = {*(drain.node for drain in cluster.drains), *cluster.health}
    mine = (node for node in sorted(nodes) if listed_host(view, policy, node) == host)
    return next(map(cluster.wanted, mine), None)


def _method(segment: Aggregate) -> str:
    return f"the recovery method of segment {segment.metadata[SEGMENT]}"
