"""A node that is well and drained, what a process knows of it, and what it then decides."""

from dataclasses import replace
from typing import Any

from novaha.core.actions import Decision, Hold, LiveMigrate
from novaha.core.capacity import Room
from novaha.core.decide import decide
from novaha.core.drain import Drain, Phase, Withdrawn
from novaha.core.model import Answer, ClusterView, DrainMemory, Memory, Migration, Server, Service
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from worlds import HOST, NODE, NOW_S, cluster, memory, service, view

POLICY = Policy()
SPARE = ComputeHost("compute-2")
BIG = Room(SPARE, 100, 100_000, None)
DRAIN = Drain(NODE, 0, "alice", "RAM")
CLOSED = Withdrawn(NODE, HOST, Phase.CLOSED)
OURS: dict[str, Any] = {"enabled": False, "disabled_reason": "nova-ha: drained by alice: RAM"}


def drained(**changes: Any) -> ClusterView:  # noqa: ANN401
    """Return a cluster in which a node that is well is drained."""
    calm = cluster(receipts=(), marks=(), events=None, online=frozenset({NODE}))
    return replace(calm, **{"drains": (DRAIN,), "withdrawn": (CLOSED,), **changes})


def known(
    *servers: Server,
    of: Service | None = None,
    records: tuple[Migration, ...] = (),
    room: tuple[Room, ...] | None = (BIG,),
    **drain: Any,  # noqa: ANN401
) -> Memory:
    """Return what a process knows that withdrew the node itself and has just asked everything."""
    answers = {"records": {HOST: Answer(records, NOW_S)}, "begun": frozenset({NODE}), **drain}
    services = (of or service(**OURS), service(SPARE))
    plain = memory(services=services, servers=servers)
    return replace(plain, room=Answer(room, NOW_S), drain=DrainMemory(**answers))


def decided(
    of: ClusterView, what: Memory, policy: Policy = POLICY, now_s: float = NOW_S
) -> tuple[Decision, ...]:
    return decide(view(of, what, now_s), policy)


def held(decisions: tuple[Decision, ...]) -> dict[Reason, str]:
    return {d.reason: d.text for d in decisions if isinstance(d, Hold)}


def leaving(decisions: tuple[Decision, ...]) -> list[str]:
    return [d.server for d in decisions if isinstance(d, LiveMigrate)]
