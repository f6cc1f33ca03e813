"""What a real cluster did, as facts for the judge of core/invariants.py.

    power of the machines        the container engine's events
    nova-compute, guests         processes and books, seen from outside of all nodes
    success of fencings          the fencers' logs
    requests                     Nova's access log, with the evacuation records they made
    evacuations                  Nova's records, read again and again
    services, instances          Nova, at the beginning and at the end
    silence about a node         the CIB's properties beside the status of the process

Not gathered: a lying power device, there is none. An
evacuation ends with the second in which Nova says so, so it may count as ended a second early.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime

from novaha.core import facts
from novaha.core.facts import Fact
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import in_flight
from rehearsal.fencings import Fencing
from rehearsal.power import Switched
from testcloud.cloudctl import Migration, Server, Service
from testcloud.referee import Daemon

MADE_WITHIN_S = 30.0
"""A record is made so long after its request at the latest: Nova makes it before it answers."""

Places = frozenset[tuple[str, str]]
"""Which copies run: (instance, node)."""


@dataclass(frozen=True)
class Sent:
    """An evacuate request that Nova accepted."""

    at_s: float
    server: str
    by: facts.By


@dataclass(frozen=True)
class Lists:
    """What Nova shows at a moment."""

    at_s: float
    services: tuple[Service, ...]
    servers: tuple[Server, ...]
    migrations: tuple[Migration, ...]


@dataclass
class Seen:
    """All that was seen of a loss.

    lost: when each node was lost. allowed_s: what detection and devices may take, None where they
    do not work. records: each look at the evacuation records; those of before do not count.
    unprotected: the instances that must not be evacuated.
    """

    begin: Lists
    end: Lists
    lost: dict[str, float] = field(default_factory=dict)
    allowed_s: float | None = None
    power: Sequence[Switched] = ()
    daemons: Sequence[Daemon] = ()
    fencings: Sequence[Fencing] = ()
    copies: Sequence[tuple[float, Places]] = ()
    sent: Sequence[Sent] = ()
    records: Sequence[tuple[float, tuple[Migration, ...]]] = ()
    silent: Sequence[tuple[float, str]] = ()
    unprotected: AbstractSet[str] = frozenset()


def facts_of(seen: Seen) -> list[Fact]:
    """Return what was seen as facts, in the order in which they happened."""
    begin_s, end_s = seen.begin.at_s, seen.end.at_s
    during = [
        *(facts.PoweredOff(s.at_s, _node(s.node)) for s in seen.power if not s.on),
        *(facts.Lived(d.started_s, _node(d.node)) for d in seen.daemons if d.started_s > begin_s),
        *_fenced(seen),
        *(facts.Silent(at_s, _node(node)) for at_s, node in seen.silent),
        *_guests(seen.copies),
        *_evacuations(seen),
    ]
    at_first: list[Fact] = [
        *(facts.ServiceSet(begin_s, *_setting(s)) for s in seen.begin.services),
        *(facts.Wished(begin_s, ServerId(id_), protected=False) for id_ in seen.unprotected),
    ]
    at_last: list[Fact] = [
        *_instances(seen),
        *(facts.ServiceLeft(end_s, *_setting(s)) for s in seen.end.services),
    ]
    return [*at_first, *sorted(during, key=lambda fact: fact.at_s), *at_last]


def _node(name: str) -> NodeName:
    return NodeName(name)


def _setting(service: Service) -> tuple[NodeName, bool, str, bool]:
    enabled = service.status == "enabled"
    return _node(service.host), enabled, service.disabled_reason or "", service.forced_down


def _fenced(seen: Seen) -> Iterator[Fact]:
    """Yield the fencings; only the first after a loss is known to have begun with it."""
    known = dict(seen.lost)
    for fencing in seen.fencings:
        lost_s = known.pop(fencing.node, None)
        if lost_s is None or lost_s > fencing.at_s:
            yield facts.Fenced(fencing.at_s, _node(fencing.node), fencing.at_s, None)
        else:
            yield facts.Fenced(fencing.at_s, _node(fencing.node), lost_s, seen.allowed_s)


def _guests(copies: Iterable[tuple[float, Places]]) -> Iterator[Fact]:
    before: Places = frozenset()
    for at_s, now in copies:
        for server, node in sorted(before - now):
            yield facts.GuestEnded(at_s, ServerId(server), _node(node))
        for server, node in sorted(now - before):
            yield facts.GuestStarted(at_s, ServerId(server), _node(node))
        before = now


def _evacuations(seen: Seen) -> Iterator[Fact]:
    old = {record.id for record in seen.begin.migrations}
    looks = [*seen.records, (seen.end.at_s, seen.end.migrations)]
    new = {record.id: record for _, records in looks for record in records if record.id not in old}
    for accepted in _accepted(new.values(), seen.sent):
        yield accepted
        yield from _progress(accepted, looks)


def _accepted(records: Iterable[Migration], sent: Sequence[Sent]) -> Iterator[facts.Accepted]:
    """Yield each accepted request, with the record it made.

    A record without request is of one whose answer was lost with nova-api, which noted nothing
    then. It was made in the second that the record tells, and counts from the end of that.
    """
    free = sorted(sent, key=lambda each: each.at_s)
    for record in sorted(records, key=lambda each: each.id):
        made_s = _epoch_s(record.created_at)
        found = next((s for s in free if _made(s, record, made_s)), None)
        if found is not None:
            free.remove(found)
        at_s, by = (found.at_s, found.by) if found else (made_s + 1.0, "process")
        server, node = ServerId(record.server), _node(record.source)
        yield facts.Accepted(at_s, server, node, record.id, by)
    if free:
        msg = f"Nova accepted requests and shows no records of them: {free}"
        raise AssertionError(msg)


def _made(sent: Sent, record: Migration, made_s: float) -> bool:
    return sent.server == record.server and -1.0 < made_s - sent.at_s < MADE_WITHIN_S


def _progress(
    accepted: facts.Accepted, looks: Iterable[tuple[float, tuple[Migration, ...]]]
) -> Iterator[facts.Scheduled | facts.RecordEnded]:
    """Yield where an evacuation goes, as soon as that was seen, and its end, as Nova dates it."""
    id_, scheduled = accepted.record, False
    for at_s, records in looks:
        record = next((record for record in records if record.id == id_), None)
        if record is None:
            continue
        if record.destination is not None and not scheduled:
            scheduled = True
            yield facts.Scheduled(at_s, id_, _node(record.destination))
        if not in_flight(record.status):
            ended_s = _epoch_s(record.updated_at or record.created_at)
            yield facts.RecordEnded(max(ended_s, accepted.at_s), id_)
            return


def _instances(seen: Seen) -> Iterator[Fact]:
    running = seen.copies[-1][1] if seen.copies else frozenset()
    for server in seen.end.servers:
        if server.host is not None:
            runs = server.status == "ACTIVE" and (server.id, server.host) in running
            node = _node(server.host)
            yield facts.InstanceLeft(seen.end.at_s, ServerId(server.id), node, runs, shown=False)


def _epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
