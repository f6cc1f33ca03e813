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
from novaha.core.model import Server, View
from novaha.core.names import ServerId
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
    return is_placed_at_once(reading, server) and _state_of(server) != STOPPED


def is_placed_at_once(reading: Reading, server: Server) -> bool:
    """Tell whether an instance stands stopped after its evacuation, and so waits for nobody."""
    return in_two(reading.view, reading.policy) and _state_of(server) != ERROR


def _state_of(server: Server) -> str:
    return server.details.vm_state if server.details else ERROR


def keep_starts(reading: Reading, fates: Sequence[Fate]) -> tuple[KeepStarts, ...]:
    """Return what has to be written down before the next request of a host: who runs there."""
    recovery = reading.recovery
    wanted = {f.server.id for f in fates if f.kept is None and _runs(reading, f.server)}
    before = reading.view.cluster.starts_of(recovery.node)
    known = before.servers if before else frozenset()
    ready = {fate.server.id for fate in fates if fate.state is InstanceState.READY}
    if not (ready & wanted) - known:
        return ()
    first = recovery.after_migration
    after = min(first, before.after_migration) if before else first
    return (KeepStarts(Starts(recovery.node, recovery.host, after, known | wanted)),)


def _runs(reading: Reading, server: Server) -> bool:
    """Tell whether an instance counts as running; one in ERROR may have another state later."""
    known = server.details is not None
    return known and in_two(reading.view, reading.policy) and _state_of(server) != STOPPED


def placing(reading: Reading, fates: Sequence[Fate], stuck: Container[ServerId]) -> bool:
    """Tell whether anything of a host is on its way to its place, or can go there now.

    One in ERROR has to wait for its turn where it is, and so must not be waited for.
    """
    if not in_two(reading.view, reading.policy):
        return False
    moving = (f for f in fates if f.state in _MOVING and f.server.id not in stuck)
    ready = (f for f in fates if f.state is InstanceState.READY)
    return any(moving) or any(_state_of(f.server) != ERROR for f in ready)


_MOVING = frozenset({InstanceState.IN_FLIGHT, InstanceState.UNSURE, InstanceState.MOVED})
