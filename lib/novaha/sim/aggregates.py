"""The host aggregates of a cloud: who is in them, what is said of them, who changes that."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from novaha.core.facts import ReservedFor
from novaha.core.names import ComputeHost, NodeName
from novaha.core.segments import Aggregate, Use, reserved_of, use_of
from novaha.errors import CloudRefused
from novaha.sim.book import Book
from novaha.sim.engine import Engine


class Aggregates:
    """All of them, in the order of their numbers. changed: is told of each change."""

    def __init__(
        self,
        engine: Engine,
        book: Book,
        node_of: Callable[[ComputeHost], NodeName | None],
        changed: Callable[[], None],
    ) -> None:
        """Begin without any."""
        self._engine = engine
        self._book = book
        self._node_of = node_of
        self._changed = changed
        self.all: tuple[Aggregate, ...] = ()

    def set_metadata(self, id_: int, metadata: Mapping[str, str | None]) -> Aggregate:
        """Set keys, or unset them with None; all others stay."""
        before = self._find(id_)
        known = {**before.metadata, **metadata}
        said = {key: value for key, value in known.items() if value is not None}
        return self._put(replace(before, metadata=said))

    def join(self, id_: int, host: ComputeHost) -> Aggregate:
        """Add a host."""
        before = self._find(id_)
        if host in before.hosts:
            msg = f"Cannot add host to aggregate {id_}: it is in it already (409)"
            raise CloudRefused(msg, 409)
        return self._put(replace(before, hosts=before.hosts | {host}))

    def leave(self, id_: int, host: ComputeHost) -> Aggregate:
        """Remove a host."""
        before = self._find(id_)
        if host not in before.hosts:
            msg = f"Cannot remove host {host} in aggregate {id_}: not found (404)"
            raise CloudRefused(msg, 404)
        return self._put(replace(before, hosts=before.hosts - {host}))

    def named(self, name: str) -> Aggregate | None:
        """Return the aggregate of a name."""
        return next((each for each in self.all if each.name == name), None)

    def _find(self, id_: int) -> Aggregate:
        found = next((each for each in self.all if each.id == id_), None)
        if found is None:
            msg = f"Aggregate {id_} could not be found (404)"
            raise CloudRefused(msg, 404)
        return found

    def _put(self, aggregate: Aggregate) -> Aggregate:
        before = reserved_of(self._find(aggregate.id))
        self.all = tuple(aggregate if each.id == aggregate.id else each for each in self.all)
        now = reserved_of(aggregate)
        for host in {**before, **now}:
            if before.get(host) != now.get(host):
                self._note(host, use_of(now.get(host, "")))
        self._changed()
        return aggregate

    def _note(self, host: ComputeHost, use: Use | None) -> None:
        node, lost = self._node_of(host), self._node_of(use.host) if use else None
        if node is not None:
            self._book.see(ReservedFor(self._engine.now_s, node, lost))
