"""A lost host in a segment with two reserved hosts: what is known, and what is decided on it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from novaha.core.actions import (
    Decision,
    Evacuate,
    Hold,
    SetUse,
)
from novaha.core.decide import decide
from novaha.core.model import Answer, Memory, Migration, Server, Service
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.segments import ADD_RESERVED, METHOD, RESERVED, SEGMENT, Aggregate, Use
from worlds import (
    HOST,
    NOW_S,
    evacuating,
    memory,
    ours,
    server,
    service,
    view,
)

R1, R2 = map(ComputeHost, ("reserved-1", "reserved-2"))
FREE: dict[str, Any] = {"enabled": False, "disabled_reason": "nova-ha: reserved"}
RACK = Aggregate(3, "rack", frozenset({HOST}))
READY = Use(HOST, ready=True, enabled=True)
IN_USE = (ours(), service(R1), service(R2, **FREE))


def segment(method: str = "reserved_host", **keys: str) -> Aggregate:
    uses = {f"{RESERVED}{host.replace('_', '-')}": value for host, value in keys.items()}
    said = {SEGMENT: "seg", METHOD: method, **(uses or {f"{RESERVED}{R1}": "true"})}
    return Aggregate(1, "seg", frozenset({HOST, R1, R2}), said)


def adding(of: Aggregate) -> Aggregate:
    return replace(of, metadata={**of.metadata, ADD_RESERVED: "true"})


def known(
    *aggregates: Aggregate,
    services: tuple[Service, ...] = (),
    servers: tuple[Server, ...] = (server(),),
    migrations: tuple[Migration, ...] = (),
    asked_s: float = NOW_S,
    rules_s: float = NOW_S,
) -> Memory:
    listed = services or (ours(), service(R1, **FREE), service(R2, **FREE))
    plain = memory(services=listed, servers=servers, migrations=migrations, asked_s=asked_s)
    return replace(plain, rules=Answer(Rules(aggregates), rules_s))


def decided(of: Memory, now_s: float = NOW_S) -> tuple[Decision, ...]:
    return decide(view(evacuating(), of, now_s), Policy())


def sent(decisions: tuple[Decision, ...]) -> Mapping[str, ComputeHost | None]:
    return {d.server: d.to for d in decisions if isinstance(d, Evacuate)}


def held(decisions: tuple[Decision, ...]) -> dict[Reason, str]:
    return {d.reason: d.text for d in decisions if isinstance(d, Hold)}


def uses(decisions: tuple[Decision, ...]) -> list[tuple[ComputeHost, str]]:
    found = [d for d in decisions if isinstance(d, SetUse)]
    return [(d.reserved, d.use.to_value() if d.use else "true") for d in found]
