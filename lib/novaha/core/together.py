"""The first of an affinity group to leave a lost host: Nova's scheduler can choose no host for it.

The scheduler lets a member go to hosts only on which one is, by Nova's database. While that is the
lost host alone it finds none, and leaves the instance in ERROR. So the first one goes past the
scheduler, to a host that is chosen here, and the others follow it by the scheduler's own choice.

When the first arrives Nova looks at the group once more, and fails it, to ERROR, too, while others
are on the lost host; but not where `[workarounds] disable_group_policy_check_upcall` is set, and
not where it is the only member. No evacuation gets the others past that check.

Source: ServerGroupAffinityFilter, setup_instance_group (nova/scheduler/utils.py),
_validate_instance_group_policy (nova/compute/manager.py), 34.0, and seen with it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from novaha.core.actions import AskServices
from novaha.core.capacity import Need, Room, need_of, without_room
from novaha.core.fates import Fate, Reading
from novaha.core.model import Service
from novaha.core.names import ComputeHost, alike
from novaha.core.placing import Placing
from novaha.core.readying import LISTS_S
from novaha.core.reserve import lost_hosts
from novaha.core.rules import ServerGroup
from novaha.core.states import InstanceState


class Target(NamedTuple):
    """Where an instance goes; the last two as in Evacuate and Candidate."""

    to: ComputeHost | None = None
    forced: bool = False
    alone: str | None = None


def first_or_any(reading: Reading, fates: Sequence[Fate], fate: Fate, where: Placing) -> Target:
    """Return where an instance goes: the first of its affinity group past the scheduler.

    Where nobody knows whether a member is elsewhere, tries take turns: the scheduler would know.
    """
    group, to = reading.bound(fate.server.id), where.target(fate)
    if group is None:
        return Target(to)
    listed = {each.server.id for each in fates}
    if group.members - listed and fate.failures % 2:
        return Target(to, alone=group.id)
    needs = tuple(_needs(group, fates))
    to = to or next(iter(_turned(_hosts(reading, needs), fate.failures)), None)
    return Target(to, forced=to is not None, alone=group.id)


def asks_before_the_first(reading: Reading, fates: Sequence[Fate]) -> tuple[AskServices, ...]:
    """Return the question for the services, when one is to go past the scheduler, which knows them.

    What a person has disabled meanwhile must not get it.
    """
    services, view = reading.view.memory.services, reading.view
    fresh_s = min(view.now_s - LISTS_S, view.cycle_s)
    ready = (fate for fate in fates if fate.state is InstanceState.READY)
    if services is not None and services.asked_s >= fresh_s:
        return ()
    return (AskServices(),) if any(reading.bound(fate.server.id) for fate in ready) else ()


def _needs(group: ServerGroup, fates: Sequence[Fate]) -> Iterator[Need]:
    """Yield what the members take together that are to leave the host."""
    for fate in fates:
        if fate.server.id in group.members and fate.server.details and fate.kept is None:
            yield need_of(fate.server.details)


def _hosts(reading: Reading, needs: tuple[Need, ...]) -> list[ComputeHost]:
    """Return the hosts that a group may go to, the emptiest first; with room for all, if there is.

    The scheduler's filters are passed by: only a host of the same aggregates is like the lost one.
    """
    view, lost = reading.view, reading.recovery.host
    rooms = (view.memory.room.value if view.memory.room else None) or ()
    services = view.memory.services.value if view.memory.services else ()
    gone = {lost, *lost_hosts(view, reading.policy)}
    open_ = [s.host for s in services if _takes(s) and s.host not in gone]
    like = [host for host in open_ if _aggregates(reading, host) == _aggregates(reading, lost)]
    room = {host: _room(host, rooms) for host in like}
    fit = [host for host in like if not without_room(needs, (room[host],))]
    return sorted(fit or like, key=lambda host: (-room[host].ram_mib, host))


def _takes(service: Service) -> bool:
    return service.enabled and service.up and not service.forced_down


def _aggregates(reading: Reading, host: ComputeHost) -> frozenset[int]:
    rules = reading.view.memory.rules
    aggregates = rules.value.aggregates if rules else ()
    return frozenset(a.id for a in aggregates if host in a.hosts)


def _room(host: ComputeHost, rooms: Sequence[Room]) -> Room:
    """Return what is free on a host, nothing where Placement does not tell."""
    return next((room for room in rooms if alike(room.name, host)), Room(host, 0, 0))


def _turned(hosts: list[ComputeHost], by: int) -> list[ComputeHost]:
    return [*hosts[by % len(hosts) :], *hosts[: by % len(hosts)]] if hosts else []
