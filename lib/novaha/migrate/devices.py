"""The fence devices and levels of a CIB as the kinds of an inventory."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from novaha.cib.facts import Facts, params
from novaha.cib.ids import OWN_DEVICE
from novaha.cib.inventory import SECRETS, Kind
from novaha.cib.xml import Element
from novaha.migrate.classic import NOVA_DEVICES, hosts_of, members

SECRETS_FOLDER = "/etc/nova-ha/secrets"
"""Where the scripts that print a device's password belong, on every controller."""

_OURS = frozenset({"fence_nova", "fence_nova_gate"})
_SAID_ELSEWHERE = frozenset(
    {
        "action",
        "pcmk_host_argument",
        "pcmk_host_check",
        "pcmk_host_list",
        "pcmk_host_map",
    }
)
_TODAY = {
    "ipaddr": "ip",
    "login": "username",
    "passwd": "password",
    "passwd_script": "password_script",
    "port": "plug",
}
"""Old names of options of fence agents. Source: fence-agents 4.12.1, lib/fencing.py."""

_OF_ONE = frozenset({"ip", "ipport", "plug"})
_EXTERNAL_IPMI = {"ipaddr": "ip", "userid": "username", "passwd": "password"}


@dataclass(frozen=True)
class Fencing:
    """How nodes are fenced. levels: of each node, by kind; devices: of each node, by kind.

    secrets: the text of each password script, by its path. notes: what could not be carried over.
    """

    kinds: tuple[Kind, ...]
    levels: Mapping[str, tuple[tuple[str, ...], ...]]
    devices: Mapping[str, Mapping[str, Mapping[str, str]]]
    secrets: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Device:
    """A fence device as fence agents of today take it.

    plugs: by node, "" without. secrets: text by the path of the script that is to print it.
    """

    id: str
    agent: str
    options: Mapping[str, str]
    plugs: Mapping[str, str]
    secrets: Mapping[str, str]


def served(facts: Facts, device: Element) -> frozenset[str]:
    """Return the nodes that a device fences, by its levels and by what it says itself."""
    id_ = str(device.get("id"))
    leveled = {str(lv.get("target")) for lv in facts.levels if id_ in members(lv)}
    return frozenset((leveled | _said(device).keys()) - {"None"})


def read(facts: Facts, nodes: Sequence[str]) -> Fencing:
    """Return how these nodes are fenced."""
    found = {
        str(each.get("id")): _device(each)
        for each in facts.devices
        if each.get("type") not in NOVA_DEVICES | _OURS
    }
    plan = {node: _levels(facts, node, found) for node in nodes}
    users = {id_: [n for n in nodes if any(id_ in lv for lv in plan[n])] for id_ in found}
    names = _names(found, users, plan)
    kinds = tuple(_kinds(found, users, names))
    common = {kind.name: kind.options for kind in kinds}
    return Fencing(
        kinds,
        {n: tuple(tuple(names[id_, n] for id_ in lv) for lv in plan[n]) for n in nodes},
        {n: dict(_own(found, users, names, common, n)) for n in nodes},
        {path: text for id_ in users if users[id_] for path, text in found[id_].secrets.items()},
        tuple(_notes(facts, found, users)),
    )


def _device(element: Element) -> _Device:
    id_, agent, given = str(element.get("id")), str(element.get("type")), params(element)
    if agent == "external/ipmi":
        agent, options = "fence_ipmilan", _of_external_ipmi(given)
    else:
        options = {_TODAY.get(k, k): v for k, v in given.items() if k not in _SAID_ELSEWHERE}
    secrets: dict[str, str] = {}
    for name in sorted(SECRETS & options.keys()):
        suffix = "" if name == "password" else f".{name}"
        path = f"{SECRETS_FOLDER}/{_word(id_, '._-')}{suffix}"
        secrets[path] = options.pop(name)
        options.setdefault(f"{name}_script", path)
    return _Device(id_, agent, options, _said(element), secrets)


def _of_external_ipmi(given: Mapping[str, str]) -> dict[str, str]:
    """Return the options of cluster-glue's external/ipmi as fence_ipmilan takes them."""
    options = {ours: given[theirs] for theirs, ours in _EXTERNAL_IPMI.items() if theirs in given}
    return {**options, "lanplus": "1" if given.get("interface", "lan") == "lanplus" else "0"}


