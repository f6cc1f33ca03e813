"""How a reserved host is readied for a failed one, and handed back.

    free --taking--> written down --> its aggregates, enabled --> used --> handed back --> free

Each step is written down in Nova before what it announces is done, so that a process that has just
started goes on with the same reserved host. One is taken for a failed host, never a second one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from novaha.core.actions import (
    AddToAggregate,
    AskMigrations,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    Disable,
    Enable,
    Hold,
    Question,
    RemoveFromAggregate,
    SetUse,
)
from novaha.core.model import Answer, Service, View
from novaha.core.names import ComputeHost
from novaha.core.pace import refusal_pause_s
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import RESERVED_REASON
from novaha.core.reserve import Reserve, Taken, lost_hosts, taken_for, unusable
from novaha.core.rules import Rules
from novaha.core.segments import MAX_LENGTH, SEGMENT, Aggregate, Use, adds_reserved
from novaha.core.services import find_service, refused_change
from novaha.core.silence import aggregates_unchanged

T = TypeVar("T")

LISTS_S = 20.0
"""A host's lists must not be older when more of its instances are sent to a reserved host."""


def readying(
    view: View, policy: Policy, lost: ComputeHost, reserve: Reserve
) -> tuple[Decision, ...]:
    """Return what makes a reserved host ready: it is written down first, then everything else."""
    asks = _asks(view, policy) if reserve.taken else _asks_before_the_first(view, policy, lost)
    wait = _unsettled(view, policy, lost) or asks
    if wait:
        return wait
    if reserve.taken is not None:
        return _make_ready(view, policy, reserve.taken)
    if reserve.segment is None or reserve.free is None:
        return ()
    taken = _new(view, lost, reserve.segment, reserve.free)
    step = SetUse(taken.segment, taken.host, taken.use)
    return tuple(_refusals(view, policy, taken, (step,))) or (step,)


def _new(view: View, lost: ComputeHost, segment: Aggregate, host: ComputeHost) -> Taken:
    """Return what is to be done with a reserved host, all of which is undone when it is free again.

    Another segment it does not join: it would not be known any more to which one it belongs.
    """
    service = _service(view, host)
    use = Use(lost, enabled=service is not None and not service.enabled)
    if not adds_reserved(segment):
        return Taken(segment, host, use)
    for aggregate in _rules(view).of(lost).aggregates:
        if host not in aggregate.hosts and SEGMENT not in aggregate.metadata:
            more = replace(use, added=(*use.added, aggregate.id))
            use = more if len(more.to_value()) <= MAX_LENGTH else use
    return Taken(segment, host, use)


def _make_ready(view: View, policy: Policy, taken: Taken) -> tuple[Decision, ...]:
    """Return what is left to be done with a reserved host; one that became unusable goes back.

    An aggregate that Nova keeps it out of, it does without.
    """
    if taken.host in lost_hosts(view, policy):
        return (Hold(taken.use.host, Reason.BLOCKED, f"its reserved host {taken.host} is lost"),)
    if unusable(view, policy, taken.host):
        return _free(view, policy, taken)
    refused = {id_ for id_, host in view.memory.aggregate_refused if host == taken.host}
    joins = [a for a in _rules(view).aggregates if a.id in {*taken.use.added} - refused]
    add = (AddToAggregate(a, taken.host) for a in joins if taken.host not in a.hosts)
    service = _service(view, taken.host)
    enable = (Enable(service),) if service is not None and not service.enabled else ()
    ready = replace(taken.use, ready=True, added=tuple(a.id for a in joins))
    steps = (*add, *enable, SetUse(taken.segment, taken.host, ready))
    return tuple(_refusals(view, policy, taken, steps)) or steps


def hand_back(view: View, policy: Policy, lost: ComputeHost) -> tuple[Decision, ...]:
    """Return what frees the reserved hosts of a host that serves again; nothing once all are.

    One that has been lost itself is left to its own recovery until that is over.
    """
    if view.memory.rules is None:
        return (AskRules(),)
    taken = tuple(taken_for(view.memory.rules.value, lost))
    if not taken:
        return ()
    gone = [each.host for each in taken if each.host in lost_hosts(view, policy)]
    if gone:
        text = f"serves again; its reserved host {gone[0]} is recovered itself"
        return (Hold(lost, Reason.HAND_BACK, text),)
    wait = _unsettled(view, policy, lost) or _asks(view, policy)
    return wait or tuple(chain.from_iterable(_free(view, policy, each) for each in taken))


