"""Whether the hosts that are left have room for what failed: a plan before the first request.

Placement knows what is free; Nova's scheduler decides in the end, by filters that are not known
here. So nothing is kept back for this plan: it tells at once what will most likely wait.
"""

from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heappop, heappush

from novaha.core.details import Details

MIB_PER_GIB = 1024


@dataclass(frozen=True)
class Room:
    """What is free on a host, allocation ratios counted; disk_gib: None where it has none to give.

    Source: Placement API "List allocation candidates", provider summaries, microversion 1.29.
    """

    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int | None = None


@dataclass(frozen=True)
class Need:
    """What an instance takes; vcpus: 0 for one with processors of its own, not counted here."""

    vcpus: int
    ram_mib: int
    disk_gib: int


def need_of(details: Details) -> Need:
    """Return what an instance takes of its next host, its disks as its storage makes them."""
    flavor = details.flavor
    own = flavor.specs.get("hw:cpu_policy") == "dedicated"
    swap_gib = -(-flavor.swap_mib // MIB_PER_GIB)
    root_gib = flavor.disk_gib if details.image else 0
    return Need(
        0 if own else flavor.vcpus, flavor.ram_mib, root_gib + flavor.ephemeral_gib + swap_gib
    )


@lru_cache(maxsize=4)  # the same question comes with every decision of a cycle
def without_room(needs: tuple[Need, ...], rooms: tuple[Room, ...]) -> tuple[int, ...]:
    """Return the places of those that find no room, when each in turn takes the emptiest host."""
    emptiest = [(-room.ram_mib, number, room) for number, room in enumerate(rooms)]
    heapify(emptiest)
    return tuple(place for place, need in enumerate(needs) if not _take(emptiest, need))


def _take(emptiest: list[tuple[int, int, Room]], need: Need) -> bool:
    """Give a need the emptiest host that it fits on, and tell whether there is one.

    emptiest: a heap by free memory, for in a large cloud most fit on the first.
    """
    aside, taken = [], False
    while emptiest and not taken and -emptiest[0][0] >= need.ram_mib:
        _, number, room = heappop(emptiest)
        taken = _fits(need, room)
        left = _less(room, need) if taken else room
        aside.append((-left.ram_mib, number, left))
    for entry in aside:
        heappush(emptiest, entry)
    return taken


def _fits(need: Need, room: Room) -> bool:
    enough_disk = room.disk_gib is None or need.disk_gib <= room.disk_gib
    return need.vcpus <= room.vcpus and need.ram_mib <= room.ram_mib and enough_disk


def _less(room: Room, need: Need) -> Room:
    disk_gib = None if room.disk_gib is None else room.disk_gib - need.disk_gib
    return Room(room.name, room.vcpus - need.vcpus, room.ram_mib - need.ram_mib, disk_gib)
