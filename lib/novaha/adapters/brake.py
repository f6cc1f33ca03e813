"""What a gate of the storm brake sees, through Pacemaker's tools."""

import os
import time
from typing import NamedTuple
from xml.etree import ElementTree as ET

from novaha.adapters import cib
from novaha.adapters.brakestate import state_of
from novaha.adapters.command import run
from novaha.adapters.pacemaker import COUNT_TIMEOUT_S, lives_of, records_of, unclean_nodes
from novaha.core.brake import Sight
from novaha.core.brakestate import Kept, parse_groups
from novaha.core.names import NodeName
from novaha.core.proof import is_off
from novaha.core.recovery import Proven
from novaha.errors import ClusterUnavailable

GATE = "fence_nova_gate"
PERSON = "stonith_admin"
"""How the name of who asks for a fencing begins when a person does; pcs calls it, too."""


def look(node: NodeName, own_groups: frozenset[str]) -> Sight:
    """Return what a gate sees that is asked for a node; raises ClusterUnavailable."""
    unclean, root = unclean_nodes(), cib.query()
    lost, groups, kept = _of(unclean, root)
    groups[node] = groups.get(node, frozenset()) | own_groups
    lives = lives_of(root)
    off = frozenset(record.node for record in records_of(root)[0] if is_off(record, lives))
    writer = os.uname().nodename
    return Sight(node, time.time(), writer, lost, groups, kept, off, by_person(node))


class Held(NamedTuple):
    """The lost hosts, the groups of all, what the CIB holds of the brake, and who waits.

    waiting: hosts whose fencing is proven, and whose recovery has not begun.
    """

    lost: frozenset[NodeName]
    groups: dict[NodeName, frozenset[str]]
    kept: Kept
    waiting: frozenset[NodeName]


def lost_and_kept() -> Held:
    """Return what a person may release; raises ClusterUnavailable."""
    unclean, root = unclean_nodes(), cib.query()
    records, _ = records_of(root)
    waiting = frozenset(record.node for record in records if isinstance(record, Proven))
    return Held(*_of(unclean, root), waiting)


def _of(
    unclean: dict[NodeName, bool], root: ET.Element
) -> tuple[frozenset[NodeName], dict[NodeName, frozenset[str]], Kept]:
    """Put together who is lost, which was read first, and the CIB, which was read after it.

    A host that was lost then and is fenced a moment later is known as let through; the other way
    round, one that is let through and fenced between the two would be missed.
    """
    groups = groups_of(root)
    lost = frozenset(name for name, remote in unclean.items() if remote or name in groups)
    return lost, groups, state_of(root).kept


def by_person(node: NodeName) -> bool:
    """Tell whether a person asked for the fencing that is at work; False where nobody can tell."""
    argv = ["stonith_admin", "--history", node, "--verbose", "--output-as=xml"]
    try:
        events = cib.parse(run(argv, timeout_s=COUNT_TIMEOUT_S), argv[0]).iter("fence_event")
    except ClusterUnavailable:
        return False
    return any(
        event.get("status") == "pending"
        and event.get("target") == node
        and event.get("client", "").split(".", 1)[0] == PERSON
        for event in events
    )


def groups_of(root: ET.Element) -> dict[NodeName, frozenset[str]]:
    """Return the hosts that have a gate, and the groups that it says they belong to."""
    found: dict[NodeName, frozenset[str]] = {}
    for device in root.iterfind("./configuration/resources//primitive[@class='stonith']"):
        if device.get("type") == GATE:
            pairs = device.iterfind("./instance_attributes/nvpair")
            params = {pair.get("name"): pair.get("value", "") for pair in pairs}
            groups = _groups(params.get("groups", ""))
            for name in params.get("pcmk_host_list", "").replace(",", " ").split():
                found[NodeName(name)] = found.get(NodeName(name), frozenset()) | groups
    return found


def _groups(text: str) -> frozenset[str]:
    try:
        return parse_groups(text)
    except ValueError:
        return frozenset()  # that device's own gate says so, and `nova-ha cib check`


def gated() -> list[NodeName]:
    """Return the nodes whose fencing levels begin with a gate; raises ClusterUnavailable."""
    root = cib.query()
    levels = [lv for lv in cib.levels_of(root) if lv.devices and lv.devices[0].agent == GATE]
    names = {NodeName(state.get("uname", "")) for state in root.iter("node_state")}
    names |= {NodeName(level.target) for level in levels if not level.pattern}
    return sorted(name for name in names if any(level.covers(name) for level in levels))
