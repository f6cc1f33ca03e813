"""Whether nova-compute may start on this very node; the agent and the systemd drop-in ask here.

    the cluster   a receipt, or a record of an evacuation that is not over, holds (adapters/cib.py)
    guests        once the cluster lets the node return from a recovery, none may run that
                  nova-compute did not start: Nova may have it elsewhere by now
    a person      may let the node go in spite of both, until it boots again

Guests count once for each recovery. nova-compute starts those that are its own as soon as it may,
and when it is started anew before the recovery is over, they are no trace of a former life.
"""

import os
import re
import shutil
from collections.abc import Callable

from novaha.adapters.cib import has_node, read_hold
from novaha.adapters.command import run
from novaha.adapters.guests import former_life
from novaha.core.names import NodeName
from novaha.errors import ClusterUnavailable
from novaha.hold import Marker

NODE_NAME_TIMEOUT_S = 10.0


class Gate:
    """What nova-compute has to pass on this node.

    run_root: the folder of what nova-ha keeps until the next boot. node: tells this node's name.
    names: of the guests that are Nova's.
    """

    def __init__(self, run_root: str, node: Callable[[], NodeName], names: re.Pattern[str]) -> None:
        """Look at nothing yet."""
        self._node, self._names = node, names
        self._passed = Marker(f"{run_root}/hold/passed")
        self._returns_from: str | None = None
        self.word = Marker(f"{run_root}/hold/let-go")

    def why_held(self) -> str | None:
        """Return why nova-compute must not start, None where it may; raises ClusterUnavailable."""
        if self.word.is_set():
            return None
        held = read_hold(self._node())
        self._returns_from = held.returns_from
        if held.why is not None:
            return "; and ".join(filter(None, (held.why, former_life(self._names))))
        if held.returns_from is None or self._passed.text() == held.returns_from:
            return None
        return former_life(self._names)

    def remember(self) -> None:
        """Remember that nova-compute was let go: guests that run from now on are its own."""
        if self._returns_from is not None:
            self._passed.set(self._returns_from)


def own_name(said: str | None = None) -> NodeName:
    """Return this node's name in the cluster; raises ClusterUnavailable.

    The packages of a remote node bring no crm_node. The host name, or what a person said, is as
    good where the cluster has such a node: nothing would ever hold one that it has not.
    """
    if said is None and shutil.which("crm_node"):
        return NodeName(run(["crm_node", "-n"], timeout_s=NODE_NAME_TIMEOUT_S).strip())
    name = said or os.uname().nodename
    for candidate in dict.fromkeys((name, name if said else name.split(".", 1)[0])):
        if has_node(NodeName(candidate)):
            return NodeName(candidate)
    msg = f"it has no node {name}; say --node with the name that it has for this one"
    raise ClusterUnavailable(msg)