def _said(element: Element) -> dict[str, str]:
    """Return the nodes that a device names itself, with their plugs."""
    if element.get("type") == "external/ipmi":
        return dict.fromkeys(params(element).get("hostname", "").split(), "")
    return hosts_of(element)


def _levels(facts: Facts, node: str, found: Mapping[str, _Device]) -> tuple[tuple[str, ...], ...]:
    """Return a node's levels as ids of devices; one for each of its devices where it has none."""
    own = [level for level in facts.levels if level.get("target") == node]
    own.sort(key=lambda level: (len(str(level.get("index"))), str(level.get("index"))))
    listed = [tuple(id_ for id_ in members(level) if id_ in found) for level in own]
    if own:
        return tuple(level for level in listed if level)
    return tuple((id_,) for id_, device in found.items() if node in device.plugs)


def _names(
    found: Mapping[str, _Device],
    users: Mapping[str, list[str]],
    plan: Mapping[str, tuple[tuple[str, ...], ...]],
) -> dict[tuple[str, str], str]:
    """Return the kind of each (device, node).

    A device of several nodes is a kind of its own; of those of one node, the first with an agent
    are one kind, the second another.
    """
    names: dict[tuple[str, str], str] = {}
    for id_, nodes in users.items():
        if len(nodes) > 1:
            word = re.sub(r"^(fence|stonith)[-_]", "", id_)
            names |= {(id_, node): _free(_word(word, "_-"), names.values()) for node in nodes}
    shared = frozenset(names.values())
    for node, levels in plan.items():
        seen: Counter[str] = Counter()
        for id_ in dict.fromkeys(id_ for level in levels for id_ in level):
            if (id_, node) not in names:
                agent = _word(found[id_].agent.removeprefix("fence_"), "_-")
                seen[agent] += 1
                number = "" if seen[agent] == 1 else f"-{seen[agent]}"
                names[id_, node] = _free(f"{agent}{number}", shared)
    return names


def _word(text: str, allowed: str) -> str:
    """Return a text as a name: what is neither letter, digit nor allowed becomes a hyphen."""
    word = re.sub(f"[^A-Za-z0-9{re.escape(allowed)}]", "-", text)[:30]
    return word if word[:1].isalpha() else f"d{word}"[:30]


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken, nor makes a device called as our receipt's."""
    refused = {*taken, OWN_DEVICE.removeprefix("fence-"), "nova-gate"}
    return name if name not in refused else _free(f"{name[:29]}x", refused)


def _kinds(
    found: Mapping[str, _Device],
    users: Mapping[str, list[str]],
    names: Mapping[tuple[str, str], str],
) -> Iterator[Kind]:
    for name in dict.fromkeys(names.values()):
        same = [found[id_] for id_ in dict.fromkeys(i for (i, _), n in names.items() if n == name)]
        shared = len(users[same[0].id]) > 1
        yield Kind(name, same[0].agent, _common(same, shared=shared), shared)


def _common(devices: list[_Device], *, shared: bool) -> dict[str, str]:
    """Return the options that all devices of a kind have, and that are not those of one node."""
    first, *others = devices
    return {
        name: value
        for name, value in first.options.items()
        if all(each.options.get(name) == value for each in others)
        and (shared or not (name in _OF_ONE or name.endswith("_script")))
    }


def _own(
    found: Mapping[str, _Device],
    users: Mapping[str, list[str]],
    names: Mapping[tuple[str, str], str],
    common: Mapping[str, Mapping[str, str]],
    node: str,
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the options of a node's own devices, by kind."""
    for (id_, user), kind in names.items():
        if user != node:
            continue
        device = found[id_]
        plug = device.plugs.get(node, "")
        own = {} if plug in {"", node} else {"plug": plug}
        if len(users[id_]) == 1:
            rest = {k: v for k, v in device.options.items() if k not in common[kind]}
            own = {**rest, **own}
        if own or len(users[id_]) == 1:
            yield kind, own


def _notes(
    facts: Facts, found: Mapping[str, _Device], users: Mapping[str, list[str]]
) -> Iterator[str]:
    for id_, device in found.items():
        if not users[id_]:
            yield f"{id_} is in no level of these nodes and names none of them: it stays as it is"
        elif not re.fullmatch(r"fence_[a-z0-9_]+", device.agent):
            yield f"{id_} uses {device.agent}: say which fence agent takes its place"
    for level in facts.levels:
        if level.get("target") is None:
            yield f"level {level.get('id')} is for a pattern or an attribute: it stays as it is"
