"""Effects: each question is answered and each action done here, and what came of it remembered."""

from collections.abc import Callable
from dataclasses import replace

from novaha.core import canarymemory, drainmemory, silence
from novaha.core import memory as remember
from novaha.core import startmemory as starts
from novaha.core.actions import (
    Action,
    AddToAggregate,
    AggregateChange,
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
    BootCanary,
    DeleteCanary,
    Disable,
    DropHold,
    DropWithdrawn,
    Enable,
    EndRecovery,
    EndStarts,
    Evacuate,
    ForceDown,
    ForceUp,
    KeepFound,
    KeepProof,
    KeepStarts,
    KeepWithdrawn,
    LiveMigrate,
    Question,
    Release,
    RemoveFromAggregate,
    Request,
    ServiceChange,
    SetStandby,
    SetUse,
    Start,
)
from novaha.core.capacity import Room
from novaha.core.drain import Phase
from novaha.core.model import HoldMark, Memory
from novaha.core.names import ComputeHost
from novaha.core.segments import RESERVED, TRUE, Aggregate
from novaha.errors import CloudRefused, CloudUnavailable
from novaha.ports import Clock, Cloud, CloudReader, Ports, nobody

_InCib = (
    KeepProof
    | BeginRecovery
    | KeepFound
    | KeepStarts
    | EndStarts
    | Release
    | DropHold
    | EndRecovery
    | KeepWithdrawn
    | DropWithdrawn
    | SetStandby
)


def ask(
    memory: Memory,
    asked: tuple[Question, ...],
    cloud: CloudReader,
    clock: Clock,
    alive: Callable[[], None] = nobody,
) -> Memory:
    """Answer questions; all carry the moment before the first was asked.

    One without an answer keeps only the others about the same from being asked, unless Nova has
    nothing to say at all. alive: is told after each.
    """
    now_s, silent = clock.monotonic_s(), set()
    for question in silence.in_turn(memory, asked):
        topic, asked_s = silence.topic_of(question), clock.monotonic_s()
        if topic in silent:
            continue
        try:
            memory = _answer(memory, question, now_s, cloud)
        except (CloudUnavailable, CloudRefused) as error:
            silent.add(topic)
            then_s = clock.monotonic_s()
            memory, nothing = silence.unheard(memory, topic, str(error), then_s, since_s=now_s)
            if nothing:
                return memory
            if then_s - asked_s > silence.HANGS_S:
                return silence.hung(memory, then_s - asked_s, then_s)
        else:
            memory = silence.heard(memory, question, clock.monotonic_s())
        alive()
    return memory


def _answer(memory: Memory, question: Question, now_s: float, cloud: CloudReader) -> Memory:
    match question:
        case AskServices():
            return remember.saw_services(memory, cloud.services(), now_s)
        case AskServers(host, details):
            servers = cloud.servers(host, details=details)
            return remember.saw_servers(memory, host, servers, now_s, details=details)
        case AskRoom():
            return remember.saw_room(memory, _rooms(cloud), now_s)
        case AskRules():
            return remember.saw_rules(memory, cloud.rules(), now_s)
        case AskMigrations(host):
            return remember.saw_migrations(memory, host, cloud.migrations(host), now_s)
        case _:
            return _answer_about_some(memory, question, now_s, cloud)


def _answer_about_some(
    memory: Memory,
    question: AskLiveMigrations | AskPhases | AskPlaced | AskPorts | AskCanaries,
    now_s: float,
    cloud: CloudReader,
) -> Memory:
    match question:
        case AskLiveMigrations(host):
            records = cloud.live_migrations(host)
            return drainmemory.saw_live_migrations(memory, host, records, now_s)
        case AskPhases():
            return starts.saw_phases(memory, leaves_stopped=cloud.leaves_stopped())
        case AskPlaced(host, wanted):
            servers = cloud.servers(host, details=True)
            return starts.saw_placed(memory, host, wanted, servers, now_s)
        case AskCanaries(host, receipt_id):
            listed = cloud.canaries(host)
            return canarymemory.saw_canaries(memory, host, receipt_id, listed, now_s)
        case AskPorts(targets):
            return starts.saw_ports(memory, targets, cloud.answering(targets), now_s)


def _rooms(cloud: CloudReader) -> tuple[Room, ...] | None:
    """Return what is free; where Placement does not tell, no recovery waits for it."""
    try:
        return cloud.rooms()
    except (CloudUnavailable, CloudRefused):
        return None


