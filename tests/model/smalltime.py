"""Time in the small world: what our process remembers gets older, and old things become alike.

It is always NOW_S. All moments are whole ticks apart, and every span that the core compares with
is one tick or less under POLICY. So of any two moments only the order counts: each gap between
neighbours may become one tick. That keeps the memories finite in number, and changes no decision.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from novaha.core.memory import LONG_AGO_S
from novaha.core.model import Answer, Memory, Post, Silence
from novaha.core.policy import Policy
from novaha.core.rules import Rules

K = TypeVar("K")

NOW_S = 1000.0
"""Now, on the clock of our process; the core has 0 for "never"."""

TICK_S = 30.0
"""One tick; with the shipped settle_s a request outlives its process for less than this."""

OLD_S = 100.0
"""Longer ago than anything of which it still matters when it was."""

POLICY = Policy(
    flap_limit=0, poll_s=0.0, poll_last_s=0.0, return_poll_s=0.0, patience_s=30.0, retry_last_s=30.0
)
"""As shipped, except that Nova may be looked at at any time, and that no retry waits for longer."""


def tick(memory: Memory, asked_s: float, began_s: float) -> tuple[Memory, float, float]:
    """Return a memory, the first question and the begin of the cycle, all one tick later."""
    later = patient_no_more(_moved(memory, lambda at_s, _: at_s - TICK_S))
    silences = {k: replace(s, last_s=s.last_s - TICK_S) for k, s in later.silences.items()}
    later = replace(later, heard_s=later.heard_s - TICK_S, silences=silences)
    return later, asked_s - TICK_S, began_s - TICK_S


def patient_no_more(memory: Memory) -> Memory:
    """Return a memory that keeps from asking Nova nothing that got no answer."""
    silences = {k: replace(s, until_s=0.0) for k, s in memory.silences.items()}
    return replace(memory, trouble_until_s=0.0, silences=silences)


def canonical(memory: Memory, asked_s: float, began_s: float) -> tuple[Memory, float, float]:
    """Return the same with what makes no difference made equal."""
    memory = _forgetful(memory, asked_s, began_s)
    shared = {NOW_S, asked_s, began_s, *_shared(memory, began_s)}
    ranks = _ranks(shared, _by_host(memory))

    def to(at_s: float, host: str | None = None) -> float:
        if at_s == OLD_S:
            return OLD_S
        rank = ranks[None].get(at_s)
        return NOW_S - TICK_S * (ranks[host][at_s] if rank is None else rank)

    moved = _moved(memory, to)
    return _quiet(moved, asked_s, to(asked_s)), to(asked_s), to(began_s)


def _quiet(m: Memory, asked_s: float, becomes_s: float) -> Memory:
    """Return a memory whose silences and last answer are as old as can make a difference.

    It matters whether Nova answered since this round began, and since each silence was noted; not
    for how long something has been silent (GIVES_SLOTS_S lasts for ever here), nor how rarely it is
    asked for.
    """

    def to(at_s: float) -> float:
        return at_s if at_s == NOW_S else becomes_s if at_s >= asked_s else OLD_S

    return replace(
        m,
        heard_s=to(m.heard_s),
        silences={
            k: Silence(
                s.text,
                since_s=NOW_S,
                last_s=OLD_S - TICK_S if m.heard_s > s.last_s else to(s.last_s),
                until_s=NOW_S + TICK_S if s.until_s > NOW_S else 0.0,
                tries=min(s.tries, 1),
            )
            for k, s in m.silences.items()
        },
    )


def _ranks(
    shared: set[float], by_host: dict[str, set[float]]
) -> dict[str | None, dict[float, int]]:
    """Return how many ticks ago each moment may as well have been, the order within a host kept.

    Moments of two hosts are never compared with each other, but each with the shared ones.
    """
    ranks: dict[str | None, dict[float, int]] = {None: {}, **{host: {} for host in by_host}}
    depth = dict.fromkeys(ranks, -1)
    for at_s in sorted(shared.union(*by_host.values()), reverse=True):
        if at_s in shared:
            ranks[None][at_s] = max(depth.values()) + 1
            depth = dict.fromkeys(depth, ranks[None][at_s])
            continue
        for host in (host for host, moments in by_host.items() if at_s in moments):
            depth[host] += 1
            ranks[host][at_s] = depth[host]
    return ranks


def _by_host(m: Memory) -> dict[str, set[float]]:
    """Return the moments that concern one host only: its lists, and what was sent for it."""
    hosts = {*m.servers, *m.migrations, *(post.host for post in m.posts.values())}
    moments: dict[str, set[float]] = {host: set() for host in hosts}
    for host, servers in m.servers.items():
        moments[host].add(servers.asked_s)
    for host, migrations in m.migrations.items():
        moments[host].add(migrations.asked_s)
    for post in m.posts.values():
        moments[post.host].add(post.at_s)
    return moments


def _shared(m: Memory, began_s: float) -> Iterator[float]:
    """Yield the moments that are compared with those of any host."""
    yield m.started_s
    yield from (refusal.last_s for refusal in m.refusals.values())
    yield from (at_s for at_s in m.failed_at.values() if at_s != LONG_AGO_S)
    if LONG_AGO_S in m.failed_at.values():
        yield m.woken_s
    yield from (at_s for at_s in m.first_seen.values() if at_s >= began_s)
    if m.services is not None and m.services.asked_s >= began_s:
        yield m.services.asked_s


def _forgetful(m: Memory, asked_s: float, began_s: float) -> Memory:
    """Return a memory in which what is old enough is equally old.

    The services and the first sight of a receipt: before the cycle, or once its recovery began. The
    start of the process, what ended and what was given up: a tick before any list that is known or
    on its way. Four things only set the pace of calls to Nova, which may be any here: changed_s,
    flows, service_refused and hung_until_s; moving only tells which evacuations are stuck, and here
    any may last. A receipt that is gone never comes back.
    """
    ended_s = min(asked_s, NOW_S, *_listed(m)) - TICK_S

    def ended(at_s: float) -> float:
        return max(at_s, ended_s)

    def seen(at_s: float) -> float:
        return at_s if at_s >= began_s else OLD_S

    return replace(
        m,
        started_s=ended(m.started_s),
        services=m.services and replace(m.services, asked_s=seen(m.services.asked_s)),
        first_seen={k: OLD_S if k in m.begun else seen(at) for k, at in m.first_seen.items()},
        posts={k: _post(post, ended) for k, post in m.posts.items()},
        refusals={k: replace(r, last_s=ended(r.last_s)) for k, r in m.refusals.items()},
        failed_at={k: _woken_or(ended, at_s) for k, at_s in m.failed_at.items()},
        woken_s=ended(m.woken_s) if LONG_AGO_S in m.failed_at.values() else 0.0,
        begun={k: after for k, after in m.begun.items() if k in m.first_seen},
        rules=Answer(Rules(), NOW_S),
        room=None,
        detailed_s={},
        flows={},
        changed_s={},
        moving={},
        service_refused={},
        hung_until_s=0.0,
    )


def _woken_or(ended: Callable[[float], float], at_s: float) -> float:
    """Return when something failed; what waits no longer has no such moment, but woken_s."""
    return at_s if at_s == LONG_AGO_S else ended(at_s)


def _post(post: Post, ended: Callable[[float], float]) -> Post:
    """Return a request; while it has no answer nothing depends on when it was sent."""
    return replace(post, at_s=NOW_S if post.state == "sent" else ended(post.at_s))


def _listed(m: Memory) -> Iterator[float]:
    """Yield when the lists of servers and of records were asked for."""
    yield from (answer.asked_s for answer in m.servers.values())
    yield from (answer.asked_s for answer in m.migrations.values())


def _moved(m: Memory, to: Callable[[float, str | None], float]) -> Memory:
    """Return a memory with each of its moments moved; one of a host is moved with its name."""
    return replace(
        m,
        started_s=to(m.started_s, None),
        services=m.services and replace(m.services, asked_s=to(m.services.asked_s, None)),
        servers={k: replace(a, asked_s=to(a.asked_s, k)) for k, a in m.servers.items()},
        migrations={k: replace(a, asked_s=to(a.asked_s, k)) for k, a in m.migrations.items()},
        posts={k: replace(post, at_s=to(post.at_s, post.host)) for k, post in m.posts.items()},
        refusals={k: replace(r, last_s=to(r.last_s, None)) for k, r in m.refusals.items()},
        failed_at={
            k: at_s if at_s == LONG_AGO_S else to(at_s, None) for k, at_s in m.failed_at.items()
        },
        woken_s=to(m.woken_s, None) if LONG_AGO_S in m.failed_at.values() else 0.0,
        first_seen={k: to(at_s, None) for k, at_s in m.first_seen.items()},
    )


def freeze(memory: Memory) -> tuple[object, ...]:
    """Return a memory as a value that can be looked up."""
    m = memory
    return (
        m.started_s,
        m.services,
        *(_items(m.servers), _items(m.migrations), _items(m.posts)),
        tuple(sorted((host, tuple(sorted(known))) for host, known in m.known.items())),
        *(_items(m.refusals), _items(m.failed_at), _items(m.first_seen)),
        _items(m.begun),
        m.woken_s,
        m.trouble,
        m.trouble_until_s,
        m.heard_s,
        _items(m.silences),
    )


def _items(mapping: Mapping[K, object]) -> tuple[tuple[K, object], ...]:
    return tuple(sorted(mapping.items(), key=lambda item: str(item[0])))
