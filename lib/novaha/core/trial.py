"""The last step before a returned host serves: a canary runs on it (core/canary.py)."""

from novaha.core.actions import AskCanaries, BootCanary, Decision, DeleteCanary, Hold
from novaha.core.canary import FAILED, RUNS, Canary, CanaryMemory, Recipe
from novaha.core.canarymemory import canaries_of
from novaha.core.model import View
from novaha.core.pace import return_pause_s
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery

DELETE_AGAIN_S = 30.0
"""After so long without effect a canary is deleted once more."""


def trial(
    view: View, policy: Policy, recovery: Recovery, *, wanted: bool = True
) -> tuple[Decision, ...]:
    """Return what has to be done before the host is enabled; nothing once it has passed.

    wanted: otherwise none is booted any more, and those that are there go. A person who releases
    the host wants none either.
    """
    if policy.canary is None:
        return ()
    known = canaries_of(view.memory, recovery.host, recovery.receipt_id)
    ask = (AskCanaries(recovery.host, recovery.receipt_id),)
    if known.listed is None:
        return ask
    released = recovery.node in view.cluster.released
    over = known.passed or released or not wanted
    needed = _patient(view, recovery, known, _next(view, policy, recovery, known, over=over))
    stale = view.now_s - known.asked_s >= return_pause_s(policy, needed)
    # Beside what is needed, for a Nova that is slower than this must not keep the host.
    return (*ask, *needed) if stale and needed else needed


def _patient(
    view: View, recovery: Recovery, known: CanaryMemory, needed: tuple[Decision, ...]
) -> tuple[Decision, ...]:
    """Wait for a deletion that was asked for, before it is asked for again."""
    deletes = any(isinstance(decision, DeleteCanary) for decision in needed)
    since_s = view.now_s - (known.deleted_s if known.deleted_s is not None else float("-inf"))
    if deletes and since_s < DELETE_AGAIN_S:
        return (Hold(recovery.host, Reason.CANARY, "is up; its canary is being deleted"),)
    return needed


def _next(
    view: View, policy: Policy, recovery: Recovery, known: CanaryMemory, *, over: bool
) -> tuple[Decision, ...]:
    listed = known.listed or ()
    mine = [canary for canary in listed if canary.receipt_id == recovery.receipt_id]
    surplus = [canary for canary in listed if canary not in mine[:1]]
    if surplus or (mine and over):
        return (_delete(recovery, (surplus or mine)[0]),)
    if mine:
        return (_judged(view, policy, recovery, known, mine[0]),)
    if over or policy.canary is None:
        return ()
    return (_boot(view, policy, recovery, known, policy.canary),)


def _judged(
    view: View, policy: Policy, recovery: Recovery, known: CanaryMemory, canary: Canary
) -> Decision:
    """Return what follows from how a canary stands."""
    if canary.status == RUNS:
        return _delete(recovery, canary, passed=True)
    if canary.status == FAILED:
        return _delete(recovery, canary, why=canary.fault or "it is in ERROR")
    if view.now_s - _begun_s(view, recovery, known) >= policy.canary_s:
        why = f"it is still {canary.status} after {policy.canary_s:g} s"
        return _delete(recovery, canary, why=why)
    return Hold(recovery.host, Reason.CANARY, f"is up; its canary is {canary.status}")


def _delete(
    recovery: Recovery, canary: Canary, *, passed: bool = False, why: str = ""
) -> DeleteCanary:
    return DeleteCanary(recovery.host, recovery.receipt_id, canary.server, passed, why)


def _begun_s(view: View, recovery: Recovery, known: CanaryMemory) -> float:
    """Return when a canary was asked for last, or may have been by a process before this one."""
    if known.booted_s is not None:
        return known.booted_s
    own = recovery.receipt_id in view.memory.begun
    return float("-inf") if own else view.memory.started_s


def _boot(
    view: View, policy: Policy, recovery: Recovery, known: CanaryMemory, recipe: Recipe
) -> Decision:
    wait_s = known.failed_s + policy.backoff_s(known.failures) - view.now_s
    if known.failures and wait_s > 0:
        text = (
            f"stays disabled, for its canary does not run: {known.why.rstrip('.')} (tries:"
            f" {known.failures}); nova-ha release {recovery.node} enables it without"
        )
        return Hold(recovery.host, Reason.CANARY_FAILED, text)
    if view.now_s - _begun_s(view, recovery, known) < policy.settle_s:
        # A request without an answer, or one of a process before this, may be on its way yet.
        return Hold(recovery.host, Reason.CANARY, "is up; its canary is not there yet")
    return BootCanary(recovery.host, recovery.receipt_id, recipe)
