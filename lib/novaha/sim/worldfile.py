"""The text of world.toml, read into a WorldSpec and written back.

    computes = ["compute-1", "compute-2", "compute-3"]
    move_s = 6.0                    # any number of WorldSpec
    [instances]
    compute-1 = ["vm-1", "vm-2"]
    [groups]                        # anti-affinity
    web = ["vm-1", "vm-2"]
    [policy]
    max_in_flight = 1               # any number of Policy
    [gate]                          # the storm brake: levels begin with fence_nova_gate
    cluster_limit = 2               # any number of GateSpec
    [racks]                         # its groups
    r1 = ["compute-1", "compute-2"]

Strict: what is not known, or contradicts itself, is a problem and never passed over.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from novaha.core.brakestate import check_group
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import Policy
from novaha.sim.script import LONGEST_S, MOST, Problem, ScriptError, seconds
from novaha.sim.spec import GateSpec, Instance, WorldSpec

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
"""What nodes, instances and groups may be called."""

MOST_NODES = 200
"""More computes, or instances, than anybody reads a trace of."""

_WORLD_NUMBERS = tuple(f.name for f in fields(WorldSpec) if f.name.endswith("_s"))
_POLICY_NUMBERS = tuple(f.name for f in fields(Policy) if f.name != "host_map")
_COUNTS = ("max_in_flight", "max_per_destination")
_GATE_NUMBERS = tuple(f.name for f in fields(GateSpec) if f.name != "racks")
_TABLES = ("instances", "groups", "policy", "gate", "racks")
_KEYS = ("computes", "controllers", *_TABLES, *_WORLD_NUMBERS)
_QUOTED = 60
"""So much of a wrong value is quoted."""

_AT_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")


def parse_world(text: str, file: str = "world.toml") -> WorldSpec:
    """Read a world; raises ScriptError with all its problems."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        problem = f"is no TOML: {_AT_LINE.sub('', str(error))}"
        line = int(at[1]) if at and at[1] else len(text.splitlines())
        raise ScriptError([Problem(file, line, problem)]) from error
    reader = _Reader(text, file)
    spec = reader.world(data)
    if reader.problems:
        raise ScriptError(reader.problems)
    return spec


def render_world(spec: WorldSpec) -> str:
    """Return the text of a world, without what stands at its default."""
    usual, tables = WorldSpec(computes=()), []
    lines = [f"computes = {_listed(spec.computes)}"]
    if spec.controllers != usual.controllers:
        lines.append(f"controllers = {_listed(spec.controllers)}")
    lines += _numbers(spec, usual, _WORLD_NUMBERS)
    on = {node: [i.id for i in spec.instances if i.node == node] for node in spec.computes}
    tables.append(("instances", [f"{node} = {_listed(ids)}" for node, ids in on.items() if ids]))
    groups = dict.fromkeys(i.group for i in spec.instances if i.group)
    members = {group: [i.id for i in spec.instances if i.group == group] for group in groups}
    tables.append(("groups", [f"{name} = {_listed(ids)}" for name, ids in members.items()]))
    tables.append(("policy", _numbers(spec.policy, usual.policy, _POLICY_NUMBERS)))
    for name, rows in tables:
        lines += [f"\n[{name}]", *rows] if rows else []
    if spec.gate is not None:
        lines += ["\n[gate]", *_numbers(spec.gate, GateSpec(), _GATE_NUMBERS)]
        racks = [f"{name} = {_listed(nodes)}" for name, nodes in spec.gate.racks.items()]
        lines += ["\n[racks]", *racks] if racks else []
    return "\n".join(lines) + "\n"


