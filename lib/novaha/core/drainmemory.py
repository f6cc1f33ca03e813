"""How what happened to live migrations changes what the process remembers of them.

Apart from the evacuations (core/memory.py): a record of one kind tells nothing of the other.
"""

from collections.abc import Iterable
from dataclasses import replace

from novaha.core.model import Answer, DrainMemory, Memory, Migration, Post, Refusal
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.policy import in_flight
from novaha.core.records import ended_badly, newest_by_server


def saw_live_migrations(
    memory: Memory, host: ComputeHost, records: tuple[Migration, ...], asked_s: float
) -> Memory:
    """Keep a host's live migration records; a request whose record appeared is forgotten."""
    drain, newest = memory.drain, newest_by_server(records)
    before = drain.records.get(host)
    ids = {record.id for record in (before.value if before else ())}
    known_s = {key: at_s for key, at_s in drain.flying_s.items() if key[0] not in ids}
    flying = [(m.id, m.status) for m in records if in_flight(m.status)]
    failed = {m.id: drain.failed_at.get(m.id, asked_s) for m in records if ended_badly(m)}
    changed = before is None or _statuses(before.value) != _statuses(records)
    seen = replace(
        drain,
        records={**drain.records, host: Answer(records, asked_s)},
        changed_s={**drain.changed_s, host: asked_s} if changed else drain.changed_s,
        posts={s: post for s, post in drain.posts.items() if not _arrived(s, post, host, newest)},
        failed_at={**drain.failed_at, **failed},
        flying_s={**known_s, **{key: drain.flying_s.get(key, asked_s) for key in flying}},
    )
    return replace(memory, drain=seen, trouble=None)


def _statuses(records: Iterable[Migration]) -> frozenset[tuple[int, str]]:
    return frozenset((record.id, record.status) for record in records)


def _arrived(
    server: ServerId, post: Post, host: ComputeHost, newest: dict[ServerId, Migration]
) -> bool:
    return post.host == host and server in newest and newest[server].id > post.after


def withdrew(memory: Memory, node: NodeName) -> Memory:
    """Note that this process itself began to withdraw a node."""
    drain = memory.drain
    return replace(memory, drain=replace(drain, begun=drain.begun | {node}))


def asking_to_leave(memory: Memory, server: ServerId, host: ComputeHost, now_s: float) -> Memory:
    """Note that a live migration is about to be asked for."""
    drain = memory.drain
    answer = drain.records.get(host)
    newest = newest_by_server(answer.value if answer else ()).get(server)
    post = Post("sent", now_s, host, newest.id if newest else 0)
    posts, changed_s = {**drain.posts, server: post}, {**drain.changed_s, host: now_s}
    return replace(memory, drain=replace(drain, posts=posts, changed_s=changed_s))


def may_leave(memory: Memory, server: ServerId, now_s: float) -> Memory:
    """Note that Nova accepted: the server's task says so from before that answer on."""
    drain = memory.drain
    refusals = {key: value for key, value in drain.refusals.items() if key != server}
    drain = replace(drain, posts=_post(drain, server, now_s, lost=False), refusals=refusals)
    return replace(memory, drain=drain, trouble=None)


def may_not_leave(memory: Memory, server: ServerId, now_s: float, text: str) -> Memory:
    """Note Nova's refusal, which had no effect."""
    drain = memory.drain
    posts = {key: post for key, post in drain.posts.items() if key != server}
    refusals = _in_vain(drain, server, now_s, text, lost=False)
    return replace(memory, drain=replace(drain, posts=posts, refusals=refusals))


def unheard(memory: Memory, server: ServerId, now_s: float, text: str) -> Memory:
    """Note that no usable answer came: the request may or may not take effect."""
    drain = memory.drain
    if server not in drain.posts:
        return memory
    posts = _post(drain, server, now_s, lost=True)
    refusals = _in_vain(drain, server, now_s, text, lost=True)
    return replace(memory, drain=replace(drain, posts=posts, refusals=refusals))


def gave_back(memory: Memory, node: NodeName, host: ComputeHost) -> Memory:
    """Forget what was known of the live migrations off a host."""
    drain, listed = memory.drain, memory.servers.get(host)
    here = {server.id for server in (listed.value if listed else ())}
    answer = drain.records.get(host)
    ids = {record.id for record in (answer.value if answer else ())}
    forgotten = DrainMemory(
        {key: value for key, value in drain.records.items() if key != host},
        {key: value for key, value in drain.changed_s.items() if key != host},
        {key: post for key, post in drain.posts.items() if post.host != host},
        {key: value for key, value in drain.refusals.items() if key not in here},
        {key: value for key, value in drain.failed_at.items() if key not in ids},
        {key: value for key, value in drain.flying_s.items() if key[0] not in ids},
        drain.begun - {node},
    )
    return replace(memory, drain=forgotten)


def _post(
    drain: DrainMemory, server: ServerId, now_s: float, *, lost: bool
) -> dict[ServerId, Post]:
    before = drain.posts.get(server)
    if before is None:
        return dict(drain.posts)
    return {
        **drain.posts,
        server: replace(before, state="lost" if lost else "accepted", at_s=now_s),
    }


def _in_vain(
    drain: DrainMemory, server: ServerId, now_s: float, text: str, *, lost: bool
) -> dict[ServerId, Refusal]:
    before = drain.refusals.get(server)
    count = before.count + 1 if before else 1
    return {**drain.refusals, server: Refusal(count, now_s, text, lost=lost)}
