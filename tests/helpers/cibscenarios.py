"""What may happen to the cluster of the goldens, and what must follow whatever the golden says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lxml import etree
from novaha.cib import generate, inventory, outcome, render_xml, running
from novaha.cib.events import Event, happen
from novaha.cib.xml import Element, find_all

GOLDENS = Path(__file__).parents[2] / "crm-config/goldens"
NOW_S = 4_000_000_000
"""In the future of any machine: a failure of that time has not expired."""

RACK_A = frozenset({"compute-1", "compute-2", "compute-3", "compute-4"})
CONTROLLERS = ("controller-1", "controller-2", "controller-3")


def down(*names: str) -> tuple[Event, ...]:
    return tuple(Event("down", name) for name in names)


def fails(resource: str, node: str | None = None) -> tuple[Event, ...]:
    return (Event("fail", resource, node),)


@dataclass(frozen=True)
class Scenario:
    """Events, and the facts that must hold.

    steps: what must be among the steps, as "action resource node". others: resources that may be
    touched beside what was on a node that is fenced or in standby; nothing else may; None for all.
    before: changes the CIB first.
    """

    events: tuple[Event, ...] = ()
    fenced: frozenset[str] = frozenset()
    supervisor: str = "controller-2"
    steps: frozenset[str] = frozenset()
    others: frozenset[str] | None = frozenset()
    before: Callable[[Element], None] = field(default=lambda _: None)


@cache
def _made(head: str) -> Element:
    made = generate.generate(inventory.parse(head + (GOLDENS / "inventory.toml").read_text()))
    return running.running(render_xml.whole(made), CONTROLLERS)


def cib_of(scenario: Scenario, head: str = "") -> Element:
    """Return the CIB in which the scenario's events have just happened.

    head: more lines for the inventory.
    """
    cib = etree.fromstring(etree.tostring(_made(head)))
    scenario.before(cib)
    for event in scenario.events:
        happen(cib, event, NOW_S)
    return cib


def fenced_and_stopped(name: str) -> Callable[[Element], None]:
    """Take a compute out of the CIB's status, as after its fencing: its connection is down."""

    def change(cib: Element) -> None:
        (state,) = find_all(cib, "/cib/status/node_state[@id=$id]", id=name)
        for history in find_all(state, "lrm/lrm_resources/lrm_resource"):
            history.getparent().remove(history)  # type: ignore[union-attr]
        state.attrib.update({"in_ccm": "false", "node_fenced": "1"})
        for op in find_all(cib, "/cib/status//lrm_resource[@id=$id]/lrm_rsc_op", id=name):
            if op.get("interval") != "0":
                op.getparent().remove(op)  # type: ignore[union-attr]
            elif op.get("operation") == "start":
                for attribute in ("operation", "operation_key"):
                    op.set(attribute, str(op.get(attribute)).replace("start", "stop"))

    return change


def broken(scenario: Scenario, known: outcome.Outcome) -> Iterator[str]:
    """Yield what the scenario demands and the scheduler does not do, or does and must not."""
    if known.fenced != scenario.fenced:
        yield f"fenced are {sorted(known.fenced)}, not {sorted(scenario.fenced)}"
    if known.supervisor != scenario.supervisor:
        yield f"NovaEvacuate is on {known.supervisor!r}, not {scenario.supervisor!r}"
    done = {f"{step.action} {step.resource} {step.dest or step.source}" for step in known.steps}
    for missing in sorted(scenario.steps - done):
        yield f"missing is: {missing}"
    left = known.fenced | {event.name for event in scenario.events if event.kind == "standby"}
    for step in known.away:
        allowed = scenario.others is None or step.resource in scenario.others
        if not allowed and step.source not in left:
            yield f"must not be touched: {step}"
    for fencing in known.fencings:
        if fencing.node.startswith("compute-"):
            yield from _wrong_levels(fencing)


