"""What the contract of the ports is played on: a simulated cluster and cloud, or the real ones.

The ports are the subject; everything else here is what happens to the world behind them.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from novaha.core.actions import Evacuate, Request
from novaha.core.canary import Recipe
from novaha.core.model import Migration, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.ports import Cloud, Cluster, Posts

T = TypeVar("T")

WAIT_S = 120.0


class Stage(Protocol):
    """A world in which no recovery process of ours runs, with its ports."""

    cluster: Cluster
    cloud: Cloud
    posts: Posts
    nodes: tuple[NodeName, ...]
    controllers: tuple[NodeName, ...]

    def host(self, node: NodeName) -> ComputeHost:
        """Return the Nova host of a compute."""
        ...

    def until(self, what: str, probe: Callable[[], T | None], timeout_s: float = WAIT_S) -> T:
        """Let time pass until the probe returns something true, and return that."""
        ...

    def boot(self, node: NodeName, count: int) -> tuple[ServerId, ...]:
        """Have instances on a node."""
        ...

    def aggregate(self, name: str, nodes: Sequence[NodeName]) -> int:
        """Have an aggregate with the hosts of some computes; return its number."""
        ...

    def recipe(self) -> Recipe:
        """Return what a canary can be booted of."""
        ...

    def delete(self, server: ServerId) -> None:
        """Delete an instance as its user; it is gone at the end of the call."""
        ...

    def stop(self, server: ServerId) -> None:
        """Stop an instance as its owner; it stands stopped at the end of the call."""
        ...

    def start(self, server: ServerId) -> None:
        """Start an instance as its owner; it runs at the end of the call."""
        ...

    def slow_moves(self, seconds: float) -> None:
        """Let evacuations and live migrations take so long from now on."""
        ...

    def crash(self, node: NodeName) -> None:
        """End everything that runs on a node."""
        ...

    def fence(self, node: NodeName) -> None:
        """Fence a node because a person asks for it; over when that is reported."""
        ...

    def serves(self, node: NodeName) -> bool:
        """Tell whether nova-compute runs on a node."""
        ...

    def write_receipt_by_hand(self, node: NodeName) -> None:
        """Run fence_nova's `off` as a person."""
        ...

    def garble_receipt(self, node: NodeName) -> None:
        """Make the receipt of a node unreadable."""
        ...

    def drop_receipt(self, node: NodeName) -> None:
        """Delete whatever stands there as the receipt of a node."""
        ...

    def restart_cluster(self) -> None:
        """Switch all controllers off and on again; over when all of them are quorate."""
        ...

    def nova_down(self) -> None:
        """Let Nova's API give no answer."""
        ...

    def nova_up(self) -> None:
        """Let it answer again."""
        ...


def service_of(stage: Stage, node: NodeName) -> Service:
    """Return the service of a node as Nova lists it, which it must do once."""
    found = [each for each in stage.cloud.services() if each.host == stage.host(node)]
    (service,) = found
    return service


def record_of(stage: Stage, node: NodeName, server: ServerId) -> Migration | None:
    """Return the newest evacuation record of an instance off a node."""
    mine = [m for m in stage.cloud.migrations(stage.host(node)) if m.server == server]
    return max(mine, key=lambda m: m.id, default=None)


def post(
    stage: Stage,
    node: NodeName,
    server: ServerId,
    to: NodeName | None = None,
    *,
    stopped: bool = False,
) -> Exception | None:
    """Send an evacuate request and return what came of it: None for accepted.

    to: the only compute that it may go to; one that the world does not have is a host's name.
    stopped: the instance is to be left stopped.
    """
    named = stage.host(to) if to is not None and to in stage.nodes else to
    only = None if named is None else ComputeHost(named)
    return sent(stage, Evacuate(server, stage.host(node), to=only, stopped=stopped))


def sent(stage: Stage, request: Request) -> Exception | None:
    """Send a request and return what came of it: None for accepted."""
    stage.posts.send(request)
    (result,) = stage.until("the request to be answered", stage.posts.results)
    assert result.request.server == request.server
    return result.error
