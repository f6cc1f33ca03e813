"""A world so small that all of it can be explored: what is true of it, and what can happen next.

Three hosts, two instances, Pacemaker's fencer, the CIB, and Nova with its evacuation records. A
world is a value made of small tuples. A move leads from one world to the next; it says what
happened, whether that is a fault, and which law it breaks, if any. docs/model.md tells what is left
out and why.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, TypeVar

from novaha.core.names import NodeName
from novaha.core.recovery import Record, Recovery, parse_record

T = TypeVar("T")

SERVING, LOST, CUT, NOTED = "serving", "lost", "cut", "noted"
OFF, JOINED, STARTED, CLEANED = "off", "joined", "started", "cleaned"
ACCEPTED, SPAWNED, DONE, FAILED, COMPLETED = "accepted", "spawned", "done", "failed", "completed"

STEP, JOIN, FAULT = "step", "join", "fault"
"""Kinds of moves: ordinary ones, the return of a machine to the cluster, and what goes wrong."""


class Node(NamedTuple):
    """A machine: where it stands on its way round, and what is true of it.

    serving -> lost -> cut (by a real device) -> noted (receipt and hold) -> off (the fencing ended
    well) -> joined (connected again) -> started (nova-compute) -> cleaned (records completed) ->
    serving (it beats). dirty: guests may run on it. proven: a fencing ended well since it last
    could run any. life: starts of its connection. fencings, ended: receipts, successes in history.
    """

    at: str = SERVING
    dirty: bool = True
    proven: bool = False
    life: int = 0
    fencings: int = 0
    ended: int = 0


class Receipt(NamedTuple):
    """The receipt of a node's n-th fencing: the successes before it and the life it ended."""

    number: int
    before: int
    life: int


class Service(NamedTuple):
    """A nova-compute service as Nova holds it; beat: the life of the node that beat last."""

    enabled: bool = True
    reason: str = ""
    forced: bool = False
    beat: int = 0


class Migration(NamedTuple):
    """An evacuation record; spawned: it shows `done`, the instance's host is still the old one."""

    server: int
    source: int
    dest: int
    status: str


class Request(NamedTuple):
    """An evacuate request on the wire, and for how many ticks more it may stay there.

    patience: None while its process lives and waits for the answer.
    """

    server: int
    host: int
    patience: int | None = None


class Reply(NamedTuple):
    """How a request ended for the process: accepted, refused or lost."""

    server: int
    host: int
    outcome: str


class Left(NamedTuple):
    """How much may still go wrong.

    losses: of hosts. crashes: of our process. replies: calls and requests without an answer, with
    or without their effect. failures: of Nova to do what it accepted, or a refusal. levels: fencing
    levels that fail after the receipt. persons: who start nova-compute in spite of the hold.
    """

    losses: int = 0
    crashes: int = 0
    replies: int = 0
    failures: int = 0
    levels: int = 0
    persons: int = 0


class World(NamedTuple):
    """Everything outside of our process.

    receipts: by node. records: by node, the text that the CIB holds. marks: (node, fencing) of each
    hold. services: by host. hosts: of each instance, as Nova says. copies: of each instance, the
    hosts on which a guest of it may run, as bits. mail: what came back to the process.
    """

    nodes: tuple[Node, ...]
    services: tuple[Service, ...]
    hosts: tuple[int, ...]
    copies: tuple[int, ...]
    left: Left
    receipts: tuple[Receipt | None, ...] = (None, None, None)
    records: tuple[str | None, ...] = (None, None, None)
    marks: tuple[tuple[int, int], ...] = ()
    migrations: tuple[Migration, ...] = ()
    wire: tuple[Request, ...] = ()
    mail: tuple[Reply, ...] = ()


class Move(NamedTuple):
    """One thing that happens; broken: the law it breaks."""

    label: str
    kind: str
    world: World
    broken: str = ""


def first_world(
    hosts: tuple[int, ...], left: Left, services: tuple[Service, ...] = (Service(),) * 3
) -> World:
    """Return a world in which all is well."""
    return World((Node(),) * 3, services, hosts, tuple(1 << host for host in hosts), left)


def put(items: tuple[T, ...], index: int, item: T) -> tuple[T, ...]:
    """Return a tuple with one item in another's place."""
    return (*items[:index], item, *items[index + 1 :])


def node_name(node: int) -> str:
    return f"compute-{node + 1}"


@cache
def record_of(node: int, text: str) -> Record:
    """Read the record of a node."""
    return parse_record(NodeName(node_name(node)), text)


def spend(world: World, what: str) -> World:
    """Return the world with one fault less to come."""
    left = world.left
    return world._replace(left=left._replace(**{what: getattr(left, what) - 1}))