def _wrong_levels(fencing: outcome.Fencing) -> Iterator[str]:
    pdu = "fence-pdu-a" if fencing.node in RACK_A else "fence-pdu-b"
    wanted = ((f"fence-ipmi-{fencing.node}", "fence-nova"), (pdu, "fence-nova"))
    if fencing.levels != wanted:
        yield f"{fencing.node} has the levels {fencing.levels}"


def _services(verb: str, node: str) -> frozenset[str]:
    return frozenset(f"{verb} {name} {node}" for name in _SERVICES)


_SERVICES = frozenset({"nova-compute", "nova-compute-unfence"})
_HOST, _DEVICE = "compute-7", "fence-ipmi-compute-7"
_ONE = frozenset({_HOST})
_MAINTENANCE = Event("maintenance", _HOST)
_FENCED = fenced_and_stopped(_HOST)
SCENARIOS = {
    "nothing": Scenario(),
    "one-compute": Scenario(down(_HOST), _ONE, steps=_services("stop", _HOST)),
    "two-computes": Scenario(down("compute-3", _HOST), _ONE | {"compute-3"}),
    "rack": Scenario(down(*sorted(RACK_A)), RACK_A),
    "controller": Scenario(down("controller-3"), frozenset({"controller-3"})),
    "controller-with-supervisor": Scenario(
        down("controller-2"),
        frozenset({"controller-2"}),
        supervisor="controller-1",
        steps=frozenset({"move nova-evacuate controller-1"}),
    ),
    "controller-with-supervisor-and-compute": Scenario(
        down(_HOST, "controller-2"),
        _ONE | {"controller-2"},
        supervisor="controller-3",
        steps=frozenset({"move nova-evacuate controller-3"}),
    ),
    "two-controllers": Scenario(down("controller-1", "controller-3"), supervisor="", others=None),
    "standby-compute": Scenario((Event("standby", _HOST),), steps=_services("stop", _HOST)),
    "standby-controller": Scenario(
        (Event("standby", "controller-2"),),
        supervisor="controller-1",
        steps=frozenset({"move nova-evacuate controller-1"}),
    ),
    "maintenance-compute": Scenario((_MAINTENANCE,)),
    # Maintenance of a node keeps Pacemaker from its resources, not from fencing it when it is lost.
    "maintenance-compute-lost": Scenario((_MAINTENANCE, *down(_HOST)), _ONE),
    "bmc-fails": Scenario(
        fails(_DEVICE),
        steps=frozenset({f"recover {_DEVICE} controller-3"}),
        others=frozenset({_DEVICE}),
    ),
    "bmc-fails-and-compute": Scenario(
        (*fails(_DEVICE), *down(_HOST)), _ONE, others=frozenset({_DEVICE})
    ),
    "return": Scenario(
        before=_FENCED,
        steps=_services("start", _HOST) | {f"start {_HOST} controller-1"},
        others=_SERVICES | {_HOST},
    ),
    "return-beside-a-lost-compute": Scenario(
        down("compute-3"),
        frozenset({"compute-3"}),
        before=_FENCED,
        # Pacemaker gives the instances of the clones that were on the lost one to this one.
        steps=_services("move", _HOST),
        others=_SERVICES | {_HOST},
    ),
    "supervisor-fails": Scenario(
        fails("nova-evacuate"),
        steps=frozenset({"recover nova-evacuate controller-2"}),
        others=frozenset({"nova-evacuate"}),
    ),
    "hold-fails": Scenario(
        fails("nova-compute-unfence", _HOST),
        steps=frozenset({f"recover nova-compute-unfence {_HOST}", f"restart nova-compute {_HOST}"}),
        others=_SERVICES,
    ),
    "nova-compute-fails": Scenario(
        fails("nova-compute", _HOST),
        steps=frozenset({f"recover nova-compute {_HOST}"}),
        others=frozenset({"nova-compute"}),
    ),
}
