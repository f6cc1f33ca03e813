"""What our process can see of the small world, as the values of the shipped core.

An answer of a port is kept as a tuple of small values, its key; the core's value of it is built
when it is needed. Where two worlds look the same through a port, the process is the same in both.
"""

from collections.abc import Hashable
from functools import cache
from typing import Generic, NamedTuple, TypeVar

import smallworld as small
from novaha.core.details import Details
from novaha.core.incarnation import Incarnation
from novaha.core.model import ClusterView, Device, FencingEvent, HoldMark, Level, Migration
from novaha.core.model import Server as CoreServer
from novaha.core.model import Service as CoreService
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.receipt import Receipt as CoreReceipt
from smallworld import World

T = TypeVar("T", bound=Hashable)
Key = tuple[object, ...]

CONTROLLER = NodeName("controller-1")
EPOCH_S = 1_700_000_000
_LEVEL = (Device("ipmi", "fence_ipmilan"), Device("receipt", "fence_nova"))


class Table(Generic[T]):
    """Numbers for values: equal values have one number."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, value: T) -> int:
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


@cache
def node_of(index: int) -> NodeName:
    return NodeName(small.node_name(index))


@cache
def host_of(index: int) -> ComputeHost:
    return ComputeHost(small.node_name(index))


@cache
def server_of(index: int) -> ServerId:
    return ServerId(f"vm-{index + 1}")


def index_of(name: str) -> int:
    """Return the number of a node, host or server by its name."""
    return int(name.rpartition("-")[2]) - 1


@cache
def receipt_id(node: int, number: int) -> str:
    return f"{node + 1:x}{number:011x}"


def number_of(id_: str) -> int:
    """Return which fencing of its node a receipt is of."""
    return int(id_[1:], 16)


class Seen(NamedTuple):
    """What the cluster shows; lives: whether each node is online, and which life it has."""

    receipts: tuple[small.Receipt | None, ...]
    records: tuple[str | None, ...]
    marks: tuple[tuple[int, int], ...]
    lives: tuple[tuple[bool, int], ...]
    history: tuple[int, ...] | None
    what: str = "seen"


class Services(NamedTuple):
    """The list of services."""

    found: tuple[small.Service, ...]
    what: str = "services"


class Servers(NamedTuple):
    """The servers of a host."""

    found: tuple[int, ...]
    what: str = "servers"


class Migrations(NamedTuple):
    """The evacuation records of a host: number, server, source, destination, status."""

    found: tuple[tuple[int, int, int, int, str], ...]
    what: str = "migrations"


class OneService(NamedTuple):
    """A service after a change."""

    host: int
    found: small.Service
    what: str = "service"


def seen(world: World) -> Seen:
    """Return what the cluster shows; the history only where a receipt needs it."""
    texts = enumerate(world.records)
    cited = {small.record_of(n, text).proof.receipt_id for n, text in texts if text is not None}
    ids = [receipt_id(n, r.number) for n, r in enumerate(world.receipts) if r is not None]
    history = tuple(node.ended for node in world.nodes) if set(ids) - cited else None
    up = (small.SERVING, small.JOINED, small.STARTED, small.CLEANED)
    lives = tuple((node.at in up, node.life) for node in world.nodes)
    return Seen(world.receipts, world.records, world.marks, lives, history)


def servers(world: World, host: int) -> Servers:
    return Servers(tuple(i for i, at in enumerate(world.hosts) if at == host))


def migrations(world: World, host: int) -> Migrations:
    """Return a host's evacuation records; a spawned one is shown as done."""
    found = [
        (id_, m.server, m.source, m.dest, small.DONE if m.status == small.SPAWNED else m.status)
        for id_, m in enumerate(world.migrations, 1)
        if m.source == host
    ]
    return Migrations(tuple(found))


def cluster_of(key: Key) -> ClusterView:
    assert isinstance(key, Seen)
    return _cluster(key)


def services_of(key: Key) -> tuple[CoreService, ...]:
    assert isinstance(key, Services)
    return tuple(service(host, s) for host, s in enumerate(key.found))


def servers_of(key: Key) -> tuple[CoreServer, ...]:
    assert isinstance(key, Servers)
    return tuple(CoreServer(server_of(i), server_of(i), details=Details()) for i in key.found)


def migrations_of(key: Key) -> tuple[Migration, ...]:
    assert isinstance(key, Migrations)
    return tuple(_migration(*m) for m in reversed(key.found))


def service_of(key: Key) -> CoreService:
    assert isinstance(key, OneService)
    return service(key.host, key.found)


@cache
def service(host: int, of: small.Service) -> CoreService:
    name = host_of(host)
    return CoreService(
        f"id-{name}", name, of.enabled, of.reason, of.forced, f"2026-01-01 {of.beat:02}"
    )


@cache
def _migration(id_: int, server: int, source: int, dest: int, status: str) -> Migration:
    to = None if dest < 0 else host_of(dest)
    return Migration(id_, server_of(server), host_of(source), to, status)


@cache
def _life(number: int) -> Incarnation:
    return Incarnation(frozenset({f"{number:08x}"}))


@cache
def _cluster(seen: Seen) -> ClusterView:
    receipts, records, marks, lives, _, _ = seen
    return ClusterView(
        quorate=True,
        receipts=tuple(_receipt(n, r) for n, r in enumerate(receipts) if r is not None),
        records=tuple(small.record_of(n, t) for n, t in enumerate(records) if t is not None),
        marks=tuple(HoldMark.of(node_of(n), receipt_id(n, number)) for n, number in marks),
        levels=tuple(Level(node_of(n), 1, _LEVEL) for n in range(len(lives))),
        online=frozenset(node_of(n) for n, (online, _) in enumerate(lives) if online),
        lives={node_of(n): _life(life) for n, (_, life) in enumerate(lives)},
        events=_events(seen.history),
    )


def _events(history: tuple[int, ...] | None) -> tuple[FencingEvent, ...] | None:
    """Return the fencing history: so many successes of each node, further apart than MERGED_S."""
    if history is None:
        return None
    return tuple(
        FencingEvent(node_of(n), "reboot", "success", EPOCH_S + 10 * i, origin=CONTROLLER)
        for n, ended in enumerate(history)
        for i in range(ended)
    )


@cache
def _receipt(node: int, of: small.Receipt) -> CoreReceipt:
    id_ = receipt_id(node, of.number)
    seen = (of.before, _life(of.life), ("ipmi",))
    return CoreReceipt(id_, node_of(node), EPOCH_S, CONTROLLER, "fenced", *seen)
