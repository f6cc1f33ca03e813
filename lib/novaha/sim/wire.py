"""Where every external call of our processes passes, takes its time, and meets its fault."""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Literal, TypeVar

from novaha.errors import CloudRefused, CloudUnavailable, ClusterUnavailable, NovaHaError
from novaha.sim.book import Book
from novaha.sim.engine import Engine
from novaha.sim.nova import Nova

T = TypeVar("T")
When = Literal["before", "after"]

CALL_S = 0.02
ASK_S = 0.04
"""What a list of Nova takes; everything else takes CALL_S."""
SLOW_S = 2.5
STALE_S = 1.0
LATE_S = 12.0
"""So late a request without an answer may still take effect."""

NO_KEYSTONE = "Keystone refused our credentials (401), check clouds.yaml"


class Killed(BaseException):
    """The process is gone; nothing of it may catch this."""


class Door(Enum):
    """Behind which a call ends."""

    CLUSTER = ClusterUnavailable
    CLOUD = CloudUnavailable

    def silence(self, text: str) -> NovaHaError:
        """Return the error of a call without a usable answer."""
        error: type[NovaHaError] = self.value
        return error(text)


class Past:
    """What the answers were some time ago; kept only where a script asks for stale ones."""

    def __init__(self, engine: Engine) -> None:
        """Begin with nothing kept."""
        self._engine = engine
        self._kept: deque[tuple[float, dict[str, object]]] = deque(maxlen=400)
        self.take: Callable[[], dict[str, object]] | None = None

    def note(self) -> None:
        """Keep the present answers, if they are wanted."""
        if self.take is not None:
            self._kept.append((self._engine.now_s, self.take()))

    def answer(self, key: str, now: T) -> T:
        """Return the answer of STALE_S ago; the present one where that is not known."""
        old_s = self._engine.now_s - STALE_S
        for at_s, answers in reversed(self._kept):
            if at_s <= old_s:
                found = answers.get(key, now)
                return found if isinstance(found, type(now)) else now
        return now


class Wire:
    """All calls of all our processes, in order.

    paused_until_s: the process gets no processor before that. kill_at: the number of a call (the
    first is 0) and whether the process dies before or after its effect. mislead: called when a
    process was told what is true no more.
    """

    def __init__(self, engine: Engine, book: Book, nova: Nova) -> None:
        """Begin with neither faults nor deaths to come."""
        self._engine = engine
        self._nova = nova
        self._outcome = book.outcome
        self._book = book
        self._faults: dict[str, list[str]] = {}
        self._kills: dict[str, When] = {}
        self._dead: set[int] = set()
        self.past = Past(engine)
        self.paused_until_s = 0.0
        self.kill_at: tuple[int, When] | None = None
        self.kill: Callable[[], None] = lambda: None
        self.mislead: Callable[[], None] = lambda: None

    @property
    def armed(self) -> bool:
        """Tell whether the script has something strike one of the next calls."""
        return bool(self._faults or self._kills)

    def add_fault(self, fault: str, call: str, count: int) -> None:
        """Have a fault strike the next calls of a name, behind those that are there already."""
        self._faults.setdefault(call, []).extend([fault] * count)

    def add_kill(self, when: When, call: str) -> None:
        """Have the process die at the next call of a name."""
        self._kills[call] = when

    def clear(self) -> None:
        """Forget all faults that have not struck."""
        self._faults.clear()
        self._kills.clear()

    def strike(self, call: str) -> tuple[str, When | None]:
        """Count a call; return the fault that strikes it, "" for none, and when its process dies.

        Raises Killed where that is before the effect.
        """
        number = len(self._outcome.calls)
        self._outcome.calls.append(call)
        if not (self.armed or self.kill_at):
            return "", None
        waiting = self._faults.get(call)
        fault = waiting.pop(0) if waiting else ""
        if waiting is not None and not waiting:
            del self._faults[call]
        dies = self._kills.pop(call, None)
        if self.kill_at is not None and self.kill_at[0] == number:
            dies, self.kill_at = self.kill_at[1], None
        if fault:
            self.note(fault, f"{call}: {fault}")
        if dies == "before":
            self.die(f"before {call}")
        return fault, dies

    def note(self, fault: str, text: str) -> None:
        """Write down that a fault strikes."""
        self._outcome.faults[fault] += 1
        self._book.say("fault", text)

    def die(self, where: str) -> None:
        """End the process here."""
        self.note("kill", f"kill -9 of the recovery process {where}")
        self.kill()
        raise Killed

    def down(self) -> str:
        """Return why Nova gives no usable answer at all, "" where it does."""
        if self._nova.down:
            self._outcome.faults["nova-down"] += 1
            return "Nova gives no answer"
        if self._nova.unauthorized:
            self._outcome.faults["nova-unauthorized"] += 1
            return NO_KEYSTONE
        return ""

    def call(
        self,
        name: str,
        door: Door,
        alive: Callable[[], bool],
        effect: Callable[[], T],
        *,
        kept_as: str = "",
    ) -> T:
        """Make a call: time, fault, effect, time; dies with its process.

        kept_as: under which key the past has older answers, "" for what is no list.
        """
        fault, dies = self.strike(name)
        slow = fault == "slow" or (door is Door.CLOUD and self._nova.slow)
        took_s = SLOW_S if slow else ASK_S if name in _LISTS else CALL_S
        self.wait(took_s / 2, alive)
        down = self.down() if door is Door.CLOUD else ""
        if down:
            raise door.silence(down)
        _refuse(fault, name, door)
        value = effect()
        if fault == "stale" and kept_as:
            value = self.past.answer(kept_as, value)
            self.mislead()
        self.wait(took_s / 2, alive)
        if dies is not None:
            self.die(f"after {name}")
        if fault == "reply-lost":
            msg = f"{name}: the answer was lost"
            raise door.silence(msg)
        return value

    def wait(self, seconds: float, alive: Callable[[], bool]) -> None:
        """Let time pass for a process, a pause included; dies with it."""
        self._engine.advance(seconds)
        while self._engine.now_s < self.paused_until_s and alive():
            self._engine.advance_to(self.paused_until_s)
        if not alive():
            raise Killed


_LISTS = frozenset({"services", "servers", "migrations", "live-migrations", "rules", "rooms"})


def _refuse(fault: str, name: str, door: Door) -> None:
    """Raise what a fault without effect makes of a call."""
    if fault in ("unanswered", "late"):
        msg = f"{name}: no answer"
        raise door.silence(msg)
    if fault == "conflict":
        if door is Door.CLOUD:
            msg = f"{name}: conflict (409)"
            raise CloudRefused(msg, 409)
        msg = f"{name}: refused"
        raise door.silence(msg)
    if fault == "unauthorized":
        raise door.silence(NO_KEYSTONE if door is Door.CLOUD else f"{name}: permission denied")
