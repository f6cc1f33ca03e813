"""All that can happen in the small world, breadth first: states, the shortest way to a violation,
and the states from which the goal cannot be reached any more.
"""

import gc
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import smallworld as small
from smallspace import SHIFT, Space
from smallworld import FAULT, JOIN, World


@dataclass
class Explored:
    """What was found. violation: the law that is broken, and the shortest way to it.

    order: the states, nearest first. parents: from which each was reached first. sources, targets,
    joins: the steps that are no faults, and whether a machine joins.
    """

    space: Space
    complete: bool = False
    transitions: int = 0
    seconds: float = 0.0
    violation: str = ""
    path: list[str] = field(default_factory=list)
    order: "array[int]" = field(default_factory=lambda: array("Q"))
    parents: "array[int]" = field(default_factory=lambda: array("I"))
    sources: "array[int]" = field(default_factory=lambda: array("I"))
    targets: "array[int]" = field(default_factory=lambda: array("I"))
    joins: bytearray = field(default_factory=bytearray)

    @property
    def states(self) -> int:
        return len(self.order)

    def way_to(self, number: int) -> list[str]:
        """Return what happens on the shortest way to a state."""
        labels: list[str] = []
        while number:
            before, wanted = self.parents[number], self.order[number]
            steps = self.space.steps(self.order[before])
            labels.append(next(step.label for step in steps if step.state == wanted))
            number = before
        return labels[::-1]


def explore(
    first: World,
    limit: int = 100_000_000,
    space: Space | None = None,
    progress: Callable[[int, int], None] = lambda _done, _known: None,
) -> Explored:
    """Visit every state that can be reached, nearest first; stop at the first violation.

    limit: of states. progress: called with how many states were visited, and how many are known.
    """
    found = Explored(space or Space())
    begin_s = monotonic()
    start = found.space.first(first)
    found.order.append(start)
    found.parents.append(0)
    index = {start: 0}
    at = 0
    with _no_garbage():
        while at < len(found.order) < limit and not found.violation:
            _visit(found, index, at)
            at += 1
            if at % 100_000 == 0:
                progress(at, len(found.order))
    found.complete = at == len(found.order) and not found.violation
    found.seconds = monotonic() - begin_s
    return found


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Leave the collector off: nearly all that is made is kept, and looking at it takes long."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _visit(found: Explored, index: dict[int, int], at: int) -> None:
    """Take every step out of a state."""
    order = found.order
    for step in found.space.steps(order[at]):
        found.transitions += 1
        target = index.setdefault(step.state, len(order))
        if target == len(order):
            order.append(step.state)
            found.parents.append(at)
        if step.broken:
            found.violation, found.path = step.broken, [*found.way_to(at), step.label]
            return
        if step.kind != FAULT:
            found.sources.append(at)
            found.targets.append(target)
            found.joins.append(step.kind == JOIN)


def dead_ends(found: Explored, goal: Callable[[World], bool], *, joins: bool = True) -> list[int]:
    """Return the states from which no state of the goal can be reached without a further fault.

    joins: whether machines may come back on the way. The states are numbers in `order`.
    """
    values = found.space.worlds.values
    good = bytearray(goal(world) for world in values)
    alive = bytearray(good[state >> SHIFT] for state in found.order)
    before = _backwards(found, joins=joins)
    queue = [number for number in range(found.states) if alive[number]]
    while queue:
        for source in before(queue.pop()):
            if not alive[source]:
                alive[source] = 1
                queue.append(source)
    return [number for number in range(found.states) if not alive[number]]


def _backwards(found: Explored, *, joins: bool) -> Callable[[int], "array[int]"]:
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


def recovered(first: World) -> Callable[[World], bool]:
    """Return what tells whether all is over: nothing of ours is left, all serves as before."""

    def over(world: World) -> bool:
        ours = any(world.receipts) or any(world.records) or world.marks or world.wire
        open_ = any(m.status in (small.ACCEPTED, small.SPAWNED) for m in world.migrations)
        serving = all(node.at == small.SERVING for node in world.nodes)
        return not (ours or open_) and serving and _as(first, world) and placed(world)

    return over


def _as(first: World, world: World) -> bool:
    """Tell whether the services stand as they did."""
    return all(
        now._replace(beat=before.beat) == before
        for now, before in zip(world.services, first.services, strict=True)
    )


def evacuated(world: World) -> bool:
    """Tell whether every instance runs, whether or not the lost hosts are back."""
    return placed(world) and not world.wire


def placed(world: World) -> bool:
    """Tell whether every instance runs once, where Nova says, on a host that serves."""
    return all(
        copies == 1 << host and world.nodes[host].at == small.SERVING
        for copies, host in zip(world.copies, world.hosts, strict=True)
    )