def _free(view: View, policy: Policy, taken: Taken) -> tuple[Decision, ...]:
    """Return what makes a reserved host free again; what a person has set since is left so."""
    service = _service(view, taken.host)
    undo = taken.use.enabled and service is not None and service.enabled
    disable = (Disable(service, RESERVED_REASON),) if service is not None and undo else ()
    joined = [a for a in _rules(view).aggregates if a.id in taken.use.added]
    leave = (RemoveFromAggregate(a, taken.host) for a in joined if taken.host in a.hosts)
    steps = (*disable, *leave, SetUse(taken.segment, taken.host, None))
    return tuple(_refusals(view, policy, taken, steps)) or steps


def each_once(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Yield decisions, of those that want one reserved host for two failed hosts the first."""
    seen: set[ComputeHost] = set()
    for decision in decisions:
        if isinstance(decision, SetUse):
            if decision.reserved in seen:
                continue
            seen.add(decision.reserved)
        yield decision


def asks_before_the_next(view: View, policy: Policy, lost: ComputeHost) -> tuple[Question, ...]:
    """Return what is read again before more instances are sent to a reserved host in use."""
    memory = view.memory
    return (
        *_if_old(view, memory.migrations.get(lost), LISTS_S, AskMigrations(lost)),
        *_if_old(view, memory.services, LISTS_S, AskServices()),
        *_if_old(view, memory.rules, policy.look_again_s, AskRules()),
    )


def _asks_before_the_first(view: View, policy: Policy, lost: ComputeHost) -> tuple[Question, ...]:
    """Return what is read again before one is taken: a person may have evacuated by hand."""
    records, servers = view.memory.migrations.get(lost), view.memory.servers.get(lost)
    return (
        *_if_old(view, records, policy.poll_s, AskMigrations(lost)),
        *_if_old(view, servers, LISTS_S, AskServers(lost, details=True)),
        *_asks(view, policy),
    )


def _asks(view: View, policy: Policy) -> tuple[Question, ...]:
    """Return what is read again before one changes, so that what a person did is seen (L6)."""
    return (
        *_if_old(view, view.memory.services, policy.poll_s, AskServices()),
        *_if_old(view, view.memory.rules, policy.poll_s, AskRules()),
    )


def _if_old(
    view: View, answer: Answer[T] | None, most_s: float, question: Question
) -> tuple[Question, ...]:
    """Return a question whose answer is older than that, and not of this cycle."""
    fresh_s = min(view.now_s - most_s, view.cycle_s)
    return (question,) if answer is None or answer.asked_s < fresh_s else ()


def _unsettled(view: View, policy: Policy, lost: ComputeHost) -> tuple[Decision, ...]:
    """Return that a change of an earlier process may still arrive, which nobody would see."""
    settled_s, rules = view.memory.started_s + policy.settle_s, view.memory.rules
    if rules is not None and rules.asked_s >= settled_s:
        return ()
    wait_s = max(settled_s - view.now_s, 0.0)
    text = f"its reserved host waits {wait_s:.0f} s for requests of before"
    ask = () if wait_s else (AskRules(),)
    return (*ask, Hold(lost, Reason.SETTLING, text))


def _rules(view: View) -> Rules:
    return view.memory.rules.value if view.memory.rules else Rules()


def _service(view: View, host: ComputeHost) -> Service | None:
    return find_service(view.memory.services.value if view.memory.services else (), host)


def _refusals(
    view: View, policy: Policy, taken: Taken, steps: Iterable[Decision]
) -> Iterator[Hold]:
    """Yield a hold for each step that Nova has just not done; the others wait for it, too."""
    lost = taken.use.host
    for step in steps:
        match step:
            case Enable() | Disable():
                hold = refused_change(view, policy, taken.host)
                text = hold.text if hold else ""
            case AddToAggregate(aggregate) | RemoveFromAggregate(aggregate) | SetUse(aggregate):
                text = _refused(view, policy, aggregate, taken.host)
            case _:
                text = ""
        if text:
            yield Hold(lost, Reason.BLOCKED, f"its reserved host {taken.host}: {text}")


def _refused(view: View, policy: Policy, aggregate: Aggregate, host: ComputeHost) -> str:
    """Return why Nova did not change an aggregate for a host, while that is fresh."""
    if unchanged := aggregates_unchanged(view, host):
        return unchanged
    refused = view.memory.aggregate_refused.get((aggregate.id, host))
    if refused is None or view.now_s - refused.last_s >= refusal_pause_s(policy, refused):
        return ""
    return f"Nova refuses to change aggregate {aggregate.name} for it: {refused.text}"
