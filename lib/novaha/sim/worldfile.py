"""The text of world.toml, read into a WorldSpec and written back.

    computes = ["compute-1", "compute-2", "compute-3"]
    move_s = 6.0                    # any number of WorldSpec
    [instances]
    compute-1 = ["vm-1", "vm-2"]
    [groups]                        # anti-affinity
    web = ["vm-1", "vm-2"]
    [affinity]                      # groups of what must be on one host
    db = ["vm-3"]
    [images]                        # what these were booted from; the others have a volume
    cirros = ["vm-1"]
    [metadata.vm-1]
    "nova_ha:may_lose" = "root"
    [aggregates.rack-1]
    hosts = ["compute-1"]
    metadata = { "nova_ha:storage" = "local" }
    [policy]
    max_in_flight = 1               # any number of Policy, and:
    storage = "local"
    protect = "tagged"
    exclude_names = "amphora-* test-*"
    phases = "two"
    canary = "image=i flavor=f"
    [gate]                          # the storm brake: levels begin with fence_nova_gate
    cluster_limit = 2               # any number of GateSpec
    [racks]                         # its groups
    r1 = ["compute-1", "compute-2"]

Strict: what is not known, or contradicts itself, is a problem and never passed over.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from novaha.core.brakestate import check_group
from novaha.core.canary import parse_recipe
from novaha.core.names import NodeName
from novaha.core.phases import Phases
from novaha.core.policy import Policy
from novaha.core.selection import NO_NAMES, Mode, parse_names
from novaha.core.storage import Storage
from novaha.sim.script import Problem, ScriptError, seconds
from novaha.sim.spec import GateSpec, WorldSpec
from novaha.sim.worldchecks import joined
from novaha.sim.worldcloud import CLOUD_TABLES, CloudReader, cloud_tables, listed

_WORLD_NUMBERS = tuple(f.name for f in fields(WorldSpec) if f.name.endswith("_s"))
_POLICY_WORDS = ("storage", "protect", "exclude_names", "phases", "canary")
_POLICY_NUMBERS = tuple(
    f.name for f in fields(Policy) if f.name not in ("host_map", *_POLICY_WORDS)
)
_COUNTS = ("max_in_flight", "max_per_destination", "drain_in_flight", "max_recoveries")
_GATE_NUMBERS = tuple(f.name for f in fields(GateSpec) if f.name != "racks")
_TABLES = (*CLOUD_TABLES, "policy", "gate", "racks")
_KEYS = ("computes", "controllers", *_TABLES, *_WORLD_NUMBERS)
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
    usual = WorldSpec(computes=())
    lines = [f"computes = {listed(spec.computes)}"]
    if spec.controllers != usual.controllers:
        lines.append(f"controllers = {listed(spec.controllers)}")
    lines += _numbers(spec, usual, _WORLD_NUMBERS)
    policy = [*_words(spec.policy), *_numbers(spec.policy, usual.policy, _POLICY_NUMBERS)]
    for name, rows in (*cloud_tables(spec), ("policy", policy)):
        lines += [f"\n[{name}]", *rows] if rows else []
    if spec.gate is not None:
        lines += ["\n[gate]", *_numbers(spec.gate, GateSpec(), _GATE_NUMBERS)]
        racks = [f"{name} = {listed(nodes)}" for name, nodes in spec.gate.racks.items()]
        lines += ["\n[racks]", *racks] if racks else []
    return "\n".join(lines) + "\n"


def _words(policy: Policy) -> list[str]:
    usual = Policy()
    names = " ".join(policy.exclude_names) or NO_NAMES
    rows = (
        ("storage", policy.storage, usual.storage),
        ("protect", policy.protect, usual.protect),
        ("exclude_names", names, " ".join(usual.exclude_names)),
        ("phases", policy.phases, usual.phases),
        ("canary", policy.canary.to_text() if policy.canary else "", ""),
    )
    return [f'{key} = "{value}"' for key, value, otherwise in rows if value != otherwise]


def _numbers(thing: object, usual: object, names: Iterable[str]) -> list[str]:
    changed = [name for name in names if getattr(thing, name) != getattr(usual, name)]
    return [f"{name} = {seconds(getattr(thing, name))}" for name in changed]


class _Reader(CloudReader):
    """Reads the whole of it."""

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
            aggregates=self.aggregates(data, computes),
            gate=self.gate(data, computes),
        )
        numbers: dict[str, Any] = {
            key: self.number(key, data[key]) for key in _WORLD_NUMBERS if key in data
        }
        return replace(spec, **numbers)

    def policy(self, table: Mapping[str, object]) -> Policy:
        """Return the policy with the numbers and words that are given."""
        self.unknown("policy.", table, (*_POLICY_NUMBERS, *_POLICY_WORDS))
        usual = Policy()
        numbers: dict[str, Any] = {
            key: self.number(f"policy.{key}", value)
            for key, value in table.items()
            if key in _POLICY_NUMBERS and key not in _COUNTS
        }
        counts: dict[str, Any] = {
            key: self.count(f"policy.{key}", table[key]) for key in _COUNTS if key in table
        }
        policy = replace(usual, **counts, **numbers, **self.policy_words(table))
        for low, high in (("poll_s", "poll_last_s"), ("retry_first_s", "retry_last_s")):
            if getattr(policy, low) > getattr(policy, high):
                expected = f"at most {high}, which is {seconds(getattr(policy, high))}"
                self.wrong(f"policy.{low}", seconds(getattr(policy, low)), expected)
        return policy

    def policy_words(self, table: Mapping[str, object]) -> dict[str, Any]:
        """Return what of the policy is said in words, as the agent's parameters have it."""
        readers: dict[str, Callable[[str], object]] = {
            "storage": Storage,
            "protect": Mode,
            "exclude_names": parse_names,
            "phases": Phases,
            "canary": parse_recipe,
        }
        words: dict[str, Any] = {}
        for key, read in readers.items():
            try:
                words |= {key: read(str(table[key]))} if key in table else {}
            except ValueError as error:
                self.wrong(f"policy.{key}", repr(table[key]), f"otherwise: {error}")
        return words

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
                self.wrong(f"racks.{rack}", repr(name), f"a compute: {joined(computes)}")
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
