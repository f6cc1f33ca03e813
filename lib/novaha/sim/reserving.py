"""Random schedules with a segment: reserved hosts, what strikes them, what people do to them."""

from dataclasses import replace
from random import Random

from novaha.core.names import NodeName
from novaha.core.segments import ADD_RESERVED, METHOD, RESERVED, SEGMENT, TRUE, RecoveryMethod
from novaha.sim.draw import Draw, weighted
from novaha.sim.spec import AggregateSpec, WorldSpec, host_of
from novaha.sim.words import RESERVE_CALLS

SEGMENT_NAME = "seg-1"

SHARE = 0.08
"""So many worlds have a segment."""

KEPT = 0.9
"""So many of its reserved hosts are kept free."""

METHODS = (
    (3, RecoveryMethod.RESERVED_HOST),
    (2, RecoveryMethod.AUTO_PRIORITY),
    (2, RecoveryMethod.RH_PRIORITY),
    (1, RecoveryMethod.AUTO),
)
CALLS = (*RESERVE_CALLS, "set-metadata", "enable", "disable", "rules")
FAULTS = ("unanswered", "reply-lost", "conflict", "slow")


def with_segment(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Return a world in which, now and then, the last computes are kept free for the others."""
    if rng.random() >= SHARE:
        return spec
    reserved = spec.computes[-rng.choice((1, 1, 2)) :]
    said = {
        SEGMENT: SEGMENT_NAME,
        METHOD: weighted(rng, METHODS).value,
        ADD_RESERVED: rng.choice((TRUE, "false")),
        **{_key(node): TRUE for node in reserved},
    }
    segment = AggregateSpec(SEGMENT_NAME, spec.computes, said)
    rack = AggregateSpec("rack-9", spec.computes[:2], {})
    return replace(spec, aggregates=(*spec.aggregates, segment, rack))


def strike_reserved(rng: Random, draw: Draw) -> None:
    """Keep the reserved hosts free, most of them as one has to, and let things happen to them."""
    segment = next((a for a in draw.spec.aggregates if a.name == SEGMENT_NAME), None)
    if segment is None:
        return
    reserved = [node for node in segment.nodes if _key(node) in segment.metadata]
    for node in reserved:
        if rng.random() < KEPT:
            draw.add(1.0, "reserve", node)
    for _ in range(rng.choice((0, 1, 1, 2))):
        _mishap(rng, draw, rng.choice(reserved))


def _key(node: NodeName) -> str:
    return f"{RESERVED}{host_of(node)}"


def _mishap(rng: Random, draw: Draw, node: NodeName) -> None:
    at_s = rng.choice((1.5, rng.uniform(15.0, 60.0), rng.uniform(60.0, 200.0)))
    match rng.choice(("fault", "fault", "kill", "kill", "disable", "crash", "full", "set")):
        case "fault":
            draw.add(at_s, "fault", rng.choice(FAULTS), rng.choice(CALLS), rng.choice((1, 1, 2)))
        case "kill":
            draw.add(at_s, "kill", rng.choice(("before", "after")), rng.choice(CALLS))
        case "disable":
            draw.add(at_s, "disable", node, "repair")
            draw.add(at_s + rng.uniform(10.0, 90.0), "reserve", node)
        case "crash":
            draw.add(at_s, "crash", node)
        case "set":
            draw.add(at_s, "set", SEGMENT_NAME, f"{_key(node)}={rng.choice(('', TRUE))}")
        case "full":
            draw.add(at_s, "full", node)
            draw.add(at_s + rng.uniform(10.0, 90.0), "empty", node)
