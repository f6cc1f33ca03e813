"""The one decision: what to ask, to do or to wait for, given all that is known.

The state of each node (core/standing.py) says which function plans for it:

    FENCING                questions ahead of the proof      here
    FENCED                 KeepProof, or at once             here
    PROVEN                 BeginRecovery, ForceDown          here
    EVACUATING             evacuations, Release              core/evacuation.py
    RELEASING              Release once more                 here
    RETURNING              ForceUp, Enable, EndRecovery      core/returning.py
    UNREADABLE, UNPROVEN,
    VOID                   nothing but their Hold; what is in flight there keeps its slots
                           (core/unfinished.py)

Questions are decisions too: the caller answers them and decides again.
"""

from typing import NamedTuple

from novaha.core.actions import (
    AskMigrations,
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
from novaha.core.evacuation import find_service, plan, services_again
from novaha.core.hostplan import HostPlan
from novaha.core.model import ClusterView, Service, View
from novaha.core.names import HostAmbiguous, HostNotFound, NodeName, compute_host_of
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import OUR_REASON, Found, Proof, Proven, Record, Recovery
from novaha.core.returning import returning
from novaha.core.sharing import share
from novaha.core.standing import Standing, concerned, stand
from novaha.core.states import RecoveryState as State
from novaha.core.unfinished import unfinished

FRESH_S = 10.0
"""What is written down as found must not be older than this when the recovery begins.

Answers of the present cycle always do: with many hosts, or a slow Nova, nothing would ever begin.
"""


def decide(view: View, policy: Policy) -> tuple[Decision, ...]:
    """Return everything to be done now, in the order in which it must be done."""
    cluster = view.cluster
    if not cluster.quorate:
        return (Hold("cluster", Reason.NO_QUORUM, "this partition has no quorum: hands off"),)
    standings = [stand(view, policy, node) for node in concerned(cluster)]
    plans = [plan_of(view, policy, standing) for standing in standings]
    plans += unfinished(view, policy, standings)
    return _without_the_cloud(
        view, (*_orphans(cluster), *holds(cluster), *share(view, policy, plans))
    )


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
            return _fenced(view, policy, Proven(standing.node, proof, standing.found))
        case Standing(state=State.PROVEN, record=Proven() as proven):
            return _begin(view, policy, proven)
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


def _fenced(view: View, policy: Policy, proven: Proven) -> tuple[Decision, ...]:
    """Begin at once when Nova was asked ahead; else keep the proof before it is asked."""
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
    """Return how the host stands, or what is missing; nothing may be older than the receipt."""
    memory = view.memory
    fresh_s = min(view.now_s - FRESH_S, view.cycle_s)
    since_s = max(memory.first_seen.get(receipt_id, view.now_s), fresh_s)
    if memory.services is None or memory.services.asked_s < since_s:
        return (AskServices(),)
    hosts = [service.host for service in memory.services.value]
    try:
        host = compute_host_of(node, hosts, policy.host_map)
    except (HostNotFound, HostAmbiguous) as error:
        reason = Reason.HOST_UNKNOWN if isinstance(error, HostNotFound) else Reason.HOST_AMBIGUOUS
        return (*services_again(view, policy), Hold(node, reason, f"{error}; set host_map"))
    service = find_service(memory.services.value, host)
    records, servers = memory.migrations.get(host), memory.servers.get(host)
    ask = (AskMigrations(host), AskServers(host, details=True), AskRules(), AskRoom())
    if service is None or records is None or servers is None or memory.rules is None:
        return ask
    if min(records.asked_s, servers.asked_s, memory.rules.asked_s) < since_s:
        return ask
    return _Facts(service, max((migration.id for migration in records.value), default=0))


def _begin(view: View, policy: Policy, proven: Proven) -> tuple[Decision, ...]:
    """Take up a proven fencing: write down how the host stands, then force it down."""
    facts = _facts(view, policy, proven.node, proven.proof.receipt_id)
    if not isinstance(facts, _Facts):
        return facts
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
    ours = not service.enabled and service.disabled_reason.startswith(OUR_REASON)
    theirs = before.forced_down if before else not ours
    return Found(enabled=service.enabled or ours, forced_down=service.forced_down and theirs)


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


def _without_the_cloud(view: View, decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """While Nova gives no answer, neither ask nor change anything there."""
    if view.memory.trouble is None or view.now_s >= view.memory.trouble_until_s:
        return decisions
    kept = tuple(d for d in decisions if _without_nova(d))
    dropped = len(kept) < len(decisions)
    hold = Hold("nova", Reason.CLOUD, view.memory.trouble)
    return (*kept, hold) if dropped else kept


def _without_nova(decision: Decision) -> bool:
    """Tell what needs nothing of Nova; a release out of an evacuation reads the heartbeat."""
    if isinstance(decision, Release):
        return decision.recovery.phase == "returning"
    return isinstance(decision, Hold | DropHold | KeepProof)


_QUESTIONS = (AskServices, AskServers, AskMigrations, AskRules, AskRoom)


def questions(decisions: tuple[Decision, ...]) -> tuple[Question, ...]:
    """Return the questions among the decisions, each once."""
    asked = [d for d in decisions if isinstance(d, _QUESTIONS)]
    return tuple(dict.fromkeys(asked))
