"""The shipped core with one safety gate taken out, and the simulation that notices.

Run as a program it prints the table of docs/gates.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from novaha.core import (
    decide,
    eligibility,
    evacuation,
    fates,
    flights,
    memory,
    proof,
    reserve,
    returning,
    sharing,
    standing,
    starting,
    twophase,
)
from novaha.core.actions import Decision, Release
from novaha.core.evacuation import _Evacuation
from novaha.core.fates import Reading
from novaha.core.hostplan import HostPlan
from novaha.core.model import Service, View
from novaha.core.names import NodeName
from novaha.core.placing import Placing
from novaha.core.policy import Policy
from novaha.core.protection import Protection
from novaha.core.receipt import Receipt
from novaha.core.recovery import Found
from novaha.sim.scenario import load
from novaha.sim.seeds import play, schedule, violations
from novaha.sim.spec import Violation

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True)
class Gate:
    """A gate, what stands in its place, the law that breaks, and in which scenario or seed."""

    name: str
    owner: object
    attribute: str
    instead: Any
    law: str
    witness: str | int

    def noticed(self) -> tuple[Violation, ...]:
        """Return the laws that the witness breaks without the gate."""
        with patch.object(self.owner, self.attribute, self.instead):
            return broken(self.witness)

    @property
    def row(self) -> str:
        """Return the gate's row of the table."""
        owner = getattr(self.owner, "__name__", "").removeprefix("novaha.")
        where = f"seed {self.witness}" if isinstance(self.witness, int) else f"`{self.witness}`"
        return f"| {self.name} | `{owner}.{self.attribute}` | {self.law} | {where} |"


def broken(witness: str | int) -> tuple[Violation, ...]:
    """Return the laws that a scenario or a seed breaks."""
    if isinstance(witness, int):
        drawn = schedule(witness)
        return violations(play(drawn.spec, drawn.script))
    scenario = load(SCENARIOS / witness)
    return violations(play(scenario.spec, scenario.script))


def changed(original: Callable[..., Any], **changes: Any) -> Callable[..., Any]:  # noqa: ANN401
    """Return a function of a receipt that sees some of its fields otherwise."""
    return lambda receipt, *rest: original(replace(receipt, **changes), *rest)


def unlimited(seen: View, policy: Policy, plans: list[HostPlan]) -> tuple[Decision, ...]:
    return SHARE(seen, replace(policy, max_in_flight=1000), plans)


def release_when_back(it: _Evacuation, *_: object) -> tuple[Release, ...]:
    back = it.recovery.node in it.view.cluster.online
    return (Release(it.recovery, it.receipt),) if back else ()


def found_free(service: Service, _before: Found | None) -> Found:
    return Found(enabled=service.enabled, forced_down=False)


def force_down_only(*arguments: Any) -> tuple[Decision, ...]:  # noqa: ANN401
    return FORCE_DOWN(*arguments)[-1:]


def mute(*arguments: Any) -> tuple[Decision, ...]:  # noqa: ANN401
    return tuple(d for d in AHEAD(*arguments) if not hasattr(d, "reason"))


def started_while_evacuating(
    seen: View, policy: Policy, plans: Mapping[NodeName, HostPlan]
) -> tuple[Decision, ...]:
    return STARTING(seen, policy, plans) if plans else ()


STARTING = starting.starting
SHARE, AHEAD = sharing.share, decide._ahead  # noqa: SLF001
FORCE_DOWN = evacuation._force_down  # noqa: SLF001
SUCCESS = proof._success  # noqa: SLF001


def any_event(receipt: Receipt, view: View, policy: Policy) -> object:
    return view.cluster.events[-1] if view.cluster.events else SUCCESS(receipt, view, policy)


