"""A lost host whose nova-compute Nova does not list: never registered, removed, or renamed.

Nova deletes no service of a host that has instances (409, Compute API, DELETE /os-services/{id}),
so one that is gone has none to evacuate, and nova-compute, which registers a host, must not be kept
from doing so. Of a host that is not known at all nothing was evacuated: once it is back, what Nova
has on it, by whatever name, runs on it as before.
"""

from novaha.core.actions import (
    AskMigrations,
    AskServers,
    Decision,
    Hold,
    Release,
)
from novaha.core.flights import Flights
from novaha.core.model import View
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt
from novaha.core.recovery import Found, Proven, Recovery
from novaha.core.services import services_again

NOTHING_SET = Found(enabled=True, forced_down=False)
"""Of a service that was never seen nothing has to be given back."""


def unlisted(
    view: View, policy: Policy, recovery: Recovery, receipt: Receipt | None, flights: Flights
) -> tuple[Decision, ...]:
    """Return what a host needs whose service was removed from Nova during its recovery.

    It is released once Nova, asked after that, shows no instance on it and none on its way.
    """
    host, services = recovery.host, view.memory.services
    since_s = services.asked_s if services else view.now_s
    servers, migrations = view.memory.servers.get(host), view.memory.migrations.get(host)
    text = f"Nova no longer lists the nova-compute service of {host}"
    if servers is None or migrations is None or min(servers.asked_s, migrations.asked_s) < since_s:
        hold = Hold(host, Reason.HOST_UNKNOWN, f"{text}; Nova is asked what is on it")
        return (AskMigrations(host), AskServers(host), hold)
    if not servers.value and not flights.moving:
        return (Release(recovery, receipt),)
    left = len(flights.moving.union(server.id for server in servers.value))
    hold = Hold(host, Reason.HOST_UNKNOWN, f"{text}, and has {left} instances on it")
    return (*services_again(view, policy), hold)


def unknown(view: View, proven: Proven, missing: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Return what a proven fenced node needs of which this is missing before its recovery begins.

    One that Nova does not know is let go once it is back: nothing of it was evacuated.
    """
    holds = (each for each in missing if isinstance(each, Hold))
    if not any(hold.reason is Reason.HOST_UNKNOWN for hold in holds):
        return missing
    if proven.node not in view.cluster.online:
        return missing
    receipt, found = view.cluster.receipt_of(proven.node), proven.found or NOTHING_SET
    own = receipt if receipt is not None and receipt.id == proven.proof.receipt_id else None
    host = ComputeHost(proven.node)
    return (Release(Recovery(proven.node, proven.proof, host, "evacuating", found, 0), own),)
