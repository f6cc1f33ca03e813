"""What happened, as plainly as it can be said: the facts by which the laws are judged.

The simulator knows them first hand; on a real cluster they are gathered from the machines' power,
from the guests that run, from Nova's access log and from Pacemaker's history. Nothing here is what
anybody believes. All times are seconds on one clock.
"""

from typing import Literal, NamedTuple

from novaha.core.names import NodeName, ServerId

By = Literal["process", "orphan", "person"]
"""Who asked: the recovery process, one that died before its request arrived, or a person."""


class Lived(NamedTuple):
    """nova-compute was started on a node, and with it the guests that Nova sees there.

    unasked: neither Pacemaker nor a person started it, but the system at boot.
    """

    at_s: float
    node: NodeName
    unasked: bool = False


class PoweredOff(NamedTuple):
    """A node lost its power in truth: nothing of it runs any more."""

    at_s: float
    node: NodeName


class Lied(NamedTuple):
    """A power device said that a node is off, and it runs on."""

    at_s: float
    node: NodeName


class Fenced(NamedTuple):
    """Pacemaker reported the success of a fencing.

    lost_s: when the cluster had to notice the loss, or was asked. allowed_s: what detection and
    the devices may take together; None where one of them did not work.
    """

    at_s: float
    node: NodeName
    lost_s: float
    allowed_s: float | None


class Accepted(NamedTuple):
    """Nova accepted an evacuate request; node: where the instance was."""

    at_s: float
    server: ServerId
    node: NodeName
    record: int
    by: By = "process"


class LiveAsked(NamedTuple):
    """A request for a live migration reached Nova; sent_s: when it was sent."""

    at_s: float
    server: ServerId
    sent_s: float
    by: By = "process"


class LiveAccepted(NamedTuple):
    """Nova accepted a live migration; node: where the instance was."""

    at_s: float
    server: ServerId
    node: NodeName
    record: int
    by: By = "process"


class LiveEnded(NamedTuple):
    """A live migration came to its end, well or not."""

    at_s: float
    record: int


class DrainWanted(NamedTuple):
    """A person wants a node emptied from now on, or no longer."""

    at_s: float
    node: NodeName
    wanted: bool


class DrainLeft(NamedTuple):
    """How the service of a node stands at the end, no recovery of it being open."""

    at_s: float
    node: NodeName
    enabled: bool


class Scheduled(NamedTuple):
    """Nova chose where the instance of an evacuation record goes."""

    at_s: float
    record: int
    node: NodeName


class RecordEnded(NamedTuple):
    """An evacuation came to its end: the instance has another host, or stays for good."""

    at_s: float
    record: int


class GuestStarted(NamedTuple):
    """A copy of an instance runs on a node and writes to its disk."""

    at_s: float
    server: ServerId
    node: NodeName


class GuestEnded(NamedTuple):
    """A copy of an instance runs no more."""

    at_s: float
    server: ServerId
    node: NodeName


class Deleted(NamedTuple):
    """A user deleted an instance."""

    at_s: float
    server: ServerId


class ServiceSet(NamedTuple):
    """A person has set the Nova service of a node, or it stood so at the beginning."""

    at_s: float
    node: NodeName
    enabled: bool
    reason: str
    forced_down: bool


class ServiceTaken(NamedTuple):
    """We have changed the Nova service of a node."""

    at_s: float
    node: NodeName


class Wished(NamedTuple):
    """What its owner and the operator want of an instance from now on.

    protected: it is to be evacuated. loses: an evacuation would lose data of it, and nobody has
    consented. Where nothing of this is seen, an instance is protected and loses nothing.
    """

    at_s: float
    server: ServerId
    protected: bool = True
    loses: bool = False


class PowerWished(NamedTuple):
    """Its owner wants an instance to run, or to stand stopped, from now on.

    Where nothing of this is seen, it is to run.
    """

    at_s: float
    server: ServerId
    runs: bool


class ReservedFor(NamedTuple):
    """For which lost node a reserved host is used from now on, None for none."""

    at_s: float
    node: NodeName
    lost: NodeName | None


class ReservedOnly(NamedTuple):
    """Instances of a node may go to the reserved host that is used for it, and nowhere else."""

    at_s: float
    node: NodeName


class Together(NamedTuple):
    """The affinity group of an instance from now on, "" for none."""

    at_s: float
    server: ServerId
    group: str


class InVain(NamedTuple):
    """Nova's scheduler was asked to choose a host for the first of an affinity group to leave.

    It had to refuse, though there was a host like the lost one.
    """

    at_s: float
    record: int


class GivenUp(NamedTuple):
    """A person took the recovery of a node's present loss away from us."""

    at_s: float
    node: NodeName


class Silent(NamedTuple):
    """A cycle ended with something of a node to recover, did nothing and said nothing."""

    at_s: float
    node: NodeName


class InstanceLeft(NamedTuple):
    """How an instance stands at the end; node: where Nova has it.

    shown: a reason that calls for a person names it, its host, or all of them.
    """

    at_s: float
    server: ServerId
    node: NodeName
    running: bool
    shown: bool


class ServiceLeft(NamedTuple):
    """How the Nova service of a node stands at the end, its recovery being over."""

    at_s: float
    node: NodeName
    enabled: bool
    reason: str
    forced_down: bool


Fact = (
    Lived
    | PoweredOff
    | Lied
    | Fenced
    | Accepted
    | LiveAsked
    | LiveAccepted
    | LiveEnded
    | DrainWanted
    | DrainLeft
    | Scheduled
    | RecordEnded
    | GuestStarted
    | GuestEnded
    | Deleted
    | ServiceSet
    | ServiceTaken
    | Wished
    | PowerWished
    | ReservedFor
    | ReservedOnly
    | Together
    | InVain
    | GivenUp
    | Silent
    | InstanceLeft
    | ServiceLeft
)
