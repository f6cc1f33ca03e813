"""What a drain would do with the instances of a host: told before anything is changed."""

from dataclasses import dataclass, replace

from novaha.core.actions import (
    AskLiveMigrations,
    AskRoom,
    AskRules,
    AskServers,
    AskServices,
    Question,
)
from novaha.core.drain import Phase, Withdrawn
from novaha.core.drainsharing import HostDrain, in_turn
from novaha.core.leaving import Leaver, Reading, Way
from novaha.core.model import Service, View
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.services import find_service, listed_host

NO_ROOM = "Placement shows no room for it elsewhere"


@dataclass(frozen=True)
class Staying:
    """An instance that would stay, at least for now, and why."""

    id: str
    name: str
    why: str


@dataclass(frozen=True)
class Forecast:
    """What would become of a host. leave: the names of those that leave, in that order.

    service: how its Nova service stands, in words.
    """

    host: str
    service: str
    leave: tuple[str, ...]
    stay: tuple[Staying, ...]


def asks_to_foresee(view: View, policy: Policy, node: NodeName) -> tuple[Question, ...]:
    """Return what has to be asked of Nova next; nothing once all is known, or cannot be."""
    if view.memory.services is None:
        return (AskServices(),)
    host = listed_host(view, policy, node)
    if host is None or host in view.memory.servers:
        return ()
    return (AskServers(host, details=True), AskLiveMigrations(host), AskRules(), AskRoom())


def foresee(view: View, policy: Policy, node: NodeName) -> Forecast | None:
    """Return what a drain of a node would do, None where Nova has not told what that takes."""
    memory, host = view.memory, listed_host(view, policy, node)
    service = find_service(memory.services.value, host) if memory.services and host else None
    servers = memory.servers.get(host) if host else None
    records = memory.drain.records.get(host) if host else None
    if service is None or servers is None or records is None:
        return None
    newest = max((record.id for record in records.value), default=0)
    imagined = Withdrawn(node, service.host, Phase.CLOSED, after=newest)
    then = replace(view, cluster=replace(view.cluster, withdrawn=(imagined,)))
    leavers = Reading(then, policy, imagined, servers, records).leavers
    going = {way: tuple(x for x in leavers if x.way is way) for way in Way}
    ready = HostDrain(node, (), going[Way.READY], going[Way.MOVING])
    leave, lacking = in_turn(then, policy, ready)
    stay = (*map(_stays, (*going[Way.LATER], *going[Way.STAYS])), *map(_lacks, lacking))
    names = (*going[Way.MOVING], *leave)
    return Forecast(service.host, _told(service), tuple(x.server.name for x in names), stay)


def _stays(leaver: Leaver) -> Staying:
    return Staying(leaver.server.id, leaver.server.name, leaver.text)


def _lacks(leaver: Leaver) -> Staying:
    return Staying(leaver.server.id, leaver.server.name, NO_ROOM)


def _told(service: Service) -> str:
    if service.enabled:
        return "enabled; it would be disabled, and enabled again by nova-ha undrain"
    return f"disabled ({service.disabled_reason or 'no reason given'}), and stays so"
