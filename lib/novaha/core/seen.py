"""What the judge of the laws (core/invariants.py) keeps of evacuations and nodes."""

from dataclasses import dataclass, field
from math import inf

from novaha.core import facts
from novaha.core.names import NodeName


@dataclass(slots=True)
class SeenFlight:
    """An evacuation in flight.

    dead: its destination lost power, so nothing of it goes on. done: its copy runs there, and only
    Nova's word that it does is missing, so that it burdens nobody any more.
    """

    accepted: facts.Accepted
    to: NodeName | None = None
    dead: bool = False
    done: bool = False


@dataclass(slots=True)
class SeenNode:
    """What is known of a node's present life.

    dirty: something of it may run. unasked: it was started by its system alone. stray: its life
    since its last proven fencing was. fenced_s: when a fencing since its last life succeeded.
    taken_s: when a fencing succeeded last, and its service was taken over by us. changes_s: when
    we changed its service.
    """

    dirty: bool = True
    lied: bool = False
    unasked: bool = False
    stray: bool = False
    given_up_s: float | None = None
    fenced_s: float | None = None
    taken_s: float = -inf
    changes_s: list[float] = field(default_factory=list)
