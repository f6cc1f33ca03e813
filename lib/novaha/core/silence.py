"""What Nova gives no answer to: nothing at all, or only what it is asked about one host.

Nova can fail for one host and serve all others: a list that ends in 500 for one corrupt instance, a
cell whose database hangs. That must hold up nobody else. So what got no answer is asked again last,
after what may be answered; where Nova answers the rest, only what rests on that answer waits, and
is asked for ever more rarely. Where it answers nothing, it is left alone for a moment. A change
that gets no answer is no different: it is tried ever more rarely, and what rests on it waits.
"""

from collections.abc import Iterable
from dataclasses import replace

from novaha.core.actions import (
    Action,
    AddToAggregate,
    AggregateChange,
    AskCanaries,
    AskLiveMigrations,
    AskMigrations,
    AskPhases,
    AskPlaced,
    AskPorts,
    AskRoom,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    DropHold,
    EndStarts,
    Hold,
    KeepProof,
    Question,
    Release,
    RemoveFromAggregate,
    ServiceChange,
    SetUse,
)
from novaha.core.model import Memory, Silence, Topic, View
from novaha.core.names import ComputeHost
from novaha.core.reasons import Reason

WAIT_S = 2.0
"""How long Nova is left alone after it gave no answer."""
LONGEST_WAIT_S = 30.0
"""How long at most that is not asked again to which Nova, answering all else, gives no answer."""
HANGS_S = 5.0
"""What takes longer in vain hangs: no other question follows it in the same round."""
HANG_SHARE = 2.0
"""So many times as long as Nova hung, nothing is asked or changed that may hang, too."""
TURN_S = 90.0
"""So long a change that may hang leaves the turn to each that was tried longer ago.

Longer than any cycle waits (`interval` of NovaEvacuate, 60 s at most): then one of them had it.
"""
GIVES_SLOTS_S = 120.0
"""So long evacuations keep their slots of which Nova tells nothing; most are over by then."""

_WHAT: dict[type[Question], str] = {
    AskServices: "its compute services",
    AskServers: "what is on it",
    AskMigrations: "what is on it",
    AskLiveMigrations: "which live migrations leave it",
    AskRules: "its host aggregates and server groups",
    AskPhases: "its versions",
    AskPlaced: "how those stand that were moved to it",
    AskCanaries: "which canaries are on it",
}
"""What a question is about. What is asked about one recovery belongs together: its answers are set
against each other, so none of them may be newer than one that failed."""


_ITS_SERVICE, _ITS_AGGREGATES = "a change of its service", "a change of its aggregates"


def topic_of_change(change: ServiceChange | AggregateChange) -> Topic:
    """Return what a change is about: the service of a host, or the aggregates that it is in."""
    match change:
        case SetUse(reserved=host) | AddToAggregate(host=host) | RemoveFromAggregate(host=host):
            return Topic(_ITS_AGGREGATES, host)
        case _:
            return Topic(_ITS_SERVICE, change.service.host)


def topic_of(question: Question) -> Topic:
    """Return what a question is about, and which host."""
    return Topic(_WHAT.get(type(question), "it"), str(getattr(question, "host", "")))


def in_turn(memory: Memory, asked: Iterable[Question]) -> list[Question]:
    """Return questions as they are to be asked: last those that got no answer before.

    Of them first what was asked longest ago, for what hangs leaves no time for another one.
    """
    asked_s = {topic: silence.last_s for topic, silence in memory.silences.items()}
    return sorted(asked, key=lambda question: asked_s.get(topic_of(question), float("-inf")))


def heard(memory: Memory, question: Question, now_s: float) -> Memory:
    """Note that Nova answered a question; of what others are asked it says nothing."""
    if isinstance(question, AskRoom | AskPorts):
        return memory
    return replace(ended(memory, topic_of(question)), heard_s=now_s)


def ended(memory: Memory, topic: Topic) -> Memory:
    """Note that Nova answered about a topic."""
    if topic not in memory.silences:
        return memory
    return replace(memory, silences={k: v for k, v in memory.silences.items() if k != topic})


def hung(memory: Memory, took_s: float, now_s: float) -> Memory:
    """Note for how long Nova hung in vain: what may hang as well waits twice as long.

    A process that waits for answers does nothing else, so most of its time is kept for the rest.
    """
    until_s = now_s + HANG_SHARE * took_s
    return replace(memory, hung_until_s=max(until_s, memory.hung_until_s))


def unheard(
    memory: Memory, topic: Topic, text: str, now_s: float, *, since_s: float = float("inf")
) -> tuple[Memory, bool]:
    """Note that nothing came back about a topic; tell whether Nova has to be left alone for that.

    It need not be where it answers others: it did since that moment, or since this failed before.
    """
    before = memory.silences.get(topic)
    alone = before is not None and memory.heard_s > before.last_s
    tries = (before.tries if before else 0) + alone
    until_s = now_s + min(WAIT_S * 2 ** max(tries - 1, 0), LONGEST_WAIT_S)
    silence = Silence(text, before.since_s if before else now_s, now_s, until_s, tries)
    memory = replace(memory, silences={**memory.silences, topic: silence})
    if tries > 0 or memory.heard_s >= since_s:
        return memory, False
    return left_alone(memory, text, now_s), True


