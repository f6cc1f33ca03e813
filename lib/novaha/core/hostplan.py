"""What a host needs now, before the plans of all hosts are put together (core/sharing.py)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from novaha.core.actions import Decision, Evacuate
from novaha.core.capacity import Need
from novaha.core.flights import Flights
from novaha.core.order import Member, Rank, Wish


@dataclass(frozen=True)
class Candidate:
    """An evacuation that may be sent once it has a slot; since_s: when its host was lost to us.

    alone: the affinity group of which it may be the first to leave, and only it meanwhile.
    at_once: it waits for no other, being left stopped.
    """

    evacuate: Evacuate
    rank: Rank
    wish: Wish
    since_s: float
    alone: str | None = None
    at_once: bool = False


class Mover(NamedTuple):
    """An instance that needs room elsewhere; here: it is still on its lost host."""

    rank: Rank
    need: Need
    here: bool


@dataclass(frozen=True)
class HostPlan:
    """What a host needs now; ready are evacuations that want a slot, busy how many have one.

    flights: what is in flight, where that is known. members: tells the host's instances, those
    included that have left; asked only where an instance of any host waits for others. pool: those
    that take room elsewhere, beside what Placement has told. placing: some are on their way to a
    place, or can go there now.

    One that is stuck has none: it costs Nova nothing, and must not keep the others waiting.

    Questions stand beside all that can be decided without their answers, so that a Nova which is
    slower than we ask holds nothing up.
    """

    decisions: tuple[Decision, ...]
    ready: tuple[Candidate, ...] = ()
    busy: int = 0
    after_evacuations: tuple[Decision, ...] = ()
    flights: Flights | None = None
    members: Callable[[], tuple[Member, ...]] = tuple
    pool: tuple[Mover, ...] = ()
    placing: bool = False
