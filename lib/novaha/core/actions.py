"""What can be decided: to change something, or to do nothing for a stated reason."""

from dataclasses import dataclass
from enum import Enum

from novaha.core.model import HoldMark, Service
from novaha.core.names import ComputeHost, ServerId
from novaha.core.receipt import Receipt
from novaha.core.recovery import Recovery


@dataclass(frozen=True)
class BeginRecovery:
    """Write the recovery record; everything else about the fencing comes after it."""

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
    """Ask Nova to rebuild one server elsewhere; Nova's scheduler chooses where."""

    server: ServerId
    host: ComputeHost


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


@dataclass(frozen=True)
class EndRecovery:
    """Delete the recovery record: the host serves, or stands as a person left it."""

    recovery: Recovery


Action = (
    BeginRecovery
    | ForceDown
    | Disable
    | Evacuate
    | Release
    | DropHold
    | ForceUp
    | Enable
    | EndRecovery
)


class Reason(Enum):
    """Why nothing is done now. trouble: an operator should look; else it passes by itself."""

    NO_QUORUM = ("no-quorum", True)
    MALFORMED = ("malformed", True)
    BY_HAND = ("receipt-by-hand", True)
    NO_REAL_DEVICE = ("no-real-device", True)
    HISTORY_UNKNOWN = ("history-unknown", True)
    FENCE_PENDING = ("fence-pending", False)
    FENCE_UNPROVEN = ("fence-unproven", True)
    HOST_UNKNOWN = ("host-unknown", True)
    HOST_AMBIGUOUS = ("host-ambiguous", True)
    CLOUD = ("cloud-unavailable", True)
    ASKING = ("asking-nova", False)
    IN_FLIGHT = ("in-flight", False)
    SETTLING = ("settling", False)
    QUEUED = ("queued", False)
    BLOCKED = ("blocked", True)
    HOST_OFF = ("host-off", False)
    HOST_STARTING = ("host-starting", False)
    RECORDS_OPEN = ("records-open", False)

    def __init__(self, code: str, trouble: bool) -> None:  # noqa: FBT001  (an Enum has no keywords)
        """Name the columns of the table above."""
        self.code = code
        self.trouble = trouble


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
    """List the servers that Nova places on a host; with their faults it costs Nova far more."""

    host: ComputeHost
    faults: bool = False


@dataclass(frozen=True)
class AskMigrations:
    """List the evacuation records whose source is a host."""

    host: ComputeHost


Question = AskServices | AskServers | AskMigrations

Decision = Action | Hold | Question
