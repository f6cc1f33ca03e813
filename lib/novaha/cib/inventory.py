"""The inventory: what a person says of a cluster, read with all its problems at once."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from novaha.cib import shapes
from novaha.cib.ids import device_id, is_ours
from novaha.cib.lines import Lines, Path
from novaha.cib.profiles import PROFILES, Profile
from novaha.cib.shapes import Problem
from novaha.core.brakestate import check_group
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import NOT_REAL
from novaha.core.storage import Storage
from novaha.errors import ConfigError
from novaha.params import Param
from novaha.specs import fence_nova_gate, nova_compute_unfence, nova_evacuate

SECRETS = frozenset({"password", "passwd", "snmp_priv_passwd", "snmp_auth_passwd"})
"""Options of fence agents that are secrets and have a `_script` or file beside them."""

NO_OTHER_WAY = frozenset({"community"})
"""Secrets for which no fence agent has another way."""


class BadInventory(ConfigError):
    """The inventory cannot be used; `problems` are all of them, in the order of their lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems beside the text that shows them all."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Kind:
    """A kind of fence device. shared: one device for all nodes, else one for each."""

    name: str
    agent: str
    options: Mapping[str, str]
    shared: bool = False
    password_in_cib: bool = False


@dataclass(frozen=True)
class Node:
    """A controller or a compute. devices: the options of its own, by kind.

    address: where pacemaker_remote answers; None for a controller. levels: kinds of devices, in
    order, without fence_nova.
    """

    name: NodeName
    address: str | None
    nova_host: ComputeHost | None
    levels: tuple[tuple[str, ...], ...]
    devices: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Inventory:
    """A cluster, as it shall be.

    storage: None in a draft only, where a person has not said it yet. evacuate, unfence: further
    parameters of our two resource agents. gate: those of the storm brake, None
    where there is none. groups: the computes of each of its groups. fail_counts: whether Pacemaker
    counts the failures of what there is one of for each compute.
    """

    cloud: str
    storage: Storage | None
    profile: Profile
    nova_compute: str
    kinds: Mapping[str, Kind]
    controllers: tuple[Node, ...]
    computes: tuple[Node, ...]
    evacuate: Mapping[str, str] = field(default_factory=dict)
    unfence: Mapping[str, str] = field(default_factory=dict)
    gate: Mapping[str, str] | None = None
    groups: Mapping[str, tuple[NodeName, ...]] = field(default_factory=dict)
    fail_counts: bool = True

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return all nodes, controllers first."""
        return (*self.controllers, *self.computes)

    def secrets(self) -> tuple[str, ...]:
        """Return a sentence for each secret that lands in the CIB."""
        places = [(f"fence.{kind.name}", kind.options) for kind in self.kinds.values()]
        places += [
            (f"{node.name}, {kind}", options)
            for node in self.nodes
            for kind, options in node.devices.items()
        ]
        return tuple(
            f"{place}: {option} is kept in the CIB, where the group haclient can read it"
            for place, options in places
            for option in sorted((SECRETS | NO_OTHER_WAY) & options.keys())
        )


def parse(text: str) -> Inventory:
    """Read an inventory; raises BadInventory with every problem and its line."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInventory((shapes.of_syntax(error),)) from error
    lines = Lines(text)
    wrong = [*shapes.problems(content, shapes.ROOT, ())]
    # What has the wrong shape cannot be looked at any closer, so the rest works on what is right.
    if not wrong:
        wrong = [*_contradictions(content)]
    if wrong:
        raise BadInventory(tuple(Problem(lines.of(path), text) for path, text in wrong))
    return _built(content)


def _built(content: Mapping[str, shapes.Any]) -> Inventory:
    kinds = {
        name: Kind(
            name,
            table["agent"],
            _texts(table.get("options", {})),
            table.get("shared", False),
            table.get("password_in_cib", False),
        )
        for name, table in content["fence"].items()
    }
    return Inventory(
        cloud=content["cloud"],
        storage=Storage(content["storage"]),
        profile=PROFILES[content.get("profile", "default")],
        nova_compute=content.get("nova_compute", "systemd:nova-compute"),
        kinds=kinds,
        controllers=tuple(_node(table, content) for table in content["controller"]),
        computes=tuple(_node(table, content) for table in content["compute"]),
        evacuate=_texts(content.get("evacuate", {})),
        unfence=_texts(content.get("unfence", {})),
        gate=None if "gate" not in content else _texts(content["gate"]),
        groups={
            name: tuple(map(NodeName, nodes)) for name, nodes in content.get("groups", {}).items()
        },
        fail_counts=content.get("fail_counts", True),
    )


