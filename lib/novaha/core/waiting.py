"""What found no host and waits for room: which of it finds some, by Placement's last answer.

Only what had none before, and has some now, waits no longer: the try that follows may fail all the
same, by filters that are not known here, and is then no reason for another one.
"""

from collections.abc import Iterable, Iterator

from novaha.core.capacity import Need, Room, need_of, without_room
from novaha.core.model import Memory
from novaha.core.names import ComputeHost, ServerId, first_labels, is_alike
from novaha.core.order import Rank, rank, wish_of
from novaha.core.records import newest_by_server
from novaha.core.rules import Rules

NO_HOST = "error"
"""How a record ends for which no host was found; what fails on its host ends `failed`.

Source: nova/conductor/manager.py: rebuild_instance, 34.0.
"""


def open_rooms(memory: Memory, besides: Iterable[ComputeHost] = ()) -> tuple[Room, ...]:
    """Return what is free on the hosts that take instances, as far as Placement has told.

    besides: hosts that are to take none, whatever Nova says of them.
    """
    rooms = (memory.room.value if memory.room else None) or ()
    services = memory.services.value if memory.services else ()
    closed = {s.host for s in services if s.forced_down or not s.enabled}.union(besides)
    labels = first_labels(closed)
    return tuple(room for room in rooms if not is_alike(room.name, closed, labels))


def without_a_place(memory: Memory) -> frozenset[ServerId]:
    """Return which of that finds no room, when the most important is placed first."""
    failed = sorted(_failed(memory), key=lambda row: row[0])
    needs = tuple(need for _, need, _ in failed)
    return frozenset(failed[n][2] for n in without_room(needs, open_rooms(memory)))


def all_without_a_host(memory: Memory) -> frozenset[ServerId]:
    """Return the instances that Nova lists on a lost host, for it found no other one for them."""
    return frozenset(server for *_, server in _failed(memory))


def _failed(memory: Memory) -> Iterator[tuple[Rank, Need, ServerId]]:
    rules = memory.rules.value if memory.rules else Rules()
    for host, listed in memory.servers.items():
        records = memory.migrations.get(host)
        newest = newest_by_server(records.value if records else ())
        mine, known = rules.of(host), memory.known.get(host, {})
        for server in listed.value:
            record, seen = newest.get(server.id), known.get(server.id)
            bad = record is not None and record.status == NO_HOST
            if bad and seen is not None and seen.details is not None:
                order = rank(seen, wish_of(seen.details, mine), 0)
                yield order, need_of(seen.details), server.id
