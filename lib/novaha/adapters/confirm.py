"""A person's confirmation that a node is off: the receipt, the hold, and Pacemaker's own.

crm_config/cluster_property_set#nova-ha-state
    nvpair nova-ha-confirmed-<node>     who confirmed it last, and what they saw
"""

import os
import time
from contextlib import suppress
from xml.etree import ElementTree as ET

from novaha.adapters import cib
from novaha.adapters.brakestate import state_of
from novaha.adapters.command import run
from novaha.adapters.pacemaker import fencings_of, history, lives_of, online_of, unclean_nodes
from novaha.core import properties
from novaha.core.confirmation import Confirmed, Sight
from novaha.core.model import HoldMark
from novaha.core.names import NodeName
from novaha.core.receipt import Receipt
from novaha.errors import ClusterUnavailable

CONFIRMED_PREFIX = "nova-ha-confirmed-"
CONFIRM_TIMEOUT_S = 30.0


def look(node: NodeName) -> Sight:
    """Return what the cluster shows of a node; raises ClusterUnavailable."""
    unclean, root = unclean_nodes(), cib.query()
    braked = {held for held, _ in state_of(root).kept.held(time.time())}
    ours = (
        *cib.properties_of(root, properties.RECEIPT_PREFIX),
        *cib.properties_of(root, properties.RECOVERY_PREFIX),
    )
    return Sight(
        node,
        known=node in lives_of(root),
        online=node in online_of(root),
        unclean=node in unclean,
        fenced=node in _fenced(root),
        braked=node in braked,
        open=node in dict(ours),
        events=history(node),
    )


def _fenced(root: ET.Element) -> frozenset[NodeName]:
    """Return the nodes that Pacemaker takes for fenced; joining makes a 0 of the time (2.1.5)."""
    states = root.iterfind("./status/node_state")
    fenced = (state for state in states if state.get("node_fenced", "0") != "0")
    return frozenset(NodeName(state.get("uname", "")) for state in fenced)


def confirm(node: NodeName, by: str, saw: str) -> Receipt:
    """Have the recovery and Pacemaker take a node for off; returns the receipt.

    The receipt and the hold are there before Pacemaker's confirmation, which may be all that a
    process looks for. When that fails they go again, unless the history shows it all the same.
    Raises ClusterUnavailable.
    """
    scene, before = cib.scene_of(node), fencings_of(node)
    if scene.clone is None or scene.life is None or before is None:
        msg = "the cluster did not tell enough to write a receipt: nothing was changed; try again"
        raise ClusterUnavailable(msg)
    now_s, writer = time.time(), NodeName(os.uname().nodename)
    devices = (f"word-of-{by}",)
    seen = (before, scene.life, devices)
    receipt = Receipt(os.urandom(6).hex(), node, int(now_s), writer, "person", *seen)
    confirmed = Confirmed(node, now_s, by, receipt.id, saw)
    cib.write_held_receipt(receipt, scene.clone, {_name(node): confirmed.to_value()})
    try:
        run(["stonith_admin", "--confirm", node], timeout_s=CONFIRM_TIMEOUT_S)
    except ClusterUnavailable:
        after = fencings_of(node)
        if after is None or after > before:
            raise
        _take_back(receipt, confirmed)
        raise
    return receipt


def _take_back(receipt: Receipt, confirmed: Confirmed) -> None:
    """Delete exactly what was written; what stays is shown as unproven, and starts nothing."""
    with suppress(ClusterUnavailable):
        cib.delete_receipt(receipt)
        cib.delete_hold(HoldMark.of(receipt.node, receipt.id).id)
        cib.delete_property(_name(receipt.node), confirmed.to_value())


def _name(node: NodeName) -> str:
    return CONFIRMED_PREFIX + node