def _node(table: Mapping[str, shapes.Any], content: Mapping[str, shapes.Any]) -> Node:
    host = table.get("nova_host")
    return Node(
        NodeName(table["name"]),
        table.get("address"),
        None if host is None else ComputeHost(host),
        tuple(map(tuple, table.get("levels", content["levels"]))),
        {kind: _texts(options) for kind, options in table.get("fence", {}).items()},
    )


def _texts(table: Mapping[str, object]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in table.items()
    }


Found = tuple[Path, str]


def _contradictions(content: Mapping[str, shapes.Any]) -> Iterator[Found]:
    """Yield what is wrong with an inventory whose every part has the right shape."""
    yield from _of_agents(content)
    yield from _of_levels(("levels",), content["levels"], content)
    for place in ("controller", "compute"):
        for index, table in enumerate(content[place]):
            yield from _of_node((place, index), table, content)
    yield from _of_secrets(content)
    yield from _of_groups(content)
    yield from _twice(content)
    yield from _of_ids(content)


_PARAMS: tuple[tuple[str, str, tuple[Param[object], ...]], ...] = (
    ("evacuate", nova_evacuate.SPEC.name, nova_evacuate.SPEC.params),
    ("unfence", nova_compute_unfence.SPEC.name, nova_compute_unfence.SPEC.params),
    ("gate", fence_nova_gate.SPEC.name, fence_nova_gate.PARAMS),
)
"""Tables of parameters: whose, and which there are."""


_SAID_ELSEWHERE = {
    nova_evacuate.CLOUD.name: "the key cloud",
    nova_evacuate.STORAGE.name: "the key storage",
    nova_evacuate.HOST_MAP.name: "nova_host of a compute",
}
"""Parameters of NovaEvacuate that are not said under evacuate, and where they are."""


def _of_agents(content: Mapping[str, shapes.Any]) -> Iterator[Found]:
    for place, agent, all_ in _PARAMS:
        given = _texts(content.get(place, {}))
        params = {param.name: param for param in all_}
        for name in given.keys() - params.keys():
            yield (place, name), f"{agent} has no parameter {name!r}; it has {_list(params)}"
        for name in given.keys() & params.keys():
            try:
                params[name].parse(given[name])
            except ValueError as error:
                yield (place, name), str(error)
    for name in sorted(_SAID_ELSEWHERE.keys() & content.get("evacuate", {}).keys()):
        yield ("evacuate", name), f"{name} is said by {_SAID_ELSEWHERE[name]}"
    if fence_nova_gate.GROUPS.name in content.get("gate", {}):
        yield ("gate", "groups"), "groups is said by the table groups"
    try:
        nova_evacuate.CLOUD.parse(content["cloud"])
    except ValueError as error:
        yield ("cloud",), str(error)


def _of_groups(content: Mapping[str, shapes.Any]) -> Iterator[Found]:
    groups, names = content.get("groups", {}), {table["name"] for table in content["compute"]}
    if groups and "gate" not in content:
        yield ("groups",), "groups are of the storm brake: say gate = {} for one with its defaults"
    for group, nodes in groups.items():
        try:
            check_group(group)
        except ValueError as error:
            yield ("groups", group), str(error)
        for node in sorted(set(nodes) - names):
            yield ("groups", group), f"{group} names {node!r}, which is no compute"
        if len(set(nodes)) < len(nodes):
            yield ("groups", group), f"{group} names a compute twice"


def _of_levels(
    path: Path, levels: list[list[str]], content: Mapping[str, shapes.Any]
) -> Iterator[Found]:
    fence = content["fence"]
    if not levels:
        yield path, "levels is empty: a node without a level cannot be fenced"
    for number, level in enumerate(levels, 1):
        unknown = [kind for kind in level if kind not in fence]
        for kind in unknown:
            yield path, f"level {number} names {kind!r}; there is {_list(fence)} under fence"
        agents = [fence[kind]["agent"] for kind in level if kind in fence]
        if not unknown and all(agent in NOT_REAL for agent in agents):
            yield path, f"level {number} has no device that cuts power or storage"
        if len(set(level)) < len(level):
            yield path, f"level {number} names a device twice"


def _of_node(
    path: Path, table: Mapping[str, shapes.Any], content: Mapping[str, shapes.Any]
) -> Iterator[Found]:
    levels = table.get("levels", content["levels"])
    own, fence = table.get("fence", {}), content["fence"]
    if "levels" in table:
        yield from _of_levels((*path, "levels"), levels, content)
    for kind in own.keys() - fence.keys():
        yield (*path, "fence", kind), f"{table['name']}: {kind!r} is not under fence"
    for kind in own.keys() & fence.keys():
        if fence[kind].get("shared", False):
            yield from _of_plug((*path, "fence", kind), kind, own[kind])
    wanted = {kind for level in levels for kind in level if kind in fence}
    for kind in sorted(wanted - own.keys()):
        if not fence[kind].get("shared", False):
            yield path, f"{table['name']} has no {kind!r}, which its levels name"


