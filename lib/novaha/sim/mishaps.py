"""What can go wrong in a random schedule beside the loss of a compute, and how often.

Each mishap adds its events to a schedule, what mends it included.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from novaha.core.segments import MAX_FAILURES, SEGMENT
from novaha.sim.draw import Draw
from novaha.sim.script import calls_of
from novaha.sim.spec import AggregateSpec
from novaha.sim.words import CALLS, FAULTS, STATES

Mishap = Callable[[Draw], object]

MENDED = 0.5
"""So many odd states are mended by a person."""

SKEWS_S = (-240, -90, -5, 5, 90, 240)
"""Within what the policy allows two clocks to be apart."""


def _fault(draw: Draw) -> None:
    kind = draw.rng.choice(FAULTS)
    calls = calls_of(kind)
    favourite = [call for call in calls if call == "evacuate"] * 3
    call = draw.rng.choice([*calls, *favourite])
    draw.add(draw.ahead(), "fault", kind, call, draw.rng.choice((1, 1, 2, 5)))


def _kill(draw: Draw) -> None:
    call = draw.rng.choice((*CALLS, "evacuate", "write-record"))
    draw.add(draw.ahead(), "kill", draw.rng.choice(("before", "after")), call)


def _state(word: str, bad: str, good: str, draw: Draw) -> None:
    draw.lasting(draw.moment(), (word,), (bad, good))


def _pair(word: str, opposite: str, draw: Draw) -> None:
    at_s = draw.add(draw.moment(), word)
    draw.add(at_s + draw.a_while(), opposite)


def _bmc_dead(draw: Draw) -> None:
    draw.lasting(draw.ahead(), ("bmc", draw.node()), ("dead", "works"))


def _untold(draw: Draw) -> None:
    draw.lasting(draw.moment(), ("lists", draw.node()), ("fail", "work"))


def _confirmed(draw: Draw) -> None:
    node = draw.node()
    draw.lasting(draw.ahead(), ("bmc", node), ("dead", "works"))
    at_s = draw.add(draw.moment(), "confirm-off", node)
    draw.add(at_s + 30.0 + draw.a_while(), "power", node, "on")


def _level(level: str, draw: Draw) -> None:
    node = draw.node()
    at_s = draw.lasting(draw.ahead(), ("level", node), (level, "real"))
    draw.add(at_s + draw.a_while() + 60.0, "fence", node)


def _stay_off(draw: Draw) -> None:
    node = draw.node()
    at_s = draw.add(draw.ahead(), "stay-off", node)
    draw.add(at_s + 30.0 + draw.a_while(), "power", node, "on")


def _on_node(word: str, draw: Draw) -> None:
    draw.add(draw.moment(), word, draw.node())


def _node_ahead(word: str, draw: Draw) -> None:
    draw.add(draw.ahead(), word, draw.node())


def _boot_time(draw: Draw) -> None:
    draw.add(draw.ahead(), "boot-time", draw.node(), draw.a_while())


def _forge(draw: Draw) -> None:
    draw.add(
        draw.moment(), "forge-receipt", draw.node(), draw.rng.choice(("hand", "fenced", "person"))
    )


def _outcome(draw: Draw) -> None:
    end = draw.rng.choice(("failed", "failed", "error", "done", "stuck"))
    draw.add(draw.ahead(), "outcome", draw.instance(), end)


def _times(word: str, draw: Draw) -> None:
    draw.add(draw.ahead(), word, draw.instance(), draw.rng.choice((1, 1, 2, 3)))


def _slow_move(draw: Draw) -> None:
    draw.add(draw.ahead(), "slow-move", draw.instance(), draw.a_while())


def _full(draw: Draw) -> None:
    at_s = draw.ahead()
    most = draw.rng.randint(1, len(draw.spec.computes))
    for node in draw.rng.sample(draw.spec.computes, most):
        filled_s = draw.add(at_s, "full", node)
        draw.add(filled_s + draw.a_while(), "empty", node)


def _odd_state(draw: Draw) -> None:
    at_s = draw.add(draw.ahead(), "state", draw.instance(), draw.rng.choice(STATES))
    if draw.rng.random() < MENDED:
        draw.add(at_s + 30.0 + draw.a_while(), "reset-state", draw.events[-1].arguments[0])


def _live_migration(draw: Draw) -> None:
    server = draw.instance()
    at_s = draw.add(draw.ahead(), "live-migrate", server, draw.rng.choice(draw.spec.computes))
    draw.add(at_s + 30.0 + draw.a_while(), "reset-state", server)


def _pause(draw: Draw) -> None:
    draw.add(draw.moment(), "pause", draw.a_while())


def _controller(draw: Draw) -> None:
    node = draw.controller()
    at_s = draw.add(draw.moment(), "lose", node)
    draw.add(at_s + draw.a_while(), "return", node)


def _skew(draw: Draw) -> None:
    draw.add(draw.ahead(), "skew", draw.controller(), draw.rng.choice(SKEWS_S))


def _restart_cluster(draw: Draw) -> None:
    draw.add(draw.moment(), "restart-cluster", draw.a_while())


def _history_lost(draw: Draw) -> None:
    draw.add(draw.moment(), "history", "lost")


def _disable(draw: Draw) -> None:
    draw.add(draw.ahead(), "disable", draw.node(), "maintenance")


def _disarmed(draw: Draw) -> None:
    if draw.rng.random() < MENDED:
        draw.add(draw.ahead(), "disarm-all", draw.a_while())
    else:
        draw.add(draw.ahead(), "disarm", draw.node(), draw.a_while())
    if draw.rng.random() < MENDED:
        draw.add(draw.moment(), "arm")


def _segment(draw: Draw) -> None:
    """Make some hosts a segment that limits their recoveries, and disarm it perhaps."""
    most = draw.rng.randint(1, len(draw.spec.computes))
    hosts = tuple(sorted(draw.rng.sample(draw.spec.computes, most)))
    limit = draw.rng.choice(({MAX_FAILURES: "1"}, {MAX_FAILURES: "1"}, {}))
    name = f"segment-{len(draw.spec.aggregates) + 1}"
    segment = AggregateSpec(name, hosts, {SEGMENT: name, **limit})
    draw.spec = replace(draw.spec, aggregates=(*draw.spec.aggregates, segment))
    if draw.rng.random() < MENDED:
        draw.add(draw.ahead(), "disarm-segment", name, draw.a_while())
    else:
        draw.add(draw.moment(), "release", draw.node())


def _on_instance(word: str, draw: Draw) -> None:
    draw.add(draw.moment(), word, draw.instance())


MISHAPS: tuple[tuple[int, Mishap], ...] = (
    (30, _fault),
    (20, _kill),
    (10, partial(_pair, "stop-recovery", "start-recovery")),
    (6, lambda draw: draw.add(draw.moment(), "kill-now")),
    (6, _pause),
    (8, _controller),
    (6, _skew),
    (5, _restart_cluster),
    (4, partial(_state, "quorum", "lost", "back")),
    (8, partial(_state, "nova", "down", "up")),
    (4, partial(_state, "nova", "slow", "fast")),
    (4, partial(_state, "nova", "unauthorized", "up")),
    (6, _untold),
    (4, _history_lost),
    (3, partial(_state, "history", "silent", "speaks")),
    (6, _bmc_dead),
    (3, partial(_level, "kdump")),
    (2, partial(_level, "receipt-only")),
    (4, _stay_off),
    (4, partial(_node_ahead, "power-on-fails")),
    (3, partial(_node_ahead, "autostart")),
    (6, _boot_time),
    (4, _forge),
    (8, _outcome),
    (5, partial(_times, "refuse")),
    (4, partial(_times, "choke")),
    (6, _slow_move),
    (4, _full),
    (4, _odd_state),
    (3, _live_migration),
    (5, _disable),
    (3, partial(_on_node, "enable")),
    (4, partial(_node_ahead, "force-down")),
    (3, partial(_on_node, "force-up")),
    (3, partial(_on_instance, "evacuate")),
    (4, partial(_on_instance, "delete")),
    (2, partial(_on_node, "delete-receipt")),
    (2, partial(_on_node, "delete-hold")),
    (2, partial(_on_node, "garble-receipt")),
    (6, _confirmed),
    (6, _disarmed),
    (4, _segment),
)
"""(weight, mishap). Left out: a BMC that lies, which nobody can notice; see tests/scenarios."""
