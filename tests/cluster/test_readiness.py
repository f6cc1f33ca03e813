"""An instance counts as up when its port answers, and only then others follow it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import evacuate_posts
from testcloud import docker, namespaces, shell
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import ServerId

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

PORT = 5432
LOOKS = 8
"""Without a port, web follows at the first look after db has arrived."""
LISTENER = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))):
    sys.stdin.read()
"""
FIRST_ADDRESS = 240
"""Of the containers' own network, where nobody is: beyond it something may answer for all."""


@pytest.fixture
def network(cluster: Cluster, cloud: CloudCtl) -> Iterator[str]:
    """Return a network with addresses; Neutron binds its ports, nothing carries their packets."""
    body = {"network": {"name": "test-readiness"}}
    id_ = str(cloud.call_url("POST", f"{cloud.neutron}/networks", body)["network"]["id"])
    subnet = {
        "network_id": id_,
        "ip_version": 4,
        "cidr": f"{cluster.settings.address(FIRST_ADDRESS)}/28",
    }
    cloud.call_url("POST", f"{cloud.neutron}/subnets", {"subnet": subnet})
    yield id_
    cluster.undo_faults()
    cloud.wipe()
    cloud.call_url("DELETE", f"{cloud.neutron}/networks/{id_}")


def booted(
    cloud: CloudCtl, name: str, metadata: dict[str, str], networks: object = "none"
) -> ServerId:
    """Boot an instance on the victim, and wait until it runs."""
    image, flavor = cloud.image(), cloud.flavor()
    id_ = cloud.create(name, VICTIM, image, flavor, metadata=metadata, networks=networks)
    wait_for(f"{name} to run", lambda: where(cloud, id_) == (VICTIM, "ACTIVE"), 60.0)
    return id_


def where(cloud: CloudCtl, id_: ServerId) -> tuple[str, str]:
    """Return the host of an instance and its status."""
    (found,) = [server for server in cloud.servers() if server.id == id_]
    assert found.status != "ERROR", cloud.call("GET", f"/servers/{id_}")["server"].get("fault")
    return found.host or "", found.status


@contextmanager
def answering(cluster: Cluster, node: str, address: str) -> Iterator[None]:
    """Have the port answer at an address, as the node sees the network."""
    inside = namespaces.inside(docker.pid_of(cluster.container(node)), namespaces.NETWORK)
    here = ("ip", "address", "{}", f"{address}/32", "dev", "lo")
    shell.run((*inside, *(word.format("add") for word in here)))
    listens = (sys.executable, "-c", LISTENER, address, str(PORT))
    with subprocess.Popen((*inside, *listens), stdin=subprocess.PIPE) as listener:
        yield
        listener.kill()
    shell.run((*inside, *(word.format("delete") for word in here)))


class Looks:
    """Counts how often in a row an instance is told to wait for the other."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        """Look from one controller."""
        self._cluster = cluster
        self._node = node
        self._told = 0

    def enough(self) -> bool:
        """Look once more."""
        out = self._cluster.exec(self._node, ("nova-ha", "explain"), check=False).out
        self._told = self._told + 1 if "web for db" in out else 0
        return self._told >= LOOKS


@pytest.mark.long
def test_what_comes_after_another_waits_until_the_port_of_that_one_answers(
    cluster: Cluster, cloud: CloudCtl, network: str
) -> None:
    db = booted(cloud, "db", {"nova_ha:ready": f"tcp:{PORT}"}, [{"uuid": network}])
    web = booted(cloud, "web", {"nova_ha:after": "db"})
    (address,) = cloud.call("GET", f"/servers/{db}")["server"]["addresses"]["test-readiness"]
    node = look(cluster).where("NovaEvacuate")
    assert node is not None
    story = begin(cluster, cloud, VICTIM)
    with following(cluster, cloud, story, WITNESS):
        story.crash()
        cluster.kill(VICTIM)
        moved = lambda: where(cloud, db)[0] != VICTIM and where(cloud, db)[1] == "ACTIVE"  # noqa: E731
        wait_for("db to run elsewhere", moved, RECOVERED_S, story)
        wait_for("web to be told to wait", Looks(cluster, node).enough, 60.0, story)
        assert where(cloud, web)[0] == VICTIM
        assert sent(cluster, story.crash_s) == [db]
        with answering(cluster, node, str(address["addr"])):
            gone = lambda: where(cloud, web)[0] != VICTIM  # noqa: E731
            wait_for("web to run elsewhere", gone, RECOVERED_S, story)
        wait_for("the host to serve again", story.serving, SERVING_S, story)
    assert sent(cluster, story.crash_s) == [db, web]


def sent(cluster: Cluster, since_s: float) -> list[str]:
    """Return which instances Nova was asked to evacuate, in that order."""
    return [post.path.split("/")[-2] for post in evacuate_posts(cluster, since_s)]
