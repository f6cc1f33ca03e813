"""Which copies of which instances run where, in truth."""

from novaha.core.facts import GuestEnded, GuestStarted
from novaha.core.names import NodeName, ServerId
from novaha.sim.book import Book
from novaha.sim.engine import Engine

LISTENS_S = 5.0
"""From the start of a guest until its service takes connections."""


class Guests:
    """Every running copy writes to its instance's disk; the judge sees each start and end."""

    __slots__ = ("_book", "_engine", "_on")

    def __init__(self, engine: Engine, book: Book) -> None:
        """Begin with nothing running."""
        self._engine = engine
        self._book = book
        self._on: dict[NodeName, dict[ServerId, float]] = {}

    def on(self, node: NodeName) -> tuple[ServerId, ...]:
        """Return the instances that run on a node, in the order in which they were started."""
        return tuple(self._on.get(node, ()))

    def runs(self, server: ServerId, node: NodeName) -> bool:
        """Tell whether a copy runs on a node."""
        return server in self._on.get(node, ())

    def listens(self, server: ServerId, node: NodeName) -> bool:
        """Tell whether the service of a copy takes connections by now."""
        since_s = self._on.get(node, {}).get(server)
        return since_s is not None and self._engine.now_s - since_s >= LISTENS_S

    def start(self, server: ServerId, node: NodeName) -> None:
        """Start a copy; on a node where one runs already nothing changes."""
        on = self._on.setdefault(node, {})
        if server not in on:
            on[server] = self._engine.now_s
            self._book.see(GuestStarted(self._engine.now_s, server, node))

    def end(self, server: ServerId, node: NodeName) -> None:
        """End a copy, if it runs."""
        on = self._on.get(node)
        if on is not None and server in on:
            del on[server]
            self._book.see(GuestEnded(self._engine.now_s, server, node))

    def end_all(self, node: NodeName) -> None:
        """End every copy on a node."""
        for server in self.on(node):
            self.end(server, node)
