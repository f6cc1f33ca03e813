"""Whether the hosts that are left have room for what failed: a plan before the first request.

Placement knows what is free; Nova's scheduler decides in the end, by filters that are not known
here. So nothing is kept back for this plan: it tells at once what will most likely wait.
"""

from dataclasses import dataclass
from functools import lru_cache

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
    left = [[room.vcpus, room.ram_mib, room.disk_gib] for room in rooms]
    lacking = []
    for place, need in enumerate(needs):
        fits = [free for free in left if _fits(need, free)]
        if not fits:
            lacking.append(place)
            continue
        best = max(fits, key=lambda free: free[1] or 0)
        best[0] = (best[0] or 0) - need.vcpus
        best[1] = (best[1] or 0) - need.ram_mib
        if best[2] is not None:
            best[2] -= need.disk_gib
    return tuple(lacking)


def _fits(need: Need, free: list[int | None]) -> bool:
    vcpus, ram_mib, disk_gib = free
    enough_disk = disk_gib is None or need.disk_gib <= disk_gib
    return need.vcpus <= (vcpus or 0) and need.ram_mib <= (ram_mib or 0) and enough_disk
