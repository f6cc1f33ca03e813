"""Runs a world with a script to its end."""

from collections.abc import Sequence
from math import inf

from novaha.sim.deeds import DEEDS
from novaha.sim.spec import Event, Outcome, WorldSpec
from novaha.sim.wire import When
from novaha.sim.world import World

REST_S = 90.0
"""For so long nothing but retries of what is shown may change before a world counts as calm."""
STUCK_S = 900.0
"""After so long without a change, longer than Policy.stuck_s, nothing will change any more."""


def simulate(
    spec: WorldSpec,
    events: Sequence[Event],
    seed: int = 0,
    end_s: float = 3600.0,
    settle: bool = True,  # noqa: FBT001, FBT002  (the callers' signature)
    kill: tuple[int, When] | None = None,
) -> Outcome:
    """Play a script in a world and return what it came to.

    seed: of the small differences in how long things take; with 0 there are none. end_s: when to
    stop at the latest. settle: stop as soon as the script is over and the world is calm, and judge
    how everything is left. kill: the number of an external call, the first is 0, and whether the
    recovery process dies before or after its effect.
    """
    world = World(spec, seed)
    world.wire.kill_at = kill
    if any(event.word == "fault" and event.arguments[0] == "stale" for event in events):
        world.keep_past()
    for event in events:
        world.engine.at(event.at_s, _play, world, event)
    last_s = max((event.at_s for event in events), default=0.0)
    outcome = world.book.outcome
    outcome.calm = _run(world, last_s if settle else inf, end_s)
    if settle:
        world.judge_end()
    outcome.ended_s = world.engine.now_s
    world.describe_end()
    return outcome


def _play(world: World, event: Event) -> None:
    DEEDS[event.word](world, *event.arguments)


def _run(world: World, last_s: float, end_s: float) -> bool:
    """Let time pass until all is calm, or the end has come; tell which."""
    engine, supervisor = world.engine, world.supervisor
    while True:
        wake_s, next_s = supervisor.wake_s, engine.next_s()
        if min(wake_s, next_s) > end_s:
            engine.advance_to(end_s)
            return engine.now_s >= last_s and world.shown() and next_s == inf
        if next_s <= wake_s:
            engine.step()
            supervisor.changed()
        else:
            engine.now_s = max(engine.now_s, wake_s)
            supervisor.cycle()
        if engine.next_s() == inf and engine.now_s >= last_s:
            over = _over(world)
            if over is not None:
                return over


def _over(world: World) -> bool | None:
    """Tell whether a world in which nothing is to come is calm; None if that is not yet known."""
    supervisor = world.supervisor
    quiet_s = world.engine.now_s - world.book.changed_s
    if supervisor.idle or not supervisor.runs:
        return world.shown()
    if world.shown() and quiet_s >= REST_S:
        return True
    return False if quiet_s >= STUCK_S else None
