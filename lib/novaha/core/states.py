"""The state machine: where a recovery and each instance of it can stand, and what leads where.

A recovery is one fencing of one host. No state is kept anywhere: each is recognised anew, in every
cycle, from the cluster and from Nova (`core/decide.py: state_of`, `core/evacuation.py: fate`). The
tables say which changes can be seen from one cycle of a process to its next; the simulator notes
every change it sees and fails on one that is not in them, and docs/states.md is drawn from them.
"""

from enum import Enum
from typing import NamedTuple


class RecoveryState(Enum):
    """Where the recovery of a node stands."""

    OVER = "nothing of a recovery is left, or none was begun"
    UNREADABLE = "a receipt or record cannot be read: the node is held for a person"
    FENCING = "there is a receipt; Pacemaker has not reported the end of the fencing"
    UNPROVEN = "there is a receipt that proves nothing: the node is held for a person"
    FENCED = "the fencing is proven, which is not written down yet"
    PROVEN = "the proof is kept; how the host stands is asked of Nova"
    EVACUATING = "the host is forced down; its instances are evacuated"
    VOID = "the node has joined again without being held: nothing is sent any more"
    RELEASING = "the host may return; its receipt and hold are being taken away"
    RETURNING = "the host comes back, and is forced up and enabled"


class InstanceState(Enum):
    """Where one instance stands on its way off the host."""

    READY = "may be evacuated now"
    IN_FLIGHT = "Nova is moving it, or a request is on the wire"
    UNSURE = "a request may still take effect: nothing may be sent"
    MOVED = "its record says that it left; the list of servers is older than that"
    WAITING = "blocked: the last try failed, the next one is not due"
    CHECKING = "the next try is due, once what Nova holds of it has been read again"
    GONE = "Nova does not list it on the host any more"


class Transition(NamedTuple):
    """One change of state and what causes it."""

    before: RecoveryState | InstanceState
    after: RecoveryState | InstanceState
    cause: str


_R, _I = RecoveryState, InstanceState

RECOVERY: tuple[Transition, ...] = (
    Transition(_R.OVER, _R.FENCING, "fence_nova writes a receipt"),
    Transition(_R.OVER, _R.UNPROVEN, "a receipt is there that can prove nothing"),
    Transition(_R.OVER, _R.PROVEN, "fence_nova wrote a receipt, and the fencing has ended"),
    Transition(_R.FENCING, _R.PROVEN, "the fencing ends well; the proof is kept"),
    Transition(_R.FENCING, _R.UNPROVEN, "no success shows in time, or the history is lost"),
    Transition(_R.UNPROVEN, _R.PROVEN, "a success shows after all"),
    Transition(_R.PROVEN, _R.EVACUATING, "Nova has told how the host stands: it is forced down"),
    Transition(_R.EVACUATING, _R.RETURNING, "no instance is left on the host: it is released"),
    Transition(_R.RETURNING, _R.OVER, "the host beats, is forced up and enabled"),
    Transition(_R.RETURNING, _R.FENCING, "the host is fenced again on its way back"),
)

INSTANCE: tuple[Transition, ...] = (
    Transition(_I.READY, _I.IN_FLIGHT, "it has a slot: the request is sent"),
    Transition(_I.IN_FLIGHT, _I.MOVED, "its migration record is done"),
    Transition(_I.MOVED, _I.GONE, "Nova lists it elsewhere"),
)
