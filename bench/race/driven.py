"""The contenders that are a script inside a controller: the floor, and classic InstanceHA."""

import random
from collections.abc import Mapping, Sequence

from testcloud import docker, shell
from testcloud.cloudctl import Server
from testcloud.images import Images
from testcloud.openstack_conf import KEYSTONE_PORT, NOVA_PORT, PASSWORD
from testcloud.topology import stages

from .driver import Driver
from .procs import Snapshot
from .results import Cost
from .stage import Stage

KEYSTONE = f"http://cloud:{KEYSTONE_PORT}/v3"
ACCOUNT = {"username": "nova-ha", "password": PASSWORD, "project": "service"}
FLOOR_POLL_S = 0.5
MONITOR_S = 10.0
_PACKAGES = "/usr/lib/python3/dist-packages"


class Driven:
    """A script that is told of the loss at once."""

    script: str

    def __init__(self, stage: Stage) -> None:
        """Know the stage."""
        self._stage = stage
        self._driver: Driver | None = None
        self.clients: tuple[str, ...] = (stage.settings.machine(stage.controller()).ip,)

    def told(self, servers: Sequence[Server]) -> Mapping[str, object]:
        """Return what the script is told."""
        raise NotImplementedError

    def ready(self, servers: Sequence[Server]) -> None:
        """Start the script and wait until it is ready."""
        self._stage.stand_down()
        container = self._stage.cluster.container(self._stage.controller())
        self._driver = Driver(container, self.script, self.told(servers))

    def lost(self) -> None:
        """Tell the script."""
        if self._driver:
            self._driver.go()

    def over(self) -> bool:
        """Tell whether the script has done its work, or has ended without."""
        return self._driver is None or bool(self._driver.last("over")) or self._driver.ended()

    def marks(self, since_s: float) -> Mapping[str, float]:
        """Return nothing more than the access log says."""
        del since_s
        return {}

    def cost(self, before: Snapshot, after: Snapshot) -> Cost | None:
        """Return what the script says of itself and its children."""
        del before, after
        said = self._driver.last("over") if self._driver else None
        if not said:
            return None
        return Cost(round(said["cpu_s"], 2), round(said["peak_mb"], 1), "as the kernel accounts it")

    def leave(self) -> None:
        """End the script."""
        if self._driver:
            self._driver.close()


class Floor(Driven):
    """A bare loop."""

    script = "floor_loop"

    def __init__(self, stage: Stage, in_flight: int) -> None:
        """Know how many evacuations are in flight at a time."""
        super().__init__(stage)
        self._in_flight = in_flight

    def told(self, servers: Sequence[Server]) -> Mapping[str, object]:
        """Tell it all: it has nothing to find out."""
        return {
            **ACCOUNT,
            "keystone": KEYSTONE,
            "nova": f"http://cloud:{NOVA_PORT}/v2.1",
            "host": self._stage.victim,
            "servers": [server.id for server in servers],
            "in_flight": self._in_flight,
            "poll_s": FLOOR_POLL_S,
        }

    def settings(self) -> Mapping[str, object]:
        """Return the two numbers of the loop."""
        return {"evacuations in flight": self._in_flight, "seconds between looks": FLOOR_POLL_S}


class Classic(Driven):
    """The fence agents of classic InstanceHA."""

    script = "classic_loop"

    def __init__(self, stage: Stage) -> None:
        """Draw when the monitor of NovaEvacuate comes next: the host dies at any moment."""
        super().__init__(stage)
        self._phase_s = round(random.uniform(0, MONITOR_S), 1)  # noqa: S311 - no secret

    def ready(self, servers: Sequence[Server]) -> None:
        """Give the agents what they need, and start the driver."""
        _install(self._stage)
        super().ready(servers)

    def told(self, servers: Sequence[Server]) -> Mapping[str, object]:
        """Tell it the options of both agents and how the host is switched off."""
        del servers
        bmc = self._stage.cluster.bmc_of(self._stage.victim)
        login = ("-l", bmc.user, "-p", bmc.password)
        power = ("fence_ipmilan", "--lanplus", "-a", bmc.ip, "--ipport", str(bmc.port), *login)
        account = ("-l", ACCOUNT["username"], "-p", PASSWORD, "-t", ACCOUNT["project"])
        return {
            "host": self._stage.victim,
            "power": (*power, "-o", "off"),
            "agent": ("-k", KEYSTONE, *account, "--no-shared-storage"),
            "phase_s": self._phase_s,
            "interval_s": MONITOR_S,
        }

    def marks(self, since_s: float) -> Mapping[str, float]:
        """Return when the agents had ended."""
        names = {"power off": "powered off", "fence_compute off": "fenced"}
        said = {name: self._driver.last(name) if self._driver else None for name in names}
        return {names[n]: round(e["at_s"] - since_s, 3) for n, e in said.items() if e}

    def settings(self) -> Mapping[str, object]:
        """Return the interval of the agent's monitor, and when it came in this heat."""
        return {
            "monitor interval": MONITOR_S,
            "first monitor after the loss": self._phase_s,
            "no_shared_storage": True,
        }


def _install(stage: Stage) -> None:
    """Give the controller the Python modules that the package of the agents only suggests."""
    node, folder = stage.controller(), stage.settings.state / "race"
    if stage.cluster.exec(node, ("test", "-e", f"{_PACKAGES}/novaclient"), check=False).code == 0:
        return
    image = Images(stage.settings, stages()).ensure("race-classic")
    folder.mkdir(parents=True, exist_ok=True)
    copy = ("docker", "run", "--rm", f"--volume={folder}:/out", image, "cp", "/race-classic.tar")
    shell.run((*copy, "/out/"))
    docker.copy_tar_in(stage.cluster.container(node), (folder / "race-classic.tar").read_bytes())
    # As its installation would have; in vain for what another Python wrote.
    compile_all = ("python3", "-m", "compileall", "-q", _PACKAGES)
    stage.cluster.exec(node, compile_all, check=False, timeout_s=300.0)
