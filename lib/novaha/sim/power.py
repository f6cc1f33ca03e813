"""Instances that are started and stopped: by us, and by their owners."""

from collections.abc import Callable, Mapping

from novaha.core.names import NodeName, ServerId
from novaha.errors import CloudRefused, CloudUnavailable, NeedsNoStart
from novaha.sim.book import Book
from novaha.sim.engine import Engine
from novaha.sim.guests import Guests
from novaha.sim.records import Compute, Instance

START_S = 1.0
"""From the start of an instance until its guest runs."""


class Power:
    """The switches of one cloud's instances; changed: told of the host of each that changes."""

    def __init__(
        self,
        engine: Engine,
        book: Book,
        guests: Guests,
        instances: Mapping[ServerId, Instance],
        computes: Mapping[NodeName, Compute],
        changed: Callable[[Compute], None],
    ) -> None:
        """Switch the instances of a cloud."""
        self._engine = engine
        self._book = book
        self._guests = guests
        self._instances = instances
        self._computes = computes
        self._changed = changed

    def start(self, server: ServerId) -> None:
        """Accept the start of an instance by us, or raise what is answered instead."""
        instance = self._instances.get(server)
        if instance is None or instance.deleted:
            msg = f"Instance {server} could not be found (404)"
            raise NeedsNoStart(msg, 404)
        if instance.stopped:
            msg = "it was stopped after its evacuation"
            raise NeedsNoStart(msg, 409)
        if instance.vm_state == "active":
            msg = f"Cannot 'start' instance {server} while it is in vm_state active (409)"
            raise NeedsNoStart(msg, 409)
        self._power_on(instance)

    def start_by_owner(self, instance: Instance) -> None:
        """Start an instance; what it was stopped for before counts no more."""
        self._reach(instance)
        self._power_on(instance)
        instance.stopped = False

    def stop_by_owner(self, instance: Instance) -> None:
        """Stop an instance that runs, or raise what Nova answers."""
        if instance.vm_state != "active" or instance.task_state or instance.deleted:
            msg = f"Cannot 'stop' instance {instance.id} while it is in this state (409)"
            raise CloudRefused(msg, 409)
        compute = self._reach(instance)
        instance.vm_state, instance.stopped = "stopped", True
        self._guests.end(instance.id, compute.name)
        self._changed(compute)

    def _reach(self, instance: Instance) -> Compute:
        """Return the host of an instance; of a person, nobody waits for one that is away."""
        compute = self._computes[instance.node]
        if not (compute.serving and compute.reachable):
            msg = f"{compute.host} cannot be reached"
            raise CloudUnavailable(msg)
        return compute

    def _power_on(self, instance: Instance) -> None:
        if instance.vm_state != "stopped" or instance.task_state or instance.deleted:
            msg = f"Cannot 'start' instance {instance.id} while it is {instance.vm_state} (409)"
            raise CloudRefused(msg, 409)
        instance.task_state = "powering-on"
        compute = self._computes[instance.node]
        self._changed(compute)
        self._engine.later(START_S, self._powered_on, instance, compute, compute.life)

    def resume(self, compute: Compute) -> None:
        """Do what a nova-compute that starts finds undone: the starts that its host had lost.

        Source: nova 34.0, compute/manager.py, _init_instance.
        """
        for instance in self._pending(compute):
            self._engine.later(START_S, self._powered_on, instance, compute, compute.life)

    def pending(self) -> bool:
        """Tell whether a start is undone of which a nova-compute knows nothing, though it runs."""
        serving = (compute for compute in self._computes.values() if compute.serving)
        return any(self._pending(compute) for compute in serving)

    def _pending(self, compute: Compute) -> list[Instance]:
        mine = (i for i in self._instances.values() if i.node == compute.name and not i.deleted)
        return [instance for instance in mine if instance.task_state == "powering-on"]

    def _powered_on(self, instance: Instance, compute: Compute, life: int) -> None:
        """Run a guest; a request to a nova-compute that is not there is lost."""
        there = instance.node == compute.name and instance.task_state == "powering-on"
        if not (there and compute.serving and compute.life == life and compute.reachable):
            return
        instance.task_state = ""
        if instance.failing_starts:
            instance.failing_starts -= 1
            self._book.say("nova", f"fails to start {instance.id} on {compute.name}")
        elif not instance.deleted:
            instance.vm_state = "active"
            self._guests.start(instance.id, compute.name)
            self._book.say("nova", f"{instance.id} is started on {compute.name}")
        self._changed(compute)
