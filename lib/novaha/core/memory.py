"""How what happened changes what the process remembers: each function returns a new Memory."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from novaha.core.capacity import Room
from novaha.core.flow import Flow
from novaha.core.model import (
    Answer,
    Memory,
    Migration,
    Moving,
    Post,
    PostState,
    Refusal,
    RefusedChange,
    Server,
    Service,
    Strain,
)
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import ENDED_WELL, in_flight
from novaha.core.records import ended_badly, newest_by_server
from novaha.core.recovery import Recovery
from novaha.core.rules import AFFINITY, Rules
from novaha.core.segments import Aggregate
from novaha.core.waiting import all_without_a_host, without_a_place

ONE_STRAIN_S = 5.0
"""Requests that fail so soon after each other tell of one and the same overload."""
RELIEF_S = 30.0
"""So long after an overload twice as many evacuations are tried at once again."""
MOST_HALVINGS = 6

LONG_AGO_S = -1e9
"""When something failed that need not wait any longer."""

K = TypeVar("K")
V = TypeVar("V")


def saw_receipts(memory: Memory, ids: Iterable[str], now_s: float) -> Memory:
    """Note when each receipt was first seen, and forget those that are gone."""
    ids = tuple(ids)
    if memory.first_seen.keys() == set(ids):
        return memory
    return replace(memory, first_seen={id_: memory.first_seen.get(id_, now_s) for id_ in ids})


def began(memory: Memory, recovery: Recovery) -> Memory:
    """Note that this process itself began a recovery, and after which record."""
    begun = {**memory.begun, recovery.receipt_id: recovery.after_migration}
    raised = memory.raised - {recovery.host}
    # What answered before may be what is lost now, and Nova may be a newer one.
    memory = replace(memory, answered=frozenset(), probed={}, leaves_stopped=None)
    return replace(memory, begun=begun, raised=raised)


def saw_services(memory: Memory, services: tuple[Service, ...], asked_s: float) -> Memory:
    """Keep the list of services; where a host takes instances again, no failed one waits longer."""
    hidden = frozenset(service.host for service in services if service.hidden)
    services = tuple(service for service in services if not service.hidden)
    known = replace(memory, services=Answer(services, asked_s), hidden=hidden, trouble=None)
    new = _open(services) - _open(memory.services.value) if memory.services else set()
    return _woken(known, asked_s) if new else known


def _open(services: Iterable[Service]) -> set[ComputeHost]:
    return {service.host for service in services if service.enabled and not service.forced_down}


def _woken(memory: Memory, now_s: float, servers: Collection[ServerId] | None = None) -> Memory:
    """Have what failed tried again once it was read again; servers: None for all of them."""
    records = chain.from_iterable(answer.value for answer in memory.migrations.values())
    ids = {m.id for m in records if servers is None or m.server in servers}
    woken = {id_: LONG_AGO_S for id_ in memory.failed_at if id_ in ids}
    if not woken:
        return memory
    return replace(memory, failed_at={**memory.failed_at, **woken}, woken_s=now_s)


def saw_rules(memory: Memory, rules: Rules, asked_s: float) -> Memory:
    """Keep the host aggregates and the server groups, and since when the former are as they are.

    Where an affinity group binds fewer, what failed waits no longer.
    """
    before = memory.rules
    changed = before is not None and before.value.aggregates != rules.aggregates
    since_s = asked_s if changed else memory.rules_since_s
    known = replace(memory, rules=Answer(rules, asked_s), rules_since_s=since_s, trouble=None)
    loosened = before is not None and _loosened(before.value, rules)
    return _woken(known, asked_s) if loosened else known


def _loosened(before: Rules, now: Rules) -> bool:
    """Tell whether an affinity group is gone, or has lost members: it binds others no more."""
    members = {group.id: group.members for group in now.groups}
    bound = (group for group in before.groups if group.policy == AFFINITY)
    return any(g.members - members.get(g.id, frozenset()) for g in bound)


def saw_room(memory: Memory, rooms: tuple[Room, ...] | None, asked_s: float) -> Memory:
    """Keep what Placement told, or that it gave no answer; what has room by now waits no longer.

    Of what failed before the first answer nobody knows whether it had room: it counts as without.
    """
    before = memory.cramped if memory.room is not None else all_without_a_host(memory)
    known = replace(memory, room=Answer(rooms, asked_s))
    if rooms is None:
        return known
    known = replace(known, cramped=without_a_place(known))
    return _woken(known, asked_s, before - known.cramped)


def saw_service(memory: Memory, service: Service) -> Memory:
    """Keep what Nova answered to a change of one service, as old as the list it is put in."""
    if memory.services is None:
        return memory
    value = tuple(service if old.id == service.id else old for old in memory.services.value)
    known = saw_services(memory, value, memory.services.asked_s)
    return replace(known, service_refused=_without(memory.service_refused, service.host))


def forced_up(memory: Memory, service: Service) -> Memory:
    """Keep Nova's answer to the end of our force-down."""
    return replace(saw_service(memory, service), raised=memory.raised | {service.host})


