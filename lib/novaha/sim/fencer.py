"""Pacemaker's fencer: levels of devices, the receipt, retries, and the history.

A gate (sim/gate.py) may stand before all of them.

real          ipmi off, fence_nova off (the receipt), ipmi on; the success is reported then
kdump         fence_kdump, fence_nova off: nothing is cut off from its power
receipt-only  fence_nova off
"""

from collections.abc import Callable, Iterator
from functools import partial

from novaha.core.facts import Fenced
from novaha.core.incarnation import Incarnation
from novaha.core.model import Device, Level
from novaha.core.names import NodeName
from novaha.core.proof import A_HUMAN, real_devices
from novaha.core.receipt import Receipt, Writer
from novaha.sim.book import Book
from novaha.sim.cib import Cib
from novaha.sim.engine import Engine, Jitter
from novaha.sim.gate import Gate
from novaha.sim.history import History, Line
from novaha.sim.machines import Machines
from novaha.sim.members import Members
from novaha.sim.records import Compute

RECEIPT_S = 0.2
ON_S = 0.5
ON_FAILS_S = 20.0
"""How long a device tries to switch a machine on again before its failure is passed over."""
RETRY_S = 1.0


class Fencer:
    """All fencings. ended: called at the end of each that succeeded; alert: at its alert."""

    def __init__(
        self,
        engine: Engine,
        book: Book,
        cib: Cib,
        members: Members,
        machines: Machines,
        gate: Gate,
    ) -> None:
        """Begin with nothing to fence."""
        self._engine = engine
        self._book = book
        self._cib = cib
        self._members = members
        self._machines = machines
        self.gate = gate
        gate.fail, gate.retry = self._fail, self.device_changed
        self._receipts = 0
        self._half_s: dict[NodeName, float] = {}
        self.detect_s = 0.0
        self.fence_s = 0.0
        self.jitter = Jitter(0)
        self.history = History()
        self.ended: Callable[[Compute], None] = lambda _: None
        self.alert: Callable[[], None] = lambda: None

    def fence(self, compute: Compute) -> None:
        """Begin to fence a node, unless that is at work, or nobody may."""
        if compute.fencing:
            return
        if not self._members.quorate:
            compute.undisturbed = False
            return
        self._book.say("fencer", f"fences {compute.name} ({_action(compute)})")
        self._attempt(compute)

    def break_off(self, compute: Compute) -> None:
        """Forget a fencing at work: who asked for it is gone."""
        self.note_failures()
        compute.attempt += 1
        compute.fencing = compute.undisturbed = compute.asked = False
        self.gate.forget(compute)
        compute.failing_s = None
        self.history.touch()

    def device_changed(self, compute: Compute) -> None:
        """Let fencings that failed so far succeed at their next retry."""
        if compute.failing_s is None:
            return
        self.note_failures()
        began_s = compute.failing_s
        period_s = compute.fails_after_s + RETRY_S
        turns = (self._engine.now_s - began_s) // period_s + 1
        compute.failing_s = None
        compute.attempt += 1
        self._engine.at(began_s + turns * period_s, self._retry, compute, compute.attempt)

    def note_failures(self) -> None:
        """Write down the failures since the last look; each is alike, so none is an event."""
        for compute in self._machines.all.values():
            if compute.failing_s is not None:
                self.history.add(self._failures(compute, compute.failing_s))

    def _failures(self, compute: Compute, began_s: float) -> Iterator[Line]:
        period_s = compute.fails_after_s + RETRY_S
        since_s = self._engine.now_s - began_s
        ended = int((since_s + RETRY_S) // period_s)
        for number in range(compute.failures, ended):
            at_s = began_s + number * period_s + compute.fails_after_s
            yield self._line(compute, "failed", at_s)
        compute.failures = max(ended, compute.failures)

    def fails(self) -> bool:
        """Tell whether some fencing is at work that fails each time."""
        return any(c.failing_s is not None for c in self._machines.all.values())

    def pending(self) -> list[tuple[NodeName, str]]:
        """Return the fencings now at work."""
        return [(c.name, _action(c)) for c in self._machines.all.values() if c.fencing]

    def levels(self) -> tuple[Level, ...]:
        """Return the topology."""
        return tuple(Level(c.name, 1, tuple(_devices(c))) for c in self._machines.all.values())

    def write_receipt(self, node: NodeName, by: Writer = "fenced") -> None:
        """Do what fence_nova's `off` does."""
        compute, writer = self._machines.all[node], self._members.first
        if writer is None:
            return
        self.note_failures()
        self._receipts += 1
        receipt = Receipt(
            f"{self._receipts:012x}",
            node,
            self._members.wall_s(writer),
            writer,
            by,
            self.history.successes(node),
            Incarnation.of(compute.starts),
            ("word-of-a-person",) if by == "person" else real_devices(node, self.levels()),
        )
        self._cib.write_receipt(receipt)
        self._book.say(
            "fencer", f"{_WRITERS[by]} writes receipt {receipt.id} of {node}, and its hold"
        )

    def confirm(self, compute: Compute) -> None:
        """Do what `nova-ha confirm-off` does: a receipt, its hold, Pacemaker's confirmation."""
        self.write_receipt(compute.name, "person")
        self.gate.forget(compute)
        compute.fencing = compute.undisturbed = compute.asked = False
        compute.failing_s = None
        compute.attempt += 1
        line = self._line(compute, "success", self._engine.now_s)
        self.history.add([line._replace(action="off", delegate=A_HUMAN)])
        self._over(compute, None)
        self._book.say("fencer", f"takes {compute.name} for off, as a person says")

    def failing(self) -> list[Compute]:
        """Return the lost computes whose fencing fails each time, and not for the brake."""
        failing = (c for c in self._machines.all.values() if c.failing_s is not None and c.unclean)
        return [compute for compute in failing if compute.name not in self.gate.held]

    def _attempt(self, compute: Compute) -> None:
        compute.fencing = True
        compute.attempt += 1
        self._half_s.pop(compute.name, None)
        self.history.touch()
        self.gate.ask(compute, partial(self._cut, compute, compute.attempt))

    def _fail(self, compute: Compute, after_s: float) -> None:
        """Let this fencing fail, and each that is tried after it."""
        compute.failing_s, compute.failures = self._engine.now_s - after_s, 0
        compute.fails_after_s = after_s
        compute.undisturbed = False
        self.alert()

    def _cut(self, compute: Compute, attempt: int) -> None:
        if compute.attempt != attempt:
            return
        if compute.level == "real" and compute.bmc == "dead":
            compute.failing_s, compute.failures = self._engine.now_s, 0
            compute.fails_after_s = self.fence_s
            compute.undisturbed = False
            self._book.say("fencer", f"ipmi-{compute.name} gives no answer; {_again(compute)}")
            return
        off_s = 0.0 if compute.level == "receipt-only" else self.jitter.spread(self.fence_s)
        self._engine.later(min(off_s, self.fence_s), self._off, compute, compute.attempt)

    def _retry(self, compute: Compute, attempt: int) -> None:
        if compute.attempt == attempt and compute.fencing:
            compute.fencing = False
            self.fence(compute)

    def _off(self, compute: Compute, attempt: int) -> None:
        if compute.attempt != attempt:
            return
        if compute.level == "real" and compute.bmc == "dead":
            self._attempt(compute)
            return
        if compute.level == "real":
            self._book.say("fencer", f"ipmi-{compute.name} says that {compute.name} is off")
            switch = self._machines.lie if compute.bmc == "lies" else self._machines.cut_power
            switch(compute)
        elif compute.level == "kdump":
            self._book.say("fencer", f"fence_kdump says that {compute.name} dumps its core")
        self._engine.later(RECEIPT_S, self._receipt, compute, attempt)

    def _receipt(self, compute: Compute, attempt: int) -> None:
        if compute.attempt != attempt:
            return
        self.write_receipt(compute.name)
        if compute.level != "real" or compute.stay_off:
            self._ended(compute, attempt)
            return
        self._half_s[compute.name] = self._engine.now_s
        fails = compute.power_on_fails or compute.bmc == "dead"
        compute.power_on_fails = False
        if fails:
            compute.undisturbed = False
        self._engine.later(ON_FAILS_S if fails else ON_S, self._on, compute, attempt, fails)

    def _on(self, compute: Compute, attempt: int, fails: bool) -> None:  # noqa: FBT001
        if compute.attempt != attempt:
            return
        if fails:
            self._book.say("fencer", f"ipmi-{compute.name} cannot switch {compute.name} on again")
        elif compute.bmc == "works":
            self._machines.power_on(compute)
        self._ended(compute, attempt)

    def _ended(self, compute: Compute, attempt: int) -> None:
        now_s = self._engine.now_s
        compute.fencing = compute.asked = False
        compute.attempt = attempt + 1
        action = _action(compute)
        line = self._line(compute, "success", now_s)
        halves = self._members.joined_since(self._half_s.pop(compute.name, now_s + 1.0))
        self.history.add([line._replace(halves=halves)])
        allowed_s = self.detect_s + self.gate.wait_s + self.fence_s + RECEIPT_S + ON_S
        self._book.say("fencer", f"the fencing of {compute.name} succeeded ({action})")
        self._over(compute, allowed_s if compute.undisturbed else None)

    def _over(self, compute: Compute, allowed_s: float | None) -> None:
        now_s = self._engine.now_s
        self._book.see(Fenced(now_s, compute.name, compute.lost_s, allowed_s))
        self.ended(compute)
        self.gate.reconsider()
        self.alert()

    def _line(self, compute: Compute, status: str, at_s: float) -> Line:
        origin = self._members.first or NodeName("-")
        late_s = self._engine.now_s - at_s
        stamps = tuple((name, stamp_s - late_s) for name, stamp_s in self._members.stamps())
        return Line(compute.name, _action(compute), status, at_s, stamps, origin)


_WRITERS: dict[Writer, str] = {
    "fenced": "fence_nova",
    "hand": "fence_nova",
    "person": "confirm-off",
}


def _action(compute: Compute) -> str:
    return "off" if compute.stay_off else "reboot"


def _again(compute: Compute) -> str:
    return f"{compute.name} is fenced again every second"


def _devices(compute: Compute) -> Iterator[Device]:
    if compute.level == "real":
        yield Device(f"ipmi-{compute.name}", "fence_ipmilan")
    elif compute.level == "kdump":
        yield Device(f"kdump-{compute.name}", "fence_kdump")
    yield Device("receipt", "fence_nova")
