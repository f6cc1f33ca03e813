"""fence_nova_gate in a world: the shipped judgement, and fencings that it holds back.

A fencing that is held is tried again and again, which changes nothing: only where the verdict can
be another one it is really tried. So a world whose brake holds can be at rest.
"""

from collections.abc import Callable
from dataclasses import replace

from novaha.core.brake import Because, Limits, Sight, Verdict, judge
from novaha.core.brakestate import CLUSTER, Brake, Kept, Release, group_scope
from novaha.core.coldstart import Beginning
from novaha.core.incarnation import Incarnation
from novaha.core.names import NodeName
from novaha.core.proof import is_off
from novaha.sim.book import Book
from novaha.sim.cib import Cib
from novaha.sim.engine import EPOCH_S, Engine
from novaha.sim.machines import Machines
from novaha.sim.members import Members
from novaha.sim.records import Compute
from novaha.sim.spec import GateSpec

RELEASE_S = 3600.0


class Gate:
    """The storm brake of a world; without a specification everything passes at once.

    held: computes whose fencing it fails now. fail, retry: what the fencer does with one of them.
    dismiss: what the cluster does with one that has not come yet; missed: with one that never came.
    """

    def __init__(
        self,
        engine: Engine,
        book: Book,
        cib: Cib,
        members: Members,
        machines: Machines,
        spec: GateSpec | None,
    ) -> None:
        """Begin with nothing held."""
        self._engine = engine
        self._book = book
        self._cib = cib
        self._members = members
        self._machines = machines
        self._spec = spec
        self._why: dict[NodeName, Because] = {}
        self._due_s = 0.0
        self.held: dict[NodeName, Compute] = {}
        self.fail: Callable[[Compute, float], None] = lambda *_: None
        self.retry: Callable[[Compute], None] = lambda _: None
        self.dismiss: Callable[[Compute], None] = lambda _: None
        self.missed: Callable[[Compute], None] = lambda _: None

    @property
    def wait_s(self) -> float:
        """Return how long every fencing that is not let through at once takes longer."""
        return self._spec.wait_s if self._spec else 0.0

    def ask(self, compute: Compute, go_on: Callable[[], None]) -> None:
        """Let the fencing of a compute go on, now or later, or fail it."""
        verdict = self._judge(compute, waited=False) if self._spec else None
        if verdict is None or verdict.because.opens:
            self._let(compute)
            go_on()
            return
        if verdict.because is Because.COLD_START:
            self._refuse(compute, verdict)
            return
        self._engine.later(self.wait_s, self._waited, compute, compute.attempt, go_on)

    def _waited(self, compute: Compute, attempt: int, go_on: Callable[[], None]) -> None:
        if compute.attempt != attempt:
            return
        verdict = self._judge(compute, waited=True)
        self._keep(verdict)
        if verdict.because.opens:
            self._let(compute)
            go_on()
            return
        self.held[compute.name] = compute
        if self._why.get(compute.name) is not verdict.because:
            self._book.say("fencer", verdict.text)
        self._why[compute.name] = verdict.because
        self.fail(compute, self.wait_s)
        self._look_later()

    def _refuse(self, compute: Compute, verdict: Verdict) -> None:
        """Fail the fencing of a host that has not come yet: nobody asks again before it is over."""
        self._keep(verdict)
        self._book.say("fencer", verdict.text)
        self.dismiss(compute)
        self._look_later()

    def _let(self, compute: Compute) -> None:
        if self.held.pop(compute.name, None) is not None:
            why = self._judge(compute, waited=True).because.code
            self._book.say("fencer", f"the storm brake lets {compute.name} through ({why})")
        self._why.pop(compute.name, None)

    def forget(self, compute: Compute) -> None:
        """Hold a compute no more: its fencing was broken off."""
        self.held.pop(compute.name, None)
        self._why.pop(compute.name, None)

    def reconsider(self) -> None:
        """Try those that are held again where they would be let through now."""
        self.refresh()
        self._ask_for_overdue()
        for compute in tuple(self.held.values()):
            because = self._judge(compute, waited=True).because
            self._why[compute.name] = because
            if because.opens:
                self.retry(compute)
        self._look_later()

    def _ask_for_overdue(self) -> None:
        """Do what the monitor of the device does, at the moment at which it first can."""
        if self._spec is None or self._members.down:
            return
        now_s, beginning = self._now_s(), self._beginning()
        wanted = [c.name for c in self._machines.all.values() if c.unclean or c.fencing]
        released = self._cib.kept.released(now_s)
        for name in beginning.overdue(self._spec.grace_s, now_s, wanted, released):
            self.missed(self._machines.all[name])

    def _beginning(self) -> Beginning:
        unseen = (c.name for c in self._machines.all.values() if not c.seen)
        at_s = self._now_s() - self._engine.now_s + self._members.began_s
        return Beginning(at_s, frozenset(unseen))

    def _kept(self) -> Kept:
        """Return what holds by now; who came is under the cold start no more."""
        return self._cib.kept.without([c.name for c in self._machines.all.values() if c.seen])

    def release(self, node: NodeName) -> None:
        """Do what `nova-ha release` does."""
        release = Release(node, self._now_s(), RELEASE_S, "a person", "it is dead")
        kept = self._cib.kept
        others = tuple(each for each in kept.releases if each.node != node)
        self._cib.keep(replace(kept, releases=(*others, release)))
        self.reconsider()

    def braked(self) -> tuple[tuple[NodeName, Brake], ...]:
        """Return what the recovery process sees of it."""
        self.refresh()
        return self._kept().held(self._now_s())

    def refresh(self) -> None:
        """Write what the tries that are left out would have: there still are too many."""
        now_s, kept, full = self._now_s(), self._cib.kept, self._full()
        if full:
            brakes = [replace(b, seen_s=now_s) if b.scope in full else b for b in kept.brakes]
            self._cib.kept = replace(kept, brakes=tuple(brakes))

    def _full(self) -> frozenset[str]:
        """Return the scopes in which those that are held were too many at the last look."""
        racks = self._spec.racks if self._spec else {}
        full = {CLUSTER} if Because.CLUSTER_LIMIT in self._why.values() else set()
        names = {name for name, why in self._why.items() if why is Because.GROUP_LIMIT}
        full |= {group_scope(rack) for rack, nodes in racks.items() if not names.isdisjoint(nodes)}
        return frozenset(full)

    def _judge(self, compute: Compute, *, waited: bool) -> Verdict:
        spec = self._spec or GateSpec()
        limits = Limits(
            spec.cluster_limit, spec.group_limit, spec.window_s, spec.cooldown_s, spec.grace_s
        )
        return judge(self._sight(compute, spec), limits, waited=waited)

    def _sight(self, compute: Compute, spec: GateSpec) -> Sight:
        all_ = self._machines.all.values()
        lives = {c.name: Incarnation.of(c.starts) for c in all_}
        records = self._cib.records.values()
        return Sight(
            compute.name,
            self._now_s(),
            self._members.first or "-",
            frozenset(c.name for c in all_ if c.unclean),
            {c.name: frozenset(g for g, of in spec.racks.items() if c.name in of) for c in all_},
            self._kept(),
            frozenset(record.node for record in records if is_off(record, lives)),
            compute.asked,
            self._beginning(),
        )

    def _keep(self, verdict: Verdict) -> None:
        kept = self._cib.kept
        scopes = {brake.scope for brake in verdict.brakes}
        brakes = (*(b for b in kept.brakes if b.scope not in scopes), *verdict.brakes)
        passed = kept.passed
        if verdict.passed:
            others = (p for p in passed if p.node != verdict.passed.node)
            passed = (*others, verdict.passed)
        if (brakes, passed) != (kept.brakes, kept.passed):
            self._cib.keep(replace(kept, brakes=brakes, passed=passed))

    def _look_later(self) -> None:
        """Look again when time alone may change a verdict: a window or a cooldown is over."""
        if not self._spec:
            return
        now_s, kept, full = self._now_s(), self._cib.kept, self._full()
        ends = [passed.at_s + self._spec.window_s for passed in kept.passed if self.held]
        ends += [b.seen_s + b.cooldown_s for b in kept.brakes if b.scope not in full]
        later = [end_s for end_s in ends if end_s > now_s]
        if later and (self._due_s <= now_s or min(later) < self._due_s):
            self._due_s = min(later)
            self._engine.later(self._due_s - now_s, self._look)

    def _look(self) -> None:
        self._cib.keep(self._cib.kept)  # what time has changed is seen
        self.reconsider()

    def _now_s(self) -> float:
        first = self._members.first
        skew_s = self._members.skew_s[first] if first else 0.0
        return EPOCH_S + self._engine.now_s + skew_s
