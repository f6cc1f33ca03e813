"""Watches a real cluster while a host is lost, and has the laws judge what was seen."""

import re
import threading
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from http import HTTPStatus

from gathering import Lists, Seen, Sent, facts_of
from novaha.core.facts import By
from novaha.core.invariants import violations
from novaha.core.policy import Policy
from rehearsal.copies import CopyCount
from rehearsal.fencings import fencings
from rehearsal.power import PowerWatch
from silence import SilenceWatch
from testcloud import access_log
from testcloud.cloudctl import CloudCtl, Migration
from testcloud.cluster import Cluster
from testcloud.names import Driver
from testcloud.referee import Daemon, fake_guests, nova_computes, qemus
from testcloud.rest import ApiError

INTERVAL_S = 0.5
LIMIT = Policy().max_in_flight
_ACTION = re.compile(r"/v2\.1/servers/(?P<server>[0-9a-f-]{36})/action")


class Observer:
    """Sees everything that a judge of the laws has to know, from outside of all nodes.

    lost, allowed_s, unprotected: as in gathering.Seen; whoever loses a host says so.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Begin to know nothing."""
        libvirt = cluster.settings.driver is Driver.LIBVIRT
        self._cluster = cluster
        self._cloud = CloudCtl(cluster.settings)
        self._stop = threading.Event()
        self._daemons: dict[int, Daemon] = {}
        self._records: list[tuple[float, tuple[Migration, ...]]] = []
        self.count = CopyCount(qemus if libvirt else lambda: fake_guests(cluster.settings))
        self.lost: dict[str, float] = {}
        self.allowed_s: float | None = None
        self.unprotected: AbstractSet[str] = frozenset()

    @contextmanager
    def watching(self) -> Iterator["Observer"]:
        """Watch while the block runs, and judge at its good end."""
        begin = self._lists()
        thread = threading.Thread(target=self._look_around, args=(begin.at_s,), daemon=True)
        with PowerWatch(self._cluster) as power, self.count, SilenceWatch(self._cluster) as silence:
            thread.start()
            try:
                yield self
            finally:
                self._stop.set()
                thread.join()
            end = self._lists()
        seen = Seen(begin, end, self.lost, self.allowed_s, power.seen)
        seen.daemons, seen.records = tuple(self._daemons.values()), self._records
        seen.copies = self.count.changes
        seen.silent = silence.seen
        seen.unprotected = self.unprotected
        seen.fencings = fencings(self._cluster, begin.at_s)
        seen.sent = sent(self._cluster, begin.at_s)
        assert_lawful(seen)

    def _lists(self) -> Lists:
        services, servers = self._cloud.services(), self._cloud.servers()
        return Lists(time.time(), services, servers, self._cloud.migrations())

    def _look_around(self, since_s: float) -> None:
        while not self._stop.wait(INTERVAL_S):
            self._daemons |= {daemon.pid: daemon for daemon in nova_computes()}
            try:
                records = self._cloud.migrations(since_s=since_s)
                self._records.append((time.time(), records))
            except ApiError:
                # Nova may be down on purpose; what it does not say is not seen.
                continue


def sent(cluster: Cluster, since_s: float) -> tuple[Sent, ...]:
    """Return the evacuate requests that Nova accepted; who is no controller is a person."""
    controllers = {machine.ip for machine in cluster.settings.controller_machines()}
    found = []
    for request in access_log.requests(cluster.access_log("nova-api"), since_s=since_s):
        action = _ACTION.fullmatch(request.path)
        if action and request.method == "POST" and request.status == HTTPStatus.OK:
            by: By = "process" if request.client in controllers else "person"
            found.append(Sent(request.time_s, action["server"], by))
    return tuple(found)


def assert_lawful(seen: Seen) -> None:
    """Fail with every law that was broken, and when it was, in seconds since the beginning."""
    history = facts_of(seen)
    broken = violations(history, LIMIT)
    lines = [f"{v.law} at {v.at_s - seen.begin.at_s:.1f} s: {v.text}" for v in broken]
    print(f"judged by {len(history)} facts: {'; '.join(lines) or 'no law is broken'}")  # noqa: T201
    assert not broken, "\n".join([*lines, *map(str, history)])
