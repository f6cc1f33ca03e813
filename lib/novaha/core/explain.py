"""What is known of a node or an instance, what is to be done and what is waited for.

The same functions answer for the recovery process, which knows what is on the wire, and for one
who only looks on: what differs is the memory in the view, and what the process said (Said).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from novaha.core.actions import (
    Action,
    AskLiveMigrations,
    AskMigrations,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    Disable,
    DropWithdrawn,
    Enable,
    Hold,
    KeepWithdrawn,
    LiveMigrate,
    Question,
    SetStandby,
)
from novaha.core.decide import decide, plan_of
from novaha.core.draining import drained_nodes
from novaha.core.instances import (
    InstanceStanding,
    instances_of,
    listed,
    recorded,
    with_records,
)
from novaha.core.limits import standings
from novaha.core.model import (
    ClusterView,
    DrainMemory,
    FencingEvent,
    HoldMark,
    Level,
    Memory,
    Service,
    View,
)
from novaha.core.names import (
    ComputeHost,
    NodeName,
    ServerId,
    some_of,
)
from novaha.core.policy import Policy
from novaha.core.receipt import Receipt
from novaha.core.recovery import Proof, Record, Recovery
from novaha.core.services import find_service, listed_host
from novaha.core.standing import Standing, concerned, stand
from novaha.core.states import RecoveryState

SHOWN = 20
"""So many names of a kind are told to one who asked for an unknown one."""

EVERYBODY = frozenset({"nova", "cluster"})
"""Subjects of holds that concern every node."""


class SubjectUnknown(LookupError):
    """Nothing that is known has this name; the text says what is known."""


class SubjectAmbiguous(LookupError):
    """Several instances have this name; the text has their UUIDs."""


@dataclass(frozen=True)
class Said:
    """What a recovery process says of itself after a cycle: it knows what nobody else can."""

    holds: tuple[Hold, ...] = ()
    states: tuple[tuple[NodeName, RecoveryState], ...] = ()
    instances: tuple[InstanceStanding, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """On what a state rests.

    proof: as the record cites it, or as it would be written now. held: whether the hold that was
    written with the receipt stands. joined: whether the node was connected anew since, None when
    that is not known. events: the node's lines of the fencing history, None when the fencer gave no
    answer. service: as Nova shows it, None when Nova was not asked or lists none.
    """

    receipt: Receipt | None = None
    record: Record | None = None
    proof: Proof | None = None
    held: bool = False
    joined: bool | None = None
    online: bool = False
    levels: tuple[Level, ...] = ()
    events: tuple[FencingEvent, ...] | None = ()
    service: Service | None = None


@dataclass(frozen=True)
class Explanation:
    """Where a node stands, or an instance of it, on which evidence, and what it waits for.

    instance: the one that was asked for, with the node of the host it is on, or has left; None when
    a node was asked for. said: the state the recovery process gave, where it differs from what the
    cluster shows now. waits: in the process's words where they are known. actions: what comes next,
    as far as one who looks on can tell; () where the process speaks for itself.
    """

    subject: str
    node: NodeName | None
    host: ComputeHost | None
    state: RecoveryState
    said: RecoveryState | None
    waits: tuple[Hold, ...]
    actions: tuple[Action, ...]
    evidence: Evidence
    instances: tuple[InstanceStanding, ...]
    instance: InstanceStanding | None = None


def say(view: View, policy: Policy, holds: tuple[Hold, ...]) -> Said:
    """Return what a recovery process can tell after a cycle, its holds included."""
    nodes = sorted({*concerned(view.cluster), *drained_nodes(view)})
    standings = [stand(view, policy, node) for node in nodes]
    instances = [
        instance for standing in standings for instance in instances_of(view, policy, standing)
    ]
    return Said(holds, tuple((s.node, s.state) for s in standings), tuple(instances))


def onlooker(cluster: ClusterView, policy: Policy, now_s: float, epoch_s: float) -> Memory:
    """Return the memory of one who knows nothing of Nova yet, but looked on all the time.

    So nothing is taken for a request of before, and a receipt has the age that its own time says.
    """
    ids = {receipt.id: epoch_s - receipt.written_s for receipt in cluster.receipts}
    records = [record.proof.receipt_id for record in cluster.records]
    first_seen = {id_: now_s - max(age_s, 0.0) for id_, age_s in ids.items()}
    return Memory(
        started_s=now_s - policy.settle_s,
        first_seen={**dict.fromkeys(records, now_s - policy.settle_s), **first_seen},
        begun={r.receipt_id: r.after_migration for r in cluster.records if isinstance(r, Recovery)},
        drain=DrainMemory(begun=frozenset(withdrawn.node for withdrawn in cluster.withdrawn)),
    )


def known_nodes(cluster: ClusterView) -> tuple[NodeName, ...]:
    """Return the remote nodes, and those of which the CIB holds something of ours."""
    drained = (drain.node for drain in cluster.drains)
    return tuple(sorted({*concerned(cluster), *cluster.lives, *drained}))


def host_of(view: View, policy: Policy, node: NodeName) -> ComputeHost | None:
    """Return the Nova host of a node, or None while it is not known."""
    record = view.cluster.record_of(node)
    if isinstance(record, Recovery):
        return record.host
    return listed_host(view, policy, node)


def overview(view: View, policy: Policy, said: Said | None = None) -> tuple[Explanation, ...]:
    """Explain every node of which anything is open."""
    shown = (*view.cluster.braked, *view.cluster.failing)
    nodes = {*concerned(view.cluster), *drained_nodes(view), *(node for node, _ in shown)}
    return tuple(explain_node(view, policy, node, said) for node in sorted(nodes))


def explain(view: View, policy: Policy, subject: str, said: Said | None = None) -> Explanation:
    """Explain a node, a host, or an instance by UUID or name.

    said: what the recovery process said, where that can be read. Raises SubjectUnknown,
    SubjectAmbiguous.
    """
    node = node_called(view, policy, subject)
    if node is not None:
        return replace(explain_node(view, policy, node, said), subject=subject)
    nodes = {host_of(view, policy, node): node for node in known_nodes(view.cluster)}
    found = _called(view, policy, subject, said)
    if not found:
        raise SubjectUnknown(_known(view, policy, subject, said))
    if len(found) > 1:
        ids = ", ".join(sorted(instance.id for instance in found))
        msg = f"several instances are called {subject}; say which one: {ids}"
        raise SubjectAmbiguous(msg)
    instance = found[0]
    about = explain_node(view, policy, nodes.get(instance.host), said, instance.host)
    concerns = {instance.id, about.node, about.host, *EVERYBODY}
    waits = tuple(hold for hold in about.waits if hold.subject in concerns)
    return replace(about, subject=subject, instance=instance, waits=waits)


def node_called(view: View, policy: Policy, subject: str) -> NodeName | None:
    """Return the node of this name, or whose host has this name."""
    nodes = known_nodes(view.cluster)
    by_host = {host_of(view, policy, node): node for node in nodes}
    return next((n for n in nodes if n == subject), by_host.get(ComputeHost(subject)))


def explain_node(
    view: View,
    policy: Policy,
    node: NodeName | None,
    said: Said | None = None,
    host: ComputeHost | None = None,
) -> Explanation:
    """Explain a node; None for a host that has none in this cluster."""
    if node is None:
        evidence = Evidence(service=_service(view, host))
        return Explanation(host or "", None, host, RecoveryState.OVER, None, (), (), evidence, ())
    standing = _standing(view, policy, node)
    host = host_of(view, policy, node)
    spoken = dict(said.states).get(node) if said else None
    said = said if spoken else None  # what the process has not seen yet, it says nothing about
    instances = _instances(view, policy, standing, said)
    subjects = {node, host, *(instance.id for instance in instances), *EVERYBODY}
    decisions = _decisions(view, policy, standing)
    holds = said.holds if said else tuple(d for d in decisions if isinstance(d, Hold))
    return Explanation(
        node,
        node,
        host,
        standing.state,
        None if spoken is standing.state else spoken,
        tuple(hold for hold in holds if hold.subject in subjects),
        () if said else tuple(d for d in decisions if isinstance(d, Action)),
        _evidence(view, standing, host),
        instances,
    )


def _standing(view: View, policy: Policy, node: NodeName) -> Standing:
    """Return the state of a node, with the hold that all of them together put on it."""
    found = (standing for standing in standings(view, policy) if standing.node == node)
    return next(found, None) or stand(view, policy, node)


def _decisions(view: View, policy: Policy, standing: Standing) -> tuple[Decision, ...]:
    """Return the part of the decision of all nodes that is about one, or about everybody."""
    plan = plan_of(view, policy, standing)
    subjects = {standing.node, *EVERYBODY}
    ready = (candidate.evacuate for candidate in plan.ready)
    mine = {*plan.decisions, *ready, *plan.after_evacuations}
    return tuple(
        decision
        for decision in decide(view, policy)
        if decision in mine
        or (isinstance(decision, Hold) and decision.subject in subjects)
        or _is_of_a_drain(decision, standing.node, host_of(view, policy, standing.node))
    )


def _is_of_a_drain(decision: Decision, node: NodeName, host: ComputeHost | None) -> bool:
    match decision:
        case LiveMigrate(_, source):
            return source == host
        case KeepWithdrawn(withdrawn) | DropWithdrawn(withdrawn):
            return withdrawn.node == node
        case SetStandby(of):
            return of == node
        case Disable(service) | Enable(service):
            return service.host == host
    return False


def _instances(
    view: View, policy: Policy, standing: Standing, said: Said | None
) -> tuple[InstanceStanding, ...]:
    """Return the instances of a host: as the process stands to them, with the records of Nova."""
    seen = instances_of(view, policy, standing)
    if said is None or not isinstance(standing.record, Recovery):
        return seen
    host = standing.record.host
    spoken = {i.id: with_records(i, view) for i in said.instances if i.host == host}
    return (*spoken.values(), *(i for i in seen if i.id not in spoken))


def _evidence(view: View, standing: Standing, host: ComputeHost | None) -> Evidence:
    cluster, node, record = view.cluster, standing.node, standing.record
    proof = standing.cited
    receipt_id = proof.receipt_id if proof else standing.receipt.id if standing.receipt else ""
    events = cluster.events
    return Evidence(
        standing.receipt,
        record,
        proof,
        HoldMark.of(node, receipt_id) in cluster.marks,
        _joined(cluster, standing),
        node in cluster.online,
        tuple(level for level in cluster.levels if level.covers(node)),
        None if events is None else tuple(e for e in events if e.target == node),
        _service(view, host),
    )


def _joined(cluster: ClusterView, standing: Standing) -> bool | None:
    receipt, proof = standing.receipt, standing.cited
    life = proof.life if proof else receipt.life if receipt else None
    now = cluster.lives.get(standing.node)
    return None if now is None or life is None else now.joined_since(life)


def _service(view: View, host: ComputeHost | None) -> Service | None:
    services = view.memory.services
    return find_service(services.value, host) if services and host else None


def _called(
    view: View, policy: Policy, subject: str, said: Said | None
) -> tuple[InstanceStanding, ...]:
    """Return the instances of a name, each once: as an open recovery knows it, where one does."""
    open_ = {instance.id: instance for instance in _open_instances(view, policy, said)}
    everywhere = (*open_.values(), *listed(view, policy), *recorded(view))
    found: dict[ServerId, InstanceStanding] = {}
    for instance in everywhere:
        if subject in (instance.id, instance.name):
            found.setdefault(instance.id, instance)
    return tuple(replace(open_.get(id_, i), name=i.name) for id_, i in found.items())


def _open_instances(view: View, policy: Policy, said: Said | None) -> list[InstanceStanding]:
    return [
        instance
        for node in concerned(view.cluster)
        for instance in _instances(view, policy, stand(view, policy, node), said)
    ]


def _known(view: View, policy: Policy, subject: str, said: Said | None) -> str:
    """Return a sentence that says what can be asked for instead."""
    nodes = known_nodes(view.cluster)
    hosts = {str(host) for node in nodes if (host := host_of(view, policy, node))} - set(nodes)
    open_ = _open_instances(view, policy, said)
    names = dict.fromkeys(
        instance.name or instance.id for instance in (*open_, *listed(view, policy))
    )
    told = (("nodes", nodes), ("hosts", sorted(hosts)), ("instances", tuple(names)))
    parts = [f"{what}: {some_of(words, SHOWN)}" for what, words in told if words]
    return f"nothing known is called {subject}; " + ("; ".join(parts) or "there is no compute node")


def questions_for(view: View, policy: Policy, subject: str | None) -> tuple[Question, ...]:
    """Return what has to be asked of Nova to explain a subject (None: all that is open).

    The lists of the hosts with an open recovery come first; where an instance is on none of them,
    one host after the other is asked until it is found, and then all of them for its records.
    """
    if view.memory.services is None:
        return (AskServices(),)
    node = node_called(view, policy, subject) if subject else None
    nodes = [node] if node else sorted({*concerned(view.cluster), *drained_nodes(view)})
    if ask := _lists(view, policy, nodes):
        return ask
    if subject is None or node is not None:
        return ()
    everyone = known_nodes(view.cluster)
    if not _called(view, policy, subject, None):
        return next((ask for node in everyone if (ask := _lists(view, policy, [node]))), ())
    ask = _lists(view, policy, list(everyone))
    return tuple(question for question in ask if isinstance(question, AskMigrations))


def _lists(view: View, policy: Policy, nodes: list[NodeName]) -> tuple[Question, ...]:
    """Return the questions for those lists of the nodes' hosts that are not known yet."""
    hosts = [host for node in nodes if (host := host_of(view, policy, node))]
    servers = [AskServers(h, details=True) for h in hosts if h not in view.memory.servers]
    records = [AskMigrations(h) for h in hosts if h not in view.memory.migrations]
    rules = [AskRules()] if hosts and view.memory.rules is None else []
    return (*servers, *records, *rules, *_live_lists(view, policy, nodes))


def _live_lists(view: View, policy: Policy, nodes: list[NodeName]) -> Iterator[AskLiveMigrations]:
    """Yield the questions for what leaves drained hosts."""
    drained, known = drained_nodes(view), view.memory.drain.records
    hosts = (host_of(view, policy, node) for node in nodes if node in drained)
    yield from (AskLiveMigrations(host) for host in hosts if host and host not in known)
