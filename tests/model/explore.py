"""All that can happen in the small world, breadth first: states, the shortest way to a violation,
and the states from which the goal cannot be reached any more.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

import smallworld as small
from smallcalls import CLUSTER, ERROR, READS, perform
from smallprocess import Automaton
from smallview import Table
from smallworld import FAULT, JOIN, STEP, World

SHIFT = 32


class Step(NamedTuple):
    """One transition: what happens, of which kind it is, where it leads, and the law it breaks."""

    label: str
    kind: str
    state: int
    broken: str = ""


@dataclass
class Space:
    """The states: a world and a process each, as numbers in two tables, put into one."""

    automaton: Automaton = field(default_factory=Automaton)
    worlds: Table[World] = field(default_factory=Table)
    moves: dict[int, list[tuple[str, str, int, str]]] = field(default_factory=dict)
    born: int = field(init=False)

    def __post_init__(self) -> None:
        self.born = self.automaton.born()

    def state(self, world: World, proc: int) -> int:
        return self.worlds.number(world) << SHIFT | proc

    def first(self, world: World) -> int:
        return self.state(world, self.born)

    def world_of(self, state: int) -> World:
        return self.worlds.values[state >> SHIFT]

    def steps(self, state: int) -> Iterator[Step]:
        """Yield every transition out of a state."""
        number, proc = state >> SHIFT, state & ((1 << SHIFT) - 1)
        for label, kind, after, broken in self._moves(number):
            yield Step(label, kind, after << SHIFT | proc, broken)
        world = self.worlds.values[number]
        yield from self._calls(world, proc)
        if world.left.crashes:
            yield Step("our process is killed and starts anew", FAULT, self._killed(world))
        if self.automaton.in_trouble(proc):
            yield Step("(2 s pass)", STEP, number << SHIFT | self.automaton.tried_again(proc))
        if all(request.patience != 0 for request in world.wire):
            later = self.state(_tick(world), self.automaton.tick(proc))
            if later != state:
                yield Step("(30 s pass)", STEP, later)
        if world.left.persons and self.automaton.procs.values[proc].at_what == "idle":
            for step in _persons(world):
                yield Step(step.label, FAULT, self.state(step.world, proc), step.broken)

    def _moves(self, number: int) -> list[tuple[str, str, int, str]]:
        known = self.moves.get(number)
        if known is None:
            known = self.moves[number] = [
                (move.label, move.kind, self.worlds.number(move.world), move.broken)
                for move in small.world_moves(self.worlds.values[number])
            ]
        return known

    def _calls(self, world: World, proc: int) -> Iterator[Step]:
        """Yield the next external call of the process, as it should be and as it may go wrong."""
        call = self.automaton.procs.values[proc].call
        name = str(call[0])
        after, key, broken = perform(call, world)
        yield self._resumed(call, "", STEP, after, proc, key, broken)
        if world.left.replies:
            poorer = small.spend(world, "replies")
            yield self._resumed(call, ": no answer, no effect", FAULT, poorer, proc, ERROR, "")
            if name not in READS:
                after = small.spend(after, "replies")
                yield self._resumed(call, ": the answer is lost", FAULT, after, proc, ERROR, broken)

    def _resumed(  # noqa: PLR0913  (one argument per part of a step)
        self,
        call: tuple,
        text: str,
        kind: str,
        world: World,
        proc: int,
        key: tuple,
        broken: str,  # type: ignore[type-arg]
    ) -> Step:
        after = self.automaton.after(proc, key, world.mail)
        if after.took and world.mail:
            world = world._replace(mail=())
        if after.sent:
            sent = [small.Request(server, host) for server, host in after.sent]
            world = world._replace(wire=tuple(sorted((*world.wire, *sent), key=str)))
        label = f"recovery: {words(call)}{text}"
        return Step(label, kind, self.state(world, after.proc), broken or after.broken)

    def _killed(self, world: World) -> int:
        orphans = [
            r._replace(patience=small.PATIENCE) if r.patience is None else r for r in world.wire
        ]
        wire = tuple(sorted(orphans, key=str))
        return self.state(small.spend(world, "crashes")._replace(wire=wire, mail=()), self.born)


def words(call: tuple) -> str:  # type: ignore[type-arg]
    """Return a call as a reader wants it."""
    where = "Pacemaker" if call[0] in CLUSTER else "Nova"
    arguments = [
        small.node_name(a) if type(a) is int and n == 1 else str(a) for n, a in enumerate(call) if n
    ]
    return " ".join([f"{where}:", str(call[0]), *arguments])


def _tick(world: World) -> World:
    if not world.wire:
        return world
    aged = (r if r.patience is None else r._replace(patience=r.patience - 1) for r in world.wire)
    return world._replace(wire=tuple(sorted(aged, key=str)))


def _persons(world: World) -> Iterator[small.Move]:
    """Yield what a person may do: delete the hold of a host and start nova-compute there.

    Only where nothing is on its way off the host: else the person has made two copies.
    """
    busy = {m.source for m in world.migrations if m.status in (small.ACCEPTED, small.SPAWNED)}
    busy |= {request.host for request in world.wire}
    for node, now in enumerate(world.nodes):
        if now.at == small.JOINED and node not in busy and small.held(world, node):
            marks = tuple(mark for mark in world.marks if mark[0] != node)
            text = f"a person deletes the hold of {small.node_name(node)} and starts nova-compute"
            after, broken = small.start(small.spend(world, "persons")._replace(marks=marks), node)
            yield small.Move(text, FAULT, after, broken)


@dataclass
class Explored:
    """What was found. violation: the law that is broken, and the shortest way to it."""

    space: Space
    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    complete: bool = True
    violation: str = ""
    path: list[str] = field(default_factory=list)
    order: array = field(default_factory=lambda: array("Q"))  # type: ignore[type-arg]
    sources: array = field(default_factory=lambda: array("I"))  # type: ignore[type-arg]
    targets: array = field(default_factory=lambda: array("I"))  # type: ignore[type-arg]
    joins: bytearray = field(default_factory=bytearray)


def explore(first: World, limit: int = 20_000_000, space: Space | None = None) -> Explored:
    """Visit every state that can be reached, nearest first; stop at the first violation."""
    space = space or Space()
    found = Explored(space)
    begin_s = monotonic()
    start = space.first(first)
    index, parents = {start: 0}, array("I", [0])
    order = found.order
    order.append(start)
    at = 0
    while at < len(order) and not found.violation and len(order) < limit:
        for step in space.steps(order[at]):
            found.transitions += 1
            target = index.setdefault(step.state, len(order))
            if target == len(order):
                order.append(step.state)
                parents.append(at)
            if step.broken:
                found.violation = step.broken
                found.path = _path(space, order, parents, at) + [step.label]
                break
            if step.kind != FAULT:
                found.sources.append(at)
                found.targets.append(target)
                found.joins.append(step.kind == JOIN)
        at += 1
    found.complete = at == len(order)
    found.states, found.seconds = len(order), monotonic() - begin_s
    return found


def _path(space: Space, order: array, parents: array, at: int) -> list[str]:  # type: ignore[type-arg]
    labels: list[str] = []
    while at:
        before = parents[at]
        labels.append(next(s.label for s in space.steps(order[before]) if s.state == order[at]))
        at = before
    return labels[::-1]


def dead_ends(found: Explored, goal: Callable[[World], bool], *, joins: bool = True) -> list[int]:
    """Return the states from which no state of the goal can be reached without a further fault.

    joins: whether machines may come back on the way. The states are numbers in `order`.
    """
    good: dict[int, bool] = {}
    alive = bytearray(found.states)
    for number, state in enumerate(found.order):
        world = state >> SHIFT
        if world not in good:
            good[world] = goal(found.space.worlds.values[world])
        alive[number] = good[world]
    before = _backwards(found, joins=joins)
    queue = [number for number in range(found.states) if alive[number]]
    while queue:
        number = queue.pop()
        for source in before(number):
            if not alive[source]:
                alive[source] = 1
                queue.append(source)
    return [number for number in range(found.states) if not alive[number]]


def _backwards(found: Explored, *, joins: bool) -> Callable[[int], array]:  # type: ignore[type-arg]
    """Return a function that tells from which states one can be reached in one step."""
    ends = array("I", bytes(4 * (found.states + 1)))
    for target in found.targets:
        ends[target + 1] += 1
    for number in range(found.states):
        ends[number + 1] += ends[number]
    at, sources = array("I", ends), array("I", bytes(4 * len(found.targets)))
    for source, target, join in zip(found.sources, found.targets, found.joins, strict=True):
        sources[at[target]] = source if joins or not join else target
        at[target] += 1
    return lambda number: sources[ends[number] : ends[number + 1]]


def recovered(world: World) -> bool:
    """Tell whether all is over: nothing of ours is left, and every host and instance serves."""
    ours = any(world.receipts) or any(world.records) or world.marks
    open_ = any(m.status in (small.ACCEPTED, small.SPAWNED) for m in world.migrations)
    serving = all(node.at == small.SERVING for node in world.nodes)
    services = all(service.enabled and not service.forced for service in world.services)
    return not (ours or open_ or world.wire) and serving and services and placed(world)


def placed(world: World) -> bool:
    """Tell whether every instance runs once, where Nova says, on a host that serves."""
    return all(
        copies == 1 << host and world.nodes[host].at == small.SERVING
        for copies, host in zip(world.copies, world.hosts, strict=True)
    )