def apply(memory: Memory, action: Action, ports: Ports) -> tuple[Memory, bool]:
    """Do one action; return what is now known, and whether the next action may follow.

    Raises ClusterUnavailable.
    """
    began_s = ports.clock.monotonic_s()
    try:
        memory = _effect(memory, action, ports)
    except (CloudUnavailable, CloudRefused) as error:
        how = "refused" if isinstance(error, CloudRefused) else "no answer"
        ports.journal.action(action, f"{how}: {error}")
        return _failed(memory, action, error, began_s, ports.clock), False
    ports.journal.action(action, "sent" if isinstance(action, Request) else "done")
    return memory, True


def _effect(memory: Memory, action: Action, ports: Ports) -> Memory:
    match action:
        case Evacuate() | Start() | LiveMigrate():
            memory = _sending(memory, action, ports.clock.monotonic_s())
            ports.posts.send(action)
            return memory
        case ForceDown() | ForceUp() | Disable() | Enable():
            return _change_service(memory, action, ports.cloud)
        case SetUse() | AddToAggregate() | RemoveFromAggregate():
            return _change_aggregate(memory, action, ports.cloud)
        case BootCanary() | DeleteCanary():
            return _try_host(memory, action, ports)
        case _:
            return _change_cib(memory, action, ports)


def _try_host(memory: Memory, action: BootCanary | DeleteCanary, ports: Ports) -> Memory:
    host, receipt_id = action.host, action.receipt_id
    match action:
        case BootCanary(recipe=recipe):
            ports.cloud.boot_canary(host, receipt_id, recipe)
            return canarymemory.booted(memory, host, receipt_id, ports.clock.monotonic_s())
        case DeleteCanary(server=server):
            ports.cloud.delete_canary(host, server)
            return canarymemory.deleting(memory, action, ports.clock.monotonic_s())


def _untried(
    memory: Memory, action: BootCanary | DeleteCanary, error: Exception, clock: Clock
) -> Memory:
    """Remember that a canary came to nothing; this is no trouble of the other hosts."""
    host, receipt_id, now_s = action.host, action.receipt_id, clock.monotonic_s()
    if isinstance(action, DeleteCanary):
        failed = replace(action, passed=False, why=f"it cannot be deleted: {error}")
        return canarymemory.deleting(memory, failed, now_s)
    if isinstance(error, CloudUnavailable):
        memory = canarymemory.booted(memory, host, receipt_id, now_s)
    return canarymemory.failed(memory, host, receipt_id, now_s, str(error))


def _sending(memory: Memory, request: Request, now_s: float) -> Memory:
    """Remember a request before it is sent, so that none is sent twice."""
    match request:
        case Evacuate(server, host):
            return remember.posting(memory, server, host, now_s)
        case Start(server):
            return starts.starting(memory, server, now_s)
        case LiveMigrate(server, host):
            return drainmemory.asking_to_leave(memory, server, host, now_s)


def _change_cib(
    memory: Memory,
    action: _InCib,
    ports: Ports,
) -> Memory:
    match action:
        case KeepProof(proven):
            ports.cluster.write_record(proven)
        case BeginRecovery(recovery):
            ports.cluster.write_record(recovery)
            return remember.began(memory, recovery)
        case KeepFound(recovery):
            ports.cluster.write_record(recovery)
        case KeepStarts(kept):
            ports.cluster.write_starts(kept)
        case EndStarts(ended):
            ports.cluster.delete_starts(ended)
            return starts.starts_ended(memory, ended.servers)
        case Release():
            return _release(memory, action, ports)
        case DropHold(mark):
            ports.cluster.delete_hold(mark)
        case EndRecovery(recovery):
            ports.cluster.delete_record(recovery)
            return remember.forget_host(memory, recovery.host)
        case KeepWithdrawn() | DropWithdrawn() | SetStandby():
            return _withdraw(memory, action, ports)
    return memory


def _withdraw(
    memory: Memory, action: KeepWithdrawn | DropWithdrawn | SetStandby, ports: Ports
) -> Memory:
    match action:
        case KeepWithdrawn(withdrawn):
            ports.cluster.write_withdrawn(withdrawn)
            if withdrawn.phase is Phase.CLOSING:
                return drainmemory.withdrew(memory, withdrawn.node)
        case SetStandby(node, on):
            ports.cluster.set_standby(node, on=on)
        case DropWithdrawn(withdrawn):
            ports.cluster.delete_withdrawn(withdrawn)
            memory = drainmemory.gave_back(memory, withdrawn.node, withdrawn.host)
            return remember.forget_host(memory, withdrawn.host)
    return memory


