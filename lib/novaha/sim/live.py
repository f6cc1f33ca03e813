"""What a live migration goes through in Nova, from the accepted request to another host.

accepted --scheduler--> running --memory got over--> completed: another host, in one moment
              |            |
            error        error: it stays where it is; or for ever in flight (its source died)

A source that dies when the memory has got over leaves the guest running on the destination, and
Nova with an instance that is `migrating` on a dead host.
"""

from novaha.core.facts import By, LiveAccepted, LiveEnded
from novaha.core.policy import in_flight
from novaha.sim.book import Book
from novaha.sim.engine import Engine, Jitter
from novaha.sim.guests import Guests
from novaha.sim.moves import SCHEDULE_S, Moves
from novaha.sim.nova import Nova
from novaha.sim.records import Compute, Instance, LiveMigration

AGAIN_S = 2.0
"""So often one looks again whether a network is back."""


class LiveMoves:
    """The live migrations of one cloud; each takes as long as an evacuation."""

    def __init__(
        self, engine: Engine, book: Book, guests: Guests, moves: Moves, jitter: Jitter
    ) -> None:
        """Have Nova begin live migrations here."""
        self._engine = engine
        self._book = book
        self._guests = guests
        self._moves = moves
        self._jitter = jitter
        self._nova: Nova = moves.nova
        self._nova.begin_live = self.begin

    def begin(self, instance: Instance, by: By) -> None:
        """Make the record of an accepted request."""
        move_s, instance.move_s = instance.move_s, None
        source = self._nova.computes[instance.node]
        move = LiveMigration(
            1 + len(self._nova.lives),
            instance,
            source,
            source.life,
            instance.live_outcomes.pop(0) if instance.live_outcomes else "done",
            self._jitter.spread(self._moves.move_s) if move_s is None else move_s,
        )
        self._nova.lives.append(move)
        instance.task_state = "migrating"
        self._book.see(LiveAccepted(self._engine.now_s, instance.id, instance.node, move.id, by))
        self._book.say("nova", f"accepts to live-migrate {instance.id} (live record {move.id})")
        self._nova.changed((source,))
        self._engine.later(min(SCHEDULE_S, move.move_s / 4), self._schedule, move)

    def restarted(self, compute: Compute) -> None:
        """End what a nova-compute finds on the way that is started on the source."""
        for move in self._nova.lives:
            if move.source is compute and in_flight(move.status) and self._is_meant(move):
                self._end(move, "error")

    def _is_meant(self, move: LiveMigration) -> bool:
        instance = move.instance
        here = instance.node == move.source.name and not instance.deleted
        return here and instance.task_state == "migrating"

    def _schedule(self, move: LiveMigration) -> None:
        choice = self._moves.choose(move.instance, move.source.name, None)
        if choice is None or not self._is_meant(move):
            self._end(move, "error")
            return
        move.to, move.to_life = choice, choice.life
        move.status = "running"
        self._nova.changed((move.source,))
        self._engine.later(move.move_s * 3 / 4, self._memory_is_over, move)

    def _memory_is_over(self, move: LiveMigration) -> None:
        if self._goes_on(move) and move.outcome == "done":
            move.instance.moves_to = move.to
        self._engine.later(move.move_s / 4, self._finish, move)

    def _goes_on(self, move: LiveMigration) -> bool:
        """Tell whether both ends are there, and Nova still means it."""
        source, to = move.source, move.to
        alive = source.life == move.source_life and source.serving
        return alive and to is not None and to.life == move.to_life and self._is_meant(move)

    def _finish(self, move: LiveMigration) -> None:
        source, to, instance = move.source, move.to, move.instance
        if source.life != move.source_life or not source.serving or to is None:
            return
        if source.isolated or (to.isolated and to.life == move.to_life):
            self._engine.later(AGAIN_S, self._finish, move)
        elif move.outcome != "done" or not (to.serving and self._goes_on(move)):
            self._end(move, "error")
        else:
            self._guests.end(instance.id, source.name)
            self._guests.start(instance.id, to.name)
            instance.node = to.name
            self._end(move, "completed")
            self._moves.left(instance)

    def _end(self, move: LiveMigration, status: str) -> None:
        instance, move.status = move.instance, status
        if instance.task_state == "migrating":
            instance.task_state, instance.moves_to = "", None
        self._book.see(LiveEnded(self._engine.now_s, move.id))
        where = f", {instance.id} runs on {instance.node}"
        self._book.say("nova", f"live record {move.id} ends '{status}'{where}")
        self._nova.changed((move.source, *((move.to,) if move.to else ())))
