"""How requests ended that were sent without waiting, taken in between two decisions."""

from novaha.core import drainmemory
from novaha.core import memory as remember
from novaha.core import startmemory as starts
from novaha.core.actions import Evacuate, LiveMigrate, Request, Start
from novaha.core.model import Memory
from novaha.core.names import ServerId
from novaha.errors import CloudRefused, CloudUnavailable, NeedsNoStart, NotInTwoPhases
from novaha.ports import Ports


def take_results(memory: Memory, ports: Ports) -> Memory:
    """Take in how requests ended since the last look."""
    for result in ports.posts.results():
        now_s, error = ports.clock.monotonic_s(), result.error
        memory = _ended(memory, result.request, error, now_s)
        busy = isinstance(error, CloudUnavailable) and error.busy
        if busy and not isinstance(result.request, LiveMigrate):
            memory = remember.strained(memory, now_s)
        ports.journal.action(result.request, _outcome(error))
    return memory


def _ended(memory: Memory, request: Request, error: Exception | None, now_s: float) -> Memory:
    match request:
        case Evacuate():
            return _evacuate_ended(memory, request, error, now_s)
        case Start():
            return _start_ended(memory, request, error, now_s)
        case LiveMigrate(server):
            return _left(memory, server, error, now_s)


def _outcome(error: Exception | None) -> str:
    if error is None:
        return "accepted"
    if isinstance(error, NeedsNoStart):
        return f"not needed: {error}"
    return f"refused: {error}" if isinstance(error, CloudRefused) else f"lost: {error}"


def _evacuate_ended(
    memory: Memory, evacuate: Evacuate, error: Exception | None, now_s: float
) -> Memory:
    server = evacuate.server
    match error:
        case None:
            return remember.accepted(memory, server, now_s)
        case NotInTwoPhases():
            memory = starts.saw_phases(memory, leaves_stopped=False)
            return starts.never_sent(memory, server)
        case CloudRefused():
            return remember.refused(memory, server, now_s, str(error))
    return remember.lost(memory, server, now_s, f"Nova gave no answer: {error}")


def _start_ended(memory: Memory, start: Start, error: Exception | None, now_s: float) -> Memory:
    match error:
        case None:
            return starts.start_ended(memory, start.server, "accepted", now_s)
        case NeedsNoStart():
            return starts.needs_no_start(memory, start.server)
        case CloudRefused():
            return starts.start_refused(memory, start.server, now_s, str(error))
    text = f"Nova gave no answer: {error}"
    return starts.start_ended(memory, start.server, "lost", now_s, text)


def _left(memory: Memory, server: ServerId, error: Exception | None, now_s: float) -> Memory:
    """Remember how a request for a live migration ended."""
    match error:
        case None:
            return drainmemory.may_leave(memory, server, now_s)
        case CloudRefused():
            return drainmemory.may_not_leave(memory, server, now_s, str(error))
    return drainmemory.unheard(memory, server, now_s, f"Nova gave no answer: {error}")