def _change_service(memory: Memory, change: ServiceChange, cloud: Cloud) -> Memory:
    memory = silence.ended(memory, silence.topic_of_change(change))
    match change:
        case ForceUp(service):
            return remember.forced_up(memory, cloud.set_forced_down(service, forced_down=False))
        case ForceDown(service):
            return remember.saw_service(memory, cloud.set_forced_down(service, forced_down=True))
        case Disable(service, reason):
            answer = cloud.set_enabled(service, enabled=False, reason=reason)
            return remember.saw_service(memory, answer)
        case Enable(service):
            return remember.saw_service(memory, cloud.set_enabled(service, enabled=True))


def _change_aggregate(memory: Memory, change: AggregateChange, cloud: Cloud) -> Memory:
    topic = silence.topic_of_change(change)
    memory, host = silence.ended(memory, topic), ComputeHost(topic.host)
    memory = remember.saw_aggregate(memory, _changed(change, cloud), host)
    is_free = isinstance(change, SetUse) and change.use is None
    return remember.freed(memory, host) if is_free else memory


def _changed(change: AggregateChange, cloud: Cloud) -> Aggregate:
    match change:
        case SetUse(segment, reserved, use):
            value = use.to_value() if use else TRUE
            return cloud.set_aggregate_metadata(segment.id, {f"{RESERVED}{reserved}": value})
        case AddToAggregate(aggregate, host):
            return cloud.add_to_aggregate(aggregate.id, host)
        case RemoveFromAggregate(aggregate, host):
            return cloud.remove_from_aggregate(aggregate.id, host)


def _release(memory: Memory, action: Release, ports: Ports) -> Memory:
    """Let the host start: the record says so before the receipt and the hold go.

    The heartbeat is read just before, so that only one of a started nova-compute differs from it.
    """
    recovery = action.recovery
    if recovery.phase == "evacuating":
        asked_s = ports.clock.monotonic_s()
        services = ports.cloud.services()
        memory = remember.saw_services(memory, services, asked_s)
        if recovery.host in memory.hidden:
            msg = f"the cell of {recovery.host} is down: what is on it may be more than was seen"
            raise CloudUnavailable(msg)
        heartbeat = next((s.heartbeat for s in services if s.host == recovery.host), "")
        recovery = recovery.released(heartbeat)
        ports.cluster.write_record(recovery)
    if action.receipt is not None:
        ports.cluster.delete_receipt(action.receipt)
        ports.cluster.delete_hold(HoldMark.of(recovery.node, action.receipt.id))
    return remember.forget_host(memory, recovery.host)


def _failed(
    memory: Memory,
    action: Action,
    error: CloudUnavailable | CloudRefused,
    began_s: float,
    clock: Clock,
) -> Memory:
    """Remember what came of an action that was not done, or of which nobody knows that."""
    now_s, text = clock.monotonic_s(), str(error)
    if isinstance(action, BootCanary | DeleteCanary):
        return _untried(memory, action, error, clock)
    if isinstance(action, Release):
        return silence.unheard(memory, silence.topic_of(AskServices()), text, now_s)[0]
    if isinstance(error, CloudRefused):
        return _refused(memory, action, text, now_s)
    return _unanswered(memory, action, text, began_s, now_s)


def _unanswered(memory: Memory, action: Action, text: str, began_s: float, now_s: float) -> Memory:
    """Remember that Nova gave no answer to an action: whether it was done is to be read again.

    A change is then tried later than what others need. Nova is left alone for a moment, unless it
    has answered others since the same change got no answer before.
    """
    if not isinstance(action, ServiceChange | AggregateChange):
        return silence.left_alone(memory, text, now_s)
    topic = silence.topic_of_change(action)
    if isinstance(action, AggregateChange):
        memory = remember.doubt_rules(memory)
    else:
        memory = remember.service_refused(memory, action.service.host, now_s, text)
        memory = remember.forget_services(memory)
    memory, nothing = silence.unheard(memory, topic, text, now_s)
    hangs = not nothing and now_s - began_s > silence.HANGS_S
    return silence.hung(memory, now_s - began_s, now_s) if hangs else memory


def _refused(memory: Memory, action: Action, text: str, now_s: float) -> Memory:
    """Remember a refusal: of a change to one host's service, or of its aggregates, it is its own.

    The service may be another one by now, deleted and made anew. A refused force-up says "not yet".
    """
    if not isinstance(action, ServiceChange | AggregateChange):
        return silence.left_alone(memory, text, now_s)
    topic = silence.topic_of_change(action)
    memory = silence.ended(memory, topic)
    if isinstance(action, AggregateChange):
        aggregate = action.segment if isinstance(action, SetUse) else action.aggregate
        return remember.aggregate_refused(memory, aggregate, ComputeHost(topic.host), now_s, text)
    memory = remember.service_refused(memory, action.service.host, now_s, text)
    return memory if isinstance(action, ForceUp) else remember.forget_services(memory)
