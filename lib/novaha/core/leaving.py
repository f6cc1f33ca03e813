"""Where each instance of a host that is drained stands: the one place where that is recognised."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from novaha.core.drain import Withdrawn
from novaha.core.livestates import Leave, live_rule_of
from novaha.core.model import Answer, Migration, Server, View
from novaha.core.names import ServerId
from novaha.core.policy import ENDED_WELL, Policy, in_flight
from novaha.core.records import ended_badly, newest_by_server
from novaha.core.serverstates import told


class Way(Enum):
    """Where an instance stands that is to leave."""

    MOVING = auto()
    """Nova moves it, or may once a request arrives."""
    READY = auto()
    WAITING = auto()
    """A try failed, and the next is not due."""
    LATER = auto()
    """A task of it has to end first."""
    STAYS = auto()


@dataclass(frozen=True)
class Leaver:
    """An instance that is to leave; text: why it does not, or Nova's words about the last try.

    record: of its live migration in flight. slow: that has not changed for long.
    """

    server: Server
    way: Way
    text: str = ""
    failures: int = 0
    due_s: float = 0.0
    record: Migration | None = None
    slow: bool = False


@dataclass(frozen=True)
class Reading:
    """What is known of the instances of a host that is drained."""

    view: View
    policy: Policy
    withdrawn: Withdrawn
    servers: Answer[tuple[Server, ...]]
    records: Answer[tuple[Migration, ...]]

    @cached_property
    def newest(self) -> Mapping[ServerId, Migration]:
        """The newest live migration of each instance."""
        return newest_by_server(self.records.value)

    @cached_property
    def leavers(self) -> tuple[Leaver, ...]:
        """Where each instance stands that Nova lists on the host."""
        return tuple(map(self._leaver, self.servers.value))

    @property
    def gone(self) -> int:
        """Return how many have left since the host was withdrawn."""
        here = {server.id for server in self.servers.value}
        mine = (m for m in self.newest.values() if m.id > self.withdrawn.after)
        return sum(m.status in ENDED_WELL and m.server not in here for m in mine)

    def read_since(self, at_s: float) -> bool:
        """Tell whether both lists were asked for at that moment or later."""
        return min(self.servers.asked_s, self.records.asked_s) >= at_s

    def _leaver(self, server: Server) -> Leaver:
        record, details = self.newest.get(server.id), server.details
        if record is not None and in_flight(record.status) and not self._is_dead(server, record):
            return Leaver(server, Way.MOVING, record=record, slow=self._is_slow(record))
        if self._is_asked_for(server.id):
            return Leaver(server, Way.MOVING)
        if details is None:
            return Leaver(server, Way.LATER, "is not read yet")
        rule = live_rule_of(details)
        if rule.leave in _WAYS:
            return Leaver(server, _WAYS[rule.leave], f"{told(details)}: {rule.helps}")
        return self._tried(server)

    def _is_asked_for(self, server: ServerId) -> bool:
        """Tell whether a request may still take effect that has left no record yet."""
        post = self.view.memory.drain.posts.get(server)
        if post is None or post.state == "sent":
            return post is not None
        return not self.read_since(post.at_s + self.policy.settle_s)

    def _is_dead(self, server: Server, record: Migration) -> bool:
        """Tell whether a record goes on for ever of which the instance knows nothing.

        A nova-compute that is started in the middle of a live migration ends the task, and the
        record only where it was running (_reset_live_migration of nova 34.0).
        """
        idle = server.details is not None and not server.details.task_state
        return idle and self.servers.asked_s - self._flying_s(record) >= self.policy.settle_s

    def _is_slow(self, record: Migration) -> bool:
        return self.view.now_s - self._flying_s(record) >= self.policy.stuck_s

    def _flying_s(self, record: Migration) -> float:
        known = self.view.memory.drain.flying_s
        return known.get((record.id, record.status), self.view.now_s)

    def _tried(self, server: Server) -> Leaver:
        """Return one that can leave now, or after its failures."""
        drain = self.view.memory.drain
        refusal, bad = drain.refusals.get(server.id), self._failed(server.id)
        failures = len(bad) + (refusal.count if refusal else 0)
        if not failures:
            return Leaver(server, Way.READY)
        times_s = [drain.failed_at.get(m.id, self._flying_s(m)) for m in bad]
        last_s = max([*times_s, refusal.last_s] if refusal else times_s)
        due_s = last_s + self.policy.backoff_s(failures)
        way = Way.READY if self.view.now_s >= due_s else Way.WAITING
        text = (
            refusal.text if refusal else f"its live migration {bad[-1].id} ended {bad[-1].status}"
        )
        return Leaver(server, way, text, failures, due_s)

    def _failed(self, server: ServerId) -> list[Migration]:
        """Return its live migrations that failed, since it last arrived here."""
        mine = sorted((m for m in self.records.value if m.server == server), key=lambda m: m.id)
        well = [m.id for m in mine if m.status in ENDED_WELL]
        since = max([self.withdrawn.after, *well])
        # One that nothing ends any more failed as well.
        lasting = (m for m in mine if m.id > since)
        return [m for m in lasting if ended_badly(m) or in_flight(m.status)]


_WAYS = {Leave.MOVING: Way.MOVING, Leave.LATER: Way.LATER, Leave.STAY: Way.STAYS}
