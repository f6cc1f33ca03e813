"""Words about Nova, and what operators do there and in the CIB."""

from collections.abc import Callable

from novaha.core.facts import GivenUp, PowerWished, Together
from novaha.core.model import Service
from novaha.core.names import NodeName
from novaha.core.recovery import RESERVED_REASON, is_ours
from novaha.core.segments import RESERVED, use_of
from novaha.errors import CloudRefused, CloudUnavailable
from novaha.sim.records import Instance
from novaha.sim.world import World


def nova(world: World, state: str) -> None:
    """Change how Nova's API is as a whole."""
    world.book.say("fault", f"Nova's API: {state}")
    api = world.nova
    match state:
        case "down":
            api.down = True
        case "up":
            api.down = api.unauthorized = False
        case "unauthorized":
            api.unauthorized = True
        case "old":
            api.old = True
        case _:
            api.slow = state == "slow"
            world.book.outcome.faults["nova-slow"] += api.slow


def outcome(world: World, server: str, status: str) -> None:
    """Decide what the next evacuation of an instance comes to."""
    world.book.say("fault", f"the next evacuation of {server} will end '{status}'")
    world.book.outcome.faults[f"outcome-{status}"] += status != "done"
    world.instance(server).outcomes.append(status)


def refuse(world: World, server: str, count: str) -> None:
    """Have Nova refuse the next evacuations of an instance."""
    world.book.say("fault", f"Nova refuses the next {count} evacuations of {server}")
    world.book.outcome.faults["refuse"] += int(count)
    world.instance(server).refusals += int(count)


def choke(world: World, server: str, count: str) -> None:
    """Have Nova answer 500 to the next evacuations of an instance."""
    world.book.say("fault", f"Nova chokes on the next {count} evacuations of {server}")
    world.book.outcome.faults["choke"] += int(count)
    world.instance(server).chokes += int(count)


def start_fails(world: World, server: str, count: str) -> None:
    """Have the next starts of an instance come to nothing."""
    world.book.say("fault", f"the next {count} starts of {server} come to nothing")
    world.book.outcome.faults["start-fails"] += int(count)
    world.instance(server).failing_starts += int(count)


def stop(world: World, server: str) -> None:
    """Stop an instance as its owner."""
    _switch(world, server, "stops", world.nova.power.stop_by_owner, runs=False)


def start(world: World, server: str) -> None:
    """Start an instance as its owner."""
    _switch(world, server, "starts", world.nova.power.start_by_owner, runs=True)


def _switch(
    world: World, server: str, does: str, switch: Callable[[Instance], None], *, runs: bool
) -> None:
    world.book.say("operator", f"{does} {server}")
    instance = world.instance(server)
    try:
        switch(instance)
    except (CloudRefused, CloudUnavailable) as error:
        world.book.say("nova", f"refuses: {error}")
        return
    world.book.see(PowerWished(world.engine.now_s, instance.id, runs))


def slow_move(world: World, server: str, seconds: str) -> None:
    """Set how long the next evacuation of an instance takes."""
    world.book.say("fault", f"the next evacuation of {server} will take {seconds} s")
    world.instance(server).move_s = float(seconds)


def state(world: World, server: str, name: str) -> None:
    """Set the vm_state of an instance, or with the name of a task its task_state.

    Not of one that its owner stopped, of which nothing would show any more, nor of one on its way
    to another host: Nova does one thing with an instance at a time.
    """
    struck = world.instance(server)
    if (name in VM_STATES and struck.stopped) or struck.moves_to is not None:
        return
    world.book.say("fault", f"{server} is {name}")
    world.book.outcome.faults["state"] += name != "active"
    instance = world.instance(server)
    if name in VM_STATES:
        instance.vm_state = name
    else:
        instance.task_state = name
    world.nova.changed((world.compute(instance.node),))


def live_migrate(world: World, server: str, node: str) -> None:
    """Have an instance be on its way to another host, where only its memory is missing."""
    instance = world.instance(server)
    if instance.node == node or instance.stopped or not world.compute(instance.node).serving:
        return
    world.book.say("operator", f"live-migrates {server} to {node}")
    world.book.outcome.faults["live-migrate"] += 1
    instance.task_state, instance.moves_to = "migrating", world.compute(node)
    world.nova.changed((world.compute(instance.node),))


def reset_state(world: World, server: str) -> None:
    """Set an instance active, after its guest was ended wherever Nova does not have it.

    Not one that stands stopped, which Nova would take for running, nor one that is being evacuated.
    """
    instance = world.instance(server)
    if instance.vm_state == "stopped" or world.nova.is_moving(instance):
        world.book.say("operator", f"looks at {server}, and leaves its state as it is")
        return
    world.book.say("operator", f"looks for guests of {server}, and sets its state to active")
    for compute in world.machines.all.values():
        if compute.name != instance.node and compute.reachable:
            world.guests.end(instance.id, compute.name)
    world.nova.reset_state(instance)


def say(world: World, server: str, text: str) -> None:
    """Set metadata of an instance as its owner."""
    instance = world.instance(server)
    key, _, value = text.partition("=")
    world.book.say("operator", f"says {key}={value} of {server}")
    instance.metadata[key] = value
    world.nova.changed((world.compute(instance.node),))
    world.note_wish(instance)


def full(world: World, node: str) -> None:
    """Let no instance fit on a node."""
    world.book.say("fault", f"{node} is full")
    world.nova.states[NodeName(node)].full = True


def empty(world: World, node: str) -> None:
    """Let instances fit again."""
    world.book.say("fault", f"{node} has room again")
    state = world.nova.states[NodeName(node)]
    state.roomy_s = world.engine.now_s if state.full else state.roomy_s
    state.full = False


