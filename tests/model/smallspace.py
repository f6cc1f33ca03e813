"""The states of the small world with our process in it, and every step from one to the next."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import smallworld as small
from smallcalls import CLUSTER, ERROR, READS, Call, perform
from smallprocess import Automaton
from smallview import Key, Table
from smallworld import FAULT, STEP, World

SHIFT = 32


class Step(NamedTuple):
    """One transition: what happens, of which kind it is, where it leads, and the law it breaks."""

    label: str
    kind: str
    state: int
    broken: str = ""


class Answer(NamedTuple):
    """How a call of ours goes: what is so then, what it answers, and the law that it breaks."""

    text: str
    kind: str
    world: World
    key: Key
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
            yield from self._ticks(state, world, proc)
        if world.left.persons and self.automaton.procs.values[proc].at_what == "idle":
            for step in _persons(world):
                yield Step(step.label, FAULT, self.state(step.world, proc), step.broken)

    def _ticks(self, state: int, world: World, proc: int) -> Iterator[Step]:
        """Yield what one tick makes of a process that sleeps, or that waits for an answer."""
        for began in (False, True):
            later = self.state(_tick(world), self.automaton.tick(proc, began=began))
            if later != state:
                yield Step("(30 s pass)", STEP, later)

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
        after, key, broken = perform(call, world)
        yield self._answered(proc, Answer("", STEP, after, key, broken))
        if world.left.replies:
            poorer = small.spend(world, "replies")
            yield self._answered(proc, Answer(": no answer, no effect", FAULT, poorer, ERROR))
            if call[0] not in READS:
                after = small.spend(after, "replies")
                lost = Answer(": the answer is lost", FAULT, after, ERROR, broken)
                yield self._answered(proc, lost)

    def _answered(self, proc: int, answer: Answer) -> Step:
        world = answer.world
        after = self.automaton.after(proc, answer.key, world.mail)
        if after.took and world.mail:
            world = world._replace(mail=())
        if after.sent:
            sent = [small.Request(server, host) for server, host in after.sent]
            world = world._replace(wire=tuple(sorted((*world.wire, *sent), key=str)))
        label = f"recovery: {words(self.automaton.procs.values[proc].call)}{answer.text}"
        state = self.state(world, after.proc)
        return Step(label, answer.kind, state, answer.broken or after.broken)

    def _killed(self, world: World) -> int:
        orphans = [
            r._replace(patience=small.PATIENCE) if r.patience is None else r for r in world.wire
        ]
        wire = tuple(sorted(orphans, key=str))
        return self.state(small.spend(world, "crashes")._replace(wire=wire, mail=()), self.born)


@cache
def words(call: Call) -> str:
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
