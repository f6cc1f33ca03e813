"""What Pacemaker's scheduler does about something: read from crm_simulate, told in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from novaha.cib.events import Event, full_nodes, where
from novaha.cib.facts import covers
from novaha.cib.xml import Element, find_all
from novaha.errors import ClusterUnavailable
from novaha.specs import nova_evacuate

_FENCE = re.compile(r"Fence \((\w+)\)")
_INSTANCE = re.compile(r":\d+$")
_WORDS = {
    "start": "{resource} starts on {dest}",
    "stop": "{resource} stops on {source}",
    "move": "{resource} moves from {source} to {dest}",
    "migrate": "{resource} migrates from {source} to {dest}",
    "recover": "{resource} is stopped and started again on {dest}",
    "restart": "{resource} is restarted on {dest}",
    "reload": "{resource} is reloaded on {dest}",
    "promote": "{resource} is promoted on {dest}",
    "demote": "{resource} is demoted on {dest}",
}


@dataclass(frozen=True)
class Fencing:
    """A node that is fenced. levels: the devices that do it, level by level, in order."""

    node: str
    action: str
    reason: str
    levels: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Step:
    """What becomes of a resource; source and dest are nodes, empty where there is none."""

    action: str
    resource: str
    source: str
    dest: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """All that the scheduler does. supervisor: where NovaEvacuate is then, empty for nowhere."""

    fencings: tuple[Fencing, ...]
    steps: tuple[Step, ...]
    quorum: bool
    supervisor: str

    @property
    def fenced(self) -> frozenset[str]:
        """Return the nodes that are fenced."""
        return frozenset(fencing.node for fencing in self.fencings)

    @property
    def away(self) -> tuple[Step, ...]:
        """Return the steps that are more than what the loss of a fenced node means by itself."""
        return tuple(
            step
            for step in self.steps
            if step.action != "stop" or not {step.source, step.resource} & self.fenced
        )


def read(answer: Element, cib: Element) -> Outcome:
    """Return what crm_simulate answered about a CIB; raises ClusterUnavailable."""
    if answer.find("actions") is None:
        msg = "crm_simulate said nothing about actions"
        raise ClusterUnavailable(msg)
    nodes = find_all(answer, "actions/node_action")
    fencings = tuple(filter(None, (_fencing(each, cib) for each in nodes)))
    steps = tuple(_step(each) for each in find_all(answer, "actions/rsc_action"))
    return Outcome(
        tuple(sorted(fencings, key=lambda each: each.node)),
        tuple(sorted(steps, key=lambda each: (each.resource, each.source, each.dest))),
        quorum=cib.get("have-quorum") != "0",
        supervisor=_supervisor(steps, cib),
    )


def levels_of(cib: Element, node: str) -> tuple[tuple[str, ...], ...]:
    """Return the devices of a node's fencing levels, level by level."""
    levels = [
        level
        for level in find_all(cib, "/cib/configuration/fencing-topology/fencing-level")
        if covers(level, node)
    ]
    levels.sort(key=lambda level: int(str(level.get("index"))))
    return tuple(tuple(str(level.get("devices")).split(",")) for level in levels)


def _fencing(action: Element, cib: Element) -> Fencing | None:
    match = _FENCE.match(str(action.get("task")))
    node = str(action.get("node"))
    if match is None:
        return None  # The shutdown of a node.
    return Fencing(node, match[1], str(action.get("reason", "")), levels_of(cib, node))


def _step(action: Element) -> Step:
    name, node = str(action.get("action")).lower(), str(action.get("node", ""))
    source = action.get("source", "" if name == "start" else node)
    # What is restarted where it is has a source only.
    dest = action.get("dest", "" if name == "stop" else node or source)
    resource = _INSTANCE.sub("", str(action.get("resource")))
    return Step(name, resource, str(source), str(dest), str(action.get("reason", "")))


def _supervisor(steps: tuple[Step, ...], cib: Element) -> str:
    xpath = "/cib/configuration/resources//primitive[@type=$type]"
    for primitive in find_all(cib, xpath, type=nova_evacuate.SPEC.name):
        id_ = str(primitive.get("id"))
        own = [step.dest for step in steps if step.resource == id_]
        return own[-1] if own else next(iter(where(cib, id_)), "")
    return ""


def words(events: tuple[Event, ...], outcome: Outcome, cib: Element) -> Iterator[str]:
    """Yield the lines that a person reads."""
    yield "If " + " and ".join(map(str, events)) + ":" if events else "As it is:"
    if not outcome.quorum:
        count = len(full_nodes(cib))
        yield f"  what is left of {count} controllers has no quorum"
    for fencing in outcome.fencings:
        yield f"  {fencing.node} is fenced ({fencing.reason})"
        yield from _how(fencing)
    yield from _recovery(outcome, cib)
    for step in outcome.away:
        sentence = _WORDS.get(step.action, "{resource}: " + step.action)
        why = f" ({step.reason})" if step.reason else ""
        shown = sentence.format(resource=step.resource, source=step.source, dest=step.dest)
        yield f"  {shown}{why}"
    yield "  nothing else happens" if outcome.steps or outcome.fencings else "  nothing happens"


def _how(fencing: Fencing) -> Iterator[str]:
    for number, devices in enumerate(fencing.levels):
        start = "    by" if number == 0 else "    where that fails, by"
        yield f"{start} {', then '.join(devices)}"
    if not fencing.levels:
        yield "    by any device that claims it: it has no level"


def _recovery(outcome: Outcome, cib: Element) -> Iterator[str]:
    hosts = sorted(outcome.fenced - set(full_nodes(cib)))
    if hosts and outcome.supervisor:
        yield f"  {outcome.supervisor} then evacuates the instances of {', '.join(hosts)}"
    elif hosts:
        yield f"  nobody evacuates the instances of {', '.join(hosts)}: NovaEvacuate runs nowhere"
