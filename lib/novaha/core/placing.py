"""Where the instances of a failed host go: where the scheduler puts them, or to a reserved host."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from novaha.core.actions import AskServices, Decision, Hold
from novaha.core.fates import Fate
from novaha.core.model import View
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.readying import asks_before_the_next, readying
from novaha.core.reasons import Reason
from novaha.core.reserve import Reserve
from novaha.core.segments import RecoveryMethod
from novaha.core.states import InstanceState

_EARLY = frozenset({InstanceState.READY, InstanceState.WAITING})


@dataclass(frozen=True)
class Placing:
    """Where instances of a failed host go now. decisions: what has to be done before.

    to: the reserved host that is ready for them. blocked: none will be before Nova or a person
    changes something.
    """

    reserve: Reserve
    decisions: tuple[Decision, ...] = ()
    to: ComputeHost | None = None
    blocked: bool = False

    def admits(self, fate: Fate) -> bool:
        """Tell whether an instance may be evacuated now, and does not wait for a reserved host."""
        if self.to is not None or not prefers_reserved(self.reserve.method, fate):
            return True
        only = self.reserve.method is RecoveryMethod.RESERVED_HOST
        return not only and (self.blocked or not (self.reserve.taken or self.reserve.free))

    def target(self, fate: Fate) -> ComputeHost | None:
        """Return the reserved host that an instance goes to, None where the scheduler chooses."""
        return self.to if prefers_reserved(self.reserve.method, fate) else None


def prefers_reserved(method: RecoveryMethod, fate: Fate) -> bool:
    """Tell whether the next try of an instance is to go to a reserved host: tries take turns."""
    match method:
        case RecoveryMethod.AUTO:
            return False
        case RecoveryMethod.RESERVED_HOST:
            return True
        case RecoveryMethod.RH_PRIORITY:
            return fate.failures % 2 == 0
        case RecoveryMethod.AUTO_PRIORITY:
            return fate.failures % 2 == 1


def placing(
    view: View, policy: Policy, lost: ComputeHost, reserve: Reserve, fates: Iterable[Fate]
) -> Placing:
    """Return where the instances of a failed host go, and what has to be done before."""
    if reserve.wrong:
        return Placing(reserve, (Hold(lost, Reason.SEGMENT, reserve.wrong),))
    if reserve.method is RecoveryMethod.AUTO:
        return Placing(reserve)
    fates = tuple(fates)
    if reserve.lacks:
        return Placing(reserve, tuple(_looks_again(view, policy, lost, reserve, fates)))
    wanting = [f for f in fates if f.state in _EARLY and prefers_reserved(reserve.method, f)]
    taken = reserve.taken
    if taken is not None and taken.use.ready:
        wanted = any(fate.state is InstanceState.READY for fate in wanting)
        return _placing_on(view, policy, lost, reserve, wanted=wanted)
    if not wanting or not (taken or reserve.free):
        return Placing(reserve)
    steps = readying(view, policy, lost, reserve)
    blocked = any(isinstance(d, Hold) and d.reason is Reason.BLOCKED for d in steps)
    return Placing(reserve, steps, blocked=blocked)


def _placing_on(
    view: View, policy: Policy, lost: ComputeHost, reserve: Reserve, *, wanted: bool
) -> Placing:
    """Return that instances go to the host that is ready, unless something is wrong with it."""
    if reserve.why or reserve.taken is None:
        return Placing(reserve, blocked=True)
    asks = asks_before_the_next(view, policy, lost) if wanted else ()
    return Placing(reserve, asks, to=None if asks else reserve.taken.host)


def _looks_again(
    view: View, policy: Policy, lost: ComputeHost, reserve: Reserve, fates: tuple[Fate, ...]
) -> Iterator[Decision]:
    """Yield what waits for a reserved host, and now and then the question whether there is one."""
    waiting = sum(f.kept is not None and f.kept.reason is Reason.NO_RESERVED for f in fates)
    if not waiting:
        return
    services = view.memory.services
    if services is None or view.now_s - services.asked_s >= policy.look_again_s:
        yield AskServices()
    yield Hold(lost, Reason.NO_RESERVED, f"{waiting} instances wait: {reserve.why}")
