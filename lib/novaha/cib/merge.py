"""Our configuration inside an existing one: what is missing is added, what differs is replaced.

Everything that is not named by us stays as it is, and nothing is ever removed.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from novaha.cib.masking import shown
from novaha.cib.xml import Element, find_all
from novaha.errors import ConfigError

STATE_SET = "nova-ha-state"
"""The properties that a recovery writes; they are none of the configuration's."""

_SECTIONS = ("resources", "constraints", "fencing-topology", "alerts")
_PAIR_SECTIONS = ("crm_config", "rsc_defaults")
_ORDER = (
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "fencing-topology",
    "op_defaults",
    "rsc_defaults",
    "alerts",
)
# Nodes may be called as their remote connections are, and references as what they name.
DEFINED = (
    "/cib/configuration/*[not(self::nodes)]//*"
    "[@id][not(self::resource_ref or self::obj_ref or self::role)]"
)
"""XPath of everything whose id is its own."""

_ID_IS_A_HANDLE = frozenset(
    {
        "nvpair",
        "instance_attributes",
        "meta_attributes",
        "cluster_property_set",
        "op",
        "rule",
        "expression",
        "fencing-level",
    }
)


@dataclass(frozen=True)
class Change:
    """What is not as it shall be. before: empty where there was nothing; secrets are masked."""

    kind: Literal["add", "change"]
    what: str
    before: str
    after: str


def canonical(element: Element) -> str:
    """Return a text that is the same for what means the same.

    Left out are ids that nothing refers to, the order of attributes, and the order of children
    where it means nothing.
    """
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    if element.tag in _ID_IS_A_HANDLE:
        attributes.pop("id", None)
    if attributes.get("boolean-op") == "and":
        del attributes["boolean-op"]
    shown = "".join(f' {name}="{value}"' for name, value in sorted(attributes.items()))
    children = sorted(canonical(child) for child in element.iterchildren("*"))
    return f"<{element.tag}{shown}>" + "".join(children) + f"</{element.tag}>"


def merge(cib: Element, ours: Element) -> tuple[Element, tuple[Change, ...]]:
    """Return a copy of a CIB with our configuration in it, and what was changed.

    ours: an element `configuration`. Raises ConfigError where an id of ours is something else.
    """
    merged = deepcopy(cib)
    configuration = merged.find("configuration")
    if configuration is None:
        msg = "this is no CIB: it has no element configuration"
        raise ConfigError(msg)
    changes = [
        change
        for name in (*_PAIR_SECTIONS, *_SECTIONS)
        for wanted in ours.iterfind(name)
        for change in _section(_ensured(configuration, name), wanted)
    ]
    return merged, tuple(changes)


def _section(there: Element, wanted: Element) -> Iterator[Change]:
    if wanted.tag in _PAIR_SECTIONS:
        for group in wanted:
            for pair in group:
                yield from _pair(there, group, pair)
        return
    for element in wanted:
        yield from _object(there, element)


def _object(there: Element, element: Element) -> Iterator[Change]:
    old = _counterpart(there, element)
    what = f"{element.tag} {element.get('id')}"
    if old is None:
        there.append(deepcopy(element))
        yield Change("add", what, "", shown(element))
    elif canonical(old) != canonical(element):
        new = deepcopy(element)
        before = shown(old)
        there.replace(old, new)
        yield Change("change", what, before, shown(element))


def _counterpart(there: Element, element: Element) -> Element | None:
    """Return what stands for the same thing; a level is known by its node and index."""
    if element.tag == "fencing-level":
        for level in there:
            if all(level.get(name) == element.get(name) for name in ("target", "index")):
                return level
        return None
    for inner in element.iter("*"):
        if inner.tag not in (element.tag, "primitive"):
            continue
        for old in find_all(there, f"{DEFINED}[@id=$id]", id=str(inner.get("id"))):
            if inner is element and old.tag == element.tag and old.getparent() is there:
                return old
            msg = f"the cluster has a {old.tag} {old.get('id')} elsewhere: rename or remove it"
            raise ConfigError(msg)
    return None


def _pair(there: Element, group: Element, pair: Element) -> Iterator[Change]:
    name, value = str(pair.get("name")), str(pair.get("value"))
    for old in there.iterfind(f"*/nvpair[@name='{name}']"):
        parent = old.getparent()
        if parent is not None and (
            parent.get("id") == STATE_SET or parent.find("rule") is not None
        ):
            continue
        if old.get("value") != value:
            yield Change("change", name, str(old.get("value")), value)
            old.set("value", value)
        return
    target = there.find(f"{group.tag}[@id='{group.get('id')}']")
    if target is None:
        target = etree.SubElement(there, group.tag, id=str(group.get("id")))
    target.append(deepcopy(pair))
    yield Change("add", name, "", value)


def _ensured(configuration: Element, name: str) -> Element:
    """Return a section, made at its place where it is missing."""
    found = configuration.find(name)
    if found is not None:
        return found
    before = [child for child in configuration if child.tag in _ORDER[: _ORDER.index(name)]]
    section = etree.Element(name)
    configuration.insert(len(before), section)
    return section
