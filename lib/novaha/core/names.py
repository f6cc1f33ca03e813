"""Types for names that look alike, and the one function that maps between them."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NewType

NodeName = NewType("NodeName", str)
"""A Pacemaker node (uname); for a compute, the id of its remote connection."""

ComputeHost = NewType("ComputeHost", str)
"""The ``host`` of a nova-compute service, as Nova's API shows it."""

ServerId = NewType("ServerId", str)
"""The UUID of a Nova server (an instance)."""


class HostNotFound(LookupError):
    """No nova-compute service belongs to the node."""


class HostAmbiguous(LookupError):
    """More than one nova-compute service could belong to the node."""


def compute_host_of(
    node: NodeName,
    hosts: Iterable[ComputeHost],
    host_map: Mapping[NodeName, ComputeHost],
) -> ComputeHost:
    """Return the Nova host that runs on a Pacemaker node.

    An entry of the map decides alone, and its host belongs to no other node. Otherwise the exact
    name decides; failing that, the only host of which one name is the other's first DNS label. Two
    hosts that could match are an error and never a guess: the wrong one would be evacuated while it
    runs.

    Raises HostNotFound, HostAmbiguous.
    """
    known = tuple(hosts)
    wanted = host_map.get(node)
    if wanted is not None:
        return _only((host for host in known if host == wanted), node, f"mapped to {wanted}")
    free = [host for host in known if host not in host_map.values()]
    exact = [host for host in free if str(host) == str(node)]
    if exact:
        return exact[0]
    return _only((host for host in free if alike(host, node)), node, "by first label")


def some_of(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def alike(host: str, node: str) -> bool:
    """Tell whether one name is the other or its first label; two domains are two machines."""
    return host == node or host.split(".", 1)[0] == node or node.split(".", 1)[0] == host


def is_alike(host: str, nodes: AbstractSet[str], labels: AbstractSet[str]) -> bool:
    """Tell whether a name is `alike` to one of many; labels: the first labels of them."""
    return host in nodes or host.split(".", 1)[0] in nodes or host in labels


def first_labels(names: Iterable[str]) -> frozenset[str]:
    """Return the first label of each name."""
    return frozenset(name.split(".", 1)[0] for name in names)


def _only(matches: Iterable[ComputeHost], node: NodeName, how: str) -> ComputeHost:
    found = sorted(set(matches))
    if not found:
        msg = f"Nova knows no nova-compute service for node {node} ({how})"
        raise HostNotFound(msg)
    if len(found) > 1:
        msg = f"node {node} could be {' or '.join(found)} ({how})"
        raise HostAmbiguous(msg)
    return found[0]
