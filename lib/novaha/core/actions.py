"""What can be decided: to change something, or to do nothing for a stated reason."""

from dataclasses import dataclass

from novaha.core.canary import Recipe
from novaha.core.drain import Withdrawn
from novaha.core.model import HoldMark, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import Target
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt
from novaha.core.recovery import Proven, Recovery
from novaha.core.segments import Aggregate, Use
from novaha.core.starts import Starts


@dataclass(frozen=True)
class KeepProof:
    """Write down that a fencing is proven, for the fencing history may be lost any time."""

    proven: Proven


@dataclass(frozen=True)
class BeginRecovery:
    """Write how the host stood; everything that changes it comes after."""

    recovery: Recovery


@dataclass(frozen=True)
class KeepFound:
    """Write down that a person has changed the service since the recovery began."""

    recovery: Recovery


@dataclass(frozen=True)
class ForceDown:
    """Tell Nova that the host is down, which makes it accept evacuations at once."""

    service: Service


@dataclass(frozen=True)
class Disable:
    """Keep new instances off the host, with a reason that says it was us."""

    service: Service
    reason: str


@dataclass(frozen=True)
class Evacuate:
    """Ask Nova to rebuild one server elsewhere; Nova's scheduler chooses where.

    reset: its state is set to active before, for Nova would refuse. to: the only host that the
    scheduler may choose, None for any. forced: it goes there past the scheduler, which could choose
    none for the first of an affinity group (core/together.py). stopped: Nova leaves it stopped at
    its destination.
    """

    server: ServerId
    host: ComputeHost
    reset: bool = False
    to: ComputeHost | None = None
    forced: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class KeepStarts:
    """Write down which instances have to be started, before the first of them is left stopped."""

    starts: Starts


@dataclass(frozen=True)
class Start:
    """Ask Nova to start one server on the host it is on, unless it was stopped there since."""

    server: ServerId
    host: ComputeHost


@dataclass(frozen=True)
class EndStarts:
    """Delete a record of starts: all of them run, or need none."""

    starts: Starts


@dataclass(frozen=True)
class Release:
    """Let nova-compute start again: the record first, then the receipt, then the hold."""

    recovery: Recovery
    receipt: Receipt | None


@dataclass(frozen=True)
class DropHold:
    """Remove a location constraint whose receipt is gone."""

    mark: HoldMark


@dataclass(frozen=True)
class ForceUp:
    """Take back our force-down; Nova refuses while evacuation records are not completed."""

    service: Service


@dataclass(frozen=True)
class Enable:
    """Let Nova place instances on the host again."""

    service: Service


ServiceChange = ForceDown | Disable | ForceUp | Enable


@dataclass(frozen=True)
class EndRecovery:
    """Delete the recovery record: the host serves, or stands as a person left it."""

    recovery: Recovery


@dataclass(frozen=True)
class SetUse:
    """Write down for whom a reserved host is used, None for nobody: then it is free."""

    segment: Aggregate
    reserved: ComputeHost
    use: Use | None


@dataclass(frozen=True)
class AddToAggregate:
    """Have a reserved host join an aggregate of the host that it takes over."""

    aggregate: Aggregate
    host: ComputeHost


@dataclass(frozen=True)
class RemoveFromAggregate:
    """Take a reserved host out of an aggregate that we added it to."""

    aggregate: Aggregate
    host: ComputeHost


AggregateChange = SetUse | AddToAggregate | RemoveFromAggregate


@dataclass(frozen=True)
class LiveMigrate:
    """Ask Nova to move one running server off a host that serves; its scheduler chooses where."""

    server: ServerId
    host: ComputeHost


@dataclass(frozen=True)
class KeepWithdrawn:
    """Write down what is about to be taken of a host, or has been."""

    withdrawn: Withdrawn


@dataclass(frozen=True)
class DropWithdrawn:
    """Delete that: all of it is given back."""

    withdrawn: Withdrawn


@dataclass(frozen=True)
class SetStandby:
    """Set a node in Pacemaker's standby, or take that back."""

    node: NodeName
    on: bool


@dataclass(frozen=True)
class BootCanary:
    """Boot a small instance on a host whose service is disabled (core/canary.py)."""

    host: ComputeHost
    receipt_id: str
    recipe: Recipe


@dataclass(frozen=True)
class DeleteCanary:
    """Delete one. passed: it ran, so the host may serve. why: what was wrong with it."""

    host: ComputeHost
    receipt_id: str
    server: ServerId
    passed: bool = False
    why: str = ""


Action = (
    KeepProof
    | BeginRecovery
    | KeepFound
    | ForceDown
    | Disable
    | Evacuate
    | KeepStarts
    | Start
    | EndStarts
    | Release
    | DropHold
    | ForceUp
    | Enable
    | SetUse
    | AddToAggregate
    | RemoveFromAggregate
    | EndRecovery
    | LiveMigrate
    | KeepWithdrawn
    | DropWithdrawn
    | SetStandby
    | BootCanary
    | DeleteCanary
)

Request = Evacuate | Start | LiveMigrate
"""What is sent without waiting for Nova's answer."""


@dataclass(frozen=True)
class Hold:
    """Doing nothing, with the reason an operator reads; subject: a node, a host or a server."""

    subject: str
    reason: Reason
    text: str


@dataclass(frozen=True)
class AskServices:
    """List the nova-compute services."""


@dataclass(frozen=True)
class AskServers:
    """List the servers that Nova places on a host; with their details it costs Nova far more."""

    host: ComputeHost
    details: bool = False


@dataclass(frozen=True)
class AskMigrations:
    """List the evacuation records whose source is a host."""

    host: ComputeHost


@dataclass(frozen=True)
class AskLiveMigrations:
    """List the live migration records whose source is a host."""

    host: ComputeHost


@dataclass(frozen=True)
class AskRules:
    """List the host aggregates and the server groups."""


@dataclass(frozen=True)
class AskRoom:
    """Ask Placement what is free on the hosts that take instances."""


@dataclass(frozen=True)
class AskPorts:
    """Have ports of instances tried, and tell which answered by now; nothing is waited for."""

    targets: tuple[Target, ...]


@dataclass(frozen=True)
class AskPhases:
    """Ask whether Nova can leave an evacuated instance stopped."""


@dataclass(frozen=True)
class AskPlaced:
    """List a host with details, to see how some servers stand that were evacuated to it."""

    host: ComputeHost
    servers: frozenset[ServerId]


@dataclass(frozen=True)
class AskCanaries:
    """List the canaries of a host; the receipt says for which recovery that is asked."""

    host: ComputeHost
    receipt_id: str


Question = (
    AskServices
    | AskServers
    | AskMigrations
    | AskLiveMigrations
    | AskRules
    | AskRoom
    | AskPorts
    | AskPhases
    | AskPlaced
    | AskCanaries
)

Decision = Action | Hold | Question
