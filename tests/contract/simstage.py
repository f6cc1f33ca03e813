"""The simulated stage: a world of novaha.sim whose recovery is disabled."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from novaha.core.canary import Recipe
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.segments import Aggregate
from novaha.ports import Cloud, Cluster, Posts
from novaha.sim.deeds import DEEDS
from novaha.sim.doors import Life, SimCloud, SimCluster, SimPosts
from novaha.sim.engine import Jitter
from novaha.sim.records import Instance
from novaha.sim.spec import WorldSpec
from novaha.sim.world import World
from stage import WAIT_S

T = TypeVar("T")

STEP_S = 0.1
RESTART_S = 5.0
MOVE_S = 4.0


class SimStage:
    """A world of four computes; the ports are those of a process on its first controller."""

    def __init__(self) -> None:
        """Begin calm."""
        self.nodes = tuple(NodeName(f"compute-{number}") for number in range(1, 5))
        self._world = world = World(WorldSpec(self.nodes, move_s=MOVE_S), seed=0)
        self.controllers = world.spec.controllers
        self._do("stop-recovery")
        life, wire, nova = Life(), world.wire, world.nova
        self.cluster: Cluster = SimCluster(
            wire, life, world.cluster, world.cib, self.controllers[0]
        )
        self.cloud: Cloud = SimCloud(wire, life, nova, lambda _: None)
        self.posts: Posts = SimPosts(wire, life, nova, world.engine, Jitter(0), lambda _: None)
        self._booted = 0
        self._move_s: float | None = None

    def _do(self, word: str, *arguments: str) -> None:
        DEEDS[word](self._world, *arguments)

    def host(self, node: NodeName) -> ComputeHost:
        """Return the host of a compute."""
        return self._world.compute(node).host

    def until(self, what: str, probe: Callable[[], T | None], timeout_s: float = WAIT_S) -> T:
        """Let virtual time pass."""
        engine = self._world.engine
        end_s = engine.now_s + timeout_s
        while not (found := probe()):
            assert engine.now_s < end_s, f"waited {timeout_s:g} s for {what}; it did not happen"
            engine.advance(STEP_S)
        return found

    def boot(self, node: NodeName, count: int) -> tuple[ServerId, ...]:
        """Have instances run, as if they had been booted: nothing boots in a simulation."""
        world = self._world
        first, self._booted = self._booted, self._booted + count
        ids = tuple(ServerId(f"vm-{number}") for number in range(first, self._booted))
        for id_ in ids:
            world.nova.instances[id_] = Instance(id_, node, move_s=self._move_s)
            world.guests.start(id_, node)
        world.nova.changed((world.compute(node),))
        return ids

    def aggregate(self, name: str, nodes: Sequence[NodeName]) -> int:
        """Have an aggregate."""
        aggregates = self._world.nova.aggregates
        number = 1 + len(aggregates.all)
        hosts = frozenset(self.host(node) for node in nodes)
        aggregates.all = (*aggregates.all, Aggregate(number, name, hosts))
        return number

    def recipe(self) -> Recipe:
        """Return one: here it is all the same."""
        return Recipe("image", "flavor")

    def delete(self, server: ServerId) -> None:
        """Delete an instance."""
        self._do("delete", server)

    def stop(self, server: ServerId) -> None:
        """Stop an instance."""
        self._do("stop", server)

    def start(self, server: ServerId) -> None:
        """Start an instance."""
        self._do("start", server)
        instance = self._world.instance(server)
        self.until("it to run", lambda: instance.vm_state == "active")

    def slow_moves(self, seconds: float) -> None:
        """Slow down the first move of each instance."""
        self._move_s = seconds
        for server in self._world.nova.instances:
            self._do("slow-move", server, str(seconds))

    def crash(self, node: NodeName) -> None:
        """Crash a node."""
        self._do("crash", node)

    def fence(self, node: NodeName) -> None:
        """Fence a node."""
        compute = self._world.compute(node)
        self._do("fence", node)
        self.until("the fencing to end", lambda: not compute.fencing)

    def serves(self, node: NodeName) -> bool:
        """Tell whether nova-compute runs."""
        return self._world.compute(node).serving

    def write_receipt_by_hand(self, node: NodeName) -> None:
        """Write a receipt."""
        self._do("forge-receipt", node, "hand")

    def garble_receipt(self, node: NodeName) -> None:
        """Garble a receipt."""
        self._do("garble-receipt", node)

    def drop_receipt(self, node: NodeName) -> None:
        """Drop a receipt."""
        self._do("delete-receipt", node)

    def restart_cluster(self) -> None:
        """Restart all controllers."""
        self._do("restart-cluster", str(RESTART_S))
        self._world.engine.advance(RESTART_S + STEP_S)

    def nova_down(self) -> None:
        """Take Nova down."""
        self._do("nova", "down")

    def nova_up(self) -> None:
        """Bring it up."""
        self._do("nova", "up")
