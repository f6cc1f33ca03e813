"""When machines lost and got their power: the engine's own word, which nobody can forge."""

import threading
from dataclasses import dataclass
from typing import Self

from testcloud import shell
from testcloud.cluster import Cluster
from testcloud.names import NodeName

_FORMAT = '{{.TimeNano}} {{.Action}} {{index .Actor.Attributes "name"}}'


@dataclass(frozen=True)
class Switched:
    """A machine was switched off or on, in seconds since the epoch."""

    at_s: float
    node: NodeName
    on: bool


class PowerWatch:
    """Follows the engine's events of a cluster's computes in a thread."""

    def __init__(self, cluster: Cluster) -> None:
        """Start nothing yet."""
        self._nodes = {cluster.container(name): name for name in cluster.computes()}
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.seen: list[Switched] = []

    def __enter__(self) -> Self:
        """Begin to follow."""
        kinds = [f"--filter=event={kind}" for kind in ("start", "die")]
        argv = ("docker", "events", "--filter=type=container", *kinds, "--format", _FORMAT)
        self._process = shell.follow(argv)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop following."""
        self._process.kill()
        self._thread.join()
        self._process.__exit__(None, None, None)

    def _follow(self) -> None:
        for line in self._process.stdout or ():
            nanoseconds, action, container = line.decode().split()
            node = self._nodes.get(container)
            if node is not None:
                self.seen.append(Switched(int(nanoseconds) / 1e9, node, action == "start"))
