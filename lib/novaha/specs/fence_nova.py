"""fence_nova."""

import re

from novaha.fencing.spec import FenceSpec, Option
from novaha.params import string

_NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")


def _node_name(text: str) -> None:
    if not _NODE.fullmatch(text):
        msg = "must be a node name: letters, digits and any of . _ - (at most 255)"
        raise ValueError(msg)


PLUG = string(
    "plug",
    "Compute node to act on",
    "Pacemaker also sends the node's name as nodename, and that one counts: a receipt belongs to a"
    " node, and a plug may be anything that pcmk_host_map or a fixed parameter makes of it.",
    default="",
    check=_node_name,
)

SPEC = FenceSpec(
    name="fence_nova",
    shortdesc="Fence agent that writes the receipt of a fencing for nova-ha",
    longdesc="The last device of the fencing level of each compute node, after a device that really"
    " cuts its power or its storage. off writes a receipt into the cluster's configuration, from"
    " which the resource NovaEvacuate starts the recovery of the node's instances. It fences"
    " nothing by itself and never talks to Nova. on does nothing. status is off while a receipt is"
    " open. list names the nodes whose fencing level has this agent after another device. Set"
    " pcmk_host_list to the compute nodes.",
    vendor_url="https://www.openstack.org",
    # Not advertised: a nodename in the device's configuration would replace Pacemaker's own.
    options=(Option(PLUG, "n", keys=("nodename", "plug", "port")),),
    actions=("on", "off", "status", "monitor", "list", "list-status", "metadata", "validate-all"),
)
