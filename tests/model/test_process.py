"""The automaton of the small world makes the very calls that the shipped loop makes."""

from dataclasses import replace
from math import inf
from random import Random

import pytest
import smallworld as small
from novaha.app.cycle import Reconciler
from novaha.core import memory as remember
from novaha.core import silence
from novaha.core.actions import Request as Move
from novaha.core.model import Answer
from novaha.core.rules import Rules
from novaha.errors import ClusterUnavailable
from novaha.ports import PostResult
from smallcalls import ERROR, READS, Call, Replay, perform
from smallprocess import Automaton, all_ports
from smalltime import NOW_S, POLICY, TICK_S, patient_no_more
from smallview import Key, index_of
from smallworld import FAULT, Left, Reply, Request, World, first_world

BUDGET = Left(losses=3, crashes=3, replies=3, failures=3, levels=1)


class Killed(BaseException):
    """Our process dies before the call that comes next."""


class Both(Replay):
    """The ports of the shipped loop; each call is compared with that of the automaton.

    Between two calls anything may happen in the world, as the dice say.
    """

    def __init__(self, automaton: Automaton, world: World, dice: Random) -> None:
        super().__init__()
        self.automaton, self.world, self.dice = automaton, world, dice
        self.proc, self.busy = automaton.born(), False
        self.now_s = NOW_S
        self.expected: list[tuple[int, int]] = []
        self.pending: tuple[Reply, ...] | None = None
        self.calls: list[Call] = []

    def monotonic_s(self) -> float:
        return self.now_s

    def results(self) -> list[PostResult]:
        """Return what ended: the automaton took it together with the answer to a question."""
        if self.pending is None:
            self.let_happen()
            self.pending, self.world = self.world.mail, self.world._replace(mail=())
            return Replay(mail=self.pending).results()
        mail, self.pending = self.pending, None
        return Replay(mail=mail).results()

    def _answer(self, call: Call) -> Key:
        proc = self.automaton.procs.values[self.proc]
        if call[0] != "observe":
            self.let_happen()
        self.compare_sent()
        assert call == proc.call
        self.calls.append(call)
        if self.world.left.crashes and self.dice.random() < 0.02:
            raise Killed
        after, key, _ = perform(call, self.world)
        if self.world.left.replies and self.dice.random() < 0.05:
            lost = call[0] not in READS and self.dice.random() < 0.5
            after, key = small.spend(after if lost else self.world, "replies"), ERROR
        self.world = after
        self.go_on(call, key)
        return Replay([key])._answer(call)  # noqa: SLF001

    def go_on(self, call: Call, key: Key) -> None:
        """Tell the automaton the answer; what it sends is on the wire."""
        mail = self.world.mail
        if call[0] == "observe":
            mail, self.pending = self.pending or (), None
        after = self.automaton.after(self.proc, key, mail)
        if after.took and call[0] != "observe":
            self.pending, self.world = self.world.mail, self.world._replace(mail=())
        self.proc = after.proc
        self.expected += after.sent
        sent = [Request(server, host) for server, host in after.sent]
        self.world = self.world._replace(wire=tuple(sorted((*self.world.wire, *sent), key=str)))

    def compare_sent(self) -> None:
        assert self.sent == self.expected
        self.sent, self.expected = [], []

    def send(self, request: Move) -> None:
        self.sent.append((index_of(request.server), index_of(request.host)))

    def let_happen(self) -> None:
        """Let up to three things happen, a tick among them where nothing is due before it."""
        for _ in range(self.dice.randrange(3)):
            moves = list(small.world_moves(self.world))
            if all(request.patience != 0 for request in self.world.wire):
                moves.append(small.Move("", "tick", self.world))
            weights = [0.3 if move.kind == FAULT else 1.0 for move in moves]
            if not moves:
                return
            move = self.dice.choices(moves, weights)[0]
            if move.kind == "tick":
                self.tick()
            self.world = move.world

    def tick(self) -> None:
        self.now_s += TICK_S
        self.proc = self.automaton.tick(self.proc, began=self.busy)

    def killed(self) -> None:
        """Leave the requests of the process on the wire, and begin anew."""
        orphans = (request._replace(patience=small.PATIENCE) for request in self.world.wire)
        wire = tuple(sorted(orphans, key=str))
        self.world = small.spend(self.world, "crashes")._replace(wire=wire, mail=())
        self.proc, self.pending, self.sent, self.expected = self.automaton.born(), None, [], []

    def rest(self, loop: Reconciler) -> None:
        """Let time pass between two cycles."""
        self.busy = False
        self.let_happen()
        if self.automaton.in_trouble(self.proc) and self.dice.random() < 0.5:
            self.proc = self.automaton.tried_again(self.proc)
            loop.memory = patient_no_more(loop.memory)
        self.busy = True


def test_the_automaton_makes_call_by_call_what_the_shipped_loop_makes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A walk may last longer than a host that Nova tells nothing of keeps its slots.
    monkeypatch.setattr(silence, "GIVES_SLOTS_S", inf)
    monkeypatch.setattr(silence, "HANGS_S", inf)
    # There is no Placement in this world: what it tells is not taken in.
    monkeypatch.setattr(remember, "saw_room", lambda memory, *_: memory)
    automaton, calls = Automaton(), 0
    for seed in range(60):
        calls += walk(automaton, Random(seed))  # noqa: S311  (dice, no secret)
    assert calls > 60 * 60


def walk(automaton: Automaton, dice: Random) -> int:
    """Run the shipped loop beside the automaton for a while; return how many calls were made."""
    both = Both(automaton, first_world(dice.choice([(0, 0), (0, 1)]), BUDGET), dice)
    loop = born(both)
    for _ in range(40):
        loop = cycle(both, loop)
        assert automaton.procs.values[both.proc].at_what == "idle"
    return len(both.calls)


def born(both: Both) -> Reconciler:
    """Return a loop that knows already that nobody says anything in this world.

    And that there is no Placement, which it never asks again.
    """
    loop = Reconciler(all_ports(both), POLICY)
    loop.memory = replace(loop.memory, rules=Answer(Rules(), NOW_S), room=Answer(None, inf))
    return loop


def cycle(both: Both, loop: Reconciler) -> Reconciler:
    """Run one cycle of the loop as the daemon does; return the loop, or the one after its death."""
    both.rest(loop)
    try:
        loop.cycle()
        both.compare_sent()
    except ClusterUnavailable:
        both.compare_sent()
    except Killed:
        both.killed()
        return born(both)
    return loop
