"""The real stage: the container cluster, its recovery disabled, and the ports on a controller."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from farend import Call, decode, encode
from novaha.core.canary import Recipe
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.ports import Cloud, Cluster, Posts
from rehearsal.configure import wait_ready
from rehearsal.pacemaker import look
from stage import WAIT_S
from testcloud import names, waiting
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster as Machines
from testcloud.docker import File
from testcloud.rest import ApiError

T = TypeVar("T")

HOME = "controller-1"
FAR_END = "/usr/local/lib/nova-ha-contract/farend.py"
PAGE = 2
"""So short that every list here goes over several pages."""
STEP_S = 0.1


class FarEnd:
    """One port on a controller; every method of it is a call over there."""

    def __init__(self, call: Callable[[Call], object], port: str) -> None:
        """Know whom to ask."""
        self._call = call
        self._port = port

    def __getattr__(self, method: str) -> Callable[..., object]:
        """Return a method of the port."""
        return lambda *arguments, **keywords: self._call((self._port, method, arguments, keywords))


class RealStage:
    """The container cluster; the ports run on its first controller."""

    def __init__(self, machines: Machines) -> None:
        """Disable the recovery and open the ports."""
        self._machines = machines
        self._cloudctl = CloudCtl(machines.settings)
        self._process: subprocess.Popen[bytes] | None = None
        self.nodes = tuple(map(NodeName, machines.computes()))
        self.controllers = tuple(map(NodeName, machines.controllers()))
        self.cluster = cast("Cluster", FarEnd(self._call, "cluster"))
        self.cloud = cast("Cloud", FarEnd(self._call, "cloud"))
        self.posts = cast("Posts", FarEnd(self._call, "posts"))
        machines.put(HOME, (File(FAR_END, Path(__file__).with_name("farend.py").read_bytes()),))
        self._recovery("disable")

    def close(self) -> None:
        """Leave nothing of ours and enable the recovery again."""
        try:
            self.tidy()
        finally:
            self._hang_up()
            self._recovery("enable")
        wait_ready(self._machines)

    def tidy(self) -> None:
        """Undo every fault and remove what tests left: in the CIB, of instances, of services."""
        self._machines.undo_faults()
        self._machines.wait_quorate()
        self._cloudctl.wipe()
        self._drop_aggregates()
        self.until("nova-compute to run on every node", self._all_serve)
        services = self._cloudctl.services
        waiting.until("every service to be free", self._all_free, WAIT_S, STEP_S, services)

    def _all_serve(self) -> bool:
        """Forget what keeps nova-compute from running: a fencing may still bring more of that."""
        self._forget()
        return all(map(self.serves, self.nodes))

    def _forget(self) -> None:
        view = self.cluster.observe()
        for node in {*(node for node, _ in view.malformed), *(r.node for r in view.receipts)}:
            self.drop_receipt(node)
        for record in view.records:
            self.cluster.delete_record(record)
        for starts in view.starts:
            self.cluster.delete_starts(starts)
        for mark in view.marks:
            self.cluster.delete_hold(mark)
        for withdrawn in view.withdrawn:
            self.cluster.delete_withdrawn(withdrawn)
        for node in view.standby:
            self.cluster.set_standby(node, on=False)

    def _all_free(self) -> bool:
        """Enable and force up; that is refused until nova-compute has completed its records."""
        for service in self._cloudctl.services():
            if service.forced_down or service.status != "enabled":
                try:
                    self._cloudctl.set_service(service.host, forced_down=False, status="enabled")
                except ApiError:
                    return False
        return all(s.state == "up" for s in self._cloudctl.services())

    def _recovery(self, word: str) -> None:
        self._pcs("resource", word, "nova-evacuate")
        runs = word == "enable"
        self.until(
            f"nova-evacuate to be {word}d",
            lambda: (look(self._machines).where("NovaEvacuate") is not None) == runs,
        )

    def _pcs(self, *words: str) -> None:
        self._machines.exec(HOME, ("pcs", *words), timeout_s=90.0)

    # The line to the ports

    def _call(self, call: Call) -> object:
        far = self._process or self._dial()
        assert far.stdin is not None
        assert far.stdout is not None
        far.stdin.write(encode(call))
        far.stdin.flush()
        line = far.stdout.readline()
        assert line, f"the ports on {HOME} are gone: {call[:2]} got no answer"
        good, value = decode(line)
        if not good:
            raise value
        return cast("object", value)

    def _dial(self) -> "subprocess.Popen[bytes]":
        inside = ("/usr/bin/python3", FAR_END, str(PAGE))
        argv = ("docker", "exec", "-i", self._machines.container(HOME), *inside)
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def _hang_up(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.__exit__(None, None, None)
            self._process = None

    # What happens behind them

    def host(self, node: NodeName) -> ComputeHost:
        """Return the host of a compute, which has the node's name here."""
        return ComputeHost(node)

    def until(self, what: str, probe: Callable[[], T | None], timeout_s: float = WAIT_S) -> T:
        """Wait."""
        return waiting.until(what, probe, timeout_s, STEP_S)

    def boot(self, node: NodeName, count: int) -> tuple[ServerId, ...]:
        """Boot instances."""
        return tuple(ServerId(server.id) for server in self._cloudctl.boot(count, [node]))

    def aggregate(self, name: str, nodes: Sequence[NodeName]) -> int:
        """Create an aggregate; it goes when the stage is tidied."""
        body = {"aggregate": {"name": name}}
        id_ = int(self._cloudctl.call("POST", "/os-aggregates", body)["aggregate"]["id"])
        for node in nodes:
            self._in_aggregate(id_, "add_host", node)
        return id_

    def _in_aggregate(self, id_: int, verb: str, host: str) -> None:
        self._cloudctl.call("POST", f"/os-aggregates/{id_}/action", {verb: {"host": host}})

    def _drop_aggregates(self) -> None:
        for row in self._cloudctl.call("GET", "/os-aggregates")["aggregates"]:
            for host in row["hosts"]:
                self._in_aggregate(row["id"], "remove_host", host)
            self._cloudctl.call("DELETE", f"/os-aggregates/{row['id']}")

    def recipe(self) -> Recipe:
        """Return what all instances here are booted of."""
        return Recipe(self._cloudctl.image(), self._cloudctl.flavor())

    def delete(self, server: ServerId) -> None:
        """Delete an instance and wait until Nova has forgotten it."""
        id_ = names.ServerId(server)
        self._cloudctl.delete(id_)
        self.until(
            "the instance to be deleted",
            lambda: id_ not in {each.id for each in self._cloudctl.servers()},
        )

    def stop(self, server: ServerId) -> None:
        """Stop an instance."""
        self._power(server, "os-stop", "SHUTOFF")

    def start(self, server: ServerId) -> None:
        """Start an instance."""
        self._power(server, "os-start", "ACTIVE")

    def _power(self, server: ServerId, action: str, status: str) -> None:
        self._cloudctl.call("POST", f"/servers/{server}/action", {action: None})

        def done() -> bool:
            return any(str(s.id) == server and s.status == status for s in self._cloudctl.servers())

        self.until(f"{server} to be {status}", done)

    def slow_moves(self, seconds: float) -> None:
        """Slow down every spawn, and every live migration."""
        for node in self.nodes:
            self._machines.set_faults(node, spawn_delay=seconds, live_delay=seconds)

    def crash(self, node: NodeName) -> None:
        """Kill a node."""
        self._machines.kill(node)

    def fence(self, node: NodeName) -> None:
        """Fence a node."""
        self._pcs("stonith", "fence", node)

    def serves(self, node: NodeName) -> bool:
        """Tell whether nova-compute runs, by Pacemaker's word."""
        return look(self._machines).runs("nova-compute", node)

    def write_receipt_by_hand(self, node: NodeName) -> None:
        """Run the fence agent."""
        self._machines.exec(HOME, ("fence_nova", "-o", "off", "-n", node))

    def garble_receipt(self, node: NodeName) -> None:
        """Write over a receipt."""
        name = f"nova-ha-receipt-{node}"
        pair = f'<nvpair id="{name}" name="{name}" value="v2 id=nothing"/>'
        self._machines.exec(HOME, ("cibadmin", "--modify", "--xml-text", pair))

    def drop_receipt(self, node: NodeName) -> None:
        """Delete a receipt."""
        pair = f'<nvpair id="nova-ha-receipt-{node}"/>'
        self._machines.exec(HOME, ("cibadmin", "--delete", "--xml-text", pair), check=False)

    def restart_cluster(self) -> None:
        """Kill and start all controllers."""
        self._hang_up()
        for node in self.controllers:
            self._machines.kill(node)
        for node in self.controllers:
            self._machines.start(node)
        self._machines.wait_quorate()

    def nova_down(self) -> None:
        """Stop nova-api."""
        self._machines.api_stop("nova-api")

    def nova_up(self) -> None:
        """Start it."""
        self._machines.api_start("nova-api")
