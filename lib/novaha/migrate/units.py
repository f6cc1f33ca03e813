"""A CIB as parts that change by themselves: what differs between two, and how to take it back.

A part is a cluster property, a default, or an element directly below any other section.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from novaha.cib.masking import shown
from novaha.cib.merge import DEFINED, STATE_SET, canonical
from novaha.cib.xml import Element, find_all
from novaha.errors import ConfigError

Key = tuple[str, ...]
"""Section, then what names the part in it."""

_PAIR_SECTIONS = frozenset({"crm_config", "rsc_defaults", "op_defaults"})
_REFERENCES = ("rsc", "with-rsc", "first", "then")


@dataclass(frozen=True)
class Change:
    """One part that differs. before, after: empty where there is nothing; secrets are masked."""

    kind: Literal["add", "change", "remove"]
    what: str
    before: str
    after: str


def configuration(cib: Element) -> Element:
    """Return the element `configuration`; raises ConfigError without one."""
    found = cib.find("configuration")
    if cib.tag != "cib" or found is None:
        msg = "this is no CIB: it has no element configuration; save one with: cibadmin --query"
        raise ConfigError(msg)
    return found


def units(cib: Element) -> dict[Key, Element]:
    """Return the parts of a CIB in their order, without what a recovery writes."""
    return {
        key: element
        for section in configuration(cib).iterchildren("*")
        for child in section.iterchildren("*")
        if child.get("id") != STATE_SET
        for key, element in _of_child(str(section.tag), child)
    }


def _of_child(section: str, child: Element) -> Iterator[tuple[Key, Element]]:
    if section in _PAIR_SECTIONS and child.find("rule") is None:
        for pair in child.iterchildren("nvpair"):
            yield (section, str(child.get("id")), str(pair.get("name"))), pair
    elif child.tag == "fencing-level":
        names = ("target", "target-pattern", "target-attribute", "target-value", "index")
        yield (section, "fencing-level", *(str(child.get(n)) for n in names if child.get(n))), child
    else:
        yield (section, str(child.tag), str(child.get("id"))), child


def differences(before: Element, after: Element) -> tuple[Change, ...]:
    """Return what differs: what goes first, then what changes and what comes."""
    old, new = units(before), units(after)
    gone = [_change("remove", key, old[key], None) for key in old if key not in new]
    rest = [
        _change("change" if key in old else "add", key, old.get(key), element)
        for key, element in new.items()
        if not _same(old.get(key), element)
    ]
    return (*gone, *rest)


def restore(
    live: Element, before: Element, after: Element, *, between: Iterable[Element]
) -> Element:
    """Return a copy of a CIB in which the change from before to after is taken back.

    between: what stood while the change was made, or taken back; either may have ended there. What
    others changed since stays. Raises ConfigError with every part that contradicts.
    """
    result, old, new = deepcopy(live), units(before), units(after)
    steps = (new, *map(units, between))
    wrong, now = [], units(result)
    for key in (*new, *(key for key in old if key not in new)):
        was, became, is_ = old.get(key), new.get(key), now.get(key)
        if _same(was, became) or _same(is_, was):
            continue
        if not any(_same(is_, step.get(key)) for step in steps):
            wrong.append(f"{_name(key)} was changed since: bring it back by hand, or mend it first")
        elif is_ is not None:
            _remove(is_)
    if wrong:
        raise ConfigError("\n".join(wrong))
    _put_back(result, old, new)
    _drop_empty(result, before)
    _consistent(live, result)
    return result


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _put_back(result: Element, old: dict[Key, Element], new: dict[Key, Element]) -> None:
    """Insert what was there before, each behind the part that stood before it."""
    keys = list(old)
    for index, key in enumerate(keys):
        now = units(result)
        if key in now or _same(old[key], new.get(key)):
            continue
        parent = _parent(result, old[key])
        before_it = [now[k] for k in keys[:index] if k in now and now[k].getparent() is parent]
        place = parent.index(before_it[-1]) + 1 if before_it else 0
        parent.insert(place, deepcopy(old[key]))


def _parent(result: Element, element: Element) -> Element:
    """Return what stands for the parent of an element of another document, made if missing."""
    chain = [each for each in element.iterancestors() if each.tag not in {"cib", "configuration"}]
    there = configuration(result)
    for each in reversed(chain):
        tag, attributes = str(each.tag), {str(k): str(v) for k, v in each.attrib.items()}
        found = [child for child in there.iterchildren(tag) if child.get("id") == each.get("id")]
        there = found[0] if found else etree.SubElement(there, tag, attributes)
    return there


def _drop_empty(result: Element, before: Element) -> None:
    """Remove sections and sets that we made and that are empty now."""
    root, known = configuration(result), {child.tag for child in configuration(before)}
    sets = {child.get("id") for child in find_all(before, "/cib/configuration/*/*")}
    for section in list(root.iterchildren("*")):
        if section.tag in _PAIR_SECTIONS:
            for group in list(section.iterchildren("*")):
                if not len(group) and group.get("id") not in sets:
                    section.remove(group)
        if not len(section) and section.tag not in known:
            root.remove(section)


def _consistent(live: Element, result: Element) -> None:
    """Raise ConfigError where an id is there twice, or a constraint names what goes away."""
    ids = [str(element.get("id")) for element in find_all(result, DEFINED)]
    twice = sorted(id_ for id_, count in Counter(ids).items() if count > 1)
    wrong = [f"the id {id_} is taken meanwhile: rename what has it" for id_ in twice]
    gone = {str(e.get("id")) for e in find_all(live, "/cib/configuration/resources//*[@id]")}
    gone -= set(ids)
    for constraint in find_all(result, "/cib/configuration/constraints/*"):
        wrong += [
            f"{constraint.get('id')} names {id_}, which goes away: remove it first"
            for id_ in sorted(referred(constraint) & gone)
        ]
    if wrong:
        raise ConfigError("\n".join(wrong))


def referred(constraint: Element) -> frozenset[str]:
    """Return the ids of the resources that a constraint names."""
    own = {str(constraint.get(name)) for name in _REFERENCES if constraint.get(name)}
    return frozenset(own | {str(ref.get("id")) for ref in constraint.iter("resource_ref")})


def _same(one: Element | None, other: Element | None) -> bool:
    if one is None or other is None:
        return one is other
    return canonical(one) == canonical(other)


def _change(
    kind: Literal["add", "change", "remove"], key: Key, old: Element | None, new: Element | None
) -> Change:
    return Change(kind, _name(key), shown(old), shown(new))


def _name(key: Key) -> str:
    section, *words = key
    return f"{section} {words[-1]}" if section in _PAIR_SECTIONS else " ".join(words)
