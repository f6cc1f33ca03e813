"""An explanation as text for people and as JSON for programs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum

from novaha.adapters.journal import describe
from novaha.cli.explain import Process
from novaha.core.actions import Action, Hold
from novaha.core.disarm import Disarm
from novaha.core.explain import Evidence, Explanation
from novaha.core.instances import InstanceStanding
from novaha.core.model import FencingEvent, Level, Migration, Service
from novaha.core.policy import NOT_REAL
from novaha.core.proof import A_HUMAN, RECEIPT_AGENT
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt, Writer
from novaha.core.recovery import Proof, Recovery
from novaha.core.states import InstanceState

LABEL = 9
HISTORY_LINES = 5
_OURS = {
    InstanceState.STAYS: "it",
    InstanceState.UNPROTECTED: "it",
    None: "were its host lost now, it would stay there: it",
}
"""In these states the text of an instance is ours, and begins so."""

NOTHING_OPEN = "nothing to recover"


@dataclass(frozen=True)
class Story:
    """What is to be told. missing: what could not be found out, and why.

    disarmed: what a person has disarmed, whether it holds one of these or not.
    """

    explanations: tuple[Explanation, ...]
    process: Process
    missing: tuple[str, ...]
    disarmed: tuple[Disarm, ...] = ()


def as_json(story: Story) -> str:
    """Return a story as one JSON object, field by field."""
    return json.dumps(_plain(story), indent=2, ensure_ascii=False) + "\n"


def overview(story: Story) -> str:
    """Return one line for each node, and what the process said last."""
    lines = [_line(each) for each in story.explanations] or [NOTHING_OPEN]
    rest = (*_disarmed(story), *_process(story.process), *_missing(story.missing))
    return "\n".join([*lines, *rest]) + "\n"


def in_full(story: Story) -> str:
    """Return all that is known of one subject."""
    (told,) = story.explanations
    lines = [
        *_head(told),
        *_waits(told),
        *_next(told, story.process),
        *_section("evidence", _evidence(told.evidence)),
        *_section("instances", [] if told.instance else map(_instance, told.instances)),
        *_disarmed(story),
        *_process(story.process),
        *_missing(story.missing),
    ]
    return "\n".join(lines) + "\n"


def _line(told: Explanation) -> str:
    counts: dict[str, int] = {}
    for instance in told.instances:
        name = instance.state.name if instance.state else "?"
        counts[name] = counts.get(name, 0) + 1
    how_many = ", ".join(f"{count} {name}" for name, count in counts.items())
    waits = "; ".join(f"{hold.reason.code}: {_words(hold)}" for hold in told.waits)
    said = f"(the process last said {told.said.name})" if told.said else ""
    parts = [f"{told.node} {told.state.name}", said, how_many, waits or told.state.value]
    return "  ".join(part for part in parts if part)


def _head(told: Explanation) -> Iterator[str]:
    instance = told.instance
    if instance is not None:
        name = f"{instance.name} ({instance.id})" if instance.name else instance.id
        where = "gone from" if instance.state is InstanceState.GONE else "on"
        state = instance.state.name if instance.state else "no recovery concerns it"
        yield f"{name} {where} {instance.host}: {state}"
        if instance.state:
            yield f"  {instance.state.value}"
        yield from (f"  {line}" for line in _details(instance))
    yield f"{_place(told)}: {told.state.name}"
    yield f"  {told.state.value}"
    if told.said is not None:
        yield f"  the recovery process last said {told.said.name}: {told.said.value}"


def _place(told: Explanation) -> str:
    node, host = str(told.node), str(told.host)
    if told.node is None:
        return f"host {host}, of which this cluster has no node"
    return node if told.host is None or host == node else f"{node} (Nova host {host})"


def _waits(told: Explanation) -> Iterator[str]:
    def lines() -> Iterator[str]:
        for hold in told.waits:
            yield f"{hold.reason.code}: {_words(hold)}"
            yield f"  until: {hold.reason.ends}"

    yield from _section("waits for", lines())


def _next(told: Explanation, process: Process) -> Iterator[str]:
    """Say what comes next, as one sees it who does not know what the process knows."""
    actions = [f"{type(action).__name__} {describe(action)}" for action in told.actions]
    runs = f" (the process on {', '.join(process.nodes)} may know more)" if process.nodes else ""
    yield from _section(f"would be done next{runs}", actions)


def _words(hold: Hold) -> str:
    return f"{hold.subject} {hold.text}"


def _evidence(evidence: Evidence) -> Iterator[str]:
    rows = [
        ("receipt", _receipt(evidence.receipt) if evidence.receipt else ""),
        ("proof", _proof(evidence.proof) if evidence.proof else ""),
        ("record", _record(evidence)),
        ("hold", _hold(evidence)),
        ("life", _life(evidence)),
        *((f"level {level.index}", _level(level)) for level in evidence.levels),
        *(("history", text) for text in _history(evidence.events)),
        ("service", _service(evidence.service) if evidence.service else ""),
    ]
    yield from (f"{label:<{LABEL}} {text}" for label, text in rows if text)


_WRITERS: dict[Writer, str] = {
    "fenced": "Pacemaker's fencer",
    "hand": "a person, by hand",
    "person": "nova-ha confirm-off for a person",
}


def _receipt(receipt: Receipt) -> str:
    by = _WRITERS[receipt.by]
    before = "an unknown number" if receipt.before is None else receipt.before
    return (
        f"{receipt.id}, written {_moment(receipt.written_s)} on {receipt.writer} by {by};"
        f" successes in the history then: {before}"
    )


def _proof(proof: Proof) -> str:
    return (
        f"{proof.action} ended {_moment(proof.ended_s)}, asked for by {proof.origin};"
        f" cut by {', '.join(proof.devices)}; receipt {proof.receipt_id}"
    )


def _record(evidence: Evidence) -> str:
    record = evidence.record
    if record is None:
        return ""
    if not isinstance(record, Recovery):
        return "the proof is kept; the recovery has not begun"
    found = record.found
    enabled = "enabled" if found.enabled else "disabled by a person"
    forced = "forced down by a person" if found.forced_down else "not forced down"
    return (
        f"{record.phase}; the service was found {enabled} and {forced};"
        f" evacuations above {record.after_migration} are of this recovery"
    )


def _hold(evidence: Evidence) -> str:
    if evidence.proof is None and evidence.receipt is None:
        return ""
    if evidence.held:
        return "the constraint written with the receipt stands: nova-compute is kept off the node"
    if isinstance(evidence.record, Recovery) and evidence.record.phase == "returning":
        return "was taken away: the host is released"
    return "there is none: it was deleted, or could not be written with the receipt"


def _life(evidence: Evidence) -> str:
    if evidence.proof is None and evidence.receipt is None:
        return ""
    now = "online" if evidence.online else "offline"
    if evidence.joined is None:
        return f"it is not known which life was fenced; the node is {now}"
    joined = "joined again" if evidence.joined else "not joined"
    held = ", held all the time" if evidence.joined and evidence.held else ""
    return f"the node has {joined} since the fencing{held}; it is {now}"


def _level(level: Level) -> str:
    return ", ".join(f"{d.id} ({_worth(d.agent)})" for d in level.devices)


def _worth(agent: str | None) -> str:
    if agent is None:
        return "not defined: proves nothing"
    if agent == RECEIPT_AGENT:
        return f"{agent}: writes the receipt"
    return f"{agent}: proves nothing" if agent in NOT_REAL else f"{agent}: real"


def _history(events: tuple[FencingEvent, ...] | None) -> Iterator[str]:
    if events is None:
        yield "the fencer gave no answer"
        return
    newest = sorted(events, key=lambda e: e.completed_s or float("inf"))[-HISTORY_LINES:]
    for event in newest:
        when = "" if event.completed_s is None else f" {_moment(event.completed_s)}"
        reason = f": {event.reason}" if event.reason else ""
        human = ", confirmed by a human" if event.delegate == A_HUMAN else ""
        yield f"{event.action} {event.status}{when}, asked for by {event.origin}{human}{reason}"


def _service(service: Service) -> str:
    enabled = "enabled" if service.enabled else f"disabled ({service.disabled_reason})"
    forced = "forced down" if service.forced_down else "not forced down"
    return f"{enabled}, {forced}, last heartbeat {service.heartbeat or 'never'}"


def _instance(instance: InstanceStanding) -> str:
    state = instance.state.name if instance.state else ""
    details = "; ".join(_details(instance))
    return f"{instance.name or instance.id}  {state}" + (f"  {details}" if details else "")


def _details(instance: InstanceStanding) -> Iterator[str]:
    if instance.tries:
        due = instance.due_in_s
        when = "" if due is None else f", the next one in {due:.0f} s"
        yield f"{instance.tries} {'try' if instance.tries == 1 else 'tries'} in vain{when}"
    if instance.text:
        yield f"{_OURS.get(instance.state, 'Nova says:')} {instance.text}"
    if instance.note:
        yield instance.note
    if instance.records:
        yield "evacuations: " + ", ".join(map(_migration, instance.records))


def _migration(migration: Migration) -> str:
    to = f" to {migration.destination}" if migration.destination else ""
    return f"{migration.id} {migration.status} from {migration.source}{to}"


def _process(process: Process) -> Iterator[str]:
    def lines() -> Iterator[str]:
        if not process.resource:
            yield "no NovaEvacuate is configured: nothing will be recovered"
        elif process.age_s is not None:
            yield f"{process.resource} runs here; {process.age_s:.1f} s ago it was {process.health}"
            yield f"it said: {process.summary}"
        elif process.nodes:
            yield f"{process.resource} runs on {', '.join(process.nodes)}: ask there for its words"
        else:
            yield f"{process.resource} runs nowhere, so nothing goes on; see: pcs status"

    yield from _section("recovery process", lines())


def _disarmed(story: Story) -> Iterator[str]:
    yield from _section("disarmed", map(str, story.disarmed))


def _missing(missing: tuple[str, ...]) -> Iterator[str]:
    yield from _section("not known", missing)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = [f"  {line}" for line in lines]
    yield from (title, *found) if found else ()


def _moment(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _plain(value: object) -> object:
    """Return a value as JSON knows it."""
    if isinstance(value, Reason):
        names = ("code", "trouble", "sentence", "ends")
        return {name: getattr(value, name) for name in names}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Action):
        return f"{type(value).__name__} {describe(value)}"
    return _plain_many(value)


def _plain_many(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
