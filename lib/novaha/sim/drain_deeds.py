"""Words about drains: what `nova-ha drain` and `undrain` write, and what else asks for less."""

from collections.abc import Callable

from novaha.core.drain import Drain, Health
from novaha.core.facts import DrainWanted
from novaha.core.names import NodeName
from novaha.sim.world import World


def drain(world: World, node: str) -> None:
    """Have a host emptied."""
    _drain(world, node, standby=False)


def drain_to_standby(world: World, node: str) -> None:
    """Have a host emptied and set in standby."""
    _drain(world, node, standby=True)


def _drain(world: World, node: str, *, standby: bool) -> None:
    first = world.members.first
    if first is None:
        return
    world.book.say("operator", f"drains {node}{', to standby' if standby else ''}")
    name = world.compute(node).name
    world.cib.drain(Drain(name, world.members.wall_s(first), "a-person", "new RAM", standby))
    world.book.see(DrainWanted(world.engine.now_s, name, wanted=True))


def undrain(world: World, node: str) -> None:
    """Take that back."""
    name = world.compute(node).name
    world.book.say("operator", f"undrains {node}")
    world.cib.undrain(name)
    world.book.see(DrainWanted(world.engine.now_s, name, wanted=False))


def health(world: World, node: str, colour: str) -> None:
    """Set a health attribute of a node, which its fencing erases."""
    world.book.say("cluster", f"the health of {node} is {colour}")
    world.compute(node).health = Health[colour.upper()]
    world.cluster.changed()


def standby(world: World, node: str, state: str) -> None:
    """Set a node in standby as a person."""
    world.book.say("operator", f"sets the standby of {node} {state}")
    world.cluster.set_standby(NodeName(node), on=state == "on")


def live_outcome(world: World, server: str, status: str) -> None:
    """Decide what the next live migration of an instance comes to."""
    world.book.say("fault", f"the next live migration of {server} will end '{status}'")
    world.book.outcome.faults["live-error"] += status != "done"
    world.instance(server).live_outcomes.append(status)


DRAINS: dict[str, Callable[..., None]] = {
    "drain": drain,
    "drain-to-standby": drain_to_standby,
    "undrain": undrain,
    "health": health,
    "standby": standby,
    "live-outcome": live_outcome,
}
