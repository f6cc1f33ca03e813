"""Fencings that succeeded, to the millisecond, by the word of every fencer that is still there.

The history that `stonith_admin` prints has whole seconds and ends with the cluster; the fencers'
logs have the same lines and stay on the controllers' disks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from testcloud.cluster import PACEMAKER_LOG, Cluster
from testcloud.names import NodeName

_SUCCESS = re.compile(
    r"(?P<when>\w{3} \d\d \d\d:\d\d:\d\d\.\d{3}) .*\(finalize_op\).*"
    r"Operation '(?:reboot|off)' targeting (?P<node>\S+) by .*: OK \(.*id=(?P<id>\w+)"
)


@dataclass(frozen=True)
class Fencing:
    """A fencing and when Pacemaker reported its success, in seconds since the epoch."""

    at_s: float
    node: NodeName


def fencings(cluster: Cluster, since_s: float) -> tuple[Fencing, ...]:
    """Return the fencings that ended with success since a moment, in their order.

    A controller with a wrong clock is not asked.
    """
    first: dict[str, Fencing] = {}
    for controller in filter(cluster.clock_is_right, cluster.controllers()):
        search = ("grep", "-h", "finalize_op", PACEMAKER_LOG)
        for id_, fencing in successes_in(cluster.exec(controller, search, check=False).out):
            if id_ not in first or fencing.at_s < first[id_].at_s:
                first[id_] = fencing
    later = (fencing for fencing in first.values() if fencing.at_s >= since_s)
    return tuple(sorted(later, key=lambda fencing: fencing.at_s))


def successes_in(log: str) -> Iterator[tuple[str, Fencing]]:
    """Yield the successes that a fencer has logged, each with its own word for which one it was."""
    year = datetime.now(UTC).year  # the log has none
    for match in _SUCCESS.finditer(log):
        when = datetime.strptime(f"{year} {match['when']} +0000", "%Y %b %d %H:%M:%S.%f %z")
        yield match["id"], Fencing(when.timestamp(), NodeName(match["node"]))
