"""When each part of a fencing was over, by the logs of the controllers' fencers."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from testcloud.cluster import PACEMAKER_LOG, Cluster

RECEIPT_DEVICE = "fence-nova"
_WANTED = "Requesting fencing|log_async_result|finalize_op"
_LINE = re.compile(
    r"(?P<when>\w{3} \d\d \d\d:\d\d:\d\d\.\d{3}) .*(?:"
    r"(?P<begun>Requesting fencing) \(\w+\) of node (?P<lost>\S+)"
    r"|Operation '(?P<action>on|off)' \[\d+\] targeting (?P<target>\S+) using (?P<device>\S+)"
    r" returned 0"
    r"|Operation '(?:reboot|off)' targeting (?P<fenced>\S+) by .*: OK )"
)


def phases(cluster: Cluster, node: str, since_s: float) -> dict[str, float]:
    """Return when each part was over first, in seconds since a moment."""
    found: dict[str, float] = {}
    for controller in cluster.controllers():
        search = ("grep", "-hE", _WANTED, PACEMAKER_LOG)
        log = cluster.exec(controller, search, check=False).out
        for name, at_s in phases_in(log, node):
            if at_s >= since_s:
                found[name] = min(found.get(name, at_s), at_s)
    return {name: round(at_s - since_s, 3) for name, at_s in found.items()}


def phases_in(log: str, node: str) -> Iterator[tuple[str, float]]:
    """Yield the parts of a node's fencings in a log, each with its moment."""
    year = datetime.now(UTC).year  # the log has none
    for match in _LINE.finditer(log):
        if node in {match["lost"], match["target"], match["fenced"]} and _name(match):
            when = datetime.strptime(f"{year} {match['when']} +0000", "%Y %b %d %H:%M:%S.%f %z")
            yield _name(match), when.timestamp()


def _name(match: re.Match[str]) -> str:
    """Return what is over; empty for what nobody waits for."""
    if match["begun"]:
        return "fencing begun"
    if match["fenced"]:
        return "fenced"
    if match["device"] == RECEIPT_DEVICE:
        return "receipt" if match["action"] == "off" else ""
    return f"powered {match['action']}"
