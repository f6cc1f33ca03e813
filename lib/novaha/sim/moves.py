"""What an evacuation goes through in Nova, from the accepted request to another host.

accepted --scheduler--> pre-migrating --rebuild on the destination--> done --> another host
              |                |
            error           failed, error, or for ever in flight (the destination died)
"""

from collections.abc import Callable

from novaha.core.facts import Accepted, By, InVain, RecordEnded, Scheduled
from novaha.core.names import NodeName
from novaha.core.policy import in_flight
from novaha.sim.book import Book
from novaha.sim.engine import Engine, Jitter
from novaha.sim.guests import Guests
from novaha.sim.nova import NO_HOST, Nova
from novaha.sim.records import AS_EVER, Compute, Evacuation, How, Instance

SCHEDULE_S = 0.3
"""From the answer to the scheduler's choice."""
JUST_BACK_S = 30.0
"""For so long a host that serves again may be taken for a lost one: its recovery is not over."""
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

    def begin(self, instance: Instance, by: By, only: NodeName | None, how: How) -> None:
        """Make the record of an accepted request; only: the node that it must go to."""
        instance.stopped = False
        move_s, instance.move_s = instance.move_s, None
        evacuation = Evacuation(
            1 + len(self._nova.evacuations),
            instance,
            self._nova.computes[instance.node],
            instance.outcomes.pop(0) if instance.outcomes else "done",
            self._jitter.spread(self.move_s) if move_s is None else move_s,
            only,
            how,
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
        only, how = evacuation.only, evacuation.how
        choice = self.choose(instance, evacuation.source.name, only, how)
        if choice is None or instance.deleted:
            self._note_in_vain(evacuation)
            instance.fault = NO_HOST
            self._end(evacuation, "error")
            return
        evacuation.to, evacuation.to_life = choice, choice.life
        self._book.see(Scheduled(self._engine.now_s, evacuation.id, choice.name))
        self._nova.changed((evacuation.source,))
        self._engine.later(evacuation.move_s / 4, self._arrive, evacuation)

    def choose(
        self, instance: Instance, source: NodeName, only: NodeName | None, how: How = AS_EVER
    ) -> Compute | None:
        """Return the least loaded host that Nova believes to be up and that the group allows.

        Where the scheduler is not asked, Placement still is.
        """
        nova = self._nova
        if how.forced and only is not None:
            return None if nova.states[only].full else nova.computes[only]
        nodes = nova.states if only is None else (only,)
        loads = {node: 0 for node in nodes if self._open(node, source)}
        if instance.together:
            with_one = {instance.node, *self._places_of_others(instance)}
            loads = {node: 0 for node in loads if node in with_one}
        for other in nova.instances.values():
            if other.node in loads and not other.deleted:
                if instance.group and other.group == instance.group and other is not instance:
                    del loads[other.node]
                else:
                    loads[other.node] += 1
        for evacuation in nova.evacuations:
            if evacuation.to and evacuation.to.name in loads and in_flight(evacuation.status):
                loads[evacuation.to.name] += 1
        for live in nova.lives:
            if live.to and live.to.name in loads and in_flight(live.status):
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
        if self._parted(evacuation):
            evacuation.instance.fault = "Affinity instance group policy was violated"
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

    def _parted(self, evacuation: Evacuation) -> bool:
        """Tell whether others of its affinity group are, and none of them here."""
        if evacuation.to is None or not self._nova.checks_groups:
            return False
        places = self._places_of_others(evacuation.instance)
        return bool(places) and evacuation.to.name not in places

    def _places_of_others(self, mine: Instance) -> set[NodeName]:
        """Return where the others of an affinity group are by Nova's database.

        That has the new host of one before its record is done.
        """
        if not mine.together:
            return set()
        others = [
            i
            for i in self._nova.instances.values()
            if i.together == mine.together and i is not mine and not i.deleted
        ]
        moved = {e.instance.id: e.to.name for e in self._nova.evacuations if _has_moved(e) and e.to}
        return {moved.get(other.id, other.node) for other in others}

    def _note_in_vain(self, evacuation: Evacuation) -> None:
        """Let the judge know of a request for the first of an affinity group that had to fail.

        Where a host like its own was open the scheduler need not have been asked.
        """
        instance, source = evacuation.instance, evacuation.source
        mine = [i for i in self._nova.instances.values() if i.together == instance.together]
        bound = instance.together and all(i.node == source.name and not i.deleted for i in mine)
        like = any(self._like(node, source) for node in self._nova.states)
        if bound and not evacuation.how.forced and like:
            self._book.see(InVain(self._engine.now_s, evacuation.id))

    def _like(self, node: NodeName, source: Compute) -> bool:
        """Tell whether a host is open, in the aggregates of another one, and not just back."""
        host, since_s = self._nova.states[node].host, self._nova.states[node].beats_from_s
        if since_s is None or self._engine.now_s - since_s < JUST_BACK_S:
            return False
        same = all((host in a.hosts) == (source.host in a.hosts) for a in self._nova.aggregates.all)
        return same and self._open(node, source.name) and self._nova.computes[node].serving

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
            self._rest(evacuation, to)
            self._mark(evacuation, "done")
            self._engine.later(LEAVES_LIST_S, self._leave, evacuation)

    def _rest(self, evacuation: Evacuation, to: Compute) -> None:
        """Switch off what is to stand stopped, which Nova has booted like any other.

        One in ERROR runs on. Source: nova 34.0, compute/manager.py, _do_rebuild_instance.
        """
        instance = evacuation.instance
        stands = instance.vm_state == "stopped" or (
            evacuation.how.stops and instance.vm_state != "error"
        )
        instance.vm_state, instance.task_state = ("stopped" if stands else "active"), ""
        if stands:
            self._guests.end(instance.id, to.name)

    def _leave(self, evacuation: Evacuation) -> None:
        instance, to = evacuation.instance, evacuation.to
        if to is None:
            return
        if instance.deleted:
            self._guests.end(instance.id, to.name)
        instance.node, instance.fault = to.name, ""
        self._book.see(RecordEnded(self._engine.now_s, evacuation.id))
        does = "runs" if instance.vm_state == "active" else "stands stopped"
        self._book.say("nova", f"{instance.id} {does} on {to.name} (record {evacuation.id})")
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


def _has_moved(evacuation: Evacuation) -> bool:
    return evacuation.status == "done" and evacuation.instance.node == evacuation.source.name


def _there_soon(evacuation: Evacuation) -> bool:
    here = evacuation.instance.node == evacuation.source.name
    return evacuation.status == "pre-migrating" or (evacuation.status == "done" and here)
