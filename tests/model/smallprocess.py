"""Our process in the small world: an automaton that goes from one external call to the next.

All that it decides and remembers is the shipped code: decide, the memory's functions, app.apply.
Only the loop of `app/cycle.py` is written anew here, so that it can be left and entered between any
two calls; a test compares the two call by call. Times in its memory are seconds before now.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import smallview as look
from novaha.app.apply import apply, ask, take_results
from novaha.core import decide as core
from novaha.core import memory as remember
from novaha.core.actions import (
    Action,
    AskMigrations,
    AskServers,
    Decision,
    Evacuate,
    Hold,
    Question,
)
from novaha.core.model import Answer, ClusterView, Memory, View
from novaha.core.policy import Policy
from novaha.core.standing import concerned
from novaha.errors import ClusterUnavailable
from novaha.ports import Ports
from smallcalls import ERROR, OBSERVE, REFUSED, Call, Next, Replay
from smallview import Key, Table
from smallworld import Reply

TICK_S = 30.0
"""One tick; with the shipped settle_s a request outlives its process for less than this."""

OLD_S = -2 * TICK_S
"""What is older counts as this old: no comparison of the core tells it from older things."""

POLICY = Policy(poll_s=0.0, poll_last_s=0.0, return_poll_s=0.0, patience_s=30.0, retry_last_s=30.0)
"""As shipped, except that Nova may be looked at at any time, and that no retry waits for longer."""


class Proc(NamedTuple):
    """Where the process stands; what is not needed there has its default.

    call: the next external one. memory, view, answered, todo: numbers in the tables. todo: the
    questions or actions of this pass, `at` the present one. log: answers the present action got
    already, from asked_s on. began_s: when the cycle began.
    """

    at_what: str
    call: Call
    memory: int
    view: int = 0
    answered: int = 0
    todo: int = 0
    at: int = 0
    log: tuple[Key, ...] = ()
    asked_s: float = 0.0
    began_s: float = 0.0


class After(NamedTuple):
    """What an answer leads to: the process, its requests, whether it took mail, a broken law."""

    proc: int
    sent: tuple[tuple[int, int], ...] = ()
    took: bool = False
    broken: str = ""


@dataclass
class Automaton:
    """The process as a table that grows: (process, answer, mail) -> process."""

    policy: Policy = POLICY
    decided: int = 0
    broken: str = ""
    procs: Table[Proc] = field(default_factory=Table)
    memories: list[Memory] = field(default_factory=list)
    frozen: Table[Key] = field(default_factory=Table)
    views: Table[Key] = field(default_factory=Table)
    answered: Table[frozenset[Question]] = field(default_factory=Table)
    todos: Table[tuple[Decision, ...]] = field(default_factory=Table)
    afters: dict[tuple[int, Key, tuple[Reply, ...]], After] = field(default_factory=dict)
    ticks: dict[int, int] = field(default_factory=dict)

    def born(self) -> int:
        """Return a process that was just started."""
        return self._idle(Memory(started_s=0.0))

    def after(self, number: int, key: Key, mail: tuple[Reply, ...]) -> After:
        """Return what the answer to the present call leads to."""
        known = self.afters.get((number, key, mail))
        if known is None:
            known = self.afters[number, key, mail] = self._after(
                self.procs.values[number], key, mail
            )
        return known

    def in_trouble(self, number: int) -> bool:
        """Tell whether it sleeps and leaves Nova alone for a while."""
        proc = self.procs.values[number]
        memory = self.memories[proc.memory]
        return proc.at_what == "idle" and memory.trouble is not None and memory.trouble_until_s > 0

    def tried_again(self, number: int) -> int:
        """Return the process once it may ask Nova again."""
        memory = self.memories[self.procs.values[number].memory]
        return self._idle(replace(memory, trouble_until_s=0.0))

    def tick(self, number: int) -> int:
        """Return the process one tick later."""
        later = self.ticks.get(number)
        if later is None:
            proc = self.procs.values[number]
            later = self.ticks[number] = self.procs.number(
                proc._replace(
                    memory=self._keep(aged(self.memories[proc.memory])),
                    asked_s=_older(proc.asked_s) if proc.at_what in ("ask", "act") else 0.0,
                    began_s=0.0 if proc.at_what == "idle" else _older(proc.began_s),
                )
            )
        return later

    def _after(self, proc: Proc, key: Key, mail: tuple[Reply, ...]) -> After:
        ports = Replay((*proc.log, key), mail, proc.asked_s)
        memory = self.memories[proc.memory]
        try:
            match proc.at_what:
                case "ask":
                    after = self._answered(proc, key, memory, ports)
                case "act":
                    after = self._acted(proc, memory, ports)
                case _:
                    after = self._observed(proc, key, memory, ports)
        except ClusterUnavailable:
            after = self._idle(self._taken(proc, memory, mail))
        broken, self.broken = self.broken, ""
        return After(after, tuple(ports.sent), ports.taken, broken)

    def _taken(self, proc: Proc, memory: Memory, mail: tuple[Reply, ...]) -> Memory:
        """Return what is known when the cluster gives no answer: results are taken before it."""
        return memory if proc.at_what == "act" else take_results(memory, _all(Replay((), mail)))

    def _observed(self, proc: Proc, key: Key, memory: Memory, ports: Replay) -> int:
        memory = take_results(memory, _all(ports))
        cluster = ports.observe()
        ids = [receipt.id for receipt in cluster.receipts]
        ids += [record.proof.receipt_id for record in cluster.records]
        memory = remember.saw_receipts(memory, ids, 0.0)
        began_s = 0.0 if proc.at_what == "idle" else proc.began_s
        think = (memory, self.views.number(key), frozenset[Question](), began_s)
        return self._think(*think, ports)

    def _answered(self, proc: Proc, key: Key, memory: Memory, ports: Replay) -> int:
        questions = self.todos.values[proc.todo]
        question = questions[proc.at]
        memory = ask(memory, (question,), ports, ports)  # type: ignore[arg-type]
        if key not in (ERROR, REFUSED) and proc.at + 1 < len(questions):
            following = _call_of(questions[proc.at + 1])
            onward = proc._replace(call=following, memory=self._keep(memory), at=proc.at + 1)
            return self.procs.number(onward)
        memory = take_results(memory, _all(ports))
        answered = self.answered.values[proc.answered]
        return self._think(memory, proc.view, answered, proc.began_s, ports)

    def _think(
        self,
        memory: Memory,
        view: int,
        answered: frozenset[Question],
        began_s: float,
        ports: Replay,
    ) -> int:
        cluster = look.shown(self.views.values[view])
        assert isinstance(cluster, ClusterView)
        decisions = self._decide(View(0.0, cluster, memory, began_s))
        asked = tuple(q for q in core.questions(decisions) if q not in answered)
        if asked:
            return self.procs.number(
                Proc(
                    "ask",
                    _call_of(asked[0]),
                    self._keep(memory),
                    view,
                    self.answered.number(answered | set(asked)),
                    self.todos.number(asked),
                    began_s=began_s,
                )
            )
        actions = tuple(d for d in decisions if isinstance(d, Action))
        return self._act(memory, actions, 0, began_s, ports) if actions else self._idle(memory)

    def _decide(self, view: View) -> tuple[Decision, ...]:
        self.decided += 1
        decisions = core.decide(view, self.policy)
        if decisions != core.decide(view, self.policy):
            self.broken = "one view, two decisions"
        silent = [node for node in concerned(view.cluster) if not answers(view, decisions, node)]
        if silent:
            self.broken = f"L7: nothing is done about {silent[0]}, and nothing said"
        return decisions

    def _acted(self, proc: Proc, memory: Memory, ports: Replay) -> int:
        actions = self.todos.values[proc.todo]
        action = actions[proc.at]
        assert isinstance(action, Action)
        try:
            memory, done = apply(memory, action, _all(ports))
        except Next as coming:
            return self.procs.number(proc._replace(call=coming.call, log=ports.log))
        return self._act(
            memory, actions, proc.at + 1 if done else len(actions), proc.began_s, ports
        )

    def _act(
        self,
        memory: Memory,
        actions: tuple[Decision, ...],
        at: int,
        began_s: float,
        ports: Replay,
    ) -> int:
        """Begin the next action; a request to evacuate is no call: its sender is another thread."""
        for index in range(at, len(actions)):
            action, fresh = actions[index], Replay()
            assert isinstance(action, Action)
            try:
                memory, _ = apply(memory, action, _all(fresh))
            except Next as coming:
                todo = self.todos.number(actions)
                kept = self._keep(memory)
                proc = Proc("act", coming.call, kept, todo=todo, at=index, began_s=began_s)
                return self.procs.number(proc)
            ports.sent += fresh.sent
        return self.procs.number(Proc("look", OBSERVE, self._keep(memory), began_s=began_s))

    def _idle(self, memory: Memory) -> int:
        return self.procs.number(Proc("idle", OBSERVE, self._keep(memory)))

    def _keep(self, memory: Memory) -> int:
        number = self.frozen.number(freeze(memory))
        if number == len(self.memories):
            self.memories.append(replace(memory, changed_s={}))
        return number


def _all(ports: Replay) -> Ports:
    return Ports(ports, ports, ports, ports, ports)


def _call_of(question: Decision) -> Call:
    match question:
        case AskServers(host):
            return ("servers", look.index_of(host))
        case AskMigrations(host):
            return ("migrations", look.index_of(host))
        case _:
            return ("services",)


def freeze(memory: Memory) -> Key:
    """Return a memory as a value that can be looked up.

    changed_s is left out: it only sets the pace of looking at Nova, and here any pace may be.
    """
    return (
        memory.started_s,
        memory.services,
        *(tuple(sorted(of.items(), key=lambda item: str(item[0]))) for of in _mappings(memory)),
        memory.begun,
        memory.trouble,
        memory.trouble_until_s,
    )


def _mappings(m: Memory) -> tuple:  # type: ignore[type-arg]
    of = (m.servers, m.migrations, m.posts, m.refusals, m.failed_at, m.first_seen)
    return (*of, m.service_refused)


def _older(moment_s: float) -> float:
    return max(moment_s - TICK_S, OLD_S)


def aged(m: Memory) -> Memory:
    """Return a memory one tick later."""

    def answer(of: Answer) -> Answer:  # type: ignore[type-arg]
        return replace(of, asked_s=_older(of.asked_s))

    refusals = {k: replace(r, last_s=_older(r.last_s)) for k, r in m.refusals.items()}
    refused = {k: (_older(at_s), text) for k, (at_s, text) in m.service_refused.items()}
    return replace(
        m,
        started_s=_older(m.started_s),
        services=m.services and answer(m.services),
        servers=_each(m.servers, answer),
        migrations=_each(m.migrations, answer),
        posts={k: replace(post, at_s=_older(post.at_s)) for k, post in m.posts.items()},
        refusals=refusals,
        failed_at=_each(m.failed_at, _older),
        first_seen=_each(m.first_seen, _older),
        service_refused=refused,
        trouble_until_s=0.0,
    )


def _each(mapping, change: Callable):  # type: ignore[no-untyped-def,type-arg]
    return {key: change(value) for key, value in mapping.items()}


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
