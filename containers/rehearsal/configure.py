"""Pacemaker's configuration, generated from an inventory, as an operator would do it."""

from testcloud import install, lifecycle
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.docker import File
from testcloud.names import Machine, Role
from testcloud.settings import Settings
from testcloud.waiting import until

from .pacemaker import look

CLOUD = "nova-ha"
INVENTORY = "/etc/nova-ha/inventory.toml"
PASSWORD_SCRIPT = "/etc/nova-ha/bmc-password"  # noqa: S105  (where it is, not what it says)
_READY_TIMEOUT_S = 120.0


def bring_up() -> tuple[Cluster, CloudCtl]:
    """Return the container cluster, up and configured, and its cloud."""
    settings = Settings()
    cluster = lifecycle.up(settings)
    configure(cluster)
    return cluster, CloudCtl(settings)


def configured(cluster: Cluster) -> bool:
    """Tell whether the cluster already has our resources, and says what they ask for by now."""
    xpath = "//primitive[@id='nova-evacuate'][.//nvpair[@name='storage']]"
    argv = ("cibadmin", "--query", "--xpath", xpath)
    return cluster.exec(cluster.controllers()[0], argv, check=False).code == 0


def configure(cluster: Cluster) -> None:
    """Install this checkout everywhere, configure once, wait until every compute serves."""
    install.everywhere(cluster)
    if configured(cluster):
        # A run that was broken off may have left it disabled, or a host that cannot be fenced.
        cluster.undo_faults()
        enable = ("pcs", "resource", "enable", "nova-evacuate", "--wait=60")
        cluster.exec(cluster.controllers()[0], enable, timeout_s=90.0)
        restart = ("crm_resource", "--restart", "--resource", "nova-evacuate", "--timeout", "60s")
        cluster.exec(cluster.controllers()[0], restart, timeout_s=90.0)
    else:
        _apply(cluster)
    wait_ready(cluster)


def _apply(cluster: Cluster) -> None:
    """Place what the fence devices read on each controller, then change the CIB from one."""
    password = cluster.bmc_of(cluster.controllers()[0]).password
    script = File(PASSWORD_SCRIPT, f"#!/bin/sh\necho '{password}'\n".encode(), 0o700)
    for node in cluster.controllers():
        cluster.put(node, (script,))
    apply(cluster, inventory_of(cluster))


def apply(cluster: Cluster, inventory: str) -> None:
    """Make of the CIB what an inventory says, as an operator does; nothing is removed."""
    for node in cluster.controllers():
        cluster.put(node, (File(INVENTORY, inventory.encode()),))
    argv = ("nova-ha", "cib", "apply", "--yes", INVENTORY)
    cluster.exec(cluster.controllers()[0], argv, timeout_s=180.0)


def inventory_of(cluster: Cluster) -> str:
    """Return the inventory of the cluster: all nodes, each with its BMC."""
    user = cluster.bmc_of(cluster.controllers()[0]).user
    nodes = [_table(cluster, machine) for machine in cluster.settings.nodes()]
    return f"""\
cloud = "{CLOUD}"
storage = "shared"
profile = "fast"
nova_compute = "lsb:nova-compute"
levels = [["ipmi"]]

[fence.ipmi]
agent = "fence_ipmilan"
options = {{ username = "{user}", password_script = "{PASSWORD_SCRIPT}" }}

{"".join(nodes)}"""


def device_line(cluster: Cluster, node: str) -> str:
    """Return what the inventory says of the BMC of a node."""
    bmc = cluster.bmc_of(node)
    return f'fence.ipmi = {{ ip = "{bmc.ip}", ipport = {bmc.port} }}'


def _table(cluster: Cluster, machine: Machine) -> str:
    compute = machine.role is Role.COMPUTE
    address = f'address = "{machine.ip}"\n' if compute else ""
    return f"""\
[[{machine.role}]]
name = "{machine.name}"
{address}{device_line(cluster, machine.name)}

"""


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


def parameter(cluster: Cluster, *how: str) -> None:
    """Change a parameter of NovaEvacuate, as crm_resource says it; Pacemaker restarts it."""
    controller = cluster.controllers()[0]
    cluster.exec(controller, ("crm_resource", "--resource", "nova-evacuate", *how))
    cluster.exec(controller, ("crm_resource", "--wait"), timeout_s=90.0)
