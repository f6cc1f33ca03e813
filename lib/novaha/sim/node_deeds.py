"""Words about nodes and their fencing."""

from collections.abc import Callable

from novaha.core.receipt import Writer
from novaha.sim.world import World

LEVEL_WAIT_S = 1.0


def crash(world: World, node: str) -> None:
    """End all that runs on a node."""
    world.book.say("cluster", f"{node} crashes")
    world.machines.crash(world.compute(node))


def isolate(world: World, node: str) -> None:
    """Cut a node off from every network."""
    world.book.say("cluster", f"{node} is cut off from the network and runs on")
    world.machines.isolate(world.compute(node))


def heal(world: World, node: str) -> None:
    """Give a node its network back."""
    world.book.say("cluster", f"{node} has its network back")
    world.machines.heal(world.compute(node))


def power(world: World, node: str, state: str) -> None:
    """Use the server's own button."""
    world.book.say("operator", f"switches {node} {state} by its button")
    switch = world.machines.power_on if state == "on" else world.machines.cut_power
    switch(world.compute(node))


def stay_off(world: World, node: str) -> None:
    """Let fencings leave a server off."""
    world.book.say("operator", f"has {node} stay off when it is fenced")
    world.compute(node).stay_off = True


def boot_time(world: World, node: str, seconds: str) -> None:
    """Set how long a node's boots take."""
    world.book.say("cluster", f"{node} takes {seconds} s to boot from now on")
    world.compute(node).boot_s = float(seconds)


def autostart(world: World, node: str) -> None:
    """Have the system start nova-compute."""
    world.book.say("operator", f"has the system of {node} start nova-compute at boot")
    world.compute(node).autostart = True


def bmc(world: World, node: str, state: str) -> None:
    """Let a BMC work, die or lie."""
    texts = {"works": "works", "dead": "gives no answer", "lies": "says off and leaves it on"}
    world.book.say("fault", f"the BMC of {node} {texts[state]}")
    if state != "works":
        world.book.outcome.faults[f"bmc-{state}"] += 1
    compute = world.compute(node)
    compute.bmc = state
    if state != "dead":
        world.fencer.device_changed(compute)


def power_on_fails(world: World, node: str) -> None:
    """Let the next fencing not switch the node on again."""
    world.book.say("fault", f"the BMC of {node} will not switch it on again once")
    world.book.outcome.faults["power-on-fails"] += 1
    world.compute(node).power_on_fails = True


def fence(world: World, node: str) -> None:
    """Fence a node because a person asks for it."""
    world.book.say("operator", f"fences {node}")
    world.cluster.fence(world.compute(node))


def confirm_off(world: World, node: str) -> None:
    """Switch a lost node off by hand, and confirm it; refused where it is not lost."""
    compute = world.compute(node)
    lost = compute.unclean and not compute.connected and world.members.quorate
    if not lost or world.fencer.history.silent:
        world.book.say("operator", f"cannot confirm that {node} is off")
        return
    world.book.say("operator", f"switches {node} off by hand, and confirms that it is off")
    world.machines.cut_power(compute)
    world.fencer.confirm(compute)


def level(world: World, node: str, kind: str) -> None:
    """Give a node another fencing level; nobody does that in the middle of a fencing."""
    compute = world.compute(node)
    if compute.fencing and compute.failing_s is None:
        world.engine.later(LEVEL_WAIT_S, level, world, node, kind)
        return
    world.book.say("operator", f"gives {node} the fencing level {kind}")
    compute.level = kind
    world.cluster.changed()
    if kind != "real":
        world.fencer.device_changed(compute)


def history(world: World, state: str) -> None:
    """Lose the fencing history, or let it be silent."""
    world.book.say("fault", f"the fencing history {_HISTORY[state]}")
    if state == "lost":
        world.fencer.history.lose()
    else:
        world.fencer.history.speak(silent=state == "silent")
    if state != "speaks":
        world.book.outcome.faults[f"history-{state}"] += 1


_HISTORY = {"lost": "is lost", "silent": "gives no answer", "speaks": "gives answers"}


def forge_receipt(world: World, node: str, by: str) -> None:
    """Write a receipt although nothing was fenced."""
    writers: dict[str, Writer] = {"hand": "hand", "fenced": "fenced", "person": "person"}
    world.book.say("operator", f"writes a receipt of {node} ({by}), without a fencing")
    world.fencer.write_receipt(world.compute(node).name, writers[by])


def release(world: World, node: str) -> None:
    """Let a host be fenced that the storm brake holds, and recovered whatever the limits."""
    world.book.say("operator", f"releases {node}")
    world.gate.release(world.compute(node).name)


NODES: dict[str, Callable[..., None]] = {
    "crash": crash,
    "isolate": isolate,
    "heal": heal,
    "power": power,
    "stay-off": stay_off,
    "boot-time": boot_time,
    "autostart": autostart,
    "bmc": bmc,
    "power-on-fails": power_on_fails,
    "fence": fence,
    "confirm-off": confirm_off,
    "level": level,
    "history": history,
    "forge-receipt": forge_receipt,
    "release": release,
}
