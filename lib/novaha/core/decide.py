"""The one decision: what to ask, to do or to wait for, given all that is known.

For each node with a receipt or a recovery record:

    receipt, not proven        -> Hold                      core/proof.py
    receipt, proven            -> BeginRecovery, ForceDown  here
    record, evacuating         -> evacuations, Release      core/evacuation.py
    record, returning          -> ForceUp, Enable, End      core/returning.py

Questions are decisions too: the caller answers them and decides again.
"""

from itertools import chain, zip_longest

from novaha.core.actions import (
    AskMigrations,
    AskServers,
    AskServices,
    BeginRecovery,
    Decision,
    DropHold,
    Evacuate,
    ForceDown,
    Hold,
    Question,
    Reason,
    Release,
)
from novaha.core.evacuation import HostPlan, find_service, plan, services_again
from novaha.core.model import ClusterView, Service, View
from novaha.core.names import HostAmbiguous, HostNotFound, NodeName, compute_host_of
from novaha.core.policy import Policy
from novaha.core.proof import unproven
from novaha.core.receipt import Receipt
from novaha.core.recovery import OUR_REASON, Found, Recovery
from novaha.core.returning import returning

FRESH_S = 10.0
"""What is written down as found must not be older than this when the recovery begins.

Answers of the present cycle always do: with many hosts, or a slow Nova, nothing would ever begin.
"""


def decide(view: View, policy: Policy) -> tuple[Decision, ...]:
    """Return everything to be done now, in the order in which it must be done."""
    cluster = view.cluster
    if not cluster.quorate:
        return (Hold("cluster", Reason.NO_QUORUM, "this partition has no quorum: hands off"),)
    malformed = tuple(Hold(node, Reason.MALFORMED, text) for node, text in cluster.malformed)
    unreadable = {node for node, _ in cluster.malformed}
    plans = [_host(view, policy, node) for node in _nodes(cluster) if node not in unreadable]
    decisions = (*malformed, *_orphans(cluster, unreadable), *_merge(plans, policy))
    return _without_the_cloud(view, decisions)


def _nodes(cluster: ClusterView) -> list[NodeName]:
    concerned = {r.node for r in cluster.receipts} | {r.node for r in cluster.recoveries}
    return sorted(concerned)


def _host(view: View, policy: Policy, node: NodeName) -> HostPlan:
    receipt = next((r for r in view.cluster.receipts if r.node == node), None)
    recovery = next((r for r in view.cluster.recoveries if r.node == node), None)
    if recovery is not None and recovery.phase == "evacuating":
        # Also when a newer receipt came meanwhile: the host was held all the time, so what proved
        # the first fencing still holds; the newer one is taken up after the release.
        own = receipt if receipt is not None and receipt.id == recovery.receipt_id else None
        return plan(view, policy, recovery, own)
    if receipt is None:
        return HostPlan(returning(view, policy, recovery) if recovery else ())
    if recovery is not None and recovery.receipt_id == receipt.id:
        return HostPlan((Release(recovery, receipt),))
    hold = unproven(receipt, view, policy)
    if hold is None:
        return HostPlan(_begin(view, policy, receipt, recovery))
    # While the fencing runs nothing may be changed, but what will be asked can be asked already.
    ahead = _begin(view, policy, receipt, recovery) if hold.reason is Reason.FENCE_PENDING else ()
    return HostPlan((*questions(ahead), hold))


def _begin(
    view: View, policy: Policy, receipt: Receipt, before: Recovery | None
) -> tuple[Decision, ...]:
    """Take up a proven fencing; all that is read of Nova must be newer than the receipt."""
    memory = view.memory
    fresh_s = min(view.now_s - FRESH_S, view.cycle_s)
    since_s = max(memory.first_seen.get(receipt.id, view.now_s), fresh_s)
    if memory.services is None or memory.services.asked_s < since_s:
        return (AskServices(),)
    hosts = [service.host for service in memory.services.value]
    try:
        host = compute_host_of(receipt.node, hosts, policy.host_map)
    except HostNotFound as error:
        hold = Hold(receipt.node, Reason.HOST_UNKNOWN, f"{error}; set host_map")
        return (*services_again(view, policy), hold)
    except HostAmbiguous as error:
        hold = Hold(receipt.node, Reason.HOST_AMBIGUOUS, f"{error}; set host_map")
        return (*services_again(view, policy), hold)
    service = find_service(memory.services.value, host)
    records, servers = memory.migrations.get(host), memory.servers.get(host)
    if service is None or records is None or servers is None:
        return (AskMigrations(host), AskServers(host))
    if records.asked_s < since_s or servers.asked_s < since_s:
        return (AskMigrations(host), AskServers(host))
    after = max((migration.id for migration in records.value), default=0)
    found = _found(service, before.found if before else None)
    recovery = Recovery(receipt.node, receipt.id, host, "evacuating", found, after)
    force = () if service.forced_down else (ForceDown(service),)
    return (BeginRecovery(recovery), *force)


def _found(service: Service, before: Found | None) -> Found:
    """Return how a person had left the service, seeing through what we set ourselves.

    before: what the recovery found that this one takes over, with all that it had set.
    """
    ours = not service.enabled and service.disabled_reason.startswith(OUR_REASON)
    theirs = before.forced_down if before else not ours
    return Found(enabled=service.enabled or ours, forced_down=service.forced_down and theirs)


def _orphans(cluster: ClusterView, unreadable: set[NodeName]) -> tuple[Decision, ...]:
    """Return the holds that nothing explains: neither a receipt nor an evacuation."""
    explained = {r.id for r in cluster.receipts}
    explained |= {r.receipt_id for r in cluster.recoveries if r.phase == "evacuating"}
    return tuple(
        DropHold(mark)
        for mark in cluster.marks
        if mark.receipt_id not in explained and mark.node not in unreadable
    )


def _merge(plans: list[HostPlan], policy: Policy) -> tuple[Decision, ...]:
    """Put the hosts together; free slots go round the hosts, so that none waits for another."""
    free = max(policy.max_in_flight - sum(plan.busy for plan in plans), 0)
    rounds = chain.from_iterable(zip_longest(*(plan.ready for plan in plans)))
    wanted: list[Evacuate] = [evacuate for evacuate in rounds if evacuate is not None]
    decisions = chain.from_iterable(plan.decisions for plan in plans)
    after = chain.from_iterable(plan.after_evacuations for plan in plans)
    queued = len(wanted) - free
    hold = (Hold("nova", Reason.QUEUED, f"{queued} instances wait for a free slot"),)
    return (*decisions, *wanted[:free], *after, *(hold if queued > 0 else ()))


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
    return isinstance(decision, Hold | DropHold)


def questions(decisions: tuple[Decision, ...]) -> tuple[Question, ...]:
    """Return the questions among the decisions, each once."""
    asked = [d for d in decisions if isinstance(d, AskServices | AskServers | AskMigrations)]
    return tuple(dict.fromkeys(asked))
