"""Aggregates and server groups as Nova lists them, read.

Raises KeyError, TypeError, AttributeError and ValueError for what has another shape; the caller
knows what to make of them.
"""

from collections.abc import Mapping
from typing import Any

from novaha.core.names import ComputeHost, ServerId
from novaha.core.rules import ServerGroup
from novaha.core.segments import Aggregate

Json = Mapping[str, Any]


def aggregate(raw: Json) -> Aggregate:
    """Return an aggregate. Source: Compute API "List Aggregates"."""
    hosts = frozenset(map(ComputeHost, raw["hosts"]))
    metadata = {str(key): str(value) for key, value in raw["metadata"].items()}
    return Aggregate(int(raw["id"]), raw["name"], hosts, metadata)


def server_group(raw: Json) -> ServerGroup:
    """Return a server group; before 2.64 its only policy stands in a list.

    Source: Compute API "List Server Groups".
    """
    policy = raw.get("policy") or next(iter(raw.get("policies") or ()), "")
    most = int((raw.get("rules") or {}).get("max_server_per_host") or 1)
    members = frozenset(map(ServerId, raw["members"]))
    return ServerGroup(raw["id"], raw["name"], policy, most, members)
