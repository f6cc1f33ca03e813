"""When the cluster began and whom it has not seen since, as Pacemaker's status section tells.

    node_state of a controller    lrm: what ran there, each with its second; the oldest is as old as
                                  the memory of the cluster
    node_state of a remote node   none: never tried. in_ccm false, no lrm: tried, and never reached

Sources: Pacemaker 2.1.5, daemons/controld/controld_remote_ra.c (remote_node_up, remote_node_down),
lib/pengine/unpack.c; the same in 3.0.0, where in_ccm is the second of joining.
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

from novaha.adapters import cib
from novaha.core.coldstart import Beginning
from novaha.core.names import NodeName

DAEMON = "pacemakerd"
_ANCESTORS = 4
"""A fence agent is a child of pacemaker-fenced, that of pacemakerd; a shell may stand between."""


def beginning_of(root: ET.Element, gated: Collection[NodeName]) -> Beginning:
    """Return what a CIB tells of the beginning; gated: the hosts that are asked about."""
    seen = frozenset(seen_of(root))
    wanted = frozenset(_connections(root)) & frozenset(gated)
    return Beginning(_oldest_s(root), wanted - seen)


def _connections(root: ET.Element) -> Iterator[NodeName]:
    """Yield the remote nodes that are to be connected: nobody has stopped or unmanaged them."""
    for primitive in root.iterfind("./configuration/resources//primitive[@type='remote']"):
        pairs = primitive.iterfind("./meta_attributes/nvpair")
        meta = {pair.get("name"): pair.get("value", "").lower() for pair in pairs}
        managed = meta.get("is-managed", "true") not in ("false", "no", "off", "0")
        if managed and meta.get("target-role") != "stopped":
            yield NodeName(primitive.get("id", ""))


def seen_of(root: ET.Element) -> Iterator[NodeName]:
    """Yield the nodes that joined since the beginning, or were fenced since."""
    for state in root.iterfind("./status/node_state"):
        joined = state.get("in_ccm", "false") not in ("false", "0")
        if joined or state.get("node_fenced") == "1" or state.find(".//lrm_rsc_op") is not None:
            yield NodeName(state.get("uname", ""))
    for resource in root.iterfind("./status/node_state/lrm/lrm_resources/lrm_resource"):
        if cib.successful_starts(resource):
            yield NodeName(resource.get("id", ""))


def _oldest_s(root: ET.Element) -> float | None:
    """Return the second of the oldest thing that a controller remembers; computes do not count."""
    controllers = (s for s in root.iterfind("./status/node_state") if not s.get("remote_node"))
    ops: Iterable[ET.Element] = (op for state in controllers for op in state.iter("lrm_rsc_op"))
    seconds = [int(text) for op in ops if (text := op.get("last-rc-change", "")).isdecimal()]
    return min((second for second in seconds if second > 0), default=None)


def older(beginning: Beginning, began_s: float | None) -> Beginning:
    """Return a beginning that is no later than that of the daemon that asks.

    `pcs resource refresh` has Pacemaker forget all that ran, and a cluster is not new by that.
    """
    known = [at_s for at_s in (beginning.at_s, began_s) if at_s is not None]
    return Beginning(min(known, default=None), beginning.unseen)


def daemon_began_s() -> float | None:
    """Return when the pacemakerd began that has started this process, None if none has."""
    pid = os.getppid()
    for _ in range(_ANCESTORS):
        with suppress(OSError, ValueError, IndexError):
            name, _, rest = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")
            fields = rest.split()
            if name.partition("(")[2] == DAEMON:
                up_s = time.clock_gettime(time.CLOCK_BOOTTIME)
                return time.time() - up_s + int(fields[19]) / os.sysconf("SC_CLK_TCK")
            pid = int(fields[1])
    return None


def ask_again(root: ET.Element, nodes: Collection[NodeName]) -> None:
    """Have Pacemaker take hosts for unseen again, so that it wants them fenced once more.

    By its own rule for nodes that it has not seen since it began (startup-fencing): when it cannot
    connect to them. One that it can connect to joins, and is not fenced. Raises ClusterUnavailable.
    """
    for state in root.iterfind("./status/node_state"):
        if state.get("uname", "") in nodes:
            cib.delete_state(state)
