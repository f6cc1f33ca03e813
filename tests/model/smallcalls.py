"""The external calls of our process: what each does to the small world, and what it answers.

A call is a tuple: its name and its arguments. `perform` is the truth behind the ports. `Replay` is
the ports as the shipped code sees them: it answers from a log, and where the log ends it stops the
code with the call that comes next. So the shipped code runs from one external call to the next.
"""

from collections.abc import Mapping, Sequence

import smallview as look
import smallworld as small
from novaha.core.actions import Action, Evacuate, Hold, Request
from novaha.core.canary import Canary, Recipe
from novaha.core.capacity import Room
from novaha.core.drain import Withdrawn
from novaha.core.model import ClusterView, HoldMark, Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import Target
from novaha.core.receipt import Receipt
from novaha.core.recovery import OUR_REASON, Record
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.starts import Starts
from novaha.errors import CloudRefused, CloudUnavailable, ClusterUnavailable
from novaha.ports import PostResult
from smalltime import NOW_S
from smallview import Key
from smallworld import Reply, World

Call = tuple[object, ...]

OK: Key = ("ok",)
ERROR: Key = ("error",)
REFUSED: Key = ("refused",)

OBSERVE: Call = ("observe",)
SERVICES: Call = ("services",)
CLUSTER = frozenset({"observe", "write_record", "delete_receipt", "delete_record", "delete_hold"})
READS = frozenset({"observe", "services", "servers", "migrations"})


