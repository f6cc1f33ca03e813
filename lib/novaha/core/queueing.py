"""The instances of one host that want to be evacuated, in their order, and what each will need."""

from collections.abc import Iterator, Sequence

from novaha.core.actions import Evacuate
from novaha.core.capacity import need_of
from novaha.core.details import Details
from novaha.core.fates import Fate, Reading
from novaha.core.hostplan import Candidate, Mover
from novaha.core.model import Memory, Server
from novaha.core.order import Member, Wish, rank
from novaha.core.placing import Placing
from novaha.core.records import ended_badly
from novaha.core.states import InstanceState
from novaha.core.together import Target, first_or_any
from novaha.core.twophase import is_left_stopped, is_placed_at_once


def candidates(reading: Reading, fates: Sequence[Fate], where: Placing) -> tuple[Candidate, ...]:
    """Return the evacuations that may be posted, the first ones first."""
    ready = (f for f in fates if f.state is InstanceState.READY and where.admits(f))
    found = (_candidate(reading, fate, first_or_any(reading, fates, fate, where)) for fate in ready)
    return tuple(sorted(found, key=lambda candidate: candidate.rank))


def _candidate(reading: Reading, fate: Fate, target: Target) -> Candidate:
    server, memory, recovery = fate.server, reading.view.memory, reading.recovery
    to, forced, alone = target
    stopped = is_left_stopped(reading, server) and not forced
    evacuate = Evacuate(server.id, recovery.host, fate.reset, to, forced, stopped)
    wish, at_once = reading.wish(server), is_placed_at_once(reading, server) and not forced
    since_s = memory.first_seen.get(recovery.receipt_id, memory.started_s)
    return Candidate(evacuate, rank(server, wish, fate.own), wish, since_s, alone, at_once)


def members(reading: Reading, fates: Sequence[Fate]) -> tuple[Member, ...]:
    """Return the instances of the host that others may wait for; those kept are no such."""
    here = {fate.server.id: fate for fate in fates}
    known = reading.view.memory.known.get(reading.recovery.host, {})
    servers = {**known, **{id_: fate.server for id_, fate in here.items()}}
    return tuple(
        _member(reading, server, here.get(server.id))
        for server in servers.values()
        if server.id not in here or here[server.id].kept is None
    )


def _member(reading: Reading, server: Server, fate: Fate | None) -> Member:
    gone = fate is None or fate.state is InstanceState.MOVED
    up_s = _up_s(reading, server) if gone else None
    return member_of(server, reading.wish(server), up_s, reading.view.memory)


def member_of(server: Server, wish: Wish, up_s: float | None, memory: Memory) -> Member:
    """Return an instance as those see it that may wait for it; wish: what is said of it."""
    details = server.details or Details()
    answers = server.id in memory.answered
    return Member(server.id, server.name, details.project, wish, up_s, details.addresses, answers)


def _up_s(reading: Reading, server: Server) -> float | None:
    """Return since when one that has left is up: where it was placed stopped, since its start."""
    cluster, memory = reading.view.cluster, reading.view.memory
    if any(server.id in entry.servers for entry in cluster.starts):
        return memory.up.get(server.id)
    return _changed_s(reading, server)


def _changed_s(reading: Reading, server: Server) -> float:
    """Return when the record of a server changed last; of one without any, when we began."""
    record = reading.newest.get(server.id)
    moved = reading.view.memory.moving.get(record.id) if record else None
    return moved.since_s if moved else reading.view.memory.started_s


def pool(reading: Reading, fates: Sequence[Fate]) -> Iterator[Mover]:
    """Yield what needs room that it did not have when Placement was asked.

    What goes to a reserved host needs none elsewhere; of that host, disabled, nothing is told.
    """
    if reading.reserve.first:
        return
    room, here = reading.view.memory.room, {fate.server.id: fate for fate in fates}
    for server in reading.view.memory.known.get(reading.recovery.host, {}).values():
        fate, record = here.get(server.id), reading.newest.get(server.id)
        went = record is not None and not ended_badly(record)
        if went and room and _changed_s(reading, server) <= room.asked_s:
            continue
        if server.details and not (fate and fate.kept):
            still_here = fate is not None and fate.state is not InstanceState.MOVED
            wish = reading.wish(server)
            order = rank(server, wish, fate.own if fate else 0)
            yield Mover(order, need_of(server.details), still_here)
