"""L7 on a real cluster: what the CIB says is to be recovered, and what is said about it."""

import json
import time
from collections.abc import Mapping
from typing import Any

from novaha.daemon import NOT_LOOKED
from rehearsal.repeated import Repeated
from testcloud.cluster import Cluster
from testcloud.errors import ClusterError

GRACE_S = 5.0
"""What stands in the CIB for less may not have been looked at yet by the process."""

INTERVAL_S = 1.0
OF_ALL = frozenset({"nova", "cluster"})
"""Subjects of what is said about all nodes together."""

_STATUS = "cat /run/nova-ha/nova-evacuate/status.json"
_CIB = "cibadmin --query --scope crm_config"
_OURS = ("nova-ha-receipt-", "nova-ha-recovery-", "nova-ha-drain-")

Status = Mapping[str, Any]


class Silences:
    """Notes each node that is to be recovered while a cycle ended without a word about it.

    seen: (time, node). Only a status that is newer than the last look at it tells of a cycle.
    """

    def __init__(self) -> None:
        """Nothing is known to be recovered yet."""
        self.seen: list[tuple[float, str]] = []
        self._since: dict[str, float] = {}
        self._told: dict[str, object] = {}

    def look(self, at_s: float, config: str, statuses: Mapping[str, Status]) -> None:
        """Compare the cluster's properties with what the process on each controller says."""
        nodes = concerned(config)
        self._since = {node: self._since.get(node, at_s) for node in nodes}
        old = {node for node, since_s in self._since.items() if at_s - since_s >= GRACE_S}
        for controller, status in statuses.items():
            cycle = (status["pid"], status["progress_s"])
            if self._told.get(controller) != cycle:
                self.seen += [(at_s, node) for node in sorted(old) if not says(status, node)]
            self._told[controller] = cycle


def concerned(config: str) -> set[str]:
    """Return the nodes of which the properties hold a receipt, a record or a drain."""
    words = config.replace('"', " ").split()
    return {word.removeprefix(kind) for word in words for kind in _OURS if word.startswith(kind)}


def says(status: Status, node: str) -> bool:
    """Tell whether a status gives a reason for a node, an instance of it, or all together.

    A node's host has the node's name here. A cycle that the cluster gave no answer to has one
    reason, and nothing else to tell; before the first one there is nothing to tell.
    """
    if status["summary"] == NOT_LOOKED or (status["reason"] and not status["held"]):
        return True
    names = {node, *OF_ALL, *(row["id"] for row in status["instances"] if row["host"] == node)}
    return any(row["subject"] in names for row in status["held"])


class SilenceWatch(Repeated):
    """Looks at all controllers again and again, in a thread."""

    def __init__(self, cluster: Cluster) -> None:
        """Start nothing yet."""
        super().__init__(INTERVAL_S)
        self._cluster = cluster
        self._silences = Silences()

    @property
    def seen(self) -> list[tuple[float, str]]:
        """Return when which node was not spoken of."""
        return self._silences.seen

    def look(self) -> None:
        """Compare the cluster's properties with what the processes say."""
        at_s = time.time()
        # The process first: what it says is then never younger than the properties.
        texts = {node: self._asked(node, _STATUS) for node in self._up()}
        statuses = {node: json.loads(text) for node, text in texts.items() if text}
        configs = (self._asked(c, _CIB) for c in self._up())
        config = next((text for text in configs if text), None)
        if config is not None:
            self._silences.look(at_s, config, statuses)

    def _up(self) -> list[str]:
        return [node for node in self._cluster.controllers() if self._cluster.running(node)]

    def _asked(self, controller: str, command: str) -> str:
        """Return what a command on a controller prints; nothing where that dies meanwhile."""
        try:
            return self._cluster.exec(controller, ("sh", "-c", command), check=False).out
        except ClusterError:
            return ""
