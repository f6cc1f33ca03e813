"""The nova-compute service of a host: where it is listed, when to look again, what Nova refuses."""

from collections.abc import Iterable

from novaha.core.actions import AskServices, Decision, Hold
from novaha.core.model import Service, View
from novaha.core.names import (
    ComputeHost,
    HostAmbiguous,
    HostNotFound,
    NodeName,
    compute_host_of,
)
from novaha.core.pace import refusal_pause_s, services_due
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.silence import service_may_hang, service_unanswered


def find_service(services: tuple[Service, ...], host: ComputeHost) -> Service | None:
    """Return the host's service, or None when Nova does not list it."""
    return next((service for service in services if service.host == host), None)


def named_hosts(view: View) -> tuple[ComputeHost, ...]:
    """Return all hosts that Nova names, those too of which it tells no more for now."""
    services = view.memory.services.value if view.memory.services else ()
    return (*(service.host for service in services), *sorted(view.memory.hidden))


def listed_host(view: View, policy: Policy, node: NodeName) -> ComputeHost | None:
    """Return the Nova host of a node, None while Nova's list does not tell exactly one."""
    services = view.memory.services.value if view.memory.services else ()
    return _one_of([service.host for service in services], policy, node)


def named_host(view: View, policy: Policy, node: NodeName) -> ComputeHost | None:
    """Return the Nova host of a node, one of which Nova tells no more for now included."""
    return _one_of(named_hosts(view), policy, node)


def _one_of(hosts: Iterable[ComputeHost], policy: Policy, node: NodeName) -> ComputeHost | None:
    try:
        return compute_host_of(node, hosts, policy.host_map)
    except (HostNotFound, HostAmbiguous):
        return None


def services_again(
    view: View, policy: Policy, host: ComputeHost | None = None
) -> tuple[AskServices, ...]:
    """Return the question for the services, if their list has some age."""
    return (AskServices(),) if services_due(view, policy, host) else ()


def behind_a_down_cell(view: View, policy: Policy, host: ComputeHost) -> tuple[Decision, ...]:
    """Return what is done while Nova's cell with a host is down: wait, and look again.

    Nothing that Nova shows of it is true then: its lists leave out what is in a cell that is down.
    """
    if host not in view.memory.hidden:
        return ()
    text = "its Nova cell is down: what is on it cannot be seen, and nothing is done with it"
    return (*services_again(view, policy), Hold(host, Reason.CELL_DOWN, text))


def refused_change(view: View, policy: Policy, host: ComputeHost) -> Hold | None:
    """Return a hold while Nova's last refusal to change its service is fresh, or that hangs."""
    refused = view.memory.service_refused.get(host)
    if refused is None:
        return None
    until_s = refused.last_s + refusal_pause_s(policy, refused)
    if view.now_s >= until_s and not service_may_hang(view, host):
        return None
    silent = service_unanswered(view.memory, host)
    how = "does not answer a change of" if silent else "refuses to change"
    return Hold(host, Reason.BLOCKED, f"Nova {how} its service: {refused.text}")
