"""What nova-ha keeps in the CIB, and how it is written and read.

All of it lies in the configuration section, which survives the purge of a fenced node's attributes,
the loss of every controller but one, and a restart of the whole cluster:

    crm_config/cluster_property_set#nova-ha-state
        nvpair nova-ha-receipt-<node>     written by fence_nova, see core/receipt.py
        nvpair nova-ha-recovery-<node>    written by the recovery, see core/recovery.py
        nvpair nova-ha-starts-<node>      written by the recovery, see core/starts.py
        nvpair nova-ha-passed-, -brake-,  written by fence_nova_gate and `nova-ha release`,
               -release-…                 see adapters/brakestate.py
        nvpair nova-ha-confirmed-<node>   written by `nova-ha confirm-off`, see adapters/confirm.py
        nvpair nova-ha-disarm-…           written by `nova-ha disarm`, see adapters/disarm.py
        nvpair nova-ha-drain-, -withdrawn-  what is drained, and what was taken: adapters/drain.py
    constraints/rsc_location#nova-ha-hold-<node>.<receipt>
        keeps the NovaComputeUnfence clone, and so nova-compute, off the node

Stdlib only: fence_nova and the agent on the computes start in milliseconds.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

from novaha.adapters.command import run
from novaha.core.incarnation import Incarnation
from novaha.core.model import Device, HoldMark, Level
from novaha.core.names import NodeName
from novaha.core.proof import real_devices
from novaha.core.properties import RECEIPT_PREFIX, RECOVERY_PREFIX, STARTS_PREFIX
from novaha.core.receipt import MalformedReceipt, Receipt, parse_receipt
from novaha.core.recovery import MalformedRecovery, Record, Recovery, parse_record
from novaha.core.starts import Starts
from novaha.errors import ClusterUnavailable

PROPERTY_SET = "nova-ha-state"
TIMEOUT_S = 10.0

_UNFENCE_CLONE = "//clone[primitive[@provider='novaha' and @type='NovaComputeUnfence']]"
_FENCING = "//fencing-level | //primitive[@class='stonith']"
_NOTHING_THERE = "(105)"
"""cibadmin's exit code, CRM_EX_NOSUCH, as command.run words it."""

_XML_NAME = re.compile(r"[A-Za-z0-9._-]+")


class Scene(NamedTuple):
    """What fence_nova looks at before it writes; None for what the CIB did not tell.

    clone: the id of the NovaComputeUnfence clone. life: of the node that is being fenced. devices:
    the real ones before fence_nova in its levels.
    """

    clone: str | None = None
    life: Incarnation | None = None
    devices: tuple[str, ...] | None = None


def scene_of(node: NodeName) -> Scene:
    """Look at a node that is being fenced, with one question; never raises."""
    try:
        _check_name(node)
        found = _xpath(f"{_UNFENCE_CLONE} | {_FENCING} | //lrm_resource[@id='{node}']")
    except ClusterUnavailable:
        return Scene()
    if found is None:
        return Scene(None, Incarnation(), ())
    clone = next(found.iter("clone"), None)
    starts = frozenset[str]().union(*map(successful_starts, found.iter("lrm_resource")))
    devices = real_devices(node, levels_of(found))
    return Scene(None if clone is None else clone.get("id"), Incarnation.of(starts), devices)


def successful_starts(resource: ET.Element) -> frozenset[str]:
    """Return Pacemaker's keys of the starts that a `lrm_resource` shows as done."""
    return frozenset(
        op.get("transition-key", "")
        for op in resource.iter("lrm_rsc_op")
        if op.get("operation") == "start" and op.get("rc-code") == "0"
    )


def levels_of(root: ET.Element) -> Iterable[Level]:
    """Yield the fencing levels below an element that has the fence devices, too.

    Those that choose their targets by a node attribute are left out.
    """
    agents = {
        primitive.get("id", ""): primitive.get("type")
        for primitive in root.iter("primitive")
        if primitive.get("class") == "stonith"
    }
    for level in root.iter("fencing-level"):
        target, pattern = level.get("target"), level.get("target-pattern")
        ids = [id_.strip() for id_ in level.get("devices", "").split(",") if id_.strip()]
        devices = tuple(Device(id_, agents.get(id_)) for id_ in ids)
        index = int(level.get("index", "0"))
        if target is not None:
            yield Level(target, index, devices)
        elif pattern is not None:
            yield Level(pattern, index, devices, pattern=True)


