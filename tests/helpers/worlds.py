"""Builders of the values that decisions look at, each with defaults that describe one dead host."""

from dataclasses import replace
from typing import Any

from novaha.core.details import Details
from novaha.core.incarnation import Incarnation
from novaha.core.model import (
    Answer,
    ClusterView,
    Device,
    FencingEvent,
    HoldMark,
    Level,
    Memory,
    Migration,
    Server,
    Service,
    View,
)
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.receipt import Receipt, Writer
from novaha.core.recovery import Found, Phase, Proof, Proven, Recovery
from novaha.core.rules import Rules

NODE = NodeName("compute-1")
HOST = ComputeHost("compute-1")
RECEIPT_ID = "0123456789ab"
WRITTEN_S = 1_700_000_000
NOW_S = 1000.0
LIFE = Incarnation()
"""The connection was stopped before the fencing: no start shows."""
DEVICES = ("device-1-fence_ipmilan",)
NEXT_LIFE = Incarnation(frozenset({"0badcafe"}))


def receipt(  # noqa: PLR0913  (one argument per field that some test turns)
    node: NodeName = NODE,
    id_: str = RECEIPT_ID,
    *,
    by: Writer = "fenced",
    written_s: int = WRITTEN_S,
    before: int | None = 0,
    life: Incarnation | None = LIFE,
    devices: tuple[str, ...] | None = DEVICES,
) -> Receipt:
    return Receipt(id_, node, written_s, NodeName("controller-1"), by, before, life, devices)


def proof(id_: str = RECEIPT_ID, life: Incarnation | None = LIFE) -> Proof:
    return Proof(id_, "reboot", WRITTEN_S + 3, "controller-1", DEVICES, life)


def proven(node: NodeName = NODE, id_: str = RECEIPT_ID, found: Found | None = None) -> Proven:
    return Proven(node, proof(id_), found)


def event(
    node: NodeName = NODE,
    *,
    status: str = "success",
    action: str = "reboot",
    completed_s: float | None = WRITTEN_S + 3.0,
    client: str = "",
) -> FencingEvent:
    return FencingEvent(node, action, status, completed_s, origin="controller-1", client=client)


def level(
    node: NodeName = NODE, *agents: str | None, index: int = 1, pattern: bool = False
) -> Level:
    chosen = agents or ("fence_nova_gate", "fence_ipmilan", "fence_nova")
    devices = tuple(Device(f"device-{i}-{agent}", agent) for i, agent in enumerate(chosen))
    return Level(node, index, devices, pattern)


def recovery(  # noqa: PLR0913  (one argument per field that some test turns)
    node: NodeName = NODE,
    id_: str = RECEIPT_ID,
    *,
    host: ComputeHost = HOST,
    phase: Phase = "evacuating",
    enabled: bool = True,
    forced_down: bool = False,
    after: int = 0,
    heartbeat: str = "-",
    raised: bool = False,
) -> Recovery:
    found = Found(enabled, forced_down)
    return Recovery(node, proof(id_), host, phase, found, after, heartbeat, raised)


def service(host: ComputeHost = HOST, **changes: Any) -> Service:  # noqa: ANN401
    plain = Service(
        f"id-{host}",
        host,
        enabled=True,
        disabled_reason="",
        forced_down=False,
        heartbeat="2024-05-03T12:00:00.000000",
    )
    return replace(plain, **changes)


def ours(host: ComputeHost = HOST, **changes: Any) -> Service:  # noqa: ANN401
    """Return the service as we leave it during a recovery: forced down, disabled by us."""
    held = {
        "forced_down": True,
        "enabled": False,
        "disabled_reason": "nova-ha: fenced, receipt " + RECEIPT_ID,
    }
    return service(host, **{**held, **changes})


def server(number: int = 1, fault: str = "", **details: Any) -> Server:  # noqa: ANN401
    """Return an active server, or one with other details."""
    return Server(ServerId(f"server-{number}"), f"vm-{number}", fault, Details(**details))


def migration(
    id_: int, number: int = 1, status: str = "done", source: ComputeHost = HOST
) -> Migration:
    return Migration(id_, ServerId(f"server-{number}"), source, ComputeHost("compute-2"), status)


def mark(of: Receipt | None = None) -> HoldMark:
    of = of or receipt()
    return HoldMark.of(of.node, of.id)


def cluster(**changes: Any) -> ClusterView:  # noqa: ANN401
    """Return a quorate cluster that fenced the node and proved it, with no record yet."""
    plain = ClusterView(
        quorate=True,
        receipts=(receipt(),),
        levels=(level(),),
        events=(event(),),
        marks=(mark(),),
    )
    return replace(plain, **changes)


def evacuating(**changes: Any) -> ClusterView:  # noqa: ANN401
    return cluster(**{"records": (recovery(),), "events": None, **changes})


def memory(
    *,
    services: tuple[Service, ...] | None = None,
    servers: tuple[Server, ...] | None = None,
    migrations: tuple[Migration, ...] | None = None,
    asked_s: float = NOW_S,
    **changes: Any,  # noqa: ANN401
) -> Memory:
    """Return what a process knows that began this recovery itself and just asked everything."""
    plain = Memory(
        started_s=0.0,
        services=None if services is None else Answer(services, asked_s),
        servers={} if servers is None else {HOST: Answer(servers, asked_s)},
        migrations={} if migrations is None else {HOST: Answer(migrations, asked_s)},
        rules=Answer(Rules(), asked_s),
        room=Answer(None, asked_s),
        begun={RECEIPT_ID: 0},
        first_seen={RECEIPT_ID: NOW_S - 1.0},
        changed_s={HOST: asked_s},
    )
    return replace(plain, **changes)


def view(of: ClusterView, known: Memory | None = None, now_s: float = NOW_S) -> View:
    return View(now_s, of, known or memory())
