"""The one decision: what to ask, to do or to wait for, given all that is known.

The state of each node (core/standing.py) says which function plans for it:

    FENCING                questions ahead of the proof      here
    FENCED                 KeepProof, or at once             here
    PROVEN                 BeginRecovery, ForceDown          here; ForceDown alone while it has
                                                             no place (core/limits.py)
    EVACUATING             evacuations, Release              core/evacuation.py
    RELEASING              Release once more                 here
    RETURNING              ForceUp, Enable, EndRecovery      core/returning.py, core/trial.py
    UNREADABLE, UNPROVEN,
    VOID                   nothing but their Hold; what is in flight there keeps its slots
                           (core/unfinished.py)

What was placed stopped is started whatever the state of its node (core/starting.py).
Hosts that are to be emptied come last (core/draining.py): they never keep a recovery waiting.

Questions are decisions too: the caller answers them and decides again. What Nova gives no answer
to is left out at the end, with its Hold (core/silence.py).
"""

from dataclasses import replace
from typing import NamedTuple

from novaha.core.actions import (
    AskCanaries,
    AskLiveMigrations,
    AskMigrations,
    AskPhases,
    AskPlaced,
    AskPorts,
    AskRoom,
    AskRules,
    AskServers,
    AskServices,
    BeginRecovery,
    Decision,
    DropHold,
    ForceDown,
    Hold,
    KeepProof,
    Question,
    Release,
)
from novaha.core.brake import holds
from novaha.core.draining import draining
from novaha.core.evacuation import plan
from novaha.core.hostplan import HostPlan
from novaha.core.limits import disarms_shown, standings
from novaha.core.model import ClusterView, Service, View
from novaha.core.names import HostAmbiguous, HostNotFound, NodeName, compute_host_of
from novaha.core.policy import Policy
from novaha.core.readying import each_once
from novaha.core.reasons import Reason
from novaha.core.recovery import FENCED_REASON, Found, Proof, Proven, Record, Recovery, is_ours
from novaha.core.returning import returning
from novaha.core.services import behind_a_down_cell, named_hosts, refused_change, services_again
from novaha.core.sharing import share
from novaha.core.silence import without_silence
from novaha.core.standing import Standing
from novaha.core.starting import starting
from novaha.core.states import RecoveryState as State
from novaha.core.unfinished import unfinished
from novaha.core.unlisted import unknown

FRESH_S = 10.0
"""What is written down as found must not be older than this when the recovery begins.

Answers of the present cycle always do: with many hosts, or a slow Nova, nothing would ever begin.
"""


def decide(view: View, policy: Policy) -> tuple[Decision, ...]:
    """Return everything to be done now, in the order in which it must be done."""
    cluster = view.cluster
    if not cluster.quorate:
        return (Hold("cluster", Reason.NO_QUORUM, "this partition has no quorum: hands off"),)
    found = standings(view, policy)
    plans = [plan_of(view, policy, standing) for standing in found]
    evacuating = {
        standing.node: plan
        for standing, plan in zip(found, plans, strict=True)
        if standing.state is State.EVACUATING
    }
    plans += unfinished(view, policy, found)
    told = (*holds(cluster), *_unfenced(cluster), *disarms_shown(cluster, found))
    shared = tuple(each_once(share(view, policy, plans)))
    started = starting(view, policy, evacuating)
    drains = draining(view, policy, found, plans)
    return without_silence(view, (*_orphans(cluster), *told, *shared, *started, *drains))


def plan_of(view: View, policy: Policy, standing: Standing) -> HostPlan:
    """Return what a node needs in the state in which it stands."""
    match standing:
        case Standing(state=State.EVACUATING, record=Recovery() as recovery):
            receipt = standing.receipt
            own = receipt if receipt is not None and receipt.id == recovery.receipt_id else None
            return plan(view, policy, recovery, own)
        case _:
            return HostPlan(_other_than_evacuating(view, policy, standing))


