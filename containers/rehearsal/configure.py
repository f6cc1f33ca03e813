"""Pacemaker's configuration, by the pcs commands of crm-config/, as an operator would run them."""

from testcloud import install
from testcloud.cluster import Cluster
from testcloud.names import Role
from testcloud.waiting import until

from .pacemaker import look

CLOUD = "nova-ha"
SCRIPT = "/usr/share/nova-ha/crm-config/pcs-setup"
_READY_TIMEOUT_S = 120.0


def configured(cluster: Cluster) -> bool:
    """Tell whether the cluster already has our resources."""
    argv = ("cibadmin", "--query", "--xpath", "//primitive[@id='nova-evacuate']")
    return cluster.exec(cluster.controllers()[0], argv, check=False).code == 0


def configure(cluster: Cluster) -> None:
    """Install this checkout everywhere, configure once, wait until every compute serves."""
    install.everywhere(cluster)
    if configured(cluster):
        # A run that was broken off may have left it disabled.
        enable = ("pcs", "resource", "enable", "nova-evacuate", "--wait=60")
        cluster.exec(cluster.controllers()[0], enable, timeout_s=90.0)
        restart = ("crm_resource", "--restart", "--resource", "nova-evacuate", "--timeout", "60s")
        cluster.exec(cluster.controllers()[0], restart, timeout_s=90.0)
    else:
        argv = ("env", "NOVA_COMPUTE=lsb:nova-compute", "bash", SCRIPT, CLOUD)
        lines = node_lines(cluster).encode()
        cluster.exec(cluster.controllers()[0], argv, stdin=lines, timeout_s=180.0)
    wait_ready(cluster)


def node_lines(cluster: Cluster) -> str:
    """Return what pcs-setup reads: a line for each node."""
    lines = []
    for machine in cluster.settings.nodes():
        bmc = cluster.bmc_of(machine.name)
        address = machine.ip if machine.role is Role.COMPUTE else "-"
        words = (machine.role, machine.name, address, bmc.ip, bmc.port, bmc.user, bmc.password)
        lines.append(" ".join(map(str, words)) + "\n")
    return "".join(lines)


def wait_ready(cluster: Cluster, timeout_s: float = _READY_TIMEOUT_S) -> None:
    """Wait until NovaEvacuate and, on every compute, nova-compute run."""

    def ready() -> bool:
        seen = look(cluster)
        computes = cluster.computes()
        return seen.where("NovaEvacuate") is not None and all(
            seen.nodes.get(node) == "online" and seen.runs("nova-compute", node)
            for node in computes
        )

    until("NovaEvacuate and nova-compute on every compute to be started", ready, timeout_s, 0.5)
