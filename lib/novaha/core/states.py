"""The state machine: where a recovery and each instance of it can stand, and what leads where.

A recovery is one fencing of one host. No state is kept anywhere: each is recognised anew, in every
cycle, from the cluster and from Nova (`core/standing.py: stand`, `core/evacuation.py: fate`). The
tables say which changes can be seen from one decision of a process to its next; the simulator
notes every change it sees, a test fails on one that is not in them, and docs/states.md is drawn
from them.
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
    VOID = "the hold was deleted, so that the node may run nova-compute: nothing is sent any more"
    RELEASING = "the host may return; its receipt and hold are being taken away"
    RETURNING = "the host comes back, and is forced up and enabled"


class InstanceState(Enum):
    """Where one instance stands on its way off the host."""

    READY = "may be evacuated now"
    IN_FLIGHT = "Nova is moving it, or a request is on the wire"
    UNSURE = "a request may still take effect: nothing may be sent"
    MOVED = "its record says that it left; the list of servers is older than that"
    WAITING = "blocked: the last try failed, the next one is not due"
    CHECKING = "may be evacuated, once what Nova holds of it has been read, or read again"
    STAYS = "blocked by its state, its disk or its segment; a person helps, or it goes back"
    UNPROTECTED = "not protected: it is left on its host, which is released without it"
    GONE = "Nova does not list it on the host any more"


class Transition(NamedTuple):
    """One change of state and what causes it."""

    before: RecoveryState | InstanceState
    after: RecoveryState | InstanceState
    cause: str


_R, _I = RecoveryState, InstanceState

RECOVERY: tuple[Transition, ...] = (
    Transition(_R.OVER, _R.FENCING, "fence_nova writes a receipt"),
    Transition(_R.OVER, _R.FENCED, "a receipt is there, and its fencing has ended already"),
    Transition(_R.OVER, _R.UNPROVEN, "a receipt is there that can prove nothing"),
    Transition(_R.FENCING, _R.FENCED, "the fencing ends well"),
    Transition(_R.FENCING, _R.UNPROVEN, "no success shows in time, or the history is lost"),
    Transition(_R.UNPROVEN, _R.FENCING, "the node is fenced again"),
    Transition(_R.UNPROVEN, _R.FENCED, "a success shows after all, or of a fencing anew"),
    Transition(_R.FENCED, _R.PROVEN, "the proof is kept, for Nova was not asked yet"),
    Transition(_R.FENCED, _R.EVACUATING, "Nova was asked ahead: the host is forced down"),
    Transition(_R.PROVEN, _R.EVACUATING, "Nova has told how the host stands: it is forced down"),
    Transition(_R.PROVEN, _R.RETURNING, "Nova knows no such host, and it is back: it is let go"),
    Transition(_R.EVACUATING, _R.RETURNING, "no instance is left on the host: it is released"),
    Transition(_R.RELEASING, _R.RETURNING, "what a process that died left of a release is done"),
    Transition(_R.RETURNING, _R.OVER, "the host beats, is forced up and enabled"),
    Transition(_R.RETURNING, _R.FENCING, "the host is fenced again on its way back"),
    Transition(_R.RETURNING, _R.FENCED, "it is fenced again, and that has ended already"),
    Transition(_R.RETURNING, _R.UNPROVEN, "it is fenced again, and that proves nothing"),
    Transition(_R.EVACUATING, _R.VOID, "a person has deleted its hold"),
    Transition(_R.EVACUATING, _R.FENCING, "void, and the node is fenced again"),
    Transition(_R.EVACUATING, _R.FENCED, "void, fenced again, and that has ended already"),
    Transition(_R.EVACUATING, _R.UNPROVEN, "void, fenced again, and that proves nothing"),
    Transition(_R.OVER, _R.VOID, "a fencing is seen only after a person has deleted its hold"),
    Transition(_R.FENCING, _R.VOID, "a person has deleted its hold"),
    Transition(_R.UNPROVEN, _R.VOID, "it is proven in the end, and a person has deleted its hold"),
    Transition(_R.FENCED, _R.VOID, "a person has deleted its hold"),
    Transition(_R.PROVEN, _R.VOID, "a person has deleted its hold"),
    Transition(_R.VOID, _R.FENCING, "the node is fenced again"),
    Transition(_R.VOID, _R.UNPROVEN, "the node is fenced again, and that proves nothing"),
    Transition(_R.VOID, _R.FENCED, "the node is fenced again, and that has ended already"),
    Transition(_R.FENCING, _R.OVER, "a person deletes the receipt"),
    Transition(_R.UNPROVEN, _R.OVER, "a person deletes the receipt"),
    Transition(_R.UNPROVEN, _R.RETURNING, "a person deletes the receipt of a newer fencing"),
    Transition(_R.OVER, _R.UNREADABLE, "a receipt is there that cannot be read"),
    Transition(_R.FENCING, _R.UNREADABLE, "the receipt becomes unreadable"),
    Transition(_R.UNPROVEN, _R.UNREADABLE, "the receipt becomes unreadable"),
    Transition(_R.EVACUATING, _R.UNREADABLE, "the receipt becomes unreadable"),
    Transition(_R.FENCED, _R.UNREADABLE, "the receipt becomes unreadable"),
    Transition(_R.PROVEN, _R.UNREADABLE, "the receipt becomes unreadable"),
    Transition(_R.RETURNING, _R.UNREADABLE, "it is fenced again, and the receipt is unreadable"),
    Transition(_R.UNREADABLE, _R.FENCING, "the node is fenced again"),
    Transition(_R.UNREADABLE, _R.FENCED, "the node is fenced again, and that has ended already"),
    Transition(_R.UNREADABLE, _R.UNPROVEN, "the node is fenced again, and that proves nothing"),
    Transition(_R.UNREADABLE, _R.OVER, "a person deletes what cannot be read"),
    Transition(_R.UNREADABLE, _R.PROVEN, "a person deletes it, while the recovery waits"),
    Transition(_R.UNREADABLE, _R.EVACUATING, "a person deletes it, or it is written anew"),
    Transition(_R.UNREADABLE, _R.RETURNING, "a person deletes that of a newer fencing"),
)

INSTANCE: tuple[Transition, ...] = (
    Transition(_I.READY, _I.IN_FLIGHT, "it has a slot: the request is sent"),
    Transition(_I.IN_FLIGHT, _I.UNSURE, "the answer is there, or lost; the record is not seen yet"),
    Transition(_I.UNSURE, _I.IN_FLIGHT, "its migration record is seen"),
    Transition(_I.IN_FLIGHT, _I.MOVED, "its migration record is done"),
    Transition(_I.UNSURE, _I.MOVED, "its migration record is seen, and done"),
    Transition(_I.MOVED, _I.GONE, "Nova lists it elsewhere"),
    Transition(_I.IN_FLIGHT, _I.WAITING, "Nova refuses, or its record ends badly"),
    Transition(_I.UNSURE, _I.WAITING, "its record ends badly, or none came of the request"),
    Transition(_I.UNSURE, _I.CHECKING, "no record came of it, and the next try is due"),
    Transition(_I.UNSURE, _I.READY, "no record came of it, and it is due and read again"),
    Transition(_I.WAITING, _I.CHECKING, "the next try is due"),
    Transition(_I.WAITING, _I.READY, "the next try is due, and Nova was asked meanwhile"),
    Transition(_I.CHECKING, _I.READY, "Nova still has it on the host, and nothing moves it"),
    Transition(_I.READY, _I.CHECKING, "aggregates were changed: Nova is asked once more"),
    Transition(_I.READY, _I.UNSURE, "the request is sent, and answered at once"),
    Transition(_I.READY, _I.MOVED, "a request of before, or of a person, has moved it"),
    Transition(_I.MOVED, _I.WAITING, "the source called it completed, and then it failed"),
    Transition(_I.IN_FLIGHT, _I.READY, "the evacuation of a person, of before, failed"),
    Transition(_I.MOVED, _I.UNSURE, "its record is not listed any more"),
    Transition(_I.WAITING, _I.UNSURE, "its record is not listed any more"),
    Transition(_I.READY, _I.WAITING, "its refused request was answered within one decision"),
    Transition(_I.WAITING, _I.MOVED, "a person was faster, and their evacuation is done"),
    Transition(_I.WAITING, _I.IN_FLIGHT, "the next try is due, and a person was faster"),
    Transition(_I.MOVED, _I.IN_FLIGHT, "a person evacuates it once more"),
    Transition(_I.READY, _I.STAYS, "its state was changed, or no reserved host is left for it"),
    Transition(_I.UNSURE, _I.STAYS, "no record came of it, and its state was changed"),
    Transition(_I.WAITING, _I.STAYS, "a user or a person changed its state"),
    Transition(_I.CHECKING, _I.STAYS, "its state was read, or read again"),
    Transition(_I.STAYS, _I.READY, "a person changed its state, or a reserved host is free"),
    Transition(_I.STAYS, _I.WAITING, "a person evacuated it, which failed"),
    Transition(_I.STAYS, _I.CHECKING, "aggregates were changed: Nova is asked once more"),
    Transition(_I.STAYS, _I.IN_FLIGHT, "a person evacuates it"),
    Transition(_I.STAYS, _I.GONE, "a person deleted or moved it"),
    Transition(_I.UNPROTECTED, _I.READY, "its owner or the operator says otherwise now"),
    Transition(_I.UNPROTECTED, _I.STAYS, "it is protected now, and its state or disk blocks it"),
    Transition(_I.STAYS, _I.UNPROTECTED, "its owner or the operator says otherwise now"),
    Transition(_I.READY, _I.UNPROTECTED, "its owner or the operator says otherwise now"),
    Transition(_I.UNSURE, _I.UNPROTECTED, "no record came of it, and they say otherwise now"),
    Transition(_I.UNPROTECTED, _I.WAITING, "it failed before, and its next try is not due"),
    Transition(_I.WAITING, _I.UNPROTECTED, "its owner or the operator says otherwise now"),
    Transition(_I.UNPROTECTED, _I.IN_FLIGHT, "a person evacuates it"),
    Transition(_I.IN_FLIGHT, _I.UNPROTECTED, "the evacuation of a person failed"),
    Transition(_I.UNPROTECTED, _I.MOVED, "a person has evacuated it, and that is done"),
    Transition(_I.STAYS, _I.MOVED, "a person has evacuated it, and that is done"),
    Transition(_I.UNPROTECTED, _I.GONE, "a person deleted or moved it"),
    Transition(_I.READY, _I.GONE, "a person deleted or moved it"),
    Transition(_I.IN_FLIGHT, _I.GONE, "Nova lists it elsewhere, or it was deleted"),
    Transition(_I.UNSURE, _I.GONE, "Nova lists it elsewhere, or it was deleted"),
    Transition(_I.WAITING, _I.GONE, "a person deleted or moved it"),
    Transition(_I.CHECKING, _I.GONE, "a person deleted or moved it"),
)
