"""What is taken of a host's Nova service and standby, and how exactly that is given back.

    wanted --CLOSING--> its service is disabled --CLOSED--> (emptied) --PARKING--> standby --PARKED
    no longer wanted: standby is taken back, the service enabled if we had disabled it, forgotten

Each step is in the CIB before it is done, and once more when it was done: a process that has just
started does not do again what a person has undone since.
"""

from dataclasses import replace

from novaha.core.actions import (
    AskLiveMigrations,
    AskServers,
    AskServices,
    Decision,
    Disable,
    DropWithdrawn,
    Enable,
    Hold,
    KeepWithdrawn,
    SetStandby,
)
from novaha.core.drain import Phase, Wanted, Withdrawn
from novaha.core.model import Service, View
from novaha.core.names import ComputeHost, HostAmbiguous, HostNotFound, NodeName, compute_host_of
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import OUR_REASON, is_ours
from novaha.core.services import (
    behind_a_down_cell,
    find_service,
    listed_host,
    named_host,
    named_hosts,
    refused_change,
    services_again,
)

FRESH_S = 10.0
"""What a change rests on must not be older, or of this cycle: a person may have been faster."""

LONGEST_REASON = 255
"""What Nova keeps of a disabled_reason. Source: Compute API "Update Compute Service", 2.53."""


def fresh_s(view: View) -> float:
    """Return since when what a change rests on must have been asked for."""
    return min(view.now_s - FRESH_S, view.cycle_s)


def service_of(
    view: View, policy: Policy, node: NodeName, withdrawn: Withdrawn | None
) -> Service | tuple[Decision, ...]:
    """Return the Nova service of a node that is to be withdrawn, or what is missing."""
    services = view.memory.services
    if services is None:
        return (AskServices(),)
    try:
        known = withdrawn.host if withdrawn else None
        host = known or compute_host_of(node, named_hosts(view), policy.host_map)
    except (HostNotFound, HostAmbiguous) as error:
        reason = Reason.HOST_UNKNOWN if isinstance(error, HostNotFound) else Reason.HOST_AMBIGUOUS
        return (*services_again(view, policy), Hold(node, reason, f"{error}; set host_map"))
    if unseen := behind_a_down_cell(view, policy, host):
        return unseen
    service = find_service(services.value, host)
    if service is not None:
        return service
    text = f"Nova no longer lists the nova-compute service of {host}"
    return (*services_again(view, policy), Hold(node, Reason.HOST_UNKNOWN, text))


def close(
    view: View, policy: Policy, wanted: Wanted, withdrawn: Withdrawn | None, service: Service
) -> tuple[Decision, ...]:
    """Return what keeps new instances off a host, and has it written down."""
    services, records = view.memory.services, view.memory.drain.records.get(service.host)
    ask_services = services is None or services.asked_s < fresh_s(view)
    if ask_services or records is None:
        ask = (AskLiveMigrations(service.host),) if records is None else ()
        return (*ask, *((AskServices(),) if ask_services else ()))
    if hold := _not_now(view, policy, wanted.node, service):
        return (hold,)
    begin: tuple[Decision, ...] = ()
    after = max((record.id for record in records.value), default=0)
    if withdrawn is None:
        theirs = not service.enabled and not is_ours(service.disabled_reason)
        withdrawn = Withdrawn(wanted.node, service.host, Phase.CLOSING, not theirs, after)
        begin = (KeepWithdrawn(withdrawn),)
    reason = f"{OUR_REASON} {wanted.said}"[:LONGEST_REASON]
    disable = (Disable(service, reason),) if service.enabled else ()
    closed = replace(withdrawn, phase=Phase.CLOSED, after=after)
    return (*begin, *disable, KeepWithdrawn(closed))


def _not_now(view: View, policy: Policy, node: NodeName, service: Service) -> Hold | None:
    """Return why the service cannot be changed now.

    Of a host that has just died Nova takes a minute over it, and would hold up everything.
    """
    if service.up and node not in view.cluster.online:
        text = "is not in the cluster, and Nova does not know that yet"
        return Hold(node, Reason.DRAIN_WAITS, text)
    return refused_change(view, policy, service.host)


def park(view: View, withdrawn: Withdrawn) -> tuple[Decision, ...]:
    """Return what sets a node in standby; one that a person has in it is left alone."""
    there = withdrawn.node in view.cluster.standby
    if withdrawn.phase is Phase.PARKED or (withdrawn.phase is Phase.CLOSED and there):
        return ()
    begun = withdrawn.phase is Phase.PARKING
    begin = () if begun else (KeepWithdrawn(replace(withdrawn, phase=Phase.PARKING)),)
    step = () if there else (SetStandby(withdrawn.node, on=True),)
    return (*begin, *step, KeepWithdrawn(replace(withdrawn, phase=Phase.PARKED)))


def unpark(view: View, withdrawn: Withdrawn) -> tuple[Decision, ...]:
    """Return what takes a node out of the standby that we had set it in."""
    ours = withdrawn.phase >= Phase.PARKING and withdrawn.node in view.cluster.standby
    return (SetStandby(withdrawn.node, on=False),) if ours else ()


def give_back(view: View, policy: Policy, withdrawn: Withdrawn) -> tuple[Decision, ...]:
    """Return what gives a host back exactly what was taken of it."""
    node = withdrawn.node
    if step := unpark(view, withdrawn):
        return step
    services = view.memory.services
    if services is None or services.asked_s < fresh_s(view):
        return (AskServices(), Hold(node, Reason.GIVING_BACK, "is given back"))
    host = withdrawn.host or named_host(view, policy, node) or ComputeHost("")
    if unseen := behind_a_down_cell(view, policy, host):
        return unseen
    service = find_service(services.value, host)
    ours = service is not None and not service.enabled and is_ours(service.disabled_reason)
    if service is None or not ours:
        return (DropWithdrawn(withdrawn),)
    if not service.forced_down and service.up is not (node in view.cluster.online):
        text = "is given back as soon as its nova-compute is up, or the node is off for Nova, too"
        return (*services_again(view, policy), Hold(node, Reason.GIVING_BACK, text))
    hold = refused_change(view, policy, host)
    return (hold,) if hold else (Enable(service), DropWithdrawn(withdrawn))


def in_standby(view: View, policy: Policy, node: NodeName) -> tuple[Decision, ...]:
    """Return what is told of a node that a person has set in standby without draining it.

    That stops its nova-compute at once, without which Nova live-migrates nothing. Its instances
    run on, watched by nobody; what a loss of it needs, nova-ha does as ever.
    """
    host = listed_host(view, policy, node)
    if host is None:
        return services_again(view, policy) if view.memory.services is None else ()
    servers = view.memory.servers.get(host)
    old = servers is None or view.now_s - servers.asked_s >= policy.look_again_s
    ask = (AskServers(host, details=True),) if old else ()
    if servers is None or not servers.value:
        return ask
    text = (
        f"is in standby with {len(servers.value)} instances; to move them: pcs node unstandby"
        f" {node}, then nova-ha drain {node} --standby --yes"
    )
    return (*ask, Hold(node, Reason.STANDBY, text))
