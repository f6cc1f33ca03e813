"""How what happened to canaries changes what the process remembers."""

from dataclasses import replace

from novaha.core.actions import DeleteCanary
from novaha.core.canary import Canary, CanaryMemory
from novaha.core.model import Memory
from novaha.core.names import ComputeHost


def canaries_of(memory: Memory, host: ComputeHost, receipt_id: str) -> CanaryMemory:
    """Return what is known for this recovery; what was known for another one is void."""
    known = memory.canaries.get(host)
    return known if known and known.receipt_id == receipt_id else CanaryMemory(receipt_id)


def saw_canaries(
    memory: Memory, host: ComputeHost, receipt_id: str, listed: tuple[Canary, ...], asked_s: float
) -> Memory:
    """Keep what Nova lists."""
    known = canaries_of(memory, host, receipt_id)
    return _with(memory, host, known._replace(listed=listed, asked_s=asked_s))


def booted(memory: Memory, host: ComputeHost, receipt_id: str, now_s: float) -> Memory:
    """Note that one was asked for: it is looked for anew."""
    known = canaries_of(memory, host, receipt_id)
    return _with(memory, host, known._replace(listed=None, booted_s=now_s))


def deleting(memory: Memory, action: DeleteCanary, now_s: float) -> Memory:
    """Note that one is being deleted, because it ran, or for a reason."""
    host, receipt_id, why = action.host, action.receipt_id, action.why
    known = canaries_of(memory, host, receipt_id)
    passed = action.passed or known.passed
    memory = _with(memory, host, known._replace(listed=None, deleted_s=now_s, passed=passed))
    return failed(memory, host, receipt_id, now_s, why) if why else memory


def failed(memory: Memory, host: ComputeHost, receipt_id: str, now_s: float, why: str) -> Memory:
    """Count a failure; the next canary waits."""
    known = canaries_of(memory, host, receipt_id)
    failures = known.failures + 1
    return _with(memory, host, known._replace(failures=failures, failed_s=now_s, why=why))


def _with(memory: Memory, host: ComputeHost, known: CanaryMemory) -> Memory:
    return replace(memory, canaries={**memory.canaries, host: known})
