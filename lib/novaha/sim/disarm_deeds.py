"""Words about disarming: what `nova-ha disarm` and `nova-ha arm` write."""

from collections.abc import Callable

from novaha.core.disarm import Disarm, Scope
from novaha.sim.world import World

OVER_S = 1.0
"""So long after its end a disarm is over for everybody: clocks show whole seconds."""


def disarm(world: World, node: str, seconds: str) -> None:
    """Disarm one host."""
    _disarm(world, Scope("host", world.compute(node).name), float(seconds))


def disarm_segment(world: World, name: str, seconds: str) -> None:
    """Disarm the hosts of a segment."""
    _disarm(world, Scope("segment", name), float(seconds))


def disarm_all(world: World, seconds: str) -> None:
    """Disarm every host."""
    _disarm(world, Scope("all"), float(seconds))


def _disarm(world: World, scope: Scope, lasts_s: float) -> None:
    first = world.members.first
    if first is None:
        return
    world.book.say("operator", f"disarms {scope} for {lasts_s:g} s")
    until = f"{world.engine.now_s + lasts_s:g}s"
    given = Disarm(scope, world.members.wall_s(first), lasts_s, until, "a-person", "maintenance")
    world.cib.disarm(given)
    world.engine.later(lasts_s + OVER_S, _over, world, given)


def _over(world: World, given: Disarm) -> None:
    """Note the end; the process sees it by its own clock."""
    if world.cib.disarms.get(given.scope) == given:
        world.book.say("cluster", f"the time for which {given.scope} had been disarmed is over")


def arm(world: World) -> None:
    """Take all disarms away."""
    world.book.say("operator", "arms everything")
    world.cib.arm()


DISARMS: dict[str, Callable[..., None]] = {
    "disarm": disarm,
    "disarm-segment": disarm_segment,
    "disarm-all": disarm_all,
    "arm": arm,
}
