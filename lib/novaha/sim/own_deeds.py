"""Words about our own process and the controllers on which it runs."""

from collections.abc import Callable

from novaha.core.names import NodeName
from novaha.sim.supervisor import RESTART_S
from novaha.sim.wire import When
from novaha.sim.world import World


def fault(world: World, kind: str, call: str, count: str) -> None:
    """Have a fault strike our next calls."""
    world.wire.add_fault(kind, call, int(count))


def kill(world: World, when: str, call: str) -> None:
    """Have our process die at its next such call."""
    moments: dict[str, When] = {"before": "before", "after": "after"}
    world.wire.add_kill(moments[when], call)


def kill_now(world: World) -> None:
    """End our process."""
    if world.supervisor.runs:
        world.wire.note("kill", "kill -9 of the recovery process")
        world.supervisor.kill()


def pause(world: World, seconds: str) -> None:
    """Give our process no processor for a while."""
    world.wire.note("pause", f"the recovery process gets no processor for {seconds} s")
    world.supervisor.pause(float(seconds))


def stop_recovery(world: World) -> None:
    """Disable NovaEvacuate."""
    world.book.say("operator", "disables NovaEvacuate")
    world.supervisor.disable()


def start_recovery(world: World) -> None:
    """Enable NovaEvacuate."""
    world.book.say("operator", "enables NovaEvacuate")
    world.supervisor.enable()


def lose(world: World, controller: str) -> None:
    """Let a controller die."""
    world.book.say("cluster", f"{controller} dies")
    world.book.outcome.faults["controller"] += 1
    name = NodeName(controller)
    if world.supervisor.controller == name:
        world.supervisor.kill()
    world.cluster.lose(name)


def return_(world: World, controller: str) -> None:
    """Give a controller back."""
    world.book.say("cluster", f"{controller} is back")
    world.members.join(NodeName(controller))
    _go_on(world)


def skew(world: World, controller: str, seconds: str) -> None:
    """Set a controller's clock wrong."""
    world.book.say("fault", f"the clock of {controller} is wrong by {seconds} s")
    world.book.outcome.faults["skew"] += 1
    world.members.skew_s[NodeName(controller)] = float(seconds)


def restart_cluster(world: World, seconds: str) -> None:
    """Switch all controllers off for a while."""
    world.book.say("cluster", f"all controllers are switched off for {seconds} s")
    world.book.outcome.faults["restart-cluster"] += 1
    world.supervisor.kill()
    world.cluster.stop()
    world.engine.later(float(seconds), _begin, world)


def _begin(world: World) -> None:
    world.book.say("cluster", "the controllers are on again")
    world.cluster.begin()
    _go_on(world)


def power_cut(world: World, seconds: str) -> None:
    """Take the power from everything for a while; a server that stays off has to be switched on."""
    world.book.say("cluster", f"the whole site has no power for {seconds} s")
    world.book.outcome.faults["power-cut"] += 1
    world.supervisor.kill()
    world.cluster.stop()
    world.nova.down = True
    for compute in world.machines.all.values():
        world.machines.cut_power(compute)
    world.engine.later(float(seconds), _power_back, world)


def _power_back(world: World) -> None:
    world.nova.down = False
    for compute in world.machines.all.values():
        if not compute.stay_off:
            world.machines.power_on(compute)
    _begin(world)


def quorum(world: World, state: str) -> None:
    """Lose quorum, or get it back."""
    world.book.say("cluster", f"quorum is {state}")
    world.book.outcome.faults["quorum"] += state == "lost"
    world.members.split = state == "lost"
    _go_on(world)


def _go_on(world: World) -> None:
    world.cluster.act()
    world.supervisor.start_later(RESTART_S)


OWN: dict[str, Callable[..., None]] = {
    "fault": fault,
    "kill": kill,
    "kill-now": kill_now,
    "pause": pause,
    "stop-recovery": stop_recovery,
    "start-recovery": start_recovery,
    "lose": lose,
    "return": return_,
    "skew": skew,
    "restart-cluster": restart_cluster,
    "power-cut": power_cut,
    "quorum": quorum,
}