def write_receipt(receipt: Receipt, clone: str | None) -> None:
    """Write a receipt and, where the clone exists, the hold of its node, in one CIB change.

    The receipt decides: when the hold cannot be written the receipt is written alone, and the
    agent on the compute holds by itself. Raises ClusterUnavailable when the receipt is not in.
    """
    if clone is not None:
        try:
            return _modify(_configuration(receipt, clone))
        except ClusterUnavailable:
            pass
    return _modify(_configuration(receipt, None))


def write_held_receipt(receipt: Receipt, clone: str, notes: Mapping[str, str]) -> None:
    """Write a receipt, its hold and some properties in one change; raises ClusterUnavailable."""
    root = _configuration(receipt, clone)
    for name, value in notes.items():
        _add_property(root, name, value)
    _modify(root)


def read_receipt(node: NodeName) -> Receipt | None:
    """Return the open receipt of a node, or None; raises ClusterUnavailable, MalformedReceipt."""
    value = _property(f"{RECEIPT_PREFIX}{node}")
    return None if value is None else parse_receipt(node, value)


class Held(NamedTuple):
    """What the cluster says of a node's nova-compute: why it must not start, None where it may.

    returns_from: the receipt of the recovery that the node comes back from, None without one.
    """

    why: str | None = None
    returns_from: str | None = None


def read_hold(node: NodeName) -> Held:
    """Return whether nova-compute may start on a node.

    What cannot be read holds as well. Raises ClusterUnavailable.
    """
    try:
        receipt = read_receipt(node)
        value = _property(f"{RECOVERY_PREFIX}{node}")
        record = None if value is None else parse_record(node, value)
    except (MalformedReceipt, MalformedRecovery) as error:
        return Held(str(error))
    if receipt is not None:
        return Held(f"fenced and not yet recovered (receipt {receipt.id} of {receipt.writer})")
    if record is None:
        return Held()
    if isinstance(record, Recovery) and record.phase == "returning":
        return Held(returns_from=record.receipt_id)
    return Held(f"its instances are being evacuated (receipt {record.proof.receipt_id})")


def has_node(name: NodeName) -> bool:
    """Tell whether the cluster has a node of that name; raises ClusterUnavailable."""
    if not _XML_NAME.fullmatch(name):
        return False
    return (
        _xpath(f"//node[@uname='{name}'] | //primitive[@type='remote'][@id='{name}']") is not None
    )


def write_record(record: Record) -> None:
    """Write the record of a recovery over the one before; raises ClusterUnavailable."""
    root = ET.Element("configuration")
    _add_property(root, f"{RECOVERY_PREFIX}{record.node}", record.to_value())
    _modify(root)


def delete_receipt(receipt: Receipt) -> None:
    """Delete exactly this receipt: one written meanwhile has another value and stays."""
    delete_property(f"{RECEIPT_PREFIX}{receipt.node}", receipt.to_value())


def delete_record(record: Record) -> None:
    """Delete exactly this record."""
    delete_property(f"{RECOVERY_PREFIX}{record.node}", record.to_value())


def write_starts(starts: Starts) -> None:
    """Write what has to be started over the record of before; raises ClusterUnavailable."""
    write_properties({f"{STARTS_PREFIX}{starts.node}": starts.to_value()})


def delete_starts(starts: Starts) -> None:
    """Delete exactly this record of starts."""
    delete_property(f"{STARTS_PREFIX}{starts.node}", starts.to_value())


def delete_hold(mark_id: str) -> None:
    """Delete a hold constraint; its id carries the receipt, so a newer hold is another one."""
    _delete("constraints", ET.Element("rsc_location", id=mark_id))


