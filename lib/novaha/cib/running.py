"""A cluster that does not exist yet, as its CIB would look with everything running.

Pacemaker's scheduler takes it for a live one: nodes online, every resource probed wherever it may
be, started where it belongs, its monitor succeeding. What runs on controllers is dealt out in turn.
"""

import hashlib
from collections.abc import Iterable, Mapping
from copy import deepcopy

from lxml import etree

from novaha.cib.facts import pairs
from novaha.cib.xml import Element, find_all

FEATURE_SET = "3.16.1"
"""That of Debian 12's Pacemaker; newer ones read it too."""

_NOT_RUNNING, _SUCCESS = 7, 0
_KEY = "1:1:{rc}:00000000-0000-0000-0000-000000000000"


def booted(cib: Element, controllers: Iterable[str]) -> Element:
    """Return a copy of a CIB in which the controllers are online and nothing was started yet."""
    copy = deepcopy(cib)
    copy.attrib.update({"crm_feature_set": FEATURE_SET, "have-quorum": "1", "dc-uuid": "1"})
    (nodes,), (status,) = find_all(copy, "/cib/configuration/nodes"), find_all(copy, "/cib/status")
    for number, name in enumerate(controllers, 1):
        etree.SubElement(nodes, "node", id=str(number), uname=name)
        state = _node_state(status, str(number), name)
        state.attrib.update({"crmd": "online", "join": "member", "expected": "member"})
    return copy


def running(cib: Element, controllers: Iterable[str]) -> Element:
    """Return a copy of a CIB in which all that it configures runs."""
    copy = booted(cib, controllers)
    (status,) = find_all(copy, "/cib/status")
    hosts = find_all(status, "node_state")
    singles = find_all(copy, "/cib/configuration/resources/primitive")
    for number, primitive in enumerate(singles):
        for index, host in enumerate(hosts):
            _history(host, primitive, runs=index == number % len(hosts))
    xpath = "/cib/configuration/constraints/rsc_location[@resource-discovery]"
    hidden = {str(each.get("rsc")) for each in find_all(copy, xpath)}
    probed = [
        each
        for each in singles
        if each.get("type") != "remote"
        and each.get("class") != "stonith"
        and each.get("id") not in hidden
    ]
    for name in (str(each.get("id")) for each in singles if each.get("type") == "remote"):
        state = _node_state(status, name, name)
        state.set("remote_node", "true")
        for primitive in probed:
            _history(state, primitive, runs=False)
        for primitive in find_all(copy, "/cib/configuration/resources/clone//primitive"):
            _history(state, primitive, runs=True)
    return copy


def _node_state(status: Element, id_: str, name: str) -> Element:
    attributes = {"id": id_, "uname": name, "in_ccm": "true", "crm-debug-origin": "-"}
    state = etree.SubElement(status, "node_state", attributes)
    etree.SubElement(etree.SubElement(state, "lrm", id=id_), "lrm_resources")
    return state


def _history(state: Element, primitive: Element, *, runs: bool) -> None:
    (resources,) = find_all(state, "lrm/lrm_resources")
    names = ("id", "class", "provider", "type")
    found = {name: str(primitive.get(name)) for name in names if primitive.get(name)}
    resource = etree.SubElement(resources, "lrm_resource", found)
    params = pairs(primitive, "instance_attributes/nvpair")
    name, rc = ("start", _SUCCESS) if runs else ("monitor", _NOT_RUNNING)
    _operation(resource, f"{name}_0", rc, params)
    if runs:
        for op in primitive.iterfind("operations/op[@name='monitor']"):
            meta = {"CRM_meta_timeout": str(_ms(op.get("timeout")))}
            name = f"monitor_{_ms(op.get('interval'))}"
            _operation(resource, name, _SUCCESS, params | meta)


def _operation(resource: Element, name: str, rc: int, params: Mapping[str, str]) -> None:
    id_ = str(resource.get("id"))
    task, _, interval_ms = name.partition("_")
    attributes = {
        "id": f"{id_}_last_0" if interval_ms == "0" else f"{id_}_{name}",
        "operation_key": f"{id_}_{name}",
        "operation": task,
        "transition-key": _KEY.format(rc=rc),
        "transition-magic": f"0:{rc};" + _KEY.format(rc=rc),
        "call-id": "1" if interval_ms == "0" else "2",  # history is read in this order
        "rc-code": str(rc),
        "op-status": "0",
        "interval": interval_ms,
        "last-rc-change": "1",
        "op-digest": _digest(params),
    }
    etree.SubElement(resource, "lrm_rsc_op", attributes)


def _digest(params: Mapping[str, str]) -> str:
    """Return what Pacemaker compares to see whether parameters changed since an operation."""
    element = etree.Element("parameters", dict(sorted(params.items())))
    text = b" " + etree.tostring(element) + b"\n"
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def _ms(seconds: str | None) -> int:
    """Return the milliseconds of a time as the generator writes it, such as 10s."""
    return int(str(seconds).removesuffix("s")) * 1000
