"""Reading the `host_map` parameter."""

import re

from novaha.core.names import ComputeHost, NodeName

_PAIR = re.compile(r"([A-Za-z0-9._-]+)=([A-Za-z0-9._-]+)")


def parse_host_map(text: str) -> dict[NodeName, ComputeHost]:
    """Read `node=host` pairs separated by blanks.

    Raises ValueError with the pair that is wrong, or the name that stands there twice: a node with
    two hosts, or two nodes with one host, would let one node's fencing evacuate another's.
    """
    pairs: dict[NodeName, ComputeHost] = {}
    for word in text.split():
        match = _PAIR.fullmatch(word)
        if match is None:
            msg = f"host_map: {word!r} is not node=host"
            raise ValueError(msg)
        node, host = NodeName(match[1]), ComputeHost(match[2])
        if node in pairs or host in pairs.values():
            msg = f"host_map: {word!r} names a node or host for the second time"
            raise ValueError(msg)
        pairs[node] = host
    return pairs