def service_refused(memory: Memory, host: ComputeHost, now_s: float, text: str) -> Memory:
    """Note that Nova refused to change a host's service, once more or for the first time."""
    before = memory.service_refused.get(host)
    refused = RefusedChange(before.since_s if before else now_s, now_s, text)
    return replace(memory, service_refused={**memory.service_refused, host: refused}, trouble=None)


def saw_aggregate(memory: Memory, aggregate: Aggregate, host: ComputeHost) -> Memory:
    """Keep what Nova answered to a change of one aggregate that was about a host."""
    if memory.rules is None:
        return memory
    rules = memory.rules.value
    value = tuple(aggregate if old.id == aggregate.id else old for old in rules.aggregates)
    return replace(
        memory,
        rules=Answer(replace(rules, aggregates=value), memory.rules.asked_s),
        aggregate_refused=_without(memory.aggregate_refused, (aggregate.id, host)),
        trouble=None,
    )


def aggregate_refused(
    memory: Memory, aggregate: Aggregate, host: ComputeHost, now_s: float, text: str
) -> Memory:
    """Note that Nova refused to change an aggregate for a host."""
    key = (aggregate.id, host)
    before = memory.aggregate_refused.get(key)
    refused = RefusedChange(before.since_s if before else now_s, now_s, text)
    known = {**memory.aggregate_refused, key: refused}
    return doubt_rules(replace(memory, aggregate_refused=known, trouble=None))


def freed(memory: Memory, host: ComputeHost) -> Memory:
    """Forget in which aggregates Nova did not want a reserved host that is free again."""
    known = memory.aggregate_refused
    return replace(memory, aggregate_refused={k: v for k, v in known.items() if k[1] != host})


def doubt_rules(memory: Memory) -> Memory:
    """Have the aggregates listed again before the next change of one: the last came to nothing.

    Or its answer was lost.
    """
    if memory.rules is None:
        return memory
    return replace(memory, rules=Answer(memory.rules.value, float("-inf")))


def forget_services(memory: Memory) -> Memory:
    """Have the services listed again: what was decided on them is refused."""
    return replace(memory, services=None)


def saw_servers(
    memory: Memory,
    host: ComputeHost,
    servers: tuple[Server, ...],
    asked_s: float,
    *,
    details: bool = False,
) -> Memory:
    """Keep the list of a host's servers; a short one adds to the details that are known."""
    known = memory.known.get(host, {})
    if details:
        known = {**known, **{server.id: server for server in servers}}
        memory = replace(
            memory,
            known={**memory.known, host: known},
            detailed_s={**memory.detailed_s, host: asked_s},
        )
    else:
        servers = tuple(_with_details(server, known) for server in servers)
    return replace(memory, servers={**memory.servers, host: Answer(servers, asked_s)}, trouble=None)


