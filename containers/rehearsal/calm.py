"""Bring the cluster back to a state in which nothing is broken and nothing is left over."""

from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.rest import ApiError
from testcloud.waiting import until

from .configure import wait_ready
from .pacemaker import look

A_PERSONS_WORD = "nova-ha-confirmed-"
"""Kept for those who ask later, by intent for ever: only a test's next test forgets it."""

_OVER_TIMEOUT_S = 180.0
_SERVICES_TIMEOUT_S = 120.0


def make_calm(cluster: Cluster, cloud: CloudCtl) -> None:
    """Undo every fault, delete every instance, and wait until all recoveries are over.

    Raises WaitTimedOut when that does not come about by itself: what is left then is a bug.
    """
    cluster.undo_faults()
    cluster.wait_quorate()
    until("Nova to list its services", lambda: _services(cloud), _SERVICES_TIMEOUT_S, 0.5)
    cloud.wipe()
    _enable(cluster)
    _forget_words(cluster)
    until(
        "all receipts and recovery records to be gone",
        lambda: not look(cluster).properties,
        _OVER_TIMEOUT_S,
        0.5,
        lambda: (look(cluster).properties, cloud.services()),
    )
    _forget_failures(cluster)
    wait_ready(cluster)
    for service in cloud.services():
        if service.forced_down or service.status != "enabled":
            cloud.set_service(service.host, forced_down=False, status="enabled")
    until(
        "every nova-compute to be up",
        lambda: _all_up(cluster, cloud),
        _SERVICES_TIMEOUT_S,
        0.5,
        cloud.services,
    )


def _enable(cluster: Cluster) -> None:
    """Undo `pcs resource disable`; pcs itself takes a second, before each of a hundred tests."""
    meta = ("--meta", "--delete-parameter", "target-role")
    _crm_resource(cluster, "nova-evacuate", *meta)


def _forget_words(cluster: Cluster) -> None:
    for name in look(cluster).properties:
        if name.startswith(A_PERSONS_WORD):
            argv = ("crm_attribute", "--type", "crm_config", "--name", name, "--delete")
            cluster.exec(cluster.controllers()[0], argv)


def _forget_failures(cluster: Cluster) -> None:
    """Clean up what failed, and the history, which puts hosts on probation.

    Connections recover by themselves.
    """
    seen = look(cluster)
    for resource in sorted(seen.failed - set(cluster.computes())):
        _crm_resource(cluster, resource, "--cleanup")
    if seen.fencings:
        forget_fencings(cluster)


def forget_fencings(cluster: Cluster) -> None:
    """Empty Pacemaker's fencing history, which puts hosts on probation; no recovery may be open."""
    argv = ("stonith_admin", "--cleanup", "--history", "*")
    cluster.exec(cluster.controllers()[0], argv)


def _services(cloud: CloudCtl) -> bool:
    try:
        return bool(cloud.services())
    except ApiError:
        return False


def _all_up(cluster: Cluster, cloud: CloudCtl) -> bool:
    up = {service.host for service in cloud.services() if service.state == "up"}
    return up >= set(cluster.computes())


def _crm_resource(cluster: Cluster, resource: str, *how: str) -> None:
    cluster.exec(cluster.controllers()[0], ("crm_resource", "--resource", resource, *how))
