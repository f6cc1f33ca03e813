"""What a gate of the storm brake sees, through Pacemaker's tools."""

import os
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NamedTuple
from xml.etree import ElementTree as ET

from novaha.adapters import cib, coldstart
from novaha.adapters.brakestate import kept_of
from novaha.adapters.command import run
from novaha.adapters.pacemaker import COUNT_TIMEOUT_S, lives_of, records_of, unclean_nodes
from novaha.core.brake import Sight
from novaha.core.brakestate import Kept, parse_groups
from novaha.core.coldstart import Beginning
from novaha.core.names import NodeName
from novaha.core.proof import is_off
from novaha.core.recovery import Proven, Recovery
from novaha.core.release import Stage
from novaha.errors import ClusterUnavailable

GATE = "fence_nova_gate"
PERSON = "stonith_admin"
"""How the name of who asks for a fencing begins when a person does; pcs calls it, too."""


def look(node: NodeName, own_groups: frozenset[str]) -> Sight:
    """Return what a gate sees that is asked for a node; raises ClusterUnavailable."""
    asked, unclean, root = pending(), unclean_nodes(), cib.query()
    lost, groups, kept = _of(asked, unclean, root)
    groups[node] = groups.get(node, frozenset()) | own_groups
    lives = lives_of(root)
    off = frozenset(record.node for record in records_of(root)[0] if is_off(record, lives))
    began = coldstart.older(coldstart.beginning_of(root, groups.keys()), coldstart.daemon_began_s())
    writer, by_person = os.uname().nodename, asked.get(node, False)
    return Sight(node, time.time(), writer, lost, groups, kept, off, by_person, began)


def ask_for_overdue(grace_s: float) -> tuple[NodeName, ...]:
    """Have Pacemaker ask once more for hosts that never came; raises ClusterUnavailable.

    Return them. It may ask for such a host once only, while the gate still refuses.
    """
    unclean, root = unclean_nodes(), cib.query()
    began = _beginning(root, groups_of(root).keys())
    if not began.unseen:
        return ()
    now_s, wanted = time.time(), pending().keys() | unclean.keys()
    released = kept_of(root).released(now_s)
    hosts = began.overdue(grace_s, now_s, wanted, released)
    with suppress(ClusterUnavailable):  # the next monitor asks; the device is well
        coldstart.ask_again(root, hosts)
    return hosts


def _beginning(root: ET.Element, gated: Collection[NodeName]) -> Beginning:
    return coldstart.older(coldstart.beginning_of(root, gated), coldstart.daemon_began_s())


def ask_for(nodes: Collection[NodeName]) -> None:
    """Have Pacemaker ask for hosts that it has never seen; raises ClusterUnavailable."""
    root = cib.query()
    unseen = coldstart.beginning_of(root, groups_of(root).keys()).unseen
    coldstart.ask_again(root, unseen & frozenset(nodes))


class Held(NamedTuple):
    """The lost hosts, the groups of all, what the CIB holds of the brake, and recoveries.

    recoveries: only those that wait to be begun, or for their host to serve.
    """

    lost: frozenset[NodeName]
    groups: dict[NodeName, frozenset[str]]
    kept: Kept
    recoveries: dict[NodeName, Stage]


def lost_and_kept() -> Held:
    """Return what a person may release; raises ClusterUnavailable."""
    asked, unclean, root = pending(), unclean_nodes(), cib.query()
    records, _ = records_of(root)
    stages = {record.node: _stage(record) for record in records}
    told = {node: stage for node, stage in stages.items() if stage is not None}
    return Held(*_of(asked, unclean, root), told)


def _stage(record: Recovery | Proven) -> Stage | None:
    if isinstance(record, Proven):
        return "waits"
    return "returning" if record.phase == "returning" else None


def _of(
    asked: Mapping[NodeName, bool], unclean: Mapping[NodeName, bool], root: ET.Element
) -> tuple[frozenset[NodeName], dict[NodeName, frozenset[str]], Kept]:
    """Put together who is lost, which was read first, and the CIB, which was read after it.

    A host that was lost then and is fenced a moment later is known as let through; the other way
    round, one that is let through and fenced between the two would be missed.

    Lost is also who is being fenced, unless a person asks for it: while Pacemaker tries to connect
    to a host it takes it for online, and fences it all the same (a cold start, seen with 2.1.5).
    """
    groups = groups_of(root)
    lost = {name for name, remote in unclean.items() if remote or name in groups}
    lost |= {name for name, person in asked.items() if name in groups and not person}
    return frozenset(lost), groups, kept_of(root)


def pending() -> dict[NodeName, bool]:
    """Return the nodes that are being fenced, and whether a person asked for it.

    None where nobody can tell.
    """
    argv = ["stonith_admin", "--history", "*", "--verbose", "--output-as=xml"]
    try:
        events = cib.parse(run(argv, timeout_s=COUNT_TIMEOUT_S), argv[0]).iter("fence_event")
    except ClusterUnavailable:
        return {}
    found: dict[NodeName, bool] = {}
    for event in events:
        if event.get("status") == "pending":
            node, client = NodeName(event.get("target", "")), event.get("client", "")
            found[node] = found.get(node, False) or client.split(".", 1)[0] == PERSON
    return found


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
