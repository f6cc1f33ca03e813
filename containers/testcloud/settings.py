"""What a person can choose, and what follows from it."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from .errors import ClusterError
from .names import Bmc, Driver, Machine, NodeName, Role

CONTAINERS = Path(__file__).resolve().parents[1]
REPOSITORY = CONTAINERS.parent
MAX_COMPUTES = 100

_FIRST_CONTROLLER = 11
_CLOUD = 20
_BMC = 21
_FIRST_COMPUTE = 101
_FIRST_BMC_PORT = 6230


@dataclass(frozen=True)
class Settings:
    """Everything that shapes a cluster; the defaults are what tests and demo use."""

    state: Path = REPOSITORY / ".cluster"
    controllers: int = 3
    computes: int = 4
    driver: Driver = Driver.FAKE
    prefix: str = "nova-ha"
    subnet: str = "172.29.77.0/24"
    service_down_time_s: int = 60
    report_interval_s: int = 10

    def __post_init__(self) -> None:
        """Refuse what cannot work, before anything is touched."""
        if not 1 <= self.computes <= MAX_COMPUTES:
            msg = f"--computes must be 1 to {MAX_COMPUTES}, not {self.computes}"
            raise ClusterError(msg)

    def address(self, host_number: int) -> str:
        """Return the address of this number in the cluster's network."""
        return str(ipaddress.ip_network(self.subnet)[host_number])

    def controller_machines(self) -> tuple[Machine, ...]:
        """Return the controllers, `controller-1` first."""
        return tuple(
            Machine(
                NodeName(f"controller-{i + 1}"),
                Role.CONTROLLER,
                self.address(_FIRST_CONTROLLER + i),
            )
            for i in range(self.controllers)
        )

    def compute_machines(self) -> tuple[Machine, ...]:
        """Return the computes, `compute-1` first."""
        return tuple(
            Machine(NodeName(f"compute-{i + 1}"), Role.COMPUTE, self.address(_FIRST_COMPUTE + i))
            for i in range(self.computes)
        )

    def nodes(self) -> tuple[Machine, ...]:
        """Return everything that Pacemaker calls a node."""
        return self.controller_machines() + self.compute_machines()

    def cloud_machine(self) -> Machine:
        """Return the container with the OpenStack services."""
        return Machine(NodeName("cloud"), Role.CLOUD, self.address(_CLOUD))

    def bmc_machine(self) -> Machine:
        """Return the container in which every node's BMC answers."""
        return Machine(NodeName("bmc"), Role.BMC, self.address(_BMC))

    def machines(self) -> tuple[Machine, ...]:
        """Return every container of the cluster."""
        return (*self.nodes(), self.cloud_machine(), self.bmc_machine())

    def machine(self, name: str) -> Machine:
        """Return the container of this name.

        Raises ClusterError for a name that is not part of the cluster.
        """
        for machine in self.machines():
            if machine.name == name:
                return machine
        known = ", ".join(m.name for m in self.machines())
        msg = f"no node {name!r} in this cluster; there are {known}"
        raise ClusterError(msg)

    def container(self, name: str) -> str:
        """Return Docker's name for the container of a machine."""
        return f"{self.prefix}-{name}"

    def bmcs(self) -> dict[NodeName, Bmc]:
        """Return the BMC of every node; one container, one port each."""
        ip = self.bmc_machine().ip
        return {
            node.name: Bmc(ip, _FIRST_BMC_PORT + i, "ipmi", "testcloud-ipmi")
            for i, node in enumerate(self.nodes())
        }