def held(world: World, node: int) -> bool:
    """Tell whether the constraint or the agent keeps nova-compute off a node."""
    text = world.records[node]
    record = None if text is None else record_of(node, text)
    released = record is None or (isinstance(record, Recovery) and record.phase == "returning")
    marked = any(marked == node for marked, _ in world.marks)
    return marked or world.receipts[node] is not None or not released


def world_moves(world: World) -> Iterator[Move]:
    """Yield all that can happen without our process."""
    for node in range(len(world.nodes)):
        yield from node_moves(world, node)
    for id_ in range(len(world.migrations)):
        yield from migration_moves(world, id_)
    for request in world.wire:
        yield from request_moves(world, request)


def twin(world: World, node: int) -> bool:
    """Tell whether a host is the mirror image of one before it: nothing ever happened to either."""
    if not fresh(world, node):
        return False
    services = world.services
    return any(fresh(world, o) and services[o] == services[node] for o in range(node))


def fresh(world: World, node: int) -> bool:
    """Tell whether nothing ever happened to a host, and no instance ever went there."""
    used = {*world.hosts, *(migration.dest for migration in world.migrations)}
    return world.nodes[node] == Node() and node not in used


def node_moves(world: World, node: int) -> Iterator[Move]:
    """Yield what can happen to a machine."""
    name, now = node_name(node), world.nodes[node]
    lose = now.at in (SERVING, JOINED, STARTED, CLEANED)
    if lose and world.left.losses and not twin(world, node):
        lost = world._replace(nodes=put(world.nodes, node, now._replace(at=LOST)))
        yield Move(f"{name} is lost", FAULT, spend(lost, "losses"))
    if now.at == LOST:
        yield Move(f"fencer: a real device cuts {name} off", STEP, cut(world, node))
    elif now.at == CUT:
        yield Move(f"fencer: fence_nova writes receipt and hold of {name}", STEP, note(world, node))
    elif now.at == NOTED:
        after = now._replace(at=OFF, proven=True, ended=now.ended + 1)
        ended = world._replace(nodes=put(world.nodes, node, after))
        yield Move(f"fencer: the fencing of {name} ended well", STEP, ended)
        if world.left.levels:
            again = world._replace(nodes=put(world.nodes, node, now._replace(at=LOST)))
            text = f"fencer: the level of {name} fails after the receipt"
            yield Move(text, FAULT, spend(again, "levels"))
    else:
        yield from return_moves(world, node)


def return_moves(world: World, node: int) -> Iterator[Move]:
    """Yield the steps of a machine on its way back."""
    name, now = node_name(node), world.nodes[node]
    if now.at == OFF:
        back = now._replace(at=JOINED, life=now.life + 1)
        yield Move(f"{name} joins", JOIN, world._replace(nodes=put(world.nodes, node, back)))
    elif now.at == JOINED and not held(world, node):
        after, broken = start(world, node)
        yield Move(f"{name}: nova-compute starts", STEP, after, broken)
    elif now.at == STARTED:
        migrations = tuple(
            m._replace(status=COMPLETED) if (m.source, m.status) == (node, DONE) else m
            for m in world.migrations
        )
        cleaned = put(world.nodes, node, now._replace(at=CLEANED))
        after = world._replace(nodes=cleaned, migrations=migrations)
        yield Move(f"{name}: nova-compute marks its records completed", STEP, after)
    elif now.at == CLEANED:
        service = world.services[node]._replace(beat=now.life)
        serving = put(world.nodes, node, now._replace(at=SERVING))
        after = world._replace(nodes=serving, services=put(world.services, node, service))
        yield Move(f"{name}: nova-compute beats", STEP, after)


def cut(world: World, node: int) -> World:
    """End whatever runs on a machine; what it had done for Nova is in Nova's database by then."""
    nodes = put(world.nodes, node, world.nodes[node]._replace(at=CUT, dirty=False))
    world = world._replace(nodes=nodes, copies=tuple(c & ~(1 << node) for c in world.copies))
    for id_, migration in enumerate(world.migrations):
        if (migration.dest, migration.status) == (node, SPAWNED):
            world = move(world, id_)
    return world


def note(world: World, node: int) -> World:
    """Write the receipt and the hold of a fencing, in one change."""
    now = world.nodes[node]
    number = now.fencings + 1
    return world._replace(
        nodes=put(world.nodes, node, now._replace(at=NOTED, fencings=number)),
        receipts=put(world.receipts, node, Receipt(number, now.ended, now.life)),
        marks=tuple(sorted({*world.marks, (node, number)})),
    )


def start(world: World, node: int) -> tuple[World, str]:
    """Start nova-compute: every instance that Nova places here runs here again."""
    now = world.nodes[node]._replace(at=STARTED, dirty=True, proven=False)
    copies = tuple(
        copies | (1 << node if host == node else 0)
        for copies, host in zip(world.copies, world.hosts, strict=True)
    )
    after = world._replace(nodes=put(world.nodes, node, now), copies=copies)
    moving = [m for m in world.migrations if m.source == node and m.status in (ACCEPTED, SPAWNED)]
    if moving:
        return after, f"L2: nova-compute of {node_name(node)} starts beside its moving instances"
    return after, two_copies(after)


