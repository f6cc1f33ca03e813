"""The core with one safety gate removed: what the exploration must find, or it proves nothing."""

from dataclasses import dataclass
from unittest.mock import patch

from explore import Explored, explore
from novaha.core import decide, flights, memory, proof, returning, standing
from novaha.core.actions import Release
from novaha.core.evacuation import _Evacuation
from novaha.core.model import Memory, Service, View
from novaha.core.names import ServerId
from novaha.core.policy import Policy
from novaha.core.receipt import Receipt
from novaha.core.recovery import Found, Proof
from smallworld import Left, World, first_world
from smallworld import Service as SmallService

FREE = SmallService()
DISABLED = SmallService(enabled=False, reason="maintenance")
FORCED = SmallService(forced=True)


@dataclass(frozen=True)
class Gate:
    """A gate of the core, what stands in its place, and what must be found without it.

    broken: how the report on the law begins; "L3" is a state without a way to the goal. service:
    how the service of the host that is lost stands at first.
    """

    name: str
    broken: str
    owner: object
    attribute: str
    instead: object
    left: Left = Left(losses=1)  # noqa: RUF009  (a value that never changes)
    service: SmallService = FREE

    @property
    def first(self) -> World:
        return first_world((0,), self.left, (self.service, FREE, FREE))

    def explored_without(self) -> Explored:
        with patch.object(self.owner, self.attribute, self.instead):
            return explore(self.first)


def believe(receipt: Receipt, _view: View, _policy: Policy) -> Proof:
    return Proof(receipt.id, "reboot", 0, "-", ("ipmi",), receipt.life)


def as_refused(known: Memory, server: ServerId, now_s: float, text: str) -> Memory:
    return memory.refused(known, server, now_s, text)


def release_when_back(it: _Evacuation, *_: object) -> tuple[Release, ...]:
    back = it.recovery.node in it.view.cluster.online
    return (Release(it.recovery, it.receipt),) if back else ()


def found_free(service: Service, _before: Found | None) -> Found:
    return Found(enabled=service.enabled, forced_down=False)


GATES = (
    Gate("a receipt is proven (`prove`)", "L1", standing, "prove", believe),
    Gate(
        "the hold has stood since (`_held`)",
        "L1",
        proof,
        "_held",
        lambda *_: True,
        Left(losses=1, persons=1),
    ),
    Gate(
        "a request is remembered before it is sent (`posting`)",
        "L4",
        memory,
        "posting",
        lambda known, *_: known,
    ),
    Gate(
        "a record in flight is one (`telling`)",
        "L4",
        flights,
        "newest_by_server",
        lambda _: {},
    ),
    Gate(
        "a lost answer is no refusal (`lost`)",
        "L2",
        memory,
        "lost",
        as_refused,
        Left(losses=1, replies=1),
    ),
    Gate(
        "requests of the process before may still arrive (`settling`)",
        "L4",
        _Evacuation,
        "settling",
        lambda _: False,
        Left(losses=1, crashes=1),
    ),
    Gate(
        "a host is not released beside its moves (`give_back`)",
        "L1",
        _Evacuation,
        "give_back",
        release_when_back,
    ),
    Gate(
        "what a person disabled stays so (`is_ours`)",
        "L6",
        returning,
        "is_ours",
        lambda _: True,
        service=DISABLED,
    ),
    Gate("waiting has a reason (`_ahead`)", "L7", decide, "_ahead", lambda *_: ()),
    Gate(
        "what failed is tried again (`backoff_s`)",
        "L3",
        Policy,
        "backoff_s",
        lambda *_: float("inf"),
        Left(losses=1, failures=1),
    ),
    Gate(
        "what a person forced down stays so (`_found`)",
        "L3",
        decide,
        "_found",
        found_free,
        service=FORCED,
    ),
)
