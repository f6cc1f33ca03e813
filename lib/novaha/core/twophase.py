"""Which instances are placed stopped, and that it is written down which of them have to run.

Facts about Nova 27.0 to 34.0 (nova/api/openstack/compute/evacuate.py; nova/compute/manager.py,
_do_rebuild_instance, stop_instance): with 2.95 the API sets the target state `stopped`, and refuses
with 400 where a nova-compute of any cell is older than service version 62 (27.0). The destination
**boots the guest** like any other, waits until it runs, and only then switches it off, hard
(clean_shutdown False); then the instance gets its new host and the record is `done`. That is what
Nova does with every stopped instance that is evacuated, with any microversion. One in ERROR is left
running. A failure between boot and switching off fails the record, and the guest runs on.
"""

from collections.abc import Container, Sequence

from novaha.core.actions import AskPhases, KeepStarts
from novaha.core.fates import Fate, Reading
from novaha.core.model import ClusterView, Memory, Server, View
from novaha.core.names import NodeName, ServerId
from novaha.core.phases import Phases
from novaha.core.policy import Policy
from novaha.core.starts import Starts
from novaha.core.states import InstanceState

STOPPED = "stopped"
ERROR = "error"
"""Nova leaves such an instance running, whatever it is asked; so it waits for its turn before."""


def ask_phases(view: View, policy: Policy) -> tuple[AskPhases, ...]:
    """Return the question whether Nova can leave instances stopped, where that is wanted."""
    unknown = policy.phases is Phases.TWO and view.memory.leaves_stopped is None
    return (AskPhases(),) if unknown else ()


def in_two(view: View, policy: Policy) -> bool:
    """Tell whether instances are placed first and started afterwards."""
    return policy.phases is Phases.TWO and view.memory.leaves_stopped is True


def is_left_stopped(reading: Reading, server: Server) -> bool:
    """Tell whether an instance that runs is to be placed stopped; one in ERROR cannot be."""
    state = server.details.vm_state if server.details else ERROR
    return in_two(reading.view, reading.policy) and state not in (STOPPED, ERROR)


def to_start(cluster: ClusterView, memory: Memory, but: NodeName | None = None) -> set[ServerId]:
    """Return all instances that have to be started, and are not known to need it no more."""
    entries = (entry for entry in cluster.starts if entry.node != but)
    return {id_ for entry in entries for id_ in entry.servers if id_ not in memory.needless}


def keep_starts(reading: Reading, fates: Sequence[Fate]) -> tuple[KeepStarts, ...]:
    """Return what has to be written down before the next request of a host.

    Which instances run; and which of them stand stopped only because the host is their second one
    that was lost.
    """
    view, recovery = reading.view, reading.recovery
    others = to_start(view.cluster, view.memory, but=recovery.node)
    movable = [fate for fate in fates if fate.kept is None and fate.server.details is not None]
    running = {f.server.id for f in movable if _runs(reading, f.server)}
    wanted = running | {f.server.id for f in movable if f.server.id in others}
    before = view.cluster.starts_of(recovery.node)
    known = before.servers if before else frozenset()
    ready = {fate.server.id for fate in fates if fate.state is InstanceState.READY}
    if not (ready & wanted) - known:
        return ()
    first = recovery.after_migration
    after = min(first, before.after_migration) if before else first
    return (KeepStarts(Starts(recovery.node, recovery.host, after, known | wanted)),)


def _runs(reading: Reading, server: Server) -> bool:
    """Tell whether an instance counts as running, and may be stopped by us: in ERROR, later."""
    state = server.details.vm_state if server.details else STOPPED
    return in_two(reading.view, reading.policy) and state != STOPPED


def placing(reading: Reading, fates: Sequence[Fate], stuck: Container[ServerId]) -> bool:
    """Tell whether anything of a host is on its way to its place, or can go there now.

    One in ERROR has to wait for its turn where it is, and so must not be waited for.
    """
    if not in_two(reading.view, reading.policy):
        return False
    moving = (f for f in fates if f.state in _MOVING and f.server.id not in stuck)
    ready = (f for f in fates if f.state is InstanceState.READY)
    return any(moving) or any(not _in_error(f.server) for f in ready)


def _in_error(server: Server) -> bool:
    return server.details is None or server.details.vm_state == ERROR


_MOVING = frozenset({InstanceState.IN_FLIGHT, InstanceState.UNSURE, InstanceState.MOVED})
