"""A running cluster: what tests and people do to it."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from . import docker, netfault, shell
from .errors import ClusterError
from .names import Bmc, NodeName
from .settings import Settings
from .topology import cloud_logs, state_folder
from .waiting import until

PACEMAKER_LOG = "/var/log/pacemaker/pacemaker.log"
_CLOCK = "/etc/testcloud-clock"  # nodes/controller/boot reads it

APIS = ("nova-api", "keystone", "placement", "glance", "neutron")


class Cluster:
    """The containers of one cluster. Every method that names a node refuses unknown ones."""

    def __init__(self, settings: Settings) -> None:
        """Look at the cluster these settings describe; nothing is started."""
        self.settings = settings

    def controllers(self) -> tuple[NodeName, ...]:
        """Return the names of the full cluster nodes."""
        return tuple(machine.name for machine in self.settings.controller_machines())

    def computes(self) -> tuple[NodeName, ...]:
        """Return the names of the remote nodes, which are Nova's hosts too."""
        return tuple(machine.name for machine in self.settings.compute_machines())

    def container(self, node: str) -> str:
        """Return Docker's name for the container of a node."""
        return self.settings.container(self.settings.machine(node).name)

    def exec(
        self,
        node: str,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout_s: float = 60.0,
        stdin: bytes = b"",
    ) -> shell.Result:
        """Run a command in a container, as root; its network is not needed for that."""
        return docker.execute(
            self.container(node), argv, check=check, timeout_s=timeout_s, stdin=stdin
        )

    def put(self, node: str, files: Sequence[docker.File]) -> None:
        """Write files into a container, running or not."""
        docker.copy_in(self.container(node), files)

    def kill(self, node: str) -> None:
        """Crash a node: every process ends at once, its disk stays."""
        docker.kill(self.container(node))

    def start(self, node: str) -> None:
        """Switch a node on; it boots as a real one would."""
        docker.start(self.container(node))

    def running(self, node: str) -> bool:
        """Tell whether a node is switched on."""
        return docker.pid_of(self.container(node)) != 0

    def isolate(self, node: str) -> None:
        """Drop every packet to and from a node, silently; its processes go on."""
        netfault.drop_all(self._pid(node))

    def heal(self, node: str) -> None:
        """Undo isolate; a node that is off has no network to heal, and boots with a clean one."""
        pid = docker.pid_of(self.container(node))
        if pid:
            netfault.allow_all(pid)

    def bmc_of(self, node: str) -> Bmc:
        """Return where the BMC of a node answers."""
        try:
            return self.settings.bmcs()[NodeName(node)]
        except KeyError:
            msg = f"{node} has no BMC: only controllers and computes have"
            raise ClusterError(msg) from None

    def bmc_stop(self, node: str) -> None:
        """Make the BMC of a node unreachable: it answers nothing, like one without power."""
        netfault.drop_port(self._bmc_pid(), self.bmc_of(node).port)

    def bmc_start(self, node: str) -> None:
        """Undo bmc_stop."""
        netfault.allow_port(self._bmc_pid(), self.bmc_of(node).port)

    def logs(self, node: str) -> str:
        """Return what a container printed since it was made."""
        return docker.logs(self.container(node))

    def api_stop(self, service: str) -> None:
        """End an API of the cloud (nova-api, keystone): connections to it are refused."""
        self._svc("stop", service)

    def api_start(self, service: str) -> None:
        """Start an API again and wait until it answers."""
        self._svc("start", service)
        self._svc("wait", service)

    def access_log(self, service: str) -> Path:
        """Return the file in which an API notes every request; see testcloud.access_log."""
        return cloud_logs(self.settings) / f"{_known_api(service)}-access.log"

    def undo_faults(self) -> None:
        """Switch on, heal and reconnect everything; let clocks, APIs and spawns be right again."""
        self._svc("start", *APIS)
        for node in (*self.controllers(), *self.computes()):
            self.bmc_start(node)
            self.start(node)
            self.heal(node)
            (state_folder(self.settings, node) / "faults.json").unlink(missing_ok=True)
        for node in self.controllers():
            self._set_clock_right(node)
        self._svc("wait", *APIS)

    def set_faults(self, node: str, **faults: float) -> None:
        """Make the fake driver of a compute fail or dawdle; see nodes/compute/virt_driver.py."""
        folder = state_folder(self.settings, node)
        fresh = folder / "faults.json.new"
        fresh.write_text(json.dumps(faults))
        fresh.replace(folder / "faults.json")

    def set_clock(self, node: str, offset_s: int) -> None:
        """Restart a controller whose clock is wrong by so much, for Pacemaker and all it starts.

        What the log had is gone, so that it never mixes times of two clocks.
        """
        self._leave(node)
        self.put(node, (docker.File(_CLOCK, f"{offset_s:+d}".encode()),))
        self.start(node)

    def clock_is_right(self, node: str) -> bool:
        """Tell whether a controller has the clock of everybody."""
        return self.exec(node, ("test", "-s", _CLOCK), check=False).code != 0

    def _set_clock_right(self, node: str) -> None:
        if not self.clock_is_right(node):
            self.exec(node, ("rm", _CLOCK))
            self._leave(node)
            self.start(node)

    def _leave(self, node: str) -> None:
        """Switch a controller off after it has left the cluster, so that nobody fences it."""
        stop = "pkill -x pacemakerd; while pgrep -x pacemakerd; do sleep 0.1; done"
        self.exec(node, ("sh", "-c", f"{stop}; rm -f {PACEMAKER_LOG}"), timeout_s=90.0)
        self.kill(node)

    def quorate(self) -> bool:
        """Tell whether all controllers are online with a DC and quorum, by Pacemaker's word."""
        argv = ("crm_mon", "-1", "--output-as=xml")
        shown = self.exec(self.controllers()[0], argv, check=False)
        if shown.code != 0:
            return False
        root = ET.fromstring(shown.out)  # noqa: S314 - Pacemaker is no attacker
        dc = root.find("summary/current_dc")
        online = {n.get("name") for n in root.iterfind("nodes/node") if n.get("online") == "true"}
        quorum = dc is not None and dc.get("with_quorum") == "true"
        return quorum and online >= set(self.controllers())

    def wait_quorate(self, timeout_s: float = 180.0) -> None:
        """Wait until all controllers form one cluster."""
        until("all controllers to be online in one quorate cluster", self.quorate, timeout_s, 0.5)

    def cloud_ready(self) -> bool:
        """Tell whether every service of the cloud has answered since it booted."""
        cloud = self.settings.cloud_machine().name
        return self.exec(cloud, ("test", "-e", "/run/svc/ready"), check=False).code == 0

    def wait_cloud(self, timeout_s: float = 300.0) -> None:
        """Wait until every service of the cloud answers."""
        logs = cloud_logs(self.settings)
        until(f"every API of the cloud to answer (see {logs})", self.cloud_ready, timeout_s, 0.5)

    def _svc(self, what: str, *services: str) -> None:
        cloud = self.settings.cloud_machine().name
        self.exec(cloud, ("svc", what, *map(_known_api, services)), timeout_s=150)

    def _pid(self, node: str) -> int:
        pid = docker.pid_of(self.container(node))
        if not pid:
            msg = f"{node} is not running: it has no network to act on; start it first"
            raise ClusterError(msg)
        return pid

    def _bmc_pid(self) -> int:
        return self._pid(self.settings.bmc_machine().name)


def _known_api(service: str) -> str:
    if service not in APIS:
        msg = f"no API {service!r} in the cloud; there are {', '.join(APIS)}"
        raise ClusterError(msg)
    return service