def _listed(names: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _numbers(thing: object, usual: object, names: Iterable[str]) -> list[str]:
    changed = [name for name in names if getattr(thing, name) != getattr(usual, name)]
    return [f"{name} = {seconds(getattr(thing, name))}" for name in changed]


class _Reader:
    """Checks everything and keeps the problems; what is wrong is left at its default."""

    def __init__(self, text: str, file: str) -> None:
        self.lines = text.splitlines()
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, key: str, found: object, expected: str) -> None:
        """Note a problem at the line where the last part of a key stands."""
        last = re.escape(key.rsplit(".", 1)[-1])
        at = re.compile(rf"\s*(\[\s*)?[\"']?{last}[\"']?\s*[=\]]")
        line = next((n for n, text in enumerate(self.lines, 1) if at.match(text)), 0)
        self.problems.append(Problem(self.file, line, f"{key}: found {found}, expected {expected}"))

    def world(self, data: Mapping[str, object]) -> WorldSpec:
        """Return the world, as far as it is right."""
        self.unknown("", data, _KEYS)
        usual = WorldSpec(computes=())
        computes = self.names("computes", data.get("computes", []), least=1)
        controllers = self.names("controllers", data.get("controllers", list(usual.controllers)), 1)
        for name in sorted(set(computes) & set(controllers)):
            self.wrong("controllers", repr(name), "no name that is also a compute's")
        spec = WorldSpec(
            tuple(map(NodeName, computes)),
            tuple(map(NodeName, controllers)),
            self.instances(data, computes),
            policy=self.policy(self.table("policy", data)),
            gate=self.gate(data, computes),
        )
        numbers: dict[str, Any] = {
            key: self.number(key, data[key]) for key in _WORLD_NUMBERS if key in data
        }
        return replace(spec, **numbers)

    def instances(self, data: Mapping[str, object], computes: list[str]) -> tuple[Instance, ...]:
        """Return the instances of each compute, with their groups."""
        on: list[tuple[str, str]] = []
        for node, value in self.table("instances", data).items():
            if node not in computes:
                self.wrong(f"instances.{node}", "an unknown node", f"one of {_joined(computes)}")
            on += [(name, node) for name in self.names(f"instances.{node}", value)]
        for name, times in Counter(name for name, _ in on).items():
            if times > 1:
                self.wrong("instances", f"{name!r} {times} times", "each instance once")
        group_of = self.groups(self.table("groups", data), [name for name, _ in on])
        return tuple(
            Instance(ServerId(name), NodeName(node), group_of.get(name, "")) for name, node in on
        )

    def groups(self, table: Mapping[str, object], instances: list[str]) -> dict[str, str]:
        """Return the anti-affinity group of each instance that is in one."""
        group_of: dict[str, str] = {}
        for group, value in table.items():
            for name in self.names(f"groups.{group}", value, least=2):
                if name not in instances:
                    known = _joined(instances)
                    self.wrong(f"groups.{group}", repr(name), f"an instance: {known}")
                elif name in group_of:
                    text = f"{name!r}, which is in {group_of[name]}"
                    self.wrong(f"groups.{group}", text, "each instance in one group")
                group_of[name] = group
        return group_of

    def policy(self, table: Mapping[str, object]) -> Policy:
        """Return the policy with the numbers that are given."""
        self.unknown("policy.", table, _POLICY_NUMBERS)
        usual = Policy()
        numbers: dict[str, Any] = {
            key: self.number(f"policy.{key}", value)
            for key, value in table.items()
            if key in _POLICY_NUMBERS and key not in _COUNTS
        }
        counts: dict[str, Any] = {
            key: self.count(f"policy.{key}", table[key]) for key in _COUNTS if key in table
        }
        policy = replace(usual, **counts, **numbers)
        for low, high in (("poll_s", "poll_last_s"), ("retry_first_s", "retry_last_s")):
            if getattr(policy, low) > getattr(policy, high):
                expected = f"at most {high}, which is {seconds(getattr(policy, high))}"
                self.wrong(f"policy.{low}", seconds(getattr(policy, low)), expected)
        return policy

    def gate(self, data: Mapping[str, object], computes: list[str]) -> GateSpec | None:
        """Return the storm brake, None where there is none."""
        racks: dict[str, tuple[NodeName, ...]] = {}
        for rack, value in self.table("racks", data).items():
            names = self.names(f"racks.{rack}", value, least=1)
            try:
                check_group(rack)
            except ValueError as error:
                self.wrong("racks", repr(rack), str(error))
            for name in [name for name in names if name not in computes]:
                self.wrong(f"racks.{rack}", repr(name), f"a compute: {_joined(computes)}")
            racks[rack] = tuple(map(NodeName, names))
        if "gate" not in data:
            if racks:
                self.wrong("racks", "no gate", "a table [gate], whose groups the racks are")
            return None
        table = self.table("gate", data)
        self.unknown("gate.", table, _GATE_NUMBERS)
        numbers: dict[str, Any] = {
            key: (self.number if key.endswith("_s") else self.count)(f"gate.{key}", value)
            for key, value in table.items()
            if key in _GATE_NUMBERS
        }
        return GateSpec(**numbers, racks=racks)

    def unknown(self, where: str, data: Mapping[str, object], known: tuple[str, ...]) -> None:
        for key in data:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.wrong(f"{where}{key}", "an unknown key", f"one of {_joined(known)}{hint}")

    def table(self, key: str, data: Mapping[str, object]) -> Mapping[str, object]:
        value = data.get(key, {})
        if isinstance(value, dict):
            return value
        self.wrong(key, repr(value), f"a table: [{key}]")
        return {}

    def names(self, key: str, value: object, least: int = 0) -> list[str]:
        """Return a list of different names."""
        if not isinstance(value, list) or not least <= len(value) <= MOST_NODES:
            expected = f"a list of {least} to {MOST_NODES} names"
            self.wrong(key, _short(value), expected)
            return []
        good: list[str] = []
        for name in value:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                self.wrong(key, _short(name), "names of small letters, digits, - and .")
            elif name in good:
                self.wrong(key, f"{name!r} twice", "each name once")
            else:
                good.append(name)
        return good

    def number(self, key: str, value: object) -> float:
        """Return a number of seconds above 0."""
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if good and isinstance(value, int | float) and 0 < value <= LONGEST_S:
            return float(value)
        self.wrong(key, _short(value), f"a number above 0, at most {seconds(LONGEST_S)}")
        return 1.0

    def count(self, key: str, value: object) -> int:
        """Return a whole number, 1 or more."""
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
            return value
        self.wrong(key, _short(value), f"a whole number from 1 to {MOST}")
        return 1


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _joined(names: Iterable[str]) -> str:
    return " ".join(names) or "none (there is none)"
