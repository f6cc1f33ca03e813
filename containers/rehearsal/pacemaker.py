"""What Pacemaker says, read again and again by its stock tools on one controller."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self
from xml.etree import ElementTree as ET

from testcloud import shell
from testcloud.cluster import Cluster

NODE_STATES = ("offline", "unclean", "online")

# Ends with its input. Its output tells it nothing: Docker reads on when the client has been killed.
_LOOK = """
while :; do
  crm_mon -1 --output-as=xml --include=all 2>/dev/null && printf '\\0'
  cibadmin --query --scope crm_config 2>/dev/null && printf '\\0'
  read -r -t 0.4
  [ $? -gt 128 ] || exit
done
"""


@dataclass(frozen=True)
class Snapshot:
    """Pacemaker at one moment.

    nodes: uname to one of NODE_STATES. running: resource agent to the nodes where it is started.
    fencings: (target, status, completed) of the history. failures: exit reasons of failed
    operations; failed: the resources they are of. properties: the cluster properties that belong to
    nova-ha.
    """

    nodes: dict[str, str] = field(default_factory=dict)
    running: dict[str, frozenset[str]] = field(default_factory=dict)
    fencings: tuple[tuple[str, str, str], ...] = ()
    failures: tuple[str, ...] = ()
    failed: frozenset[str] = frozenset()
    properties: dict[str, str] = field(default_factory=dict)

    def fenced(self, node: str) -> str:
        """Return when the last successful fencing of a node ended, as Pacemaker prints it."""
        ends = [
            done for target, status, done in self.fencings if (target, status) == (node, "success")
        ]
        return max(ends, default="")

    def runs(self, agent: str, node: str) -> bool:
        """Tell whether an agent, by the end of its name, is started on a node."""
        return any(
            node in nodes for name, nodes in self.running.items() if name.endswith(f":{agent}")
        )

    def where(self, agent: str) -> str | None:
        """Return the one node where an agent runs, or None."""
        nodes = [
            node
            for name, on in self.running.items()
            if name.endswith(f":{agent}")
            for node in sorted(on)
        ]
        return nodes[0] if len(nodes) == 1 else None


def look(cluster: Cluster, controller: str = "controller-1") -> Snapshot:
    """Take one snapshot through a controller."""
    status = cluster.exec(controller, ("crm_mon", "-1", "--output-as=xml", "--include=all")).out
    config = cluster.exec(controller, ("cibadmin", "--query", "--scope", "crm_config")).out
    return _snapshot(_parse(status), _parse(config))


class Watch:
    """Follows Pacemaker through one controller in a thread, and calls back with each snapshot."""

    def __init__(
        self, cluster: Cluster, controller: str, seen: Callable[[float, Snapshot], None]
    ) -> None:
        """Start nothing yet; seen gets the wall-clock time and the snapshot."""
        argv = ("docker", "exec", "-i", cluster.container(controller), "bash", "-c", _LOOK)
        self._process = shell.follow(argv)
        self._seen = seen
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop following."""
        self._process.kill()
        self._thread.join()
        self._process.__exit__(None, None, None)

    def _follow(self) -> None:
        status: ET.Element | None = None
        for text in _records(self._process):
            root = _parse(text)
            if root.tag != "crm_config":
                status = root
            elif status is not None:
                self._seen(time.time(), _snapshot(status, root))


def _records(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Yield what stands between NUL bytes."""
    rest = b""
    while process.stdout is not None and (chunk := os.read(process.stdout.fileno(), 1 << 16)):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole


def _parse(text: str | bytes) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  (printed by the tools of our own cluster)


def _snapshot(status: ET.Element, config: ET.Element) -> Snapshot:
    running: dict[str, set[str]] = {}
    for resource in status.iterfind("resources//resource"):
        if resource.get("role") == "Started":
            nodes = running.setdefault(resource.get("resource_agent", ""), set())
            nodes.update(node.get("name", "") for node in resource.iterfind("node"))
    pairs = config.iterfind("cluster_property_set[@id='nova-ha-state']/nvpair")
    return Snapshot(
        {node.get("name", ""): _state(node) for node in status.iterfind("nodes/node")},
        {agent: frozenset(nodes) for agent, nodes in running.items()},
        tuple(
            (event.get("target", ""), event.get("status", ""), event.get("completed", ""))
            for event in status.iter("fence_event")
        ),
        tuple(failure.get("exitreason", "") for failure in status.iterfind("failures/failure")),
        frozenset(map(_resource, status.iterfind("failures/failure"))),
        {pair.get("name", ""): pair.get("value", "") for pair in pairs},
    )


def _resource(failure: ET.Element) -> str:
    """Return the resource of a failed operation; its key is resource_operation_interval."""
    return failure.get("op_key", "").rsplit("_", 2)[0]


def _state(node: ET.Element) -> str:
    if node.get("unclean") == "true":
        return "unclean"
    return "online" if node.get("online") == "true" else "offline"
