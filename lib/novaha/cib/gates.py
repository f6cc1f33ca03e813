"""The storm brake in the configuration: a device for each set of groups that hosts belong to."""

from collections.abc import Iterator

from novaha.cib.configuration import ALONE, DEVICE_MONITOR, Primitive
from novaha.cib.ids import GATE_DEVICE
from novaha.cib.inventory import Inventory, Node
from novaha.core.names import NodeName
from novaha.specs.fence_nova_gate import GROUPS, SPEC, WAIT

MARGIN_S = 30
"""What a gate may take besides its wait before Pacemaker gives it up: a slow cluster."""


def devices(inventory: Inventory) -> Iterator[Primitive]:
    """Yield the gates. All hosts of one are asked for at the same time in a storm: no limit."""
    if inventory.gate is None:
        return
    wait = inventory.gate.get(WAIT.name, str(inventory.profile.monitor_interval_s + 1))
    for groups, nodes in _sets(inventory).items():
        params = {
            "pcmk_host_check": "static-list",
            "pcmk_host_list": " ".join(nodes),
            "pcmk_action_limit": "-1",
            "pcmk_off_retries": "1",
            "pcmk_off_timeout": f"{WAIT.parse(wait) + MARGIN_S}s",
            **inventory.gate,
            WAIT.name: wait,
            **({GROUPS.name: " ".join(groups)} if groups else {}),
        }
        agent, ordered = f"stonith:{SPEC.name}", tuple(sorted(params.items()))
        yield Primitive(_id(groups), agent, ordered, DEVICE_MONITOR, ALONE)


def of(inventory: Inventory, node: Node) -> tuple[str, ...]:
    """Return the id of the gate of a node, alone or not at all."""
    gated = inventory.gate is not None and node.address is not None
    return (_id(_groups(inventory, node.name)),) if gated else ()


def _sets(inventory: Inventory) -> dict[tuple[str, ...], list[NodeName]]:
    found: dict[tuple[str, ...], list[NodeName]] = {}
    for node in inventory.computes:
        found.setdefault(_groups(inventory, node.name), []).append(node.name)
    return found


def _groups(inventory: Inventory, node: NodeName) -> tuple[str, ...]:
    return tuple(sorted(name for name, nodes in inventory.groups.items() if node in nodes))


def _id(groups: tuple[str, ...]) -> str:
    return ".".join((GATE_DEVICE, *groups))  # no name of a group has a dot