def left_alone(memory: Memory, text: str, now_s: float) -> Memory:
    """Note why Nova gave no answer, and until when not to ask it anything."""
    return replace(memory, trouble=text, trouble_until_s=now_s + WAIT_S)


def long_silent(view: View, host: ComputeHost) -> bool:
    """Tell whether Nova has not told for long what is on a host, or leaves it, though asked."""
    silence = view.memory.silences.get(topic_of(AskMigrations(host)))
    return silence is not None and view.now_s - silence.since_s >= GIVES_SLOTS_S


def service_unanswered(memory: Memory, host: ComputeHost) -> bool:
    """Tell whether the last change of a host's service got no answer."""
    return Topic(_ITS_SERVICE, host) in memory.silences


def service_may_hang(view: View, host: ComputeHost) -> bool:
    """Tell whether a service is left alone: its change got no answer, and Nova hung since."""
    return _in_line(view, Topic(_ITS_SERVICE, host))


def aggregates_unchanged(view: View, host: ComputeHost) -> str:
    """Return why the aggregates that a host is in are not changed now, "" where they may be."""
    topic = Topic(_ITS_AGGREGATES, host)
    silence = view.memory.silences.get(topic)
    if silence is None or not (view.now_s < silence.until_s or _in_line(view, topic)):
        return ""
    return f"Nova does not answer {_waits(view, _ITS_AGGREGATES, silence, 'tried')}"


def unknown(memory: Memory) -> str | None:
    """Return why something is not known that was asked for, None where all was answered."""
    return memory.trouble or next((each.text for each in memory.silences.values()), None)


def without_silence(view: View, decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Return the decisions without what Nova is not to be asked now, and why, where that is so."""
    memory = view.memory
    if memory.trouble is not None and view.now_s < memory.trouble_until_s:
        kept = tuple(d for d in decisions if _without_nova(d))
        hold = Hold("nova", Reason.CLOUD, memory.trouble)
        return (*kept, hold) if len(kept) < len(decisions) else kept
    if not memory.silences:
        return decisions
    needed = [_needed(decision) for decision in decisions]
    met = {topic: silence for topic, silence in memory.silences.items() if topic in needed}
    silent = {topic for topic, silence in met.items() if view.now_s < _until_s(view, silence)}
    kept = tuple(d for d, topic in zip(decisions, needed, strict=True) if topic not in silent)
    # Whether Nova answers anything at all is asked with what it did not answer before.
    first = (AskServices(),) if met.keys() - silent else ()
    return (*first, *kept, *(_hold(view, topic, silence) for topic, silence in met.items()))


def _needed(decision: Decision) -> Topic | None:
    """Return what a decision needs an answer about; a release reads the services itself."""
    if isinstance(decision, Release):
        return None if _without_nova(decision) else topic_of(AskServices())
    return None if isinstance(decision, Action | Hold) else topic_of(decision)


def _in_line(view: View, topic: Topic) -> bool:
    """Tell whether a change waits for one that hung, or for the turn of those tried longer ago.

    Else the first of two that hang would be tried for ever, and the other one never.
    """
    memory, mine = view.memory, view.memory.silences.get(topic)
    if mine is None or memory.hung_until_s <= mine.last_s:
        return False
    changes = (s for t, s in memory.silences.items() if t.what in (_ITS_SERVICE, _ITS_AGGREGATES))
    before = sum(other.last_s < mine.last_s for other in changes)
    return view.now_s < memory.hung_until_s + TURN_S * before


def _until_s(view: View, silence: Silence) -> float:
    return max(silence.until_s, view.memory.hung_until_s)


def _hold(view: View, topic: Topic, silence: Silence) -> Hold:
    text = f"Nova does not tell {_waits(view, topic.what, silence, 'asked')}"
    return Hold(topic.host or "nova", Reason.UNANSWERED, text)


def _waits(view: View, what: str, silence: Silence, done: str) -> str:
    for_s, wait_s = view.now_s - silence.since_s, max(_until_s(view, silence) - view.now_s, 0.0)
    return f"{what}, for {for_s:.0f} s now: {silence.text}; it is {done} again in {wait_s:.0f} s"


def _without_nova(decision: Decision) -> bool:
    """Tell what needs nothing of Nova; a release out of an evacuation reads the heartbeat."""
    if isinstance(decision, Release):
        return decision.recovery.phase == "returning"
    return isinstance(decision, Hold | DropHold | KeepProof | EndStarts)