def _other_than_evacuating(view: View, policy: Policy, standing: Standing) -> tuple[Decision, ...]:
    match standing:
        case Standing(state=State.FENCING):
            return _ahead(view, policy, standing)
        case Standing(state=State.FENCED, proof=Proof() as proof):
            return _fenced(view, policy, standing, Proven(standing.node, proof, standing.found))
        case Standing(state=State.PROVEN, record=Proven() as proven):
            wait = standing.hold and _wait(view, policy, standing, proven, standing.hold)
            return wait or _begin(view, policy, proven)
        case Standing(state=State.RELEASING, record=Recovery() as recovery):
            return (Release(recovery, standing.receipt),)
        case Standing(state=State.RETURNING, record=Recovery() as recovery):
            return returning(view, policy, recovery)
    return (standing.hold,) if standing.hold else ()


def _ahead(view: View, policy: Policy, standing: Standing) -> tuple[Decision, ...]:
    """Change nothing while the fencing runs; but what will be asked can be asked already."""
    receipt_id = standing.receipt.id if standing.receipt else ""
    facts = _facts(view, policy, standing.node, receipt_id)
    ask = () if isinstance(facts, _Facts) else questions(facts)
    return (*ask, *((standing.hold,) if standing.hold else ()))


def _fenced(view: View, policy: Policy, standing: Standing, proven: Proven) -> tuple[Decision, ...]:
    """Begin at once when Nova was asked ahead; else keep the proof before it is asked."""
    if standing.hold:
        return _wait(view, policy, standing, proven, standing.hold)
    begin = _begin(view, policy, proven)
    at_once = any(isinstance(decision, BeginRecovery) for decision in begin)
    return begin if at_once else (KeepProof(proven),)


class _Facts(NamedTuple):
    """How a host stands at the beginning: its service and its highest evacuation record."""

    service: Service
    after_migration: int


def _facts(
    view: View, policy: Policy, node: NodeName, receipt_id: str
) -> _Facts | tuple[Decision, ...]:
    """Return how the host stands, or what is missing; nothing may be older than the receipt.

    The rules neither: what an aggregate's limit bars must not begin because Nova did not tell it.
    """
    memory, since_s = view.memory, _since_s(view, receipt_id)
    service = _service(view, policy, node, since_s)
    if not isinstance(service, Service):
        return service
    host = service.host
    records, servers = memory.migrations.get(host), memory.servers.get(host)
    ask = (AskMigrations(host), AskServers(host, details=True), AskRules(), AskRoom())
    if records is None or servers is None or memory.rules is None:
        return ask
    if min(records.asked_s, servers.asked_s, memory.rules.asked_s) < since_s:
        return ask
    return _Facts(service, max((migration.id for migration in records.value), default=0))


def _since_s(view: View, receipt_id: str) -> float:
    """Return since when what is written down must have been asked for, in monotonic seconds."""
    fresh_s = min(view.now_s - FRESH_S, view.cycle_s)
    return max(view.memory.first_seen.get(receipt_id, view.now_s), fresh_s)


def _service(
    view: View, policy: Policy, node: NodeName, since_s: float
) -> Service | tuple[Decision, ...]:
    """Return the service of a node, or what is missing."""
    services = view.memory.services
    if services is None or services.asked_s < since_s:
        return (AskServices(),)
    try:
        host = compute_host_of(node, named_hosts(view), policy.host_map)
    except (HostNotFound, HostAmbiguous) as error:
        none = isinstance(error, HostNotFound)
        reason = Reason.HOST_UNKNOWN if none else Reason.HOST_AMBIGUOUS
        text = f"{error}; set host_map{'; it is let go when it is back' if none else ''}"
        return (*services_again(view, policy), Hold(node, reason, text))
    unseen = behind_a_down_cell(view, policy, host)
    return unseen or next(service for service in services.value if service.host == host)


