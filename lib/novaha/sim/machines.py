"""The computes as machines: power, system, network, and the nova-compute that runs on them."""

from collections.abc import Callable

from novaha.core.facts import Lied, Lived, PoweredOff
from novaha.core.names import NodeName
from novaha.sim.book import Book
from novaha.sim.cib import Cib
from novaha.sim.engine import Engine, Jitter
from novaha.sim.guests import Guests
from novaha.sim.moves import Moves
from novaha.sim.nova import Nova
from novaha.sim.records import Compute, Instance

START_S = 2.0
"""How long nova-compute takes to start, from the moment it is let go."""
STOP_S = 1.0
RESUME_S = 1.0
"""From the start of nova-compute to that of the guests that Nova sees on the host."""
COMPLETE_S = 3.0
"""From the start of nova-compute to evacuations marked as completed."""

_COMPLETED_AT_START = frozenset({"accepted", "pre-migrating", "done"})


class Machines:
    """All computes. lost, back: called when a node cannot be reached any more, or again.

    restarted: called when a nova-compute has been started.
    """

    def __init__(
        self, engine: Engine, book: Book, cib: Cib, guests: Guests, nova: Nova, moves: Moves
    ) -> None:
        """Begin with no compute."""
        self._engine = engine
        self._book = book
        self._cib = cib
        self._guests = guests
        self._nova = nova
        self._moves = moves
        self.jitter = Jitter(0)
        self.all: dict[NodeName, Compute] = {}
        self.lost: Callable[[Compute], None] = lambda _: None
        self.back: Callable[[Compute], None] = lambda _: None
        self.restarted: Callable[[Compute], None] = lambda _: None
        cib.listeners.append(self.reconsider)

    def crash(self, compute: Compute) -> None:
        """End all that runs on a machine; its power stays on."""
        if compute.up:
            self._ended(compute)
            self.lost(compute)

    def isolate(self, compute: Compute) -> None:
        """Cut a machine off from every network; all runs on."""
        if compute.up and not compute.isolated:
            compute.isolated = True
            self._nova.beats_no_more(compute.name)
            self.lost(compute)
        compute.isolated = True

    def heal(self, compute: Compute) -> None:
        """Give a machine its network back."""
        if not compute.isolated:
            return
        compute.isolated = False
        if compute.serving:
            self._nova.beats(compute.name)
            self._moves.resume(compute)
            self._engine.later(COMPLETE_S, self._complete, compute, compute.life)
        if compute.up:
            self.back(compute)

    def cut_power(self, compute: Compute) -> None:
        """Switch a machine off in truth."""
        was_up = compute.up
        if compute.powered:
            compute.powered = False
            self._ended(compute)
            self._book.see(PoweredOff(self._engine.now_s, compute.name))
        if was_up:
            self.lost(compute)

    def lie(self, compute: Compute) -> None:
        """Leave a machine as it is, whatever its BMC says."""
        if compute.up:
            self._book.see(Lied(self._engine.now_s, compute.name))

    def power_on(self, compute: Compute) -> None:
        """Switch a machine on; one that has power does not notice."""
        if not compute.powered:
            compute.powered = True
            boot_s = self.jitter.spread(compute.boot_s)
            self._engine.later(boot_s, self._booted, compute, compute.life)

    def reconsider(self) -> None:
        """Start or stop nova-compute wherever the CIB now says so."""
        for compute in self.all.values():
            if not compute.commanded:
                continue
            if compute.serving:
                if self._cib.marked(compute.name) or compute.standby:
                    self._engine.later(STOP_S, self._stop, compute, compute.life)
            elif not (compute.starting or compute.standby or self._cib.held(compute.name)):
                compute.starting = True
                self._engine.later(START_S, self._started, compute, compute.life, False)  # noqa: FBT003

    def _ended(self, compute: Compute) -> None:
        """Nothing runs any more: neither guests nor nova-compute."""
        compute.up = compute.serving = compute.starting = False
        compute.life += 1
        migrated = self._migrated(compute)
        self._guests.end_all(compute.name)
        for instance, to in migrated:
            self._guests.start(instance.id, to.name)
        self._nova.beats_no_more(compute.name)

    def _migrated(self, compute: Compute) -> list[tuple[Instance, Compute]]:
        """Return what ran on a machine and now goes on where its live migration took it."""
        ran = (self._nova.instances[server] for server in self._guests.on(compute.name))
        pairs = ((instance, instance.moves_to) for instance in ran)
        return [(instance, to) for instance, to in pairs if to is not None and to.serving]

    def _booted(self, compute: Compute, life: int) -> None:
        if compute.life != life or not compute.powered:
            return
        compute.up = True
        self._book.say("cluster", f"{compute.name} has booted")
        if compute.autostart:
            compute.starting = True
            self._engine.later(START_S, self._started, compute, life, True)  # noqa: FBT003
        if not compute.isolated:
            self.back(compute)

    def _started(self, compute: Compute, life: int, unasked: bool) -> None:  # noqa: FBT001
        if compute.life != life or not compute.starting:
            return
        compute.starting, compute.serving = False, True
        held = unasked and self._cib.held(compute.name)
        self._book.see(Lived(self._engine.now_s, compute.name, held))
        self._book.say("nova", f"nova-compute runs on {compute.name}")
        if not compute.isolated:
            self._nova.beats(compute.name)
        self.restarted(compute)
        self._clean(compute)
        self._nova.power.resume(compute)
        self._engine.later(RESUME_S, self._resume, compute, life)
        self._engine.later(COMPLETE_S, self._complete, compute, life)
        self.reconsider()

    def _stop(self, compute: Compute, life: int) -> None:
        marked = self._cib.marked(compute.name)
        held = (marked or compute.standby) and compute.commanded
        if compute.life == life and compute.serving and held:
            compute.serving = False
            self._nova.beats_no_more(compute.name)
            why = "held" if marked else "in standby"
            self._book.say("cluster", f"nova-compute is stopped on {compute.name}, which is {why}")

    def _clean(self, compute: Compute) -> None:
        """Destroy the copies of instances that Nova has elsewhere by now."""
        for server in self._guests.on(compute.name):
            instance = self._nova.instances[server]
            if instance.deleted or instance.node != compute.name:
                self._guests.end(server, compute.name)

    def _resume(self, compute: Compute, life: int) -> None:
        if compute.life != life or not compute.serving:
            return
        for instance in self._nova.instances.values():
            here = instance.node == compute.name and instance.vm_state != "stopped"
            if here and not instance.deleted:
                self._guests.start(instance.id, compute.name)

    def _complete(self, compute: Compute, life: int) -> None:
        """Mark the records of evacuations off the node, those in flight too, as Nova does.

        Those go on, whatever they are called, and are `done` in the end. Source: nova 34.0,
        compute/manager.py, _destroy_evacuated_instances; seen on the test cluster.
        """
        if compute.life != life or not compute.serving or compute.isolated:
            return
        for evacuation in self._nova.evacuations:
            if evacuation.source is compute and evacuation.status in _COMPLETED_AT_START:
                evacuation.status = "completed"
        self._nova.changed((compute,))