_PLUG = re.compile(r"[^\s;:]+")
"""In pcmk_host_map a colon ends the node's name, and a semicolon or a space the plug."""


def _of_plug(path: Path, kind: str, options: Mapping[str, object]) -> Iterator[Found]:
    """Yield what cannot be said of one node where one device fences all of them."""
    for option in sorted(options.keys() - {"plug"}):
        yield (*path, option), f"{kind} is shared: of one node only its plug can be said"
    plug = str(options.get("plug", "-"))
    if not _PLUG.fullmatch(plug):
        yield (*path, "plug"), f"plug {plug!r} has a space, a semicolon or a colon"


def _of_secrets(content: Mapping[str, shapes.Any]) -> Iterator[Found]:
    fence = content["fence"]
    places: list[tuple[Path, str, Mapping[str, object]]] = [
        (("fence", kind, "options"), kind, table.get("options", {}))
        for kind, table in fence.items()
    ]
    for place in ("controller", "compute"):
        places += [
            ((place, index, "fence", kind), kind, options)
            for index, table in enumerate(content[place])
            for kind, options in table.get("fence", {}).items()
        ]
    for path, kind, options in places:
        if kind in fence and not fence[kind].get("password_in_cib", False):
            for option in sorted(SECRETS & options.keys()):
                yield (
                    (*path, option),
                    (
                        f"{option} would be kept in the CIB: give {option}_script, or say"
                        f" password_in_cib = true under fence.{kind}"
                    ),
                )


def _twice(content: Mapping[str, shapes.Any]) -> Iterator[Found]:
    seen: dict[tuple[str, str], str] = {}
    for place in ("controller", "compute"):
        for index, table in enumerate(content[place]):
            for what, value, below in _unique(table, content["fence"]):
                first = seen.setdefault((what, value), table["name"])
                if first != table["name"] or what == "name":
                    if what == "name" and (place, index) == _first(content, value):
                        continue
                    yield (place, index, *below), f"{what} {value} is that of {first} already"


def _first(content: Mapping[str, shapes.Any], name: str) -> tuple[str, int]:
    return next(
        (place, index)
        for place in ("controller", "compute")
        for index, table in enumerate(content[place])
        if table["name"] == name
    )


def _unique(
    table: Mapping[str, shapes.Any], fence: Mapping[str, shapes.Any]
) -> Iterator[tuple[str, str, Path]]:
    """Yield what no other node may have: (what, value, place in the node's table)."""
    yield "name", table["name"], ("name",)
    if "address" in table:
        yield "address", table["address"], ("address",)
        yield "Nova host", table.get("nova_host", table["name"]), ("nova_host",)
    for kind, options in table.get("fence", {}).items():
        if kind not in fence or fence[kind].get("shared", False):
            plug = options.get("plug")
            if plug is not None:
                yield f"plug of {kind}", str(plug), ("fence", kind)
        elif "ip" in options:
            words = [str(options[key]) for key in ("ip", "ipport", "plug") if key in options]
            yield f"{kind} address", ":".join(words), ("fence", kind)


def _of_ids(content: Mapping[str, shapes.Any]) -> Iterator[Found]:
    """Yield what would have the id of something else in the CIB, or none that is allowed there."""
    seen: dict[str, str] = {}
    for path, id_, what in _ids(content):
        if is_ours(id_):
            yield path, f"{what} would have the id {id_}, which nova-ha gives to its own"
        elif seen.setdefault(id_, what) != what:
            yield path, f"{what} would have the id {id_}, like {seen[id_]}"
        if id_[0].isdigit():
            yield path, f"{what} becomes a resource, and no id of one begins with a digit"


def _ids(content: Mapping[str, shapes.Any]) -> Iterator[tuple[Path, str, str]]:
    """Yield the id of each remote connection and fence device: (place, id, what has it)."""
    for index, table in enumerate(content["compute"]):
        yield ("compute", index, "name"), table["name"], f"compute {table['name']}"
    for place in ("controller", "compute"):
        for index, table in enumerate(content[place]):
            levels = table.get("levels", content["levels"])
            for kind in dict.fromkeys(kind for level in levels for kind in level):
                shared = content["fence"].get(kind, {}).get("shared", False)
                path: Path = ("fence", kind) if shared else (place, index, "fence", kind)
                id_ = device_id(kind, None if shared else table["name"])
                of = f"the device {kind}" + ("" if shared else f" of {table['name']}")
                yield path, id_, of


def _list(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "nothing"
