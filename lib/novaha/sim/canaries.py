"""Canaries: small instances of ours on one host, which no user misses."""

from typing import NamedTuple

from novaha.core.canary import FAILED, RUNS, Canary
from novaha.core.names import ComputeHost, ServerId
from novaha.sim.engine import Engine
from novaha.sim.records import Compute

BOOT_S = 4.0
"""From the request until it runs."""


class _Booted(NamedTuple):
    receipt_id: str
    compute: Compute
    at_s: float
    fault: str


class Canaries:
    """Those of one cloud."""

    def __init__(self, engine: Engine) -> None:
        """Begin without any."""
        self._engine = engine
        self._all: dict[ServerId, _Booted] = {}
        self._count = 0

    def boot(self, compute: Compute, receipt_id: str, fault: str) -> None:
        """Begin to boot one on a compute; it runs there unless Nova finds a fault."""
        self._count += 1
        booted = _Booted(receipt_id, compute, self._engine.now_s, fault)
        self._all[ServerId(f"canary-{self._count}")] = booted

    def delete(self, server: ServerId) -> None:
        """Delete one; one that is gone is no error."""
        self._all.pop(server, None)

    def list(self, host: ComputeHost) -> tuple[Canary, ...]:
        """List those of a host, as they stand now."""
        found = ((s, b) for s, b in self._all.items() if b.compute.host == host)
        return tuple(self._shown(server, booted) for server, booted in found)

    def _shown(self, server: ServerId, booted: _Booted) -> Canary:
        if booted.fault:
            return Canary(server, booted.receipt_id, FAILED, booted.fault)
        over = self._engine.now_s - booted.at_s >= BOOT_S
        runs = over and booted.compute.serving and booted.compute.reachable
        return Canary(server, booted.receipt_id, RUNS if runs else "BUILD")
