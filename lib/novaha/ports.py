"""The doors to the world, as the application loop sees them.

The real ones are in adapters/; a simulated world implements the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from novaha.core.actions import Action, Hold, Request
from novaha.core.canary import Canary, Recipe
from novaha.core.capacity import Room
from novaha.core.drain import Withdrawn
from novaha.core.model import ClusterView, HoldMark, Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import Target
from novaha.core.receipt import Receipt
from novaha.core.recovery import Record
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.starts import Starts


class Cluster(Protocol):
    """Pacemaker. Every method raises ClusterUnavailable."""

    def observe(self) -> ClusterView:
        """Return the cluster as it is now."""
        ...

    def write_record(self, record: Record) -> None:
        """Keep the record of a recovery, over the node's one before."""
        ...

    def delete_receipt(self, receipt: Receipt) -> None:
        """Delete exactly this receipt."""
        ...

    def delete_record(self, record: Record) -> None:
        """Delete exactly this record."""
        ...

    def delete_hold(self, mark: HoldMark) -> None:
        """Let nova-compute run on the node again."""
        ...

    def write_starts(self, starts: Starts) -> None:
        """Keep what has to be started, over the node's record of before."""
        ...

    def delete_starts(self, starts: Starts) -> None:
        """Delete exactly this record."""
        ...

    def write_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Keep what was taken of a node, over what stood there before."""
        ...

    def delete_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Delete exactly this."""
        ...

    def set_standby(self, node: NodeName, *, on: bool) -> None:
        """Set a node in standby, or take that back."""
        ...


class CloudReader(Protocol):
    """Nova, as far as it can be asked. Every method raises CloudUnavailable and CloudRefused."""

    def services(self) -> tuple[Service, ...]:
        """List all nova-compute services."""
        ...

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        """List all servers of a host, of every project, on demand with their details."""
        ...

    def rooms(self) -> tuple[Room, ...]:
        """Tell what is free on each host that takes instances."""
        ...

    def rules(self) -> Rules:
        """List all host aggregates and server groups."""
        ...

    def answering(self, targets: tuple[Target, ...]) -> frozenset[ServerId]:
        """Tell whose port answered since it was asked for last, and try all anew; never waits."""
        ...

    def leaves_stopped(self) -> bool:
        """Tell whether an evacuated instance can be left stopped, by the versions of the API."""
        ...

    def migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List all evacuation records whose source is the host."""
        ...

    def live_migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List all live migration records whose source is the host."""
        ...

    def canaries(self, host: ComputeHost) -> tuple[Canary, ...]:
        """List the canaries of a host, for whatever recovery they were booted."""
        ...


class Cloud(CloudReader, Protocol):
    """Nova. Every method raises CloudUnavailable and CloudRefused."""

    def boot_canary(self, host: ComputeHost, receipt_id: str, recipe: Recipe) -> None:
        """Boot a canary on exactly this host, whose service is disabled."""
        ...

    def delete_canary(self, host: ComputeHost, server: ServerId) -> None:
        """Delete a canary; one that is gone is no error."""
        ...

    def set_forced_down(self, service: Service, *, forced_down: bool) -> Service:
        """Force a service down, or take that back; return it as Nova then shows it."""
        ...

    def set_enabled(self, service: Service, *, enabled: bool, reason: str = "") -> Service:
        """Enable a service, or disable it with a reason; return it as Nova then shows it."""
        ...

    def set_aggregate_metadata(self, id_: int, metadata: Mapping[str, str]) -> Aggregate:
        """Set keys of an aggregate, all others stay; return it as Nova then shows it."""
        ...

    def add_to_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        """Have a host join an aggregate; refused where it is in it."""
        ...

    def remove_from_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        """Take a host out of an aggregate; refused where it is not in it."""
        ...


@dataclass(frozen=True)
class PostResult:
    """How a request ended: None for accepted, else the error."""

    request: Request
    error: Exception | None


class Posts(Protocol):
    """Requests on the wire, several at once; sending never waits for Nova.

    Errors of their own: NotInTwoPhases of an evacuation, NeedsNoStart of a start.
    """

    def send(self, request: Request) -> None:
        """Send one request."""
        ...

    def results(self) -> list[PostResult]:
        """Return, once, what ended since the last call."""
        ...


class Clock(Protocol):
    """Time."""

    def monotonic_s(self) -> float:
        """Return seconds that only grow."""
        ...


class Journal(Protocol):
    """One line for each action, each change of what is held, and each trouble."""

    def action(self, action: Action, outcome: str) -> None:
        """Note an action and how it ended."""
        ...

    def holds(self, holds: tuple[Hold, ...]) -> None:
        """Note what is being waited for; called each cycle."""
        ...


def nobody() -> None:
    """Tell nobody that the process lives."""


@dataclass(frozen=True)
class Ports:
    """All doors together; alive: is told of each question and action that is over."""

    cluster: Cluster
    cloud: Cloud
    posts: Posts
    clock: Clock
    journal: Journal
    alive: Callable[[], None] = nobody
