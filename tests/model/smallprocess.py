"""Our process in the small world: an automaton that goes from one external call to the next.

All that it decides and remembers is the shipped code: decide, the memory's functions, app.apply.
Only the loop of `app/cycle.py` is written anew here, so that it can be left and entered between any
two calls; a test compares the two call by call. It is always NOW_S: what was before becomes older.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import smallview as look
from novaha.app.apply import apply, ask
from novaha.app.results import take_results
from novaha.core import decide as core
from novaha.core import memory as remember
from novaha.core.actions import (
    Action,
    AskMigrations,
    AskRoom,
    AskRules,
    AskServers,
    Decision,
    Evacuate,
    Hold,
    Question,
)
from novaha.core.model import Answer, ClusterView, Memory, View
from novaha.core.policy import Policy
from novaha.core.rules import Rules
from novaha.core.silence import in_turn, topic_of
from novaha.core.standing import concerned
from novaha.errors import ClusterUnavailable
from novaha.ports import Ports
from smallcalls import ERROR, OBSERVE, REFUSED, SERVICES, Call, Next, Replay
from smalltime import NOW_S, POLICY, canonical, freeze, patient_no_more, tick
from smallview import Key, Table
from smallworld import Reply


class Proc(NamedTuple):
    """Where the process stands; what is not needed there has its default.

    call: the next external one. memory, view, answered, todo: numbers in the tables. todo: the
    questions or actions of this pass, `at` the present one. log: answers the present action got
    already, from asked_s on. began_s: when the cycle began.
    """

    at_what: str
    call: Call
    memory: int = 0
    view: int = 0
    answered: int = 0
    todo: int = 0
    at: int = 0
    log: tuple[Key, ...] = ()
    asked_s: float = NOW_S
    began_s: float = NOW_S


class Mind(NamedTuple):
    """What the process knows and when its cycle began."""

    memory: Memory
    began_s: float


class After(NamedTuple):
    """What an answer leads to: the process, its requests, whether it took mail, a broken law."""

    proc: int
    sent: tuple[tuple[int, int], ...] = ()
    took: bool = False
    broken: str = ""


@dataclass
class Automaton:
    """The process as a table that grows: (process, answer, mail) -> process.

    note: called with all that was decided, and on what.
    """

    policy: Policy = POLICY
    decided: int = 0
    broken: str = ""
    note: Callable[[View, tuple[Decision, ...]], None] | None = None
    procs: Table[Proc] = field(default_factory=Table)
    memories: list[Memory] = field(default_factory=list)
    frozen: Table[Key] = field(default_factory=Table)
    views: Table[Key] = field(default_factory=Table)
    answered: Table[frozenset[Question]] = field(default_factory=Table)
    todos: Table[tuple[Decision, ...]] = field(default_factory=Table)
    afters: dict[tuple[int, Key, tuple[Reply, ...]], After] = field(default_factory=dict)
    ticks: dict[tuple[int, bool], int] = field(default_factory=dict)

    def born(self) -> int:
        """Return a process that was just started."""
        return self._idle(Memory(started_s=NOW_S, rules=Answer(Rules(), NOW_S)))

    def after(self, number: int, key: Key, mail: tuple[Reply, ...]) -> After:
        """Return what the answer to the present call leads to."""
        known = self.afters.get((number, key, mail))
        if known is None:
            known = self._after(self.procs.values[number], key, mail)
            self.afters[number, key, mail] = known
        return known

    def in_trouble(self, number: int) -> bool:
        """Tell whether it sleeps and leaves Nova alone for a while."""
        proc = self.procs.values[number]
        known = self.memories[proc.memory]
        waits = known.trouble is not None and known.trouble_until_s > NOW_S
        waits = waits or any(silence.until_s > NOW_S for silence in known.silences.values())
        return waits and proc.at_what == "idle"

    def tried_again(self, number: int) -> int:
        """Return the process once it may ask Nova again."""
        memory = self.memories[self.procs.values[number].memory]
        return self._idle(patient_no_more(memory))

    def tick(self, number: int, *, began: bool = False) -> int:
        """Return the process one tick later; began: its cycle has begun, Pacemaker is asked."""
        later = self.ticks.get((number, began))
        if later is None:
            proc = self.procs.values[number]
            if began and proc.at_what == "idle":
                proc = proc._replace(at_what="look")
            memory, asked_s, began_s = tick(self.memories[proc.memory], proc.asked_s, proc.began_s)
            later = self._number(memory, proc._replace(asked_s=asked_s, began_s=began_s))
            self.ticks[number, began] = later
        return later

    def _after(self, proc: Proc, key: Key, mail: tuple[Reply, ...]) -> After:
        ports = Replay((*proc.log, key), mail, proc.asked_s)
        mind = Mind(self.memories[proc.memory], proc.began_s)
        try:
            match proc.at_what:
                case "ask":
                    after = self._answered(proc, key, mind, ports)
                case "act":
                    after = self._acted(proc, mind, ports)
                case _:
                    after = self._observed(proc, key, mind, ports)
        except ClusterUnavailable:
            after = self._idle(_taken(proc, mind.memory, mail))
        broken, self.broken = self.broken, ""
        return After(after, tuple(ports.sent), ports.taken, broken)

    def _observed(self, proc: Proc, key: Key, mind: Mind, ports: Replay) -> int:
        memory = take_results(mind.memory, all_ports(ports))
        cluster = ports.observe()
        ids = [receipt.id for receipt in cluster.receipts]
        ids += [record.proof.receipt_id for record in cluster.records]
        memory = remember.saw_receipts(memory, ids, NOW_S)
        mind = Mind(memory, NOW_S if proc.at_what == "idle" else proc.began_s)
        return self._think(mind, self.views.number(key), frozenset(), ports)

    def _answered(self, proc: Proc, key: Key, mind: Mind, ports: Replay) -> int:
        questions = _questions(self.todos.values[proc.todo])
        memory = ask(mind.memory, (questions[proc.at],), ports, ports)
        failed = key in (ERROR, REFUSED)
        if not (failed and memory.trouble is not None and memory.trouble_until_s > NOW_S):
            following = _next(memory, questions, proc.at)
            if following < len(questions):
                call = _call_of(questions[following])
                return self._number(memory, proc._replace(call=call, at=following))
        taken = take_results(memory, all_ports(ports))
        answered = self.answered.values[proc.answered] if taken is memory else frozenset()
        return self._think(mind._replace(memory=taken), proc.view, answered, ports)

    def _think(self, mind: Mind, view: int, answered: frozenset[Question], ports: Replay) -> int:
        decisions = self._decide(mind, look.cluster_of(self.views.values[view]))
        asked = tuple(q for q in _questions(decisions) if q not in answered)
        if asked:
            asked = tuple(in_turn(mind.memory, asked))
            proc = Proc(
                "ask",
                _call_of(asked[0]),
                view=view,
                answered=self.answered.number(answered | set(asked)),
                todo=self.todos.number(asked),
                began_s=mind.began_s,
            )
            return self._number(mind.memory, proc)
        actions = _actions(decisions)
        return self._act(mind, actions, 0, ports) if actions else self._idle(mind.memory)

    def _decide(self, mind: Mind, cluster: ClusterView) -> tuple[Decision, ...]:
        self.decided += 1
        view = View(NOW_S, cluster, mind.memory, mind.began_s)
        decisions = core.decide(view, self.policy)
        silent = [node for node in concerned(cluster) if not answers(view, decisions, node)]
        if silent:
            self.broken = f"L7: nothing is done about {silent[0]}, and nothing said"
        if self.note is not None:
            self.note(view, decisions)
        return decisions

    def _acted(self, proc: Proc, mind: Mind, ports: Replay) -> int:
        actions = _actions(self.todos.values[proc.todo])
        try:
            memory, done = apply(mind.memory, actions[proc.at], all_ports(ports))
        except Next as coming:
            return self._number(mind.memory, proc._replace(call=coming.call, log=ports.log))
        following = proc.at + 1 if done else len(actions)
        return self._act(mind._replace(memory=memory), actions, following, ports)

    def _act(self, mind: Mind, actions: tuple[Action, ...], at: int, ports: Replay) -> int:
        """Begin the next action; a request to evacuate is no call: its sender is another thread."""
        memory, began_s = mind
        for index in range(at, len(actions)):
            fresh = Replay()
            try:
                memory, _ = apply(memory, actions[index], all_ports(fresh))
            except Next as coming:
                todo = self.todos.number(actions)
                proc = Proc("act", coming.call, todo=todo, at=index, began_s=began_s)
                return self._number(memory, proc)
            ports.sent += fresh.sent
        return self._number(memory, Proc("look", OBSERVE, began_s=began_s))

    def _idle(self, memory: Memory) -> int:
        return self._number(memory, Proc("idle", OBSERVE))

    def _number(self, memory: Memory, proc: Proc) -> int:
        """Return the number of a process with a memory, both without what makes no difference."""
        reads_clock = proc.at_what == "ask" or proc.call == SERVICES or proc.log
        asked_s = proc.asked_s if reads_clock else NOW_S
        began_s = NOW_S if proc.at_what == "idle" else proc.began_s
        memory, asked_s, began_s = canonical(memory, asked_s, began_s)
        kept = self.frozen.number(freeze(memory))
        if kept == len(self.memories):
            self.memories.append(memory)
        return self.procs.number(proc._replace(memory=kept, asked_s=asked_s, began_s=began_s))


def _taken(proc: Proc, memory: Memory, mail: tuple[Reply, ...]) -> Memory:
    """Return what is known when the cluster gives no answer: results are taken before it."""
    return memory if proc.at_what == "act" else take_results(memory, all_ports(Replay((), mail)))


def _actions(todo: tuple[Decision, ...]) -> tuple[Action, ...]:
    return tuple(d for d in todo if isinstance(d, Action))


def all_ports(ports: Replay) -> Ports:
    return Ports(ports, ports, ports, ports, ports)


def _questions(decisions: tuple[Decision, ...]) -> tuple[Question, ...]:
    """Return the questions that this world has answers to: nobody says anything in it."""
    return tuple(q for q in core.questions(decisions) if not isinstance(q, AskRules | AskRoom))


def _next(memory: Memory, questions: tuple[Question, ...], at: int) -> int:
    """Return which question follows: not one about what has just got no answer."""
    silent = {topic for topic, known in memory.silences.items() if known.until_s > NOW_S}
    rest = range(at + 1, len(questions))
    return next((n for n in rest if topic_of(questions[n]) not in silent), len(questions))


def _call_of(question: Decision) -> Call:
    match question:
        case AskServers(host):
            return ("servers", look.index_of(host))
        case AskMigrations(host):
            return ("migrations", look.index_of(host))
        case _:
            return ("services",)


def answers(view: View, decisions: tuple[Decision, ...], node: str) -> bool:
    """Tell whether something is decided for a node, or said of it, its instances, or of all."""
    listed = view.memory.servers.get(node)  # type: ignore[call-overload]
    subjects = {
        node,
        "nova",
        "cluster",
        *(server.id for server in (listed.value if listed else ())),
    }
    return any(_about(decision) & subjects for decision in decisions)


def _about(decision: Decision) -> set[str]:
    """Return whom a decision is about; in the small world a node and its host have one name."""
    if isinstance(decision, Hold):
        return {decision.subject}
    if isinstance(decision, AskServers | AskMigrations | Evacuate):
        return {decision.host}
    of = (getattr(decision, name, None) for name in ("recovery", "proven", "service", "mark"))
    found = next((thing for thing in of if thing is not None), None)
    return {"nova"} if found is None else {getattr(found, "node", None) or found.host}
