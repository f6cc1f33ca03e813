"""The part of world.toml that tells what Nova holds: instances, aggregates, their metadata."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from novaha.core.names import NodeName, ServerId
from novaha.sim.spec import AggregateSpec, Instance, WorldSpec
from novaha.sim.worldchecks import Checks, joined

CLOUD_TABLES = ("instances", "groups", "affinity", "images", "metadata", "aggregates")

Table = tuple[str, list[str]]
"""A table's name and its rows."""


class CloudReader(Checks):
    """Reads it."""

    def instances(self, data: Mapping[str, object], computes: list[str]) -> tuple[Instance, ...]:
        """Return the instances of each compute, with their groups, images and metadata."""
        on: list[tuple[str, str]] = []
        for node, value in self.table("instances", data).items():
            if node not in computes:
                self.wrong(f"instances.{node}", "an unknown node", f"one of {joined(computes)}")
            on += [(name, node) for name in self.names(f"instances.{node}", value)]
        for name, times in Counter(name for name, _ in on).items():
            if times > 1:
                self.wrong("instances", f"{name!r} {times} times", "each instance once")
        known = [name for name, _ in on]
        group_of = self.members("groups", data, known, least=2)
        bound_to = self.members("affinity", data, known, least=1)
        image_of = self.members("images", data, known, least=1)
        said = self.metadata(data, known)
        return tuple(
            Instance(
                ServerId(name),
                NodeName(node),
                group_of.get(name, ""),
                image_of.get(name, ""),
                said.get(name, {}),
                bound_to.get(name, ""),
            )
            for name, node in on
        )

    def members(
        self, place: str, data: Mapping[str, object], instances: list[str], least: int
    ) -> dict[str, str]:
        """Return the group, or the image, of each instance that has one."""
        found: dict[str, str] = {}
        for group, value in self.table(place, data).items():
            for name in self.names(f"{place}.{group}", value, least=least):
                self.known(f"{place}.{group}", name, instances)
                if name in found:
                    text = f"{name!r}, which is in {found[name]}"
                    self.wrong(f"{place}.{group}", text, f"each instance in one of {place}")
                found[name] = group
        return found

    def metadata(
        self, data: Mapping[str, object], instances: list[str]
    ) -> dict[str, dict[str, str]]:
        """Return what is said of each instance in its metadata."""
        tables = self.table("metadata", data)
        for name in tables:
            self.known(f"metadata.{name}", name, instances)
        return {name: self.texts(f"metadata.{name}", value) for name, value in tables.items()}

    def aggregates(
        self, data: Mapping[str, object], computes: list[str]
    ) -> tuple[AggregateSpec, ...]:
        """Return the host aggregates."""
        found = []
        for name, value in self.table("aggregates", data).items():
            key = f"aggregates.{name}"
            table = self.as_table(key, value)
            self.unknown(f"{key}.", table, ("hosts", "metadata"))
            hosts = self.names(f"{key}.hosts", table.get("hosts", []))
            for host in [host for host in hosts if host not in computes]:
                self.wrong(f"{key}.hosts", repr(host), f"a compute: {joined(computes)}")
            said = self.texts(f"{key}.metadata", table.get("metadata", {}))
            found.append(AggregateSpec(name, tuple(map(NodeName, hosts)), said))
        return tuple(found)

    def known(self, key: str, name: str, instances: list[str]) -> None:
        """Note a name that is no instance's."""
        if name not in instances:
            self.wrong(key, repr(name), f"an instance: {joined(instances)}")


def cloud_tables(spec: WorldSpec) -> Iterator[Table]:
    """Yield the tables of a world, those without rows included."""
    on = {node: [i.id for i in spec.instances if i.node == node] for node in spec.computes}
    yield "instances", [f"{node} = {listed(ids)}" for node, ids in on.items() if ids]
    yield "groups", _members({i.id: i.group for i in spec.instances})
    yield "affinity", _members({i.id: i.together for i in spec.instances})
    yield "images", _members({i.id: i.image for i in spec.instances})
    for instance in spec.instances:
        yield f"metadata.{instance.id}", _said(instance.metadata)
    for aggregate in spec.aggregates:
        said = ", ".join(_said(aggregate.metadata))
        rows = [f"hosts = {listed(aggregate.nodes)}", f"metadata = {{ {said} }}"]
        yield f"aggregates.{aggregate.name}", rows


def _members(of: Mapping[ServerId, str]) -> list[str]:
    names = dict.fromkeys(filter(None, of.values()))
    return [f"{name} = {listed(i for i, its in of.items() if its == name)}" for name in names]


def _said(metadata: Mapping[str, str]) -> list[str]:
    return [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in metadata.items()]


def listed(names: Iterable[str]) -> str:
    """Return names as a list of TOML."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