def _wait(
    view: View, policy: Policy, standing: Standing, proven: Proven, hold: Hold
) -> tuple[Decision, ...]:
    """Keep the proof of a host whose recovery must not begin yet, before anything is asked."""
    kept = standing.state is State.PROVEN
    aside = _set_aside(view, policy, proven) if hold.reason is Reason.RECOVERY_LIMIT else ()
    if kept:
        return (*aside, *standing.ask, hold)
    noted = any(isinstance(decision, KeepProof) for decision in aside)
    return (*(aside if noted else (KeepProof(proven),)), hold)


def _set_aside(view: View, policy: Policy, proven: Proven) -> tuple[Decision, ...]:
    """Have Nova place nothing on a host whose recovery waits for others.

    Nova takes it for living for a minute, and would send those others' instances there. How it
    stood is kept with the proof, before it is forced down.
    """
    since_s = 0.0 if proven.found else _since_s(view, proven.proof.receipt_id)
    service = _service(view, policy, proven.node, since_s)
    if not isinstance(service, Service):
        return service
    keep = () if proven.found else (KeepProof(replace(proven, found=_found(service, None))),)
    if service.forced_down:
        return keep
    return (*keep, refused_change(view, policy, service.host) or ForceDown(service))


def _begin(view: View, policy: Policy, proven: Proven) -> tuple[Decision, ...]:
    """Take up a proven fencing: write down how the host stands, then force it down."""
    facts = _facts(view, policy, proven.node, proven.proof.receipt_id)
    if not isinstance(facts, _Facts):
        return unknown(view, proven, facts)
    service = facts.service
    found = _found(service, proven.found)
    after = view.memory.begun.get(proven.proof.receipt_id, facts.after_migration)
    recovery = Recovery(proven.node, proven.proof, service.host, "evacuating", found, after)
    force = () if service.forced_down else (ForceDown(service),)
    return (BeginRecovery(recovery), *force)


def _found(service: Service, before: Found | None) -> Found:
    """Return how a person had left the service, seeing through what we set ourselves.

    before: what the recovery found that this one takes over, with all that it had set.
    """
    ours = not service.enabled and is_ours(service.disabled_reason)
    forced = ours and service.disabled_reason.startswith(FENCED_REASON)
    theirs = before.forced_down if before else not forced
    return Found(enabled=service.enabled or ours, forced_down=service.forced_down and theirs)


def _unfenced(cluster: ClusterView) -> tuple[Hold, ...]:
    """Return what an operator is told of lost nodes that no device fences."""
    text = "is lost, and its fencing fails; if you saw that it is off: nova-ha confirm-off {}; {}"
    return tuple(
        Hold(node, Reason.FENCE_FAILED, text.format(node, why or "no reason is known"))
        for node, why in cluster.failing
    )


def _orphans(cluster: ClusterView) -> tuple[Decision, ...]:
    """Return the holds that nothing explains: neither a receipt nor an evacuation."""
    explained = {receipt.id for receipt in cluster.receipts}
    explained |= {r.proof.receipt_id for r in cluster.records if not _released(r)}
    unreadable = {node for node, _ in cluster.malformed}
    return tuple(
        DropHold(mark)
        for mark in cluster.marks
        if mark.receipt_id not in explained and mark.node not in unreadable
    )


def _released(record: Record) -> bool:
    return isinstance(record, Recovery) and record.phase == "returning"


_QUESTIONS = (
    AskServices,
    AskServers,
    AskMigrations,
    AskLiveMigrations,
    AskRules,
    AskRoom,
    AskPorts,
    AskPhases,
    AskPlaced,
    AskCanaries,
)


def questions(decisions: tuple[Decision, ...]) -> tuple[Question, ...]:
    """Return the questions among the decisions, each once."""
    asked = [d for d in decisions if isinstance(d, _QUESTIONS)]
    return tuple(dict.fromkeys(asked))
