"""All nodes lose their power; one host comes late, one never: who is fenced, and when."""

import time
from collections.abc import Iterator

import pytest
from rehearsal.configure import INVENTORY, inventory_of, wait_ready
from rehearsal.fencings import fencings
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import changes
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.docker import File

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
LATE, NEVER = "compute-1", "compute-2"
GRACE_S = 150
LATE_S = 60.0
"""Pacemaker wants a host fenced whose first connection fails, 3 s after it was begun."""
SERVING_S = 90.0
RECOVERED_S = 180.0


@pytest.fixture
def gate(cluster: Cluster) -> Iterator[None]:
    """Put a gate before every compute's power device, and take it away again."""
    head = f"gate = {{ grace = {GRACE_S} }}\n"
    put = File(INVENTORY, (head + inventory_of(cluster)).encode())
    cluster.put(HOME, (put,))
    apply = ("nova-ha", "cib", "apply", "--yes", INVENTORY)
    cluster.exec(HOME, apply, timeout_s=180.0)
    # Within seconds, not within a minute: that is what the test would wait for.
    quick = "pcs resource update fence-nova-gate op monitor interval=10s timeout=20s"
    cluster.exec(HOME, ("bash", "-c", quick))
    try:
        yield
    finally:
        cluster.undo_faults()
        cluster.exec(HOME, ("bash", "-c", without_gate(cluster)), timeout_s=120.0)


def without_gate(cluster: Cluster) -> str:
    """Return the commands that give every compute its level without a gate, in one change."""
    lines = ["set -e", "cd $(mktemp -d)", "pcs cluster cib cib", "cp cib old"]
    for node in cluster.computes():
        lines.append(f"pcs -f cib stonith level remove 1 target {node}")
        lines.append(f"pcs -f cib stonith level add 1 {node} fence-ipmi-{node} fence-nova")
    lines += ["pcs -f cib stonith delete fence-nova-gate"]
    return "\n".join((*lines, "pcs cluster cib-push cib diff-against=old"))


@pytest.mark.long
@pytest.mark.usefixtures("gate")
def test_a_late_host_is_waited_for_and_one_that_never_comes_is_recovered(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    hosts = {host: {s.id for s in cloud.boot(2, [host], host)} for host in (LATE, NEVER)}
    wait_ready(cluster)
    others = [node for node in cluster.computes() if node not in hosts]
    for node in (*cluster.computes(), *cluster.controllers()):
        cluster.kill(node)
    began_s = time.time()
    for node in (*cluster.controllers(), *others):
        cluster.start(node)
    said = Told(began_s)

    wait_for("the gate to hold both", lambda: held(cluster) == set(hosts), SERVING_S)
    said("both are held")
    # One host that is off must not keep all others from being served.
    wait_for("the others to serve", lambda: serving(cluster, *others), SERVING_S)
    said("the others serve")
    wait_for("the host to be late", lambda: time.time() > began_s + LATE_S, LATE_S)
    assert fencings(cluster, began_s) == ()
    cluster.start(LATE)
    said("the late host boots")
    wait_for("the late host to serve", lambda: serving(cluster, LATE), SERVING_S)
    said("the late host serves")
    assert fencings(cluster, began_s) == ()
    assert not changes(cluster, began_s)
    assert held(cluster) == {NEVER}

    wait_for("a fencing", lambda: bool(fencings(cluster, began_s)), GRACE_S + SERVING_S)
    (fencing,) = fencings(cluster, began_s)
    said("the other one is fenced")
    assert fencing.node == NEVER
    assert fencing.at_s > began_s + GRACE_S
    gone = hosts[NEVER]

    def moved() -> bool:
        there = {s.id: s for s in cloud.servers()}
        return all(there[id_].host != NEVER and there[id_].status == "ACTIVE" for id_ in gone)

    wait_for("its instances to be ACTIVE elsewhere", moved, RECOVERED_S)
    said("its instances are ACTIVE elsewhere")
    wait_ready(cluster)
    said("all serve")
    assert {s.host for s in cloud.servers() if s.id in hosts[LATE]} == {LATE}
    assert not cloud.migrations(source=LATE)
    assert {fencing.node for fencing in fencings(cluster, began_s)} == {NEVER}


class Told:
    """Tells what happened, and when; the figures are part of the result."""

    def __init__(self, began_s: float) -> None:
        """Count from the return of the power."""
        self._began_s = began_s

    def __call__(self, what: str) -> None:
        """Print a line."""
        print(f"{time.time() - self._began_s:6.1f} s  {what}")  # noqa: T201


def held(cluster: Cluster) -> set[str]:
    """Return the hosts that the gate holds, by `nova-ha release`'s word; none where it has none."""
    told = cluster.exec(HOME, ("nova-ha", "release"), check=False).out.splitlines()
    return {line.split()[0] for line in told if "held by the brake of the cold start" in line}


def serving(cluster: Cluster, *nodes: str) -> bool:
    """Tell whether nova-compute runs on nodes; a cluster that is about to begin says no."""
    if cluster.exec(HOME, ("cibadmin", "--query"), check=False).code != 0:
        return False
    seen = look(cluster)
    return all(seen.runs("nova-compute", node) for node in nodes)
