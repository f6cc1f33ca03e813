"""The record of starts: which instances have to be started once they are evacuated.

From Nova's microversion 2.95 on an evacuated instance is left stopped, and nothing of Nova tells
one that was running from one that its owner had stopped. So it is written down in the CIB before
the first such request, beside the recovery, and stays there until all of them were started or need
it no more: the host does not wait for that, and any controller can go on with it.
"""

import re
from dataclasses import dataclass

from novaha.core.names import ComputeHost, NodeName, ServerId

_STARTS = re.compile(r"v1 host=(\S+) after=(\d{1,12}) servers=([0-9A-Za-z-]+(?:,[0-9A-Za-z-]+)*)")


class MalformedStarts(ValueError):
    """The CIB holds a record of starts that cannot be read; the text quotes its beginning."""


@dataclass(frozen=True)
class Starts:
    """Instances of a lost host that ran, and have to run again.

    after_migration: the highest evacuation record of the host of before; higher ones tell where
    they are.
    """

    node: NodeName
    host: ComputeHost
    after_migration: int
    servers: frozenset[ServerId]

    def to_value(self) -> str:
        """Return the text kept in the CIB."""
        servers = ",".join(sorted(self.servers))
        return f"v1 host={self.host} after={self.after_migration} servers={servers}"


def parse_starts(node: NodeName, value: str) -> Starts:
    """Read a record of starts back; raises MalformedStarts."""
    match = _STARTS.fullmatch(value)
    if match is None:
        msg = f"record of starts of {node} is malformed: {value[:120]!r}"
        raise MalformedStarts(msg)
    servers = frozenset(map(ServerId, match[3].split(",")))
    return Starts(node, ComputeHost(match[1]), int(match[2]), servers)
