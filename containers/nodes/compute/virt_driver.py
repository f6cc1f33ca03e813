"""Nova's fake virt driver with a memory; installed as nova/virt/testcloud.py.

Nova's own FakeDriver forgets its guests when nova-compute ends. Here they are kept in
state_path/guests.json, so that a host which returns has leftovers that Nova must destroy, and
anyone who can read the file knows which guests run where.

guests.json: {"boot_id": of this boot of the node, "guests": {uuid: {name, state, since, ...}}}
faults.json: {"spawn_delay": s, a smaller one ends it early, "spawn_fail": number of next spawns
    that raise, "destroy_delay": s, "live_delay": s that a live migration off the node takes}
"""
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, ARG002, FBT002, INP001
# Nova ships no types, and is not installed where types are checked.

import json
import threading
import time
from pathlib import Path

import nova.conf
from nova import exception
from nova.compute import power_state
from nova.scheduler.client import report
from nova.virt import fake
from nova.virt import node as virt_node

CONF = nova.conf.CONF


class PersistentFakeDriver(fake.FakeDriver):
    """FakeDriver whose guests outlive nova-compute, and lose power with their node."""

    def __init__(self, virtapi, read_only=False):
        """Find the guests of an earlier life: still running, unless the node was off meanwhile."""
        super().__init__(virtapi, read_only)
        self._lock = threading.RLock()
        self._folder = Path(CONF.state_path)
        self._failed = 0
        for uuid, guest in self._saved().items():
            found = fake.FakeInstance(guest["name"], guest["state"], uuid)
            found.since = guest["since"]
            self.instances[uuid] = found
        self._save()

    def get_nodenames_by_uuid(self, refresh=False):
        """Return the node under the uuid in compute_id; FakeDriver draws one per process."""
        return {virt_node.get_local_node_uuid(): n for n in self.get_available_nodes()}

    def get_available_resource(self, nodename):
        """Return the resources under the same uuid."""
        resources = super().get_available_resource(nodename)
        if resources:
            resources["uuid"] = virt_node.get_local_node_uuid()
        return resources

    def spawn(self, context, instance, *args, **kwargs):
        """Start a guest, late or not at all if a fault says so."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < self._fault("spawn_delay"):
            time.sleep(0.1)
        if self._failed < self._fault("spawn_fail"):
            self._failed += 1
            message = "spawn_fail in faults.json"
            raise exception.NovaException(message)
        super().spawn(context, instance, *args, **kwargs)
        self.instances[instance.uuid].since = time.time()
        self._save()

    def destroy(self, context, instance, *args, **kwargs):
        """End a guest, late if a fault says so."""
        time.sleep(self._fault("destroy_delay"))
        super().destroy(context, instance, *args, **kwargs)
        self._save()

    def live_migration(  # noqa: PLR0913, PLR0917  (the signature is Nova's)
        self,
        context,
        instance,
        dest,
        post_method,
        recover_method,
        block_migration=False,
        migrate_data=None,
    ):
        """Let a guest leave in one moment, late if a fault says so; FakeDriver lets it stay."""
        time.sleep(self._fault("live_delay"))
        super().destroy(context, instance, None)
        self._save()
        post_method(context, instance, dest, block_migration, migrate_data)

    def power_off(self, instance, *args, **kwargs):
        """Stop a guest."""
        super().power_off(instance, *args, **kwargs)
        self._save()

    def power_on(self, context, instance, *args, **kwargs):
        """Start a stopped guest."""
        super().power_on(context, instance, *args, **kwargs)
        self._save()

    def _saved(self):
        try:
            saved = json.loads((self._folder / "guests.json").read_text())
        except FileNotFoundError:
            return {}
        if saved["boot_id"] != self._boot_id():
            for guest in saved["guests"].values():
                guest["state"] = power_state.SHUTDOWN
        return saved["guests"]

    def _save(self):
        with self._lock:
            guests = {
                uuid: {"name": i.name, "state": i.state, "since": getattr(i, "since", None)}
                for uuid, i in list(self.instances.items())
            }
            content = {"boot_id": self._boot_id(), "guests": guests}
            fresh = self._folder / "guests.json.new"
            fresh.write_text(json.dumps(content))
            fresh.replace(self._folder / "guests.json")

    def _boot_id(self):
        return (self._folder / "boot-id").read_text()

    def _fault(self, name):
        try:
            return float(json.loads((self._folder / "faults.json").read_text()).get(name, 0))
        except FileNotFoundError:
            return 0.0


# At every claim Nova 34's resource tracker asks placement for the allocations of each consumer on
# the host, one request each, though only reshapes and PCI need them: filling a host costs O(n^2).
# While the file state_path/fast-claims exists it does not: for seeding hundreds of instances.
_allocations_of_tree = report.SchedulerReportClient.get_allocations_for_provider_tree


def _allocations_if_wanted(self, context, nodename):
    if (Path(CONF.state_path) / "fast-claims").exists():
        return {}
    return _allocations_of_tree(self, context, nodename)


report.SchedulerReportClient.get_allocations_for_provider_tree = _allocations_if_wanted
