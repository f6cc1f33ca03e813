"""What is remembered of the order and the second phase: each function returns a new Memory."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from novaha.core.model import Memory, Placed, PostState, Server, StartTry
from novaha.core.names import ComputeHost, ServerId
from novaha.core.order import Target
from novaha.core.twophase import ERROR, STOPPED


def saw_phases(memory: Memory, *, leaves_stopped: bool) -> Memory:
    """Note whether Nova can leave an evacuated instance stopped."""
    return replace(memory, leaves_stopped=leaves_stopped)


def never_sent(memory: Memory, server: ServerId) -> Memory:
    """Forget a request that had no effect, and whose refusal says nothing about the server."""
    return replace(memory, posts={k: v for k, v in memory.posts.items() if k != server})


def saw_ports(
    memory: Memory, targets: Iterable[Target], answering: frozenset[ServerId], now_s: float
) -> Memory:
    """Note whose ports answer, and that all of them are being tried."""
    probed = {**memory.probed, **{target.server: now_s for target in targets}}
    return replace(memory, answered=memory.answered | answering, probed=probed)


def saw_placed(
    memory: Memory,
    host: ComputeHost,
    wanted: frozenset[ServerId],
    servers: Iterable[Server],
    asked_s: float,
) -> Memory:
    """Keep how the wanted servers of a host's detailed list stand there.

    Those that were seen running are not wanted again, and kept: others may be waiting for them.
    """
    before = memory.placed[host].servers if host in memory.placed else {}
    kept = {id_: server for id_, server in before.items() if id_ in memory.up}
    mine = {server.id: server for server in servers if server.id in wanted}
    running = {id_: asked_s for id_, server in mine.items() if _runs(server)}
    placed = {**memory.placed, host: Placed(asked_s, wanted, {**kept, **mine})}
    return replace(memory, placed=placed, up={**running, **memory.up}, trouble=None)


def _runs(server: Server) -> bool:
    """Tell whether a server is up, or as a person left it: paused, shelved, and so on."""
    details = server.details
    return details is not None and details.vm_state not in (STOPPED, ERROR)


def starting(memory: Memory, server: ServerId, now_s: float) -> Memory:
    """Note that a start is about to be sent."""
    before = memory.start_tries.get(server)
    count = before.tries + 1 if before else 1
    return _tried(memory, server, StartTry("sent", now_s, count))


def start_ended(
    memory: Memory, server: ServerId, state: PostState, now_s: float, text: str = ""
) -> Memory:
    """Note how a start ended: accepted, or without an answer."""
    count = memory.start_tries[server].tries if server in memory.start_tries else 1
    return _tried(memory, server, StartTry(state, now_s, count, text))


def start_refused(memory: Memory, server: ServerId, now_s: float, text: str) -> Memory:
    """Note that Nova refused to start a server."""
    count = memory.start_tries[server].tries if server in memory.start_tries else 1
    return _tried(memory, server, StartTry("refused", now_s, count, text))


def needs_no_start(memory: Memory, server: ServerId) -> Memory:
    """Note that a server needs no start: it runs, is deleted, or was stopped by a person."""
    return replace(memory, needless=memory.needless | {server})


def starts_ended(memory: Memory, servers: Collection[ServerId]) -> Memory:
    """Forget all that was known of servers that were to be started."""
    return replace(
        memory,
        placed={},
        start_tries={k: v for k, v in memory.start_tries.items() if k not in servers},
        up={k: v for k, v in memory.up.items() if k not in servers},
        needless=memory.needless - frozenset(servers),
    )


def _tried(memory: Memory, server: ServerId, tried: StartTry) -> Memory:
    return replace(memory, start_tries={**memory.start_tries, server: tried})