def _with_details(server: Server, known: Mapping[ServerId, Server]) -> Server:
    before = known.get(server.id)
    return replace(server, details=before.details if before else None)


def saw_migrations(
    memory: Memory, host: ComputeHost, migrations: tuple[Migration, ...], asked_s: float
) -> Memory:
    """Keep a host's evacuation records; a request whose record appeared is forgotten."""
    newest = newest_by_server(migrations)
    posts = {
        server: post
        for server, post in memory.posts.items()
        if post.host != host or server not in newest or newest[server].id <= post.after
    }
    arrived = memory.posts.keys() - posts.keys()
    failed = {m.id: memory.failed_at.get(m.id, asked_s) for m in migrations if ended_badly(m)}
    before = memory.migrations.get(host)
    were, are = _ended(before.value) if before else None, _ended(migrations)
    known = replace(
        memory,
        changed_s={**memory.changed_s, host: asked_s} if were != are else memory.changed_s,
        migrations={**memory.migrations, host: Answer(migrations, asked_s)},
        posts=posts,
        refusals=_without(memory.refusals, *arrived),
        failed_at={**memory.failed_at, **failed},
        moving=_moving(memory.moving, before, migrations, asked_s),
        trouble=None,
    )
    return _lose_vanished(_flown(known, host), host, before.value if before else (), migrations)


def _flown(memory: Memory, host: ComputeHost) -> Memory:
    """Keep how fast evacuations end; what is asked for and has no record yet is in flight."""
    records, posted = memory.migrations[host], memory.posts.keys()
    newest = newest_by_server(records.value).values()
    flying = posted | {m.server for m in newest if in_flight(m.status)}
    moved = {m.server for m in newest if m.status in ENDED_WELL} - posted
    flow = memory.flows.get(host, Flow()).looked(records.asked_s, flying, moved)
    return replace(memory, flows={**memory.flows, host: flow})


def _lose_vanished(
    memory: Memory, host: ComputeHost, before: Iterable[Migration], now: Iterable[Migration]
) -> Memory:
    """Take a record that is not listed any more for a request that was lost.

    Nova deletes an instance's records with it (seen with 34.0); but an answer may be an old one. A
    record that is over counts only while its server is still listed on the host.
    """
    newest, asked_s = newest_by_server(now), memory.migrations[host].asked_s
    listed = memory.servers.get(host)
    here = {server.id for server in (listed.value if listed else ())}
    for m in newest_by_server(before).values():
        open_ = in_flight(m.status) or m.server in here
        gone = m.server not in newest or newest[m.server].id < m.id
        if open_ and gone and m.server not in memory.posts:
            post = Post("lost", asked_s, host, m.id - 1)
            memory = replace(memory, posts={**memory.posts, m.server: post})
            text = f"its evacuation {m.id} is not listed any more"
            memory = lost(memory, m.server, asked_s, text)
    return memory


def _moving(
    known: Mapping[int, Moving],
    gone: Answer[tuple[Migration, ...]] | None,
    migrations: Iterable[Migration],
    asked_s: float,
) -> dict[int, Moving]:
    """Return the records that did not fail; one keeps its time while its status is the same."""
    moving = _without(known, *(m.id for m in (gone.value if gone else ())))
    for m in migrations:
        if not ended_badly(m):
            before = known.get(m.id)
            flew = in_flight(m.status) or (before is not None and before.flew)
            same = before is not None and before.status == m.status
            moving[m.id] = before if before and same else Moving(m.status, asked_s, flew)
    return moving


def posting(memory: Memory, server: ServerId, host: ComputeHost, now_s: float) -> Memory:
    """Note that an evacuate request is about to be sent."""
    answer = memory.migrations.get(host)
    newest = newest_by_server(answer.value if answer else ()).get(server)
    post = Post("sent", now_s, host, newest.id if newest else 0)
    return replace(
        memory,
        posts={**memory.posts, server: post},
        changed_s={**memory.changed_s, host: now_s},
        flows={**memory.flows, host: memory.flows.get(host, Flow()).sent(server, now_s)},
        # It may have been started where it is lost now.
        start_tries=_without(memory.start_tries, server),
        up=_without(memory.up, server),
        needless=memory.needless - {server},
    )