GATES: tuple[Gate, ...] = (
    Gate(
        "a receipt written by hand proves nothing",
        standing,
        "prove",
        changed(proof.prove, by="fenced"),
        "L1",
        "receipt-by-hand-after-a-fencing",
    ),
    Gate(
        "only a level with a real device proves",
        proof,
        "_devices",
        lambda _: ("any",),
        "L1",
        "kdump-only-level",
    ),
    Gate("the history shows a success", proof, "_success", any_event, "L1", "power-on-fails"),
    Gate(
        "one more success than before",
        proof,
        "_is_newer",
        lambda *_: True,
        "L1",
        "power-on-fails-the-second-time",
    ),
    Gate(
        "a request is remembered before it is sent",
        memory,
        "posting",
        lambda known, *_: known,
        "L4",
        "clock-skew-ahead",
    ),
    Gate(
        "a record in flight is seen",
        flights,
        "newest_by_server",
        lambda _: {},
        "L4",
        "clock-skew-ahead",
    ),
    Gate("a lost answer is no refusal", memory, "lost", memory.refused, "L4", 468),
    Gate(
        "a lost request may still take effect",
        Reading,
        "settled",
        lambda *_: True,
        "L4",
        "clock-skew-ahead",
    ),
    Gate(
        "requests of the process before may still arrive",
        _Evacuation,
        "settling",
        lambda _: False,
        "L4",
        "dead-process-request-arrives-late",
    ),
    Gate(
        "no more in flight than allowed",
        decide,
        "share",
        unlimited,
        "L4",
        "many-instances-few-slots",
    ),
    Gate(
        "a stuck evacuation keeps no slot",
        flights,
        "_unchanged",
        lambda *_: False,
        "L3",
        "stuck-record",
    ),
    Gate(
        "a host is not released beside its moves",
        _Evacuation,
        "give_back",
        release_when_back,
        "L2",
        "history-silent",
    ),
    Gate(
        "what a person disabled stays so",
        returning,
        "is_ours",
        lambda _: True,
        "L6",
        "operator-disabled-before",
    ),
    Gate("what a person forced down stays so", decide, "_found", found_free, "L6", 637),
    Gate(
        "what a person took back stays so",
        evacuation,
        "_force_down",
        force_down_only,
        "L6",
        "operator-takes-force-down-back",
    ),
    Gate(
        "what may run elsewhere is not evacuated",
        fates,
        "kept",
        lambda *_: None,
        "L2",
        "live-migrated-when-its-host-dies",
    ),
    Gate(
        "what is not protected is not evacuated",
        eligibility,
        "protection",
        lambda *_: Protection(protected=True, why=""),
        "L6",
        "unprotected-instances-stay",
    ),
    Gate(
        "no data on a local disk is lost without consent",
        eligibility,
        "unconsented",
        lambda *_: None,
        "L3",
        "local-disk-waits",
    ),
    Gate(
        "a lost host gets one reserved host, and never a second one",
        reserve,
        "taken_for",
        lambda *_: iter(()),
        "L6",
        "reserved-host-lost-too",
    ),
    Gate(
        "where a segment says so, instances go to a reserved host only",
        Placing,
        "target",
        lambda *_: None,
        "L6",
        "reserved-host-takes-over",
    ),
    Gate(
        "what a person disabled is no reserved host",
        reserve,
        "RESERVED_REASON",
        "",
        "L6",
        "reserved-host-none-and-host-back",
    ),
    Gate(
        "a reserved host is handed back",
        returning,
        "hand_back",
        lambda *_: (),
        "L6",
        "reserved-host-takes-over",
    ),
    Gate(
        "what has to run is written down before it is placed stopped",
        evacuation,
        "keep_starts",
        lambda *_: (),
        "L3",
        "two-phases",
    ),
    Gate(
        "what its owner had stopped is not started",
        twophase,
        "_runs",
        lambda *_: True,
        "L6",
        "two-phases",
    ),
    Gate(
        "the lost host's record of starts outlives its release",
        decide,
        "starting",
        started_while_evacuating,
        "L3",
        "two-phases-start-fails",
    ),
    Gate("waiting for a fencing has a reason", decide, "_ahead", mute, "L7", "clock-skew-ahead"),
)


if __name__ == "__main__":
    print("\n".join(gate.row for gate in GATES))  # noqa: T201  (that is what it is for)
