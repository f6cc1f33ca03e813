"""The shipped core with one safety gate taken out, and the simulation that notices.

Run as a program it prints the table of docs/gates.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gatestandins import (
    any_event,
    ask_the_scheduler,
    beside_each_other,
    changed,
    force_down_only,
    forget_withdrawn,
    found_free,
    mute,
    mute_drains,
    release_when_back,
    started_while_evacuating,
    unlimited,
    unlimited_drains,
)
from novaha.core import (
    decide,
    draining,
    eligibility,
    evacuation,
    flights,
    leaving,
    memory,
    proof,
    queueing,
    reserve,
    returning,
    standing,
    twophase,
    verdict,
    withdrawing,
)
from novaha.core.coldstart import Beginning
from novaha.core.draining import _Emptying
from novaha.core.evacuation import _Evacuation
from novaha.core.fates import Reading
from novaha.core.placing import Placing
from novaha.core.protection import Protection
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
        verdict,
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
        "the first of an affinity group goes past the scheduler",
        queueing,
        "first_or_any",
        ask_the_scheduler,
        "L3",
        "affinity-alone",
    ),
    Gate(
        "the first of an affinity group goes alone",
        queueing,
        "first_or_any",
        beside_each_other,
        "L6",
        "affinity-first-fails",
    ),
    Gate(
        "what waits for room is tried when there is some",
        memory,
        "without_a_place",
        lambda _: frozenset(),
        "L3",
        "room-appears",
    ),
    Gate(
        "who never came since the cluster began is fenced in the end",
        Beginning,
        "overdue",
        lambda *_: (),
        "L7",
        "cold-start-late-and-lost",
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
    Gate(
        "a live migration is asked for once",
        leaving.Reading,
        "_is_asked_for",
        lambda *_: False,
        "L4",
        "drain-and-undrain",
    ),
    Gate(
        "no more live migrations in flight than allowed",
        draining,
        "share_drains",
        unlimited_drains,
        "L4",
        "drain-and-undrain",
    ),
    Gate(
        "live migrations of the process before may still arrive",
        _Emptying,
        "settles",
        lambda _: False,
        "L4",
        "drain-killed-after-post",
    ),
    Gate(
        "a drain never competes with a recovery",
        draining,
        "_evacuate",
        lambda *_: False,
        "L4",
        "drain-beside-a-recovery",
    ),
    Gate(
        "a host that stays drained is not enabled when it is back",
        returning,
        "_serves_less",
        lambda *_: False,
        "L6",
        "drained-host-crashes",
    ),
    Gate(
        "what was taken of a drained host is given back",
        draining,
        "give_back",
        forget_withdrawn,
        "L6",
        "drain-and-undrain",
    ),
    Gate(
        "what a person had disabled stays so after a drain",
        withdrawing,
        "is_ours",
        lambda _: True,
        "L6",
        "drain-of-a-disabled-host",
    ),
    Gate("a drain has a reason", draining, "share_drains", mute_drains, "L7", "drain-and-undrain"),
    Gate("waiting for a fencing has a reason", decide, "_ahead", mute, "L7", "clock-skew-ahead"),
)


if __name__ == "__main__":
    print("\n".join(gate.row for gate in GATES))  # noqa: T201  (that is what it is for)
