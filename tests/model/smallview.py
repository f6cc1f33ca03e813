"""What our process can see of the small world, as the values of the shipped core.

An answer of a port is kept as a tuple of small values, its key; `shown` builds the core's value of
it when it is needed. Where two worlds look the same through a port, the process is the same in both.
"""

from collections.abc import Hashable
from functools import cache
from typing import Generic, TypeVar

import smallworld as small
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


def seen(world: World) -> Key:
    """Return the key of what the cluster shows; the history only where a receipt needs it."""
    texts = enumerate(world.records)
    cited = {small.record_of(n, text).proof.receipt_id for n, text in texts if text is not None}
    ids = [receipt_id(n, r.number) for n, r in enumerate(world.receipts) if r is not None]
    history = tuple(node.ended for node in world.nodes) if set(ids) - cited else None
    up = (small.SERVING, small.JOINED, small.STARTED, small.CLEANED)
    lives = tuple((node.at in up, node.life) for node in world.nodes)
    return ("seen", world.receipts, world.records, world.marks, lives, history)


def services(world: World) -> Key:
    return ("services", world.services)


def servers(world: World, host: int) -> Key:
    return ("servers", tuple(i for i, at in enumerate(world.hosts) if at == host))


def migrations(world: World, host: int) -> Key:
    """Return the key of a host's evacuation records; a spawned one is shown as done."""
    found = [
        (id_, m.server, m.source, m.dest, small.DONE if m.status == small.SPAWNED else m.status)
        for id_, m in enumerate(world.migrations, 1)
        if m.source == host
    ]
    return ("migrations", tuple(found))


def shown(key: Key) -> object:
    """Return the core's value of what a port answered."""
    match key:
        case ("seen", receipts, records, marks, lives, history):
            return _cluster(receipts, records, marks, lives, history)
        case ("services", found):
            return tuple(service(host, s) for host, s in enumerate(found))
        case ("servers", found):
            return tuple(CoreServer(server_of(i), server_of(i)) for i in found)
        case ("migrations", found):
            return tuple(_migration(*m) for m in reversed(found))
        case ("service", host, found):
            return service(host, found)
    return None


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


def _cluster(receipts, records, marks, lives, history) -> ClusterView:  # type: ignore[no-untyped-def]
    events = None
    if history is not None:
        events = tuple(
            FencingEvent(node_of(n), "reboot", "success", EPOCH_S + i, origin=CONTROLLER)
            for n, ended in enumerate(history)
            for i in range(ended)
        )
    return ClusterView(
        quorate=True,
        receipts=tuple(_receipt(n, r) for n, r in enumerate(receipts) if r is not None),
        records=tuple(small.record_of(n, t) for n, t in enumerate(records) if t is not None),
        marks=tuple(HoldMark.of(node_of(n), receipt_id(n, number)) for n, number in marks),
        levels=tuple(Level(node_of(n), 1, _LEVEL) for n in range(len(lives))),
        online=frozenset(node_of(n) for n, (online, _) in enumerate(lives) if online),
        lives={node_of(n): _life(life) for n, (_, life) in enumerate(lives)},
        events=events,
    )


@cache
def _receipt(node: int, of: small.Receipt) -> CoreReceipt:
    id_ = receipt_id(node, of.number)
    life = _life(of.life)
    return CoreReceipt(id_, node_of(node), EPOCH_S, CONTROLLER, "fenced", of.before, life)
