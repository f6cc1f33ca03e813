"""What an evacuation goes through in Nova, from the accepted request to another host.

accepted --scheduler--> pre-migrating --rebuild on the destination--> done --> another host
              |                |
            error           failed, error, or for ever in flight (the destination died)
"""

from collections.abc import Callable

from novaha.core.facts import Accepted, By, RecordEnded, Scheduled
from novaha.core.names import NodeName
from novaha.core.policy import IN_FLIGHT
from novaha.sim.book import Book
from novaha.sim.engine import Engine, Jitter
from novaha.sim.guests import Guests
from novaha.sim.nova import Nova
from novaha.sim.records import Compute, Evacuation, Instance

SCHEDULE_S = 0.3
"""From the answer to the scheduler's choice."""
LEAVES_LIST_S = 0.7
"""How long after `done` an instance is still listed on its old host."""


class Moves:
    """The evacuations of one cloud; move_s: how long one takes. left: told of each that moved."""

    def __init__(
        self, engine: Engine, book: Book, guests: Guests, nova: Nova, jitter: Jitter, move_s: float
    ) -> None:
        """Have Nova begin moves here."""
        self._engine = engine
        self._book = book
        self._guests = guests
        self._nova = nova
        self._jitter = jitter
        self.move_s = move_s
        self._parked: list[Evacuation] = []
        self.left: Callable[[Instance], None] = lambda _: None
        nova.begin_move = self.begin

    @property
    def nova(self) -> Nova:
        """Return the Nova whose instances move."""
        return self._nova

    def begin(self, instance: Instance, by: By, only: NodeName | None) -> None:
        """Make the record of an accepted request; only: the node that it must go to."""
        move_s, instance.move_s = instance.move_s, None
        evacuation = Evacuation(
            1 + len(self._nova.evacuations),
            instance,
            self._nova.computes[instance.node],
            instance.outcomes.pop(0) if instance.outcomes else "done",
            self._jitter.spread(self.move_s) if move_s is None else move_s,
            only,
        )
        self._nova.evacuations.append(evacuation)
        now_s = self._engine.now_s
        self._book.see(Accepted(now_s, instance.id, instance.node, evacuation.id, by))
        if by != "person":
            self._book.outcome.accepted[instance.id] += 1
        self._book.say("nova", f"accepts to evacuate {instance.id} (record {evacuation.id})")
        self._nova.changed((evacuation.source,))
        self._engine.later(min(SCHEDULE_S, evacuation.move_s / 4), self._schedule, evacuation)

    def resume(self, compute: Compute) -> None:
        """Let what ended on an isolated destination come through."""
        parked, self._parked = self._parked, []
        for evacuation in parked:
            if evacuation.to is compute and compute.life == evacuation.to_life:
                self._finish(evacuation)
            else:
                self._parked.append(evacuation)

    def _schedule(self, evacuation: Evacuation) -> None:
        instance = evacuation.instance
        choice = self.choose(instance, evacuation.source.name, evacuation.only)
        if choice is None or instance.deleted:
            instance.fault = "No valid host was found."
            self._end(evacuation, "error")
            return
        evacuation.to, evacuation.to_life = choice, choice.life
        self._book.see(Scheduled(self._engine.now_s, evacuation.id, choice.name))
        self._nova.changed((evacuation.source,))
        self._engine.later(evacuation.move_s / 4, self._arrive, evacuation)

    def choose(self, instance: Instance, source: NodeName, only: NodeName | None) -> Compute | None:
        """Return the least loaded host that Nova believes to be up and that the group allows."""
        nova = self._nova
        nodes = nova.states if only is None else (only,)
        loads = {node: 0 for node in nodes if self._open(node, source)}
        for other in nova.instances.values():
            if other.node in loads and not other.deleted:
                if instance.group and other.group == instance.group and other is not instance:
                    del loads[other.node]
                else:
                    loads[other.node] += 1
        for evacuation in nova.evacuations:
            if evacuation.to and evacuation.to.name in loads and evacuation.status in IN_FLIGHT:
                loads[evacuation.to.name] += 1
        for live in nova.lives:
            if live.to and live.to.name in loads and live.status in IN_FLIGHT:
                loads[live.to.name] += 1
        best = min(loads, key=loads.__getitem__, default=None)
        return None if best is None else nova.computes[best]

    def _open(self, node: NodeName, source: NodeName) -> bool:
        state = self._nova.states[node]
        return node != source and state.enabled and not state.full and self._nova.is_up(state)

    def _arrive(self, evacuation: Evacuation) -> None:
        """Begin on the destination, unless it died: then the record stays as it is for ever."""
        if not self._serves(evacuation):
            return
        if evacuation.instance.group and self._crowded(evacuation):
            evacuation.instance.fault = "Anti-affinity instance group policy was violated."
            self._end(evacuation, "failed")
            return
        self._mark(evacuation, "pre-migrating")
        self._engine.later(evacuation.move_s * 3 / 4, self._finish, evacuation)

    def _serves(self, evacuation: Evacuation) -> bool:
        to = evacuation.to
        return to is not None and to.serving and to.life == evacuation.to_life and not to.isolated

    def _crowded(self, evacuation: Evacuation) -> bool:
        """Tell whether a member of its group is there already, or was first on the way there."""
        mine, to = evacuation.instance, evacuation.to
        here = (i for i in self._nova.instances.values() if to is not None and i.node == to.name)
        if any(i.group == mine.group and i is not mine and not i.deleted for i in here):
            return True
        others = (e for e in self._nova.evacuations if e.to is to and e is not evacuation)
        rivals = (e for e in others if e.instance.group == mine.group and e.instance is not mine)
        return any(e.to_life == evacuation.to_life and _there_soon(e) for e in rivals)

    def _finish(self, evacuation: Evacuation) -> None:
        to, instance, outcome = evacuation.to, evacuation.instance, evacuation.outcome
        if to is None or to.life != evacuation.to_life or outcome == "stuck":
            return
        if instance.deleted:
            self._end(evacuation, "error")
        elif outcome != "done":
            instance.fault = f"the rebuild on {to.host} failed"
            self._end(evacuation, outcome)
        elif to.isolated:
            self._guests.start(instance.id, to.name)
            self._parked.append(evacuation)
        elif to.serving:
            self._guests.start(instance.id, to.name)
            self._mark(evacuation, "done")
            self._engine.later(LEAVES_LIST_S, self._leave, evacuation)

    def _leave(self, evacuation: Evacuation) -> None:
        instance, to = evacuation.instance, evacuation.to
        if to is None:
            return
        if instance.deleted:
            self._guests.end(instance.id, to.name)
        instance.node, instance.fault = to.name, ""
        instance.vm_state, instance.task_state = "active", ""
        self._book.see(RecordEnded(self._engine.now_s, evacuation.id))
        self._book.say("nova", f"{instance.id} runs on {to.name} (record {evacuation.id})")
        self.left(instance)
        self._nova.changed((evacuation.source, to))

    def _end(self, evacuation: Evacuation, status: str) -> None:
        instance = evacuation.instance
        self._mark(evacuation, status)
        self._book.see(RecordEnded(self._engine.now_s, evacuation.id))
        text = f"record {evacuation.id} of {instance.id} ends '{status}'"
        self._book.say("nova", f"{text}: {instance.fault}" if instance.fault else text)

    def _mark(self, evacuation: Evacuation, status: str) -> None:
        evacuation.status = status
        self._nova.changed((evacuation.source,))


def _there_soon(evacuation: Evacuation) -> bool:
    here = evacuation.instance.node == evacuation.source.name
    return evacuation.status == "pre-migrating" or (evacuation.status == "done" and here)
