"""From a CIB with classic InstanceHA to one with ours: the old pieces go, all else stays."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from novaha.cib import generate, ids, merge, render_xml
from novaha.cib.configuration import Configuration
from novaha.cib.facts import Facts, pairs
from novaha.cib.inventory import Inventory
from novaha.cib.xml import Element, find_all
from novaha.errors import ConfigError
from novaha.migrate import classic, units
from novaha.migrate.devices import served

_CONSTRAINTS = "/cib/configuration/constraints/*"
_LEAST = {"rsc_order": 2, "rsc_colocation": 2}
"""How many resources a constraint must name to mean anything; 1 for all others."""


@dataclass(frozen=True)
class Plan:
    """What a migration does to a CIB. notes: what a person should know before it is done."""

    before: Element
    after: Element
    changes: tuple[units.Change, ...]
    notes: tuple[str, ...]


def plan(cib: Element, inventory: Inventory) -> Plan:
    """Return how a CIB becomes ours; raises ConfigError where a person must act first."""
    units.configuration(cib)
    stripped, made = deepcopy(cib), generate.generate(inventory)
    old = classic.find(stripped)
    notes = tuple(_notes(cib, old))
    _take_out(stripped, old, made)
    merged, _ = merge.merge(stripped, render_xml.render(made))
    _keep_off_others(merged, inventory)
    return Plan(cib, merged, units.differences(cib, merged), notes)


def _keep_off_others(cib: Element, inventory: Inventory) -> None:
    """Keep ours off remote nodes that are no computes: it would run on every remote node."""
    (constraints,) = find_all(cib, "/cib/configuration/constraints")
    computes = {str(node.name) for node in inventory.computes}
    for node in sorted(Facts(cib).remotes.keys() - computes):
        for clone in ids.CLONES:
            id_ = f"{clone}-not-on-{node}"
            if not find_all(constraints, "*[@id=$id]", id=id_):
                away = etree.SubElement(constraints, "rsc_location", id=id_, rsc=clone, node=node)
                away.set("score", "-INFINITY")
                away.set("resource-discovery", "never")


def stopped_first(before: Element, after: Element) -> Element:
    """Return a CIB in which each nova-compute that goes is stopped, and nothing else differs.

    Two resources of one service would be in each other's way: while the cluster stops the one that
    it does not know any more, it starts the other.
    """
    between, ids = deepcopy(before), leaving(before, after)
    for primitive in classic.find(between).nova_computes:
        if primitive.get("id") in ids:
            _stop(classic.top(primitive))
    return between


def leaving(before: Element, after: Element) -> frozenset[str]:
    """Return the resources that run nova-compute before and are not there after."""
    old, new = (
        {str(each.get("id")) for each in classic.find(cib).nova_computes} for cib in (before, after)
    )
    return frozenset(old - new)


def _stop(element: Element) -> None:
    pairs_ = find_all(element, "meta_attributes/nvpair[@name='target-role']")
    if pairs_:
        pairs_[0].set("value", "Stopped")
        return
    id_ = f"{element.get('id')}-nova-ha-stop"
    group = etree.Element("meta_attributes", id=id_)
    etree.SubElement(group, "nvpair", id=f"{id_}-target-role", name="target-role", value="Stopped")
    # A clone has its member last, a primitive its operations.
    element.insert(0, group)


def _take_out(cib: Element, old: classic.Classic, made: Configuration) -> None:
    names = frozenset(level.node for level in made.levels)
    kept = frozenset(primitive.id for primitive in made.primitives)
    replaced = [*old.pieces(), *_replaced_devices(cib, names, kept)]
    for level in find_all(cib, "/cib/configuration/fencing-topology/fencing-level"):
        if level.get("target") in names:
            _remove(level)
    others = [e for e in old.nova_computes if e not in replaced and not _is_ours(e)]
    for primitive in others:
        _refuse_group(primitive)
    heirs = {id_: ids.COMPUTE_CLONE for e in old.nova_computes for id_ in _ids_up(e)}
    gone = {id_ for e in replaced for id_ in _ids_up(e)} - heirs.keys()
    for primitive in (*replaced, *others):
        _cut(primitive)
    _rename(cib, heirs)
    _forget(cib, gone)


def _replaced_devices(
    cib: Element, names: frozenset[str], kept: frozenset[str]
) -> Iterator[Element]:
    """Yield devices that fence only nodes of the inventory, which brings others for them."""
    facts = Facts(cib)
    for device in facts.devices:
        nodes = served(facts, device)
        if device.get("id") not in kept and nodes and nodes <= names:
            yield device


def _is_ours(nova_compute: Element) -> bool:
    """Tell a nova-compute that is called and cloned as ours is, and so is changed in its place."""
    parent = nova_compute.getparent()
    return (
        nova_compute.get("id") == ids.COMPUTE
        and parent is not None
        and parent.get("id") == ids.COMPUTE_CLONE
    )


def _refuse_group(primitive: Element) -> None:
    parent = primitive.getparent()
    if parent is not None and parent.tag == "group":
        id_, group = primitive.get("id"), parent.get("id")
        msg = (
            f"{id_} runs nova-compute in the group {group}, and ours stands alone, after the hold:"
            f" take it out first with: pcs resource group remove {group} {id_}"
        )
        raise ConfigError(msg)


def _ids_up(primitive: Element) -> Iterator[str]:
    """Yield the id of a primitive and of the clone or group that goes with it."""
    yield str(primitive.get("id"))
    parent = primitive.getparent()
    if parent is not None and parent.tag in {"clone", "master"}:
        yield str(parent.get("id"))
    elif parent is not None and parent.tag == "group" and len(parent.findall("primitive")) == 1:
        yield from _ids_up(parent)


def _cut(primitive: Element) -> None:
    """Remove a primitive, and what would be empty without it."""
    parent = primitive.getparent()
    alone = parent is not None and (
        parent.tag in {"clone", "master"} or (parent.tag == "group" and len(_members(parent)) == 1)
    )
    if alone and parent is not None:
        _cut(parent)
    else:
        _remove(primitive)


def _members(group: Element) -> list[Element]:
    return group.findall("primitive")


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _rename(cib: Element, heirs: dict[str, str]) -> None:
    """Let constraints that name an old nova-compute name ours."""
    for constraint in find_all(cib, _CONSTRAINTS):
        for name in ("rsc", "with-rsc", "first", "then"):
            if constraint.get(name) in heirs:
                constraint.set(name, heirs[str(constraint.get(name))])
        for reference in constraint.iter("resource_ref"):
            reference.set("id", heirs.get(str(reference.get("id")), str(reference.get("id"))))


def _forget(cib: Element, gone: Iterable[str]) -> None:
    """Take ids out of constraints, levels and tags; what is left without meaning goes too."""
    lost = frozenset(gone)
    for constraint in find_all(cib, _CONSTRAINTS):
        _forget_in(constraint, lost)
    for level in find_all(cib, "/cib/configuration/fencing-topology/fencing-level"):
        rest = [id_ for id_ in classic.members(level) if id_ not in lost]
        if not rest:
            _remove(level)
        elif len(rest) < len(classic.members(level)):
            level.set("devices", ",".join(rest))
    for reference in find_all(cib, "/cib/configuration/tags/tag/obj_ref"):
        if reference.get("id") in lost:
            tag = reference.getparent()
            _remove(reference)
            if tag is not None and not len(tag):
                _remove(tag)


def _forget_in(constraint: Element, lost: frozenset[str]) -> None:
    if any(constraint.get(name) in lost for name in ("rsc", "with-rsc", "first", "then")):
        _remove(constraint)
        return
    references = [ref for ref in constraint.iter("resource_ref") if ref.get("id") in lost]
    for reference in references:
        group = reference.getparent()
        _remove(reference)
        if group is not None and not len(group):
            _remove(group)
    left = len(list(constraint.iter("resource_ref")))
    if references and left < _LEAST.get(str(constraint.tag), 1):
        _remove(constraint)


def _notes(cib: Element, old: classic.Classic) -> Iterator[str]:
    touched = [*old.pieces(), *old.nova_computes, *Facts(cib).remotes.values()]
    for primitive in dict.fromkeys(touched):
        for element in dict.fromkeys((primitive, classic.top(primitive))):
            yield from _set_by_a_person(element)
    if old.nova_computes:
        yield "no host can be fenced while the fence devices are exchanged: a few seconds"
        yield "nova-compute is restarted once on every compute, behind the hold; instances run on"
    else:
        yield "nova-compute becomes a resource: stop the system from starting it at boot"
    if old.is_there:
        yield "apply when nothing is being evacuated, and keep the file of --save"


def _set_by_a_person(element: Element) -> Iterator[str]:
    meta, id_ = pairs(element, "meta_attributes/nvpair"), element.get("id")
    for name, usual in (("target-role", "started"), ("is-managed", "true")):
        if meta.get(name, usual).lower() != usual:
            yield f"{id_} has {name}={meta[name]}, and what takes its place has not: say it again"
    if meta.get("maintenance", "false").lower() == "true":
        yield f"{id_} is in maintenance, and what takes its place is not: say it again"