def accepted(memory: Memory, server: ServerId, now_s: float) -> Memory:
    """Note Nova's 200; its record exists from now on."""
    return replace(
        memory,
        posts=_post(memory, server, "accepted", now_s),
        strain=_relieved(memory.strain, now_s),
        refusals=_without(memory.refusals, server),
        trouble=None,
    )


def strained(memory: Memory, now_s: float) -> Memory:
    """Note that Nova is overloaded; what is in flight together suffers from it together."""
    halvings, since_s = memory.strain
    if halvings and now_s - since_s < ONE_STRAIN_S:
        return memory
    return replace(memory, strain=Strain(min(halvings + 1, MOST_HALVINGS), now_s))


def _relieved(strain: Strain, now_s: float) -> Strain:
    """Return the strain after Nova accepted something: less of it when that has gone on long."""
    if not strain.halvings or now_s - strain.since_s < RELIEF_S:
        return strain
    return Strain(strain.halvings - 1, now_s)


def lost(memory: Memory, server: ServerId, now_s: float, text: str) -> Memory:
    """Note that no usable answer came: the request may or may not take effect.

    It counts as a failure, so that a request that Nova chokes on each time is shown, and tried less
    and less often; a record that appears takes that back.
    """
    if server not in memory.posts:
        return memory
    return replace(
        memory,
        posts=_post(memory, server, "lost", now_s),
        refusals=_in_vain(memory, server, now_s, text, lost=True),
    )


def refused(memory: Memory, server: ServerId, now_s: float, text: str) -> Memory:
    """Note Nova's refusal, which had no effect; the services are read again, it may be up."""
    return replace(
        memory,
        posts=_without(memory.posts, server),
        refusals=_in_vain(memory, server, now_s, text, lost=False),
        services=None,
    )


def forget_host(memory: Memory, host: ComputeHost) -> Memory:
    """Forget all that was known of a host whose recovery is over, or begins anew."""
    listed, records = memory.servers.get(host), memory.migrations.get(host)
    ids = {m.id for m in (records.value if records else ())}
    return replace(
        memory,
        failed_at=_without(memory.failed_at, *ids),
        moving=_without(memory.moving, *ids),
        refusals=_without(memory.refusals, *(s.id for s in (listed.value if listed else ()))),
        servers=_without(memory.servers, host),
        known=_without(memory.known, host),
        detailed_s=_without(memory.detailed_s, host),
        flows=_without(memory.flows, host),
        migrations=_without(memory.migrations, host),
        service_refused=_without(memory.service_refused, host),
        raised=memory.raised - {host},
        silences={topic: s for topic, s in memory.silences.items() if topic.host != host},
    )


def _ended(migrations: Iterable[Migration]) -> frozenset[tuple[int, str]]:
    return frozenset((m.id, m.status) for m in migrations if not in_flight(m.status))


def _in_vain(
    memory: Memory, server: ServerId, now_s: float, text: str, *, lost: bool
) -> dict[ServerId, Refusal]:
    """Return the refusals with one more try of a server that came to nothing."""
    count = memory.refusals[server].count + 1 if server in memory.refusals else 1
    return {**memory.refusals, server: Refusal(count, now_s, text, lost=lost)}


def _post(memory: Memory, server: ServerId, state: PostState, now_s: float) -> dict[ServerId, Post]:
    """Return the requests with one in a new state; one whose record was seen stays forgotten."""
    before = memory.posts.get(server)
    if before is None:
        return dict(memory.posts)
    return {**memory.posts, server: replace(before, state=state, at_s=now_s)}


def _without(mapping: Mapping[K, V], *keys: K) -> dict[K, V]:
    return {k: v for k, v in mapping.items() if k not in keys}