class Next(BaseException):
    """The code has come to an external call of which no answer is known yet."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.call = call


class Replay:
    """All ports of the application: the answers are in the log.

    mail: what ended of our requests; taken tells whether it was looked at. sent: the requests that
    the code made. asked_s: when the first call in the log was made.
    """

    def __init__(
        self, log: Sequence[Key] = (), mail: Sequence[Reply] = (), asked_s: float = NOW_S
    ) -> None:
        self.log, self._mail, self._asked_s = tuple(log), mail, asked_s
        self._at = 0
        self.taken = False
        self.sent: list[tuple[int, int]] = []

    def observe(self) -> ClusterView:
        return look.cluster_of(self._answer(OBSERVE))

    def write_record(self, record: Record) -> None:
        self._answer(("write_record", look.index_of(record.node), record.to_value()))

    def delete_receipt(self, receipt: Receipt) -> None:
        node = look.index_of(receipt.node)
        self._answer(("delete_receipt", node, look.number_of(receipt.id)))

    def delete_record(self, record: Record) -> None:
        self._answer(("delete_record", look.index_of(record.node), record.to_value()))

    def delete_hold(self, mark: HoldMark) -> None:
        node = look.index_of(mark.node)
        self._answer(("delete_hold", node, look.number_of(mark.receipt_id)))

    def write_withdrawn(self, withdrawn: Withdrawn) -> None:
        raise NotImplementedError  # nothing is drained in the small world

    def delete_withdrawn(self, withdrawn: Withdrawn) -> None:
        raise NotImplementedError

    def set_standby(self, node: NodeName, *, on: bool) -> None:
        raise NotImplementedError

    def services(self) -> tuple[Service, ...]:
        return look.services_of(self._answer(SERVICES))

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:  # noqa: ARG002
        return look.servers_of(self._answer(("servers", look.index_of(host))))

    def rooms(self) -> tuple[Room, ...]:
        return ()

    def rules(self) -> Rules:
        return Rules()

    def leaves_stopped(self) -> bool:
        return False

    def write_starts(self, starts: Starts) -> None:
        raise NotImplementedError

    def delete_starts(self, starts: Starts) -> None:
        raise NotImplementedError

    def answering(self, targets: tuple[Target, ...]) -> frozenset[ServerId]:
        return frozenset(target.server for target in targets)

    def migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        return look.migrations_of(self._answer(("migrations", look.index_of(host))))

    def canaries(self, host: ComputeHost) -> tuple[Canary, ...]:
        raise NotImplementedError  # nor is anything booted

    def boot_canary(self, host: ComputeHost, receipt_id: str, recipe: Recipe) -> None:
        raise NotImplementedError

    def delete_canary(self, host: ComputeHost, server: ServerId) -> None:
        raise NotImplementedError

    def live_migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        raise NotImplementedError

    def set_forced_down(self, service: Service, *, forced_down: bool) -> Service:
        call = ("set_forced_down", look.index_of(service.host), forced_down)
        return look.service_of(self._answer(call))

    def set_enabled(self, service: Service, *, enabled: bool, reason: str = "") -> Service:
        call = ("set_enabled", look.index_of(service.host), enabled, reason)
        return look.service_of(self._answer(call))

    def set_aggregate_metadata(self, id_: int, metadata: Mapping[str, str]) -> Aggregate:
        raise NotImplementedError  # there are no segments in the small world

    def add_to_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        raise NotImplementedError

    def remove_from_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        raise NotImplementedError

    def send(self, request: Request) -> None:
        self.sent.append((look.index_of(request.server), look.index_of(request.host)))

    def results(self) -> list[PostResult]:
        self.taken = True
        return [_result(reply) for reply in self._mail]

    def monotonic_s(self) -> float:
        return self._asked_s if self._at == 0 and self.log else NOW_S

    def action(self, action: Action, outcome: str) -> None:
        pass

    def holds(self, holds: tuple[Hold, ...]) -> None:
        pass

    def _answer(self, call: Call) -> Key:
        if self._at == len(self.log):
            raise Next(call)
        key = self.log[self._at]
        self._at += 1
        if key == ERROR:
            raise ClusterUnavailable("no answer") if call[0] in CLUSTER else _no_answer()
        if key == REFUSED:
            msg = "conflict"
            raise CloudRefused(msg, 409)
        return key


def _no_answer() -> CloudUnavailable:
    return CloudUnavailable("no answer")


def _result(reply: Reply) -> PostResult:
    evacuate = Evacuate(look.server_of(reply.server), look.host_of(reply.host))
    errors = {"accepted": None, "refused": CloudRefused("conflict", 409), "lost": _no_answer()}
    return PostResult(evacuate, errors[reply.outcome])


def perform(call: Call, world: World) -> tuple[World, Key, str]:
    """Do what a call does; return the world after it, its answer, and the law that it breaks."""
    match call:
        case ("observe",):
            return world, look.seen(world), ""
        case ("services",):
            return world, look.Services(world.services), ""
        case ("servers", int(host)):
            return world, look.servers(world, host), ""
        case ("migrations", int(host)):
            return world, look.migrations(world, host), ""
        case ("set_forced_down" | "set_enabled", *_):
            return _change_service(call, world)
    return _write(call, world), OK, ""


def _write(call: Call, world: World) -> World:
    """Change the CIB; what is deleted has to be exactly what was read."""
    match call:
        case ("write_record", int(node), str(record)):
            return world._replace(records=small.put(world.records, node, record))
        case ("delete_record", int(node), record):
            if world.records[node] != record:
                return world
            return world._replace(records=small.put(world.records, node, None))
        case ("delete_receipt", int(node), number):
            receipt = world.receipts[node]
            if receipt is None or receipt.number != number:
                return world
            return world._replace(receipts=small.put(world.receipts, node, None))
        case ("delete_hold", node, number):
            marks = tuple(mark for mark in world.marks if mark != (node, number))
            return world._replace(marks=marks)
    msg = f"no such call: {call}"
    raise AssertionError(msg)


def _change_service(call: Call, world: World) -> tuple[World, Key, str]:
    match call:
        case ("set_forced_down", int(host), bool(forced)):
            if not forced and any((m.source, m.status) in _open(host) for m in world.migrations):
                return world, REFUSED, ""
            after, broken = world.services[host]._replace(forced=forced), ""
        case ("set_enabled", int(host), True, _):
            before = world.services[host]
            theirs = not before.enabled and not before.reason.startswith(OUR_REASON)
            broken = f"L6: {small.node_name(host)} is enabled, which a person disabled"
            after, broken = before._replace(enabled=True, reason=""), broken * theirs
        case ("set_enabled", int(host), False, str(reason)):
            before = world.services[host]
            broken = f"L6: {small.node_name(host)} is disabled over a person's reason"
            theirs = not before.enabled and not before.reason.startswith(OUR_REASON)
            after, broken = before._replace(enabled=False, reason=reason), broken * theirs
        case _:
            msg = f"no such call: {call}"
            raise AssertionError(msg)
    changed = world._replace(services=small.put(world.services, host, after))
    return changed, look.OneService(host, after), broken


def _open(host: int) -> tuple[tuple[int, str], ...]:
    return ((host, small.DONE), (host, small.SPAWNED))
