"""What is drained, what was taken for that, and node attributes that ask for it, in the CIB.

crm_config/cluster_property_set#nova-ha-state
    nvpair nova-ha-drain-<node>        written by `nova-ha drain`, see core/drain.py
    nvpair nova-ha-withdrawn-<node>    written by the recovery process, see core/drain.py
nodes/node/instance_attributes, status/node_state/transient_attributes
    nvpair #health-…, standby          Pacemaker's own; of remote nodes, too
"""

from collections import defaultdict
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from novaha.adapters import cib
from novaha.adapters.command import run
from novaha.core.drain import (
    Drain,
    Health,
    Withdrawn,
    health_of,
    parse_drain,
    parse_withdrawn,
)
from novaha.core.names import NodeName
from novaha.core.properties import WITHDRAWN_PREFIX

DRAIN_PREFIX = "nova-ha-drain-"
HEALTH_PREFIX = "#health"

_TRUE = frozenset({"on", "true", "yes", "y", "1"})
"""What Pacemaker takes for true. Source: crm_str_to_boolean, lib/common/strings.c, 2.1.5."""


def drains_of(root: ET.Element) -> tuple[Drain, ...]:
    """Return the drains of a CIB."""
    return tuple(parse_drain(*pair) for pair in cib.properties_of(root, DRAIN_PREFIX))


def withdrawn_of(root: ET.Element) -> tuple[Withdrawn, ...]:
    """Return what was taken of nodes."""
    return tuple(parse_withdrawn(*pair) for pair in cib.properties_of(root, WITHDRAWN_PREFIX))


def health_of_nodes(root: ET.Element) -> Iterator[tuple[NodeName, Health]]:
    """Yield the health of each node that is not green."""
    said: dict[NodeName, list[str]] = defaultdict(list)
    for node, name, value in _attributes(root):
        if name.startswith(HEALTH_PREFIX):
            said[node].append(value)
    healths = ((node, health_of(values)) for node, values in said.items())
    yield from ((node, health) for node, health in healths if health is not Health.GREEN)


def standby_of(root: ET.Element) -> frozenset[NodeName]:
    """Return the nodes in standby, for good or until their next start."""
    found = (node for node, name, value in _attributes(root) if _is_standby(name, value))
    return frozenset(found)


def _is_standby(name: str, value: str) -> bool:
    return name == "standby" and value.lower() in _TRUE


def _attributes(root: ET.Element) -> Iterator[tuple[NodeName, str, str]]:
    """Yield the node attributes: those for good, and those of now."""
    for path, inner in (
        ("./configuration/nodes/node", "./instance_attributes/nvpair"),
        ("./status/node_state", "./transient_attributes/instance_attributes/nvpair"),
    ):
        for node in root.iterfind(path):
            for pair in node.iterfind(inner):
                name, value = pair.get("name", ""), pair.get("value", "")
                yield NodeName(node.get("uname", "")), name, value


def write_drain(drain: Drain) -> None:
    """Write a person's word over the one before; raises ClusterUnavailable."""
    cib.write_properties({f"{DRAIN_PREFIX}{drain.node}": drain.to_value()})


def delete_drain(drain: Drain) -> None:
    """Delete exactly this one; raises ClusterUnavailable."""
    cib.delete_property(f"{DRAIN_PREFIX}{drain.node}", drain.to_value())


def write_withdrawn(withdrawn: Withdrawn) -> None:
    """Keep what was taken of a node; raises ClusterUnavailable."""
    cib.write_properties({f"{WITHDRAWN_PREFIX}{withdrawn.node}": withdrawn.to_value()})


def delete_withdrawn(withdrawn: Withdrawn) -> None:
    """Delete exactly this; raises ClusterUnavailable."""
    cib.delete_property(f"{WITHDRAWN_PREFIX}{withdrawn.node}", withdrawn.to_value())


def set_standby(node: NodeName, *, on: bool) -> None:
    """Set a node in standby, or take that back; raises ClusterUnavailable."""
    what = ["--update", "on"] if on else ["--delete"]
    argv = ["crm_attribute", "--type", "nodes", "--node", node, "--name", "standby", *what]
    run(argv, timeout_s=cib.TIMEOUT_S)