def two_copies(world: World) -> str:
    twice = [f"vm-{i + 1}" for i, copies in enumerate(world.copies) if copies & (copies - 1)]
    return f"L2: {twice[0]} runs on two hosts" if twice else ""


def move(world: World, id_: int) -> World:
    """Let Nova place an instance where its guest runs already."""
    migration = world.migrations[id_]
    return world._replace(
        migrations=put(world.migrations, id_, migration._replace(status=DONE)),
        hosts=put(world.hosts, migration.server, migration.dest),
    )


def migration_moves(world: World, id_: int) -> Iterator[Move]:
    """Yield what can become of an evacuation that Nova accepted."""
    migration = world.migrations[id_]
    vm = f"vm-{migration.server + 1}"
    if migration.status == SPAWNED:
        yield Move(f"nova: {vm} is placed on its new host", STEP, move(world, id_))
    if migration.status != ACCEPTED:
        return
    for dest in destinations(world, migration.source):
        spawned = migration._replace(status=SPAWNED, dest=dest)
        copies = put(world.copies, migration.server, world.copies[migration.server] | 1 << dest)
        after = world._replace(migrations=put(world.migrations, id_, spawned), copies=copies)
        text = f"nova: evacuation {id_ + 1} of {vm} is done, it runs on {node_name(dest)}"
        yield Move(text, STEP, after, two_copies(after))
    if world.left.failures:
        failed = put(world.migrations, id_, migration._replace(status=FAILED))
        after = spend(world._replace(migrations=failed), "failures")
        yield Move(f"nova: evacuation {id_ + 1} of {vm} fails", FAULT, after)


def destinations(world: World, source: int) -> Iterator[int]:
    """Yield the hosts that Nova takes for up, one that was just lost among them."""
    for node, (now, service) in enumerate(zip(world.nodes, world.services, strict=True)):
        up = now.dirty and now.at in (SERVING, LOST) and service.enabled and not service.forced
        if up and node != source and not twin(world, node):
            yield node


def request_moves(world: World, request: Request) -> Iterator[Move]:
    """Yield what can become of a request on the wire."""
    vm, waiting = f"vm-{request.server + 1}", request.patience is None
    rest = world._replace(wire=without(world.wire, request))
    after, outcome, broken = arrive(rest, request)
    label = f"nova: the request to evacuate {vm} arrives late: {outcome}"
    if not waiting:
        yield Move(label, STEP, after, broken)
        yield Move(f"the late request to evacuate {vm} never arrives", STEP, rest)
        return
    label = f"nova: the request to evacuate {vm} arrives: {outcome}"
    yield Move(label, STEP, deliver(after, request, outcome), broken)
    if world.left.failures:
        refused = deliver(spend(rest, "failures"), request, "refused")
        yield Move(f"nova: refuses to evacuate {vm}", FAULT, refused)
    if world.left.replies:
        orphan = request._replace(patience=PATIENCE)
        late = rest._replace(wire=tuple(sorted((*rest.wire, orphan), key=str)))
        lost = deliver(spend(late, "replies"), request, "lost")
        yield Move(f"the reply to the request to evacuate {vm} is lost", FAULT, lost)


PATIENCE = 0
"""Ticks for which a request may stay on the wire whose process died, or gave it up."""


def without(wire: tuple[Request, ...], request: Request) -> tuple[Request, ...]:
    index = wire.index(request)
    return (*wire[:index], *wire[index + 1 :])


def deliver(world: World, request: Request, outcome: str) -> World:
    reply = Reply(request.server, request.host, outcome)
    return world._replace(mail=tuple(sorted((*world.mail, reply))))


def arrive(world: World, request: Request) -> tuple[World, str, str]:
    """Let Nova take a request: what is then so, its answer, and the law that this breaks."""
    server = request.server
    source = world.hosts[server]
    if not world.services[source].forced:
        return world, "refused", ""
    record = Migration(server, source, -1, ACCEPTED)
    after = world._replace(migrations=(*world.migrations, record))
    return after, "accepted", unlawful(world, server, source)


def unlawful(world: World, server: int, source: int) -> str:
    """Return the law that a request breaks when Nova accepts it."""
    vm, name, node = f"vm-{server + 1}", node_name(source), world.nodes[source]
    if node.dirty:
        return f"L1: {vm} is evacuated off {name}, where it may run"
    if not node.proven:
        return f"L1: {vm} is evacuated off {name}, of which no fencing ended well"
    if any(m.server == server and m.status in (ACCEPTED, SPAWNED) for m in world.migrations):
        return f"L4: {vm} is evacuated while it is being evacuated"
    return ""
