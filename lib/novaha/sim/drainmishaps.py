"""Drains in a random schedule: who drains what, and what goes wrong just then.

Drawn apart from the rest, so that what happens in a world does not depend on it.
"""

from random import Random

from novaha.core.names import NodeName
from novaha.sim.draw import Draw, weighted
from novaha.sim.words import DRAIN_CALLS

DRAINED = 0.15
"""So many worlds have a drain."""

BEFORE_S = (-60.0, -20.0, -8.0, -4.0, -1.0, 2.0, 20.0)
"""When a drain begins, from a moment at which something changes: most often its host is lost."""

FAULTS = ("unanswered", "reply-lost", "slow")


def strike_drains(rng: Random, draw: Draw) -> None:
    """Have hosts drained, or be ill, now and then."""
    if rng.random() >= DRAINED:
        return
    kind = weighted(rng, ((6, _by_a_person), (2, _by_health), (1, _raw_standby)))
    at_s = _moment(rng, draw)
    kind(rng, draw, _node(rng, draw), at_s)
    for _ in range(rng.choice((0, 0, 1, 2))):
        weighted(rng, ((3, _fault), (3, _kill), (2, _live_error)))(rng, draw, at_s)


def _moment(rng: Random, draw: Draw) -> float:
    lost_s = rng.choice(draw.losses)[0] if draw.losses else 80.0
    return max(lost_s + rng.choice(BEFORE_S) + rng.uniform(-2.0, 2.0), 1.0)


def _node(rng: Random, draw: Draw) -> NodeName:
    lost = [node for _, node in draw.losses]
    return rng.choice([*lost * 2, *draw.spec.computes])


def _by_a_person(rng: Random, draw: Draw, node: NodeName, at_s: float) -> None:
    word = rng.choice(("drain", "drain", "drain-to-standby"))
    draw.add(at_s, word, node)
    # One that stays drained to the end is judged, too.
    if word == "drain-to-standby" or rng.random() < 0.7:  # noqa: PLR2004
        draw.add(at_s + rng.choice((3.0, 10.0, 30.0, 90.0, 200.0)), "undrain", node)


def _by_health(rng: Random, draw: Draw, node: NodeName, at_s: float) -> None:
    draw.add(at_s, "health", node, rng.choice(("yellow", "red")))
    draw.add(at_s + rng.choice((5.0, 30.0)), "health", node, rng.choice(("yellow", "red")))
    draw.add(at_s + rng.choice((40.0, 90.0)), "health", node, "green")


def _raw_standby(rng: Random, draw: Draw, node: NodeName, at_s: float) -> None:
    draw.add(at_s, "standby", node, "on")
    draw.add(at_s + rng.choice((5.0, 60.0)), "standby", node, "off")


def _fault(rng: Random, draw: Draw, at_s: float) -> None:
    call = rng.choice((*DRAIN_CALLS, "live-migrate", "disable", "enable"))
    draw.add(max(at_s - 1.0, 0.5), "fault", rng.choice(FAULTS), call, rng.choice((1, 2)))


def _kill(rng: Random, draw: Draw, at_s: float) -> None:
    call = rng.choice((*DRAIN_CALLS, "live-migrate", "disable", "enable"))
    draw.add(max(at_s - 1.0, 0.5), "kill", rng.choice(("before", "after")), call)


def _live_error(rng: Random, draw: Draw, at_s: float) -> None:
    server = rng.choice(draw.spec.instances).id
    draw.add(max(at_s - 1.0, 0.5), "live-outcome", server, "error")
