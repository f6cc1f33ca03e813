"""The cluster that all contenders run on, and how it is put back between two heats."""

import time

from rehearsal.configure import configure, wait_ready
from rehearsal.pacemaker import look
from testcloud import lifecycle
from testcloud.cloudctl import CloudCtl, Server
from testcloud.cluster import Cluster
from testcloud.names import NodeName
from testcloud.settings import Settings
from testcloud.steps import step
from testcloud.topology import state_folder
from testcloud.waiting import until

OPEN = frozenset({"accepted", "pre-migrating", "running", "done"})
"""Records that a host still has to answer for when it returns."""
_OUTSTANDING = 8
_SEED_S, _RETURN_S = 900.0, 300.0
_NOVA_COMPUTE = "/etc/init.d/nova-compute"


class Stage:
    """The cluster; the host that is lost is always the same."""

    def __init__(self, settings: Settings) -> None:
        """Bring it up, or go on with what there is."""
        self.settings = settings
        self._begin()

    def make_anew(self) -> None:
        """Remove the cluster and bring it up again."""
        lifecycle.down(self.settings)
        self._begin()

    def _begin(self) -> None:
        lifecycle.up(self.settings)
        self.cluster, self.cloud = Cluster(self.settings), CloudCtl(self.settings)
        self.victim = self.cluster.computes()[0]
        self._stood_down = False
        with step("Pacemaker configured for nova-ha"):
            self._pcs("property", "set", "maintenance-mode=false")  # as one broken off leaves it
            configure(self.cluster)
        self.cloud.wait_services_up(self.cluster.computes())

    def controller(self) -> NodeName:
        """Return the controller on which floor and classic run."""
        return self.cluster.controllers()[-1]

    def seed(self, instances: int) -> tuple[Server, ...]:
        """Boot instances on the victim.

        Nova's check of all of a host's allocations at each claim is left out meanwhile: filling a
        host would take minutes. It is back before anything is measured.
        """
        self.cloud.wipe(_SEED_S)
        marks = [state_folder(self.settings, n) / "fast-claims" for n in self.cluster.computes()]
        for mark in marks:
            mark.touch()
        try:
            return self.cloud.boot(
                instances, [self.victim], "race", outstanding=_OUTSTANDING, timeout_s=_SEED_S
            )
        finally:
            for mark in marks:
                mark.unlink(missing_ok=True)

    def stand_down(self) -> None:
        """Keep Pacemaker and nova-ha from doing anything: they are no part of a peer's run."""
        if not self._stood_down:
            self._pcs("resource", "disable", "nova-evacuate", "--wait=60")
            self._pcs("property", "set", "maintenance-mode=true")
            self._stood_down = True

    def stand_up(self) -> None:
        """Let Pacemaker and nova-ha do what they are for."""
        if self._stood_down:
            self._pcs("resource", "refresh", self.victim)
            time.sleep(2)
            self._pcs("property", "set", "maintenance-mode=false")
            self._pcs("resource", "enable", "nova-evacuate", "--wait=60")
            self._stood_down = False
        wait_ready(self.cluster)

    def restore(self) -> None:
        """Put host, services, records and instances back, as a person would.

        Forced up first and enabled when it is up: a service that is enabled while Nova counts it as
        down gets no instance for up to a minute, because Placement hears nothing of it.
        """
        self.cluster.start(self.victim)
        if self._stood_down:
            self.cluster.exec(self.victim, (_NOVA_COMPUTE, "start"))
        until("the host's records to be completed", self._answered, _RETURN_S, 0.5)
        if self.cloud.service(self.victim).forced_down:
            self.cloud.set_service(self.victim, forced_down=False)
        until("the host's service to be up", self._up, _RETURN_S, 0.5)
        if self.cloud.service(self.victim).status != "enabled":
            self.cloud.set_service(self.victim, status="enabled")
        until("the host to serve again", self.serving, _RETURN_S, 0.5)
        self.cloud.wipe(_SEED_S)

    def serving(self) -> bool:
        """Tell whether the host is back in service, and nothing of a recovery is left."""
        service = self.cloud.service(self.victim)
        up = service.state == "up" and service.status == "enabled" and not service.forced_down
        return up and not look(self.cluster, self.controller()).properties

    def records(self) -> dict[str, int]:
        """Return how many evacuation records of the lost host's instances have each status."""
        wanted = {server.id for server in self.cloud.servers()}
        counted: dict[str, int] = {}
        for record in self.cloud.migrations(source=self.victim):
            if record.server in wanted:
                counted[record.status] = counted.get(record.status, 0) + 1
        return counted

    def _up(self) -> bool:
        return self.cloud.service(self.victim).state == "up"

    def _answered(self) -> bool:
        return not any(m.status in OPEN for m in self.cloud.migrations(source=self.victim))

    def _pcs(self, *words: str) -> None:
        self.cluster.exec(self.controller(), ("pcs", *words), timeout_s=90.0)