def properties_of(root: ET.Element, prefix: str) -> list[tuple[NodeName, str]]:
    """Return what stands behind a prefix of our properties, and the value."""
    path = f"./configuration/crm_config/cluster_property_set[@id='{PROPERTY_SET}']/nvpair"
    pairs = [(pair.get("name", ""), pair.get("value", "")) for pair in root.iterfind(path)]
    return [
        (NodeName(name.removeprefix(prefix)), value)
        for name, value in pairs
        if name.startswith(prefix)
    ]


def write_properties(values: Mapping[str, str]) -> None:
    """Write properties of ours over those before, in one change; raises ClusterUnavailable."""
    root = ET.Element("configuration")
    for name, value in values.items():
        _add_property(root, name, value)
    _modify(root)


def delete_property(name: str, value: str) -> None:
    """Delete a property of ours while it has just this value; raises ClusterUnavailable."""
    _delete("crm_config", ET.Element("nvpair", id=name, name=name, value=value))


def delete_state(state: ET.Element) -> None:
    """Delete a node's entry in the status section while it is as it was read.

    Raises ClusterUnavailable.
    """
    names = ("id", "uname", "in_ccm")
    known = {name: value for name in names if (value := state.get(name)) is not None}
    _delete("status", ET.Element("node_state", known))


def query() -> ET.Element:
    """Return the whole CIB; raises ClusterUnavailable."""
    return parse(run(["cibadmin", "--query"], timeout_s=TIMEOUT_S), "cibadmin")


def parse(text: str, tool: str) -> ET.Element:
    """Parse what a tool printed; raises ClusterUnavailable when it is not XML."""
    try:
        return ET.fromstring(text)  # noqa: S314  (printed by our own cluster's tool, as root)
    except ET.ParseError as error:
        msg = f"{tool} printed no XML: {error}"
        raise ClusterUnavailable(msg) from error


def _configuration(receipt: Receipt, clone: str | None) -> ET.Element:
    root = ET.Element("configuration")
    _add_property(root, f"{RECEIPT_PREFIX}{receipt.node}", receipt.to_value())
    if clone is not None:
        ET.SubElement(
            ET.SubElement(root, "constraints"),
            "rsc_location",
            id=HoldMark.of(receipt.node, receipt.id).id,
            rsc=clone,
            node=receipt.node,
            score="-INFINITY",
        )
    return root


def _add_property(root: ET.Element, name: str, value: str) -> None:
    _check_name(name)
    properties = ET.SubElement(
        ET.SubElement(root, "crm_config"), "cluster_property_set", id=PROPERTY_SET
    )
    ET.SubElement(properties, "nvpair", id=name, name=name, value=value)


def _check_name(name: str) -> None:
    if not _XML_NAME.fullmatch(name):
        msg = f"{name!r} cannot be kept in the CIB: letters, digits, '.', '_' and '-' only"
        raise ClusterUnavailable(msg)


def _modify(configuration: ET.Element) -> None:
    xml = ET.tostring(configuration, encoding="unicode")
    argv = ["cibadmin", "--modify", "--allow-create", "--scope", "configuration"]
    run([*argv, "--xml-pipe"], timeout_s=TIMEOUT_S, stdin=xml)


def _delete(scope: str, element: ET.Element) -> None:
    xml = ET.tostring(element, encoding="unicode")
    argv = ["cibadmin", "--delete", "--scope", scope, "--xml-text", xml]
    try:
        run(argv, timeout_s=TIMEOUT_S)
    except ClusterUnavailable as error:
        if _NOTHING_THERE not in str(error):
            raise


def _property(name: str) -> str | None:
    _check_name(name)
    found = _xpath(f"//cluster_property_set[@id='{PROPERTY_SET}']/nvpair[@name='{name}']")
    if found is None:
        return None
    element = found if found.tag == "nvpair" else found.find(".//nvpair")
    return None if element is None else element.get("value", "")


def _xpath(xpath: str) -> ET.Element | None:
    """Return what matches, or None where nothing does."""
    try:
        text = run(["cibadmin", "--query", "--xpath", xpath], timeout_s=TIMEOUT_S)
    except ClusterUnavailable as error:
        if _NOTHING_THERE in str(error):
            return None
        raise
    return parse(text, "cibadmin")
