"""What operators and owners have said in Nova about instances and hosts, and how it is looked up.

A key is looked for where it is nearest to the instance: its metadata, its tags (`key=value`), its
flavor's extra specs, its image's properties, and last the metadata of its host's aggregates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from novaha.core.details import Details
from novaha.core.names import ComputeHost, ServerId
from novaha.core.segments import Aggregate

AFFINITY = "affinity"


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """A server group; policy: affinity, anti-affinity, or their soft forms.

    most_per_host: of its members, by an anti-affinity policy.
    Source: Compute API "List Server Groups", microversion 2.64 onward.
    """

    id: str
    name: str
    policy: str
    most_per_host: int = 1
    members: frozenset[ServerId] = frozenset()


@dataclass(frozen=True)
class Rules:
    """All host aggregates and server groups of a cloud."""

    aggregates: tuple[Aggregate, ...] = ()
    groups: tuple[ServerGroup, ...] = ()

    @cached_property
    def apart(self) -> Mapping[ServerId, str]:
        """The anti-affinity group of each instance that is in one; soft ones keep nobody apart."""
        strict = (group for group in self.groups if group.policy == "anti-affinity")
        return {server: group.id for group in strict for server in group.members}

    @cached_property
    def together(self) -> Mapping[ServerId, ServerGroup]:
        """The affinity group of each instance that is in one; soft ones bind nobody."""
        strict = (group for group in self.groups if group.policy == AFFINITY)
        return {server: group for group in strict for server in group.members}

    def of(self, host: ComputeHost) -> "Rules":
        """Return the rules with the aggregates of one host only, in the order of their names.

        Always the same object, which keeps what was worked out of it.
        """
        if host not in self._hosts:
            mine = (aggregate for aggregate in self.aggregates if host in aggregate.hosts)
            ordered = tuple(sorted(mine, key=lambda a: (a.name, a.id)))
            self._hosts[host] = replace(self, aggregates=ordered)
        return self._hosts[host]

    @cached_property
    def _hosts(self) -> dict[ComputeHost, "Rules"]:
        return {}

    @cached_property
    def worked_out(self) -> dict[ServerId, object]:
        """What was worked out of these rules for each instance (core/verdict.py)."""
        return {}


class Place(IntEnum):
    """Where something can be said of an instance, the nearest first."""

    METADATA = 1
    TAG = 2
    NAME = 3
    FLAVOR = 4
    IMAGE = 5
    AGGREGATE = 6


class Said(NamedTuple):
    """A value and who said it, in words: "flavor m1.small"."""

    value: str
    where: str
    place: Place


def said(key: str, details: Details, rules: Rules) -> Said | None:
    """Return what is said of an instance nearest to it; rules: those of its host."""
    return next(sayings(key, details, rules), None)


def nearest(key: str, details: Details, rules: Rules) -> tuple[Said, ...]:
    """Return all that is said at the nearest place: tags and aggregates can contradict."""
    places = groupby(sayings(key, details, rules), key=lambda said: said.place)
    return next((tuple(group) for _, group in places), ())


def sayings(key: str, details: Details, rules: Rules) -> Iterator[Said]:
    """Yield all that is said of an instance with a key, the nearest first."""
    if key in details.metadata:
        yield Said(details.metadata[key], "its metadata", Place.METADATA)
    for tag in sorted(details.tags):
        name, _, value = tag.partition("=")
        if name == key:
            yield Said(value, "its tag", Place.TAG)
    if key in details.flavor.specs:
        yield Said(details.flavor.specs[key], f"flavor {details.flavor.name}", Place.FLAVOR)
    if key in details.image_properties:
        yield Said(details.image_properties[key], f"image {details.image}", Place.IMAGE)
    for aggregate in rules.aggregates:
        if key in aggregate.metadata:
            yield Said(aggregate.metadata[key], f"aggregate {aggregate.name}", Place.AGGREGATE)