def lists(world: World, node: str, state: str) -> None:
    """Have Nova's lists of what is on a host, and of what leaves it, fail or work."""
    world.book.say("fault", f"Nova's lists of {node}: {state}")
    world.nova.states[NodeName(node)].untold = state == "fail"


def group_check(world: World, state: str) -> None:
    """Have the computes look at the affinity group of what arrives, or not."""
    world.book.say("fault", f"the computes' look at affinity groups is {state}")
    world.nova.checks_groups = state == "on"


def delete_group(world: World, name: str) -> None:
    """Delete an affinity group as a person."""
    world.book.say("operator", f"deletes affinity group {name}")
    for instance in world.nova.instances.values():
        if instance.together == name:
            instance.together = ""
            world.book.see(Together(world.engine.now_s, instance.id, ""))
    world.nova.changed(())


def disable(world: World, node: str, reason: str) -> None:
    """Disable a service as a person."""
    host = world.compute(node).host
    _person(
        world,
        node,
        f"disables {host} ({reason})",
        lambda: world.nova.set_enabled(host, enabled=False, reason=reason),
    )


def enable(world: World, node: str) -> None:
    """Enable a service as a person."""
    host = world.compute(node).host
    _person(world, node, f"enables {host}", lambda: world.nova.set_enabled(host, enabled=True))


def reserve(world: World, node: str) -> None:
    """Keep a host free as a person."""
    disable(world, node, RESERVED_REASON)


def set_(world: World, aggregate: str, text: str) -> None:
    """Set metadata of an aggregate as a person; a reserved host in use stays as it is then."""
    key, _, value = text.partition("=")
    world.book.say("operator", f"sets {text} of aggregate {aggregate}")
    found = world.nova.aggregates.named(aggregate)
    if found is None:
        world.book.say("nova", f"refuses: aggregate {aggregate} could not be found (404)")
        return
    world.nova.aggregates.set_metadata(found.id, {key: value or None})
    host = key.removeprefix(RESERVED) if use_of(found.metadata.get(key, "")) else ""
    for node, state in world.nova.states.items():
        if state.host == host and (state.enabled or is_ours(state.reason)):
            world.person_keeps(node)


def force_down(world: World, node: str) -> None:
    """Force a service down as a person."""
    host = world.compute(node).host
    _person(
        world,
        node,
        f"forces down {host}",
        lambda: world.nova.set_forced_down(host, forced_down=True),
    )


def force_up(world: World, node: str) -> None:
    """Take a force-down back as a person."""
    host = world.compute(node).host
    _person(
        world,
        node,
        f"forces up {host}",
        lambda: world.nova.set_forced_down(host, forced_down=False),
    )


def _person(world: World, node: str, text: str, change: Callable[[], Service]) -> None:
    """Have a person change a service; what changes nothing there leaves no trace in Nova."""
    world.book.say("operator", text)
    state = world.nova.states[NodeName(node)]
    before = (state.enabled, state.reason, state.forced_down)
    try:
        change()
    except CloudRefused as error:
        world.book.say("nova", f"refuses: {error}")
        return
    if before != (state.enabled, state.reason, state.forced_down):
        world.person_set(NodeName(node), before)


def evacuate(world: World, server: str) -> None:
    """Evacuate an instance as a person."""
    if world.instance(server).moves_to is not None:
        return  # no person evacuates what may run elsewhere
    world.book.say("operator", f"evacuates {server}")
    try:
        world.nova.evacuate(world.instance(server).id, "person")
    except (CloudRefused, CloudUnavailable) as error:
        world.book.say("nova", f"refuses: {error}")


def delete(world: World, server: str) -> None:
    """Delete an instance as its user."""
    world.book.say("operator", f"deletes {server}")
    world.nova.delete(world.instance(server))


def delete_receipt(world: World, node: str) -> None:
    """Delete the receipt of a node, so that its loss is a person's matter."""
    world.book.say("operator", f"deletes the receipt of {node}")
    if world.cib.drop_receipt(NodeName(node)):
        world.book.see(GivenUp(world.engine.now_s, NodeName(node)))


def delete_hold(world: World, node: str) -> None:
    """Delete the hold of a node."""
    world.book.say("operator", f"deletes the hold of {node}")
    world.cib.drop_marks(NodeName(node))


def garble_receipt(world: World, node: str) -> None:
    """Make the receipt of a node unreadable."""
    world.book.say("fault", f"the receipt of {node} becomes unreadable")
    if world.cib.garble(NodeName(node)):
        world.book.outcome.faults["garble-receipt"] += 1


VM_STATES = frozenset(
    {"active", "paused", "suspended", "rescued", "error", "building", "resized", "shelved"}
)

CLOUD: dict[str, Callable[..., None]] = {
    "nova": nova,
    "outcome": outcome,
    "refuse": refuse,
    "choke": choke,
    "slow-move": slow_move,
    "start-fails": start_fails,
    "stop": stop,
    "start": start,
    "state": state,
    "live-migrate": live_migrate,
    "reset-state": reset_state,
    "say": say,
    "full": full,
    "empty": empty,
    "lists": lists,
    "group-check": group_check,
    "disable": disable,
    "enable": enable,
    "reserve": reserve,
    "set": set_,
    "force-down": force_down,
    "force-up": force_up,
    "evacuate": evacuate,
    "delete": delete,
    "delete-group": delete_group,
    "delete-receipt": delete_receipt,
    "delete-hold": delete_hold,
    "garble-receipt": garble_receipt,
}
