"""From an inventory to the configuration.

Why the settings are as they are: one host that cannot be fenced must not hold up the others. That
takes concurrent-fencing, attempts without end, `requires=nothing` on remote connections and fence
devices, and `requires=quorum` on all else. Even so Pacemaker has a resource wait for the fencing of
every node where it was never looked for, so NovaEvacuate is looked for on computes, where it is
banned. nova-compute and its hold run on one host each: another host's fencing is none of theirs.
And load-threshold: on controllers that are busier than it says, Pacemaker starts one action at a
time, always the same first one; where that is a fencing that fails, no other is ever begun (seen
with 2.1.5: of four lost hosts one was tried again and again, until the threshold was raised).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from novaha.cib import gates
from novaha.cib.attempts import attempt_s
from novaha.cib.configuration import (
    ALONE,
    DEVICE_MONITOR,
    Colocation,
    Configuration,
    Level,
    Location,
    Operation,
    Order,
    Pairs,
    Primitive,
)
from novaha.cib.facts import Device
from novaha.cib.ids import (
    ALERT,
    CLONES,
    COMPUTE,
    COMPUTE_CLONE,
    EVACUATE,
    OWN_DEVICE,
    UNFENCE,
    UNFENCE_CLONE,
    device_id,
)
from novaha.cib.inventory import Inventory, Kind, Node
from novaha.cib.profiles import Profile
from novaha.core.policy import NOT_REAL, Policy
from novaha.specs import fence_nova, nova_compute_unfence, nova_evacuate
from novaha.specs.fence_nova_gate import SPEC as GATE

ALERT_PATH = "/usr/share/nova-ha/alerts/nova_ha_alert"
PROPERTIES: Pairs = (
    ("stonith-enabled", "true"),
    ("concurrent-fencing", "true"),
    ("stonith-max-attempts", "INFINITY"),
    ("load-threshold", "1000%"),
    ("no-quorum-policy", "stop"),
    ("cluster-recheck-interval", "60s"),
    # A node that is gone keeps the cluster waiting for what was in flight there, beyond the timeout
    # of that, for so long; nothing else is fenced meanwhile.
    ("cluster-delay", "20s"),
)
DEFAULTS: Pairs = (("resource-stickiness", "100"),)

# What counts is the power status, asked until it is off, so nothing is gained by sleeping first.
# A BMC has several sessions: its start beside its fencing keeps others waiting for one, not both.
_AGENT_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "fence_ipmilan": {"lanplus": "1", "pcmk_action_limit": "2", "power_wait": "0"}
}
_NO_POWER_TIMEOUT = NOT_REAL | {
    *("fence_ack_manual", "fence_legacy", "fence_sanlock", "fence_virt", "fence_watchdog"),
    "fence_xvm",
}
"""Agents without the option; of fence-agents 4.12.1, 82 agents have it."""
_ASK_THE_CLUSTER = frozenset(f"stonith:{spec.name}" for spec in (fence_nova.SPEC, GATE))
"""Devices of ours, whose monitor asks the cluster only; that of the gate has a task, too."""
MONITOR_S = 10
"""A fence device that gives no answer in this time is no good."""
POWER_S, LOGIN_S = 20, 5
"""How long fence agents wait for the power to go, as they are shipped; and to log in."""


class _Advertised(Protocol):
    """An operation as an agent's spec has it; times in seconds."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def timeout_s(self) -> int:
        """How long it may take."""

    @property
    def interval_s(self) -> int | None:
        """How often it is due; None for once."""


def generate(inventory: Inventory) -> Configuration:
    """Return the configuration of a cluster."""
    locations = (
        Location(f"{EVACUATE}-on-controllers", EVACUATE, "cluster", is_probed=True),
        *(Location(f"{clone}-on-computes", clone, "remote") for clone in CLONES),
    )
    devices = (*gates.devices(inventory), *_devices(inventory), _receipt(inventory))
    levels = tuple(_levels(inventory))
    pause_s = inventory.profile.pause_s(len(inventory.controllers), _attempt_s(devices, levels))
    primitives = (
        *(_remote(node, inventory.profile, pause_s) for node in inventory.computes),
        *devices,
        *_services(inventory),
    )
    return Configuration(
        properties=PROPERTIES,
        defaults=DEFAULTS,
        primitives=primitives if inventory.fail_counts else tuple(map(_uncounted, primitives)),
        levels=levels,
        locations=locations,
        orders=(Order(f"{COMPUTE}-after-hold", *CLONES),),
        colocations=(Colocation(f"{COMPUTE}-with-hold", COMPUTE_CLONE, UNFENCE_CLONE),),
        alerts=((ALERT, ALERT_PATH),),
    )


def _uncounted(primitive: Primitive) -> Primitive:
    """Return it such that the scheduler need not look for its failures on every node.

    Where nothing is banned, what fails is tried again at once, and an operation that is under way
    delays everything else. So a fence device must not fail: it says that it is well unasked.
    """
    if primitive.id == EVACUATE:
        return primitive  # There is only one, and it has to leave a controller where it fails.
    params = primitive.params
    if primitive.is_device and primitive.agent not in _ASK_THE_CLUSTER:
        params = tuple(sorted({"pcmk_monitor_action": "metadata", **dict(params)}.items()))
    meta = (*primitive.meta, ("migration-threshold", "0"))
    return replace(primitive, params=params, meta=meta)


def _attempt_s(devices: Iterable[Primitive], levels: Iterable[Level]) -> float:
    """Return how long an attempt to fence a node may take, of the node where it takes longest."""
    known = {each.id: (each.agent.removeprefix("stonith:"), dict(each.params)) for each in devices}
    of_node: dict[str, list[list[Device]]] = {}
    for level in levels:
        of_node.setdefault(level.node, []).append([known[id_] for id_ in level.devices])
    return max(map(attempt_s, of_node.values()), default=0.0)


def _remote(node: Node, profile: Profile, pause_s: int) -> Primitive:
    # A long start timeout would keep the cluster waiting; reconnect_interval paces the tries.
    return Primitive(
        node.name,
        "ocf:pacemaker:remote",
        (
            ("reconnect_interval", f"{pause_s}s"),
            ("server", node.address or ""),
        ),
        (
            Operation("start", 0, profile.start_s),
            Operation("stop", 0, 15),
            Operation("monitor", profile.monitor_interval_s, profile.monitor_timeout_s),
        ),
        ALONE,
    )


def _devices(inventory: Inventory) -> Iterator[Primitive]:
    """Yield the fence devices that some level names, kind by kind."""
    for kind in inventory.kinds.values():
        users = [node for node in inventory.nodes if any(kind.name in lv for lv in node.levels)]
        if kind.shared and users:
            yield _shared(kind, users, inventory)
        elif not kind.shared:
            for node in users:
                options = {"pcmk_host_list": node.name, **node.devices[kind.name]}
                yield _device(_device_id(kind, node), kind, options, inventory)


def _device_id(kind: Kind, node: Node) -> str:
    """Return the id of the device of this kind that fences a node."""
    return device_id(kind.name, None if kind.shared else node.name)


def _shared(kind: Kind, users: list[Node], inventory: Inventory) -> Primitive:
    plugs = {node.name: node.devices.get(kind.name, {}).get("plug") for node in users}
    pairs = ";".join(f"{name}:{plug}" for name, plug in plugs.items() if plug is not None)
    options = {"pcmk_host_list": " ".join(plugs)}
    if pairs:
        options["pcmk_host_map"] = pairs
    return _device(device_id(kind.name, None), kind, options, inventory)


def _device(id_: str, kind: Kind, own: Mapping[str, str], inventory: Inventory) -> Primitive:
    # A device that gives no answer is given up and tried again: while it is tried, for a fencing or
    # to start it elsewhere, Pacemaker begins nothing else. After the power is off, a reboot waits
    # for it to come on again: a host that does not must not hold up its own recovery.
    profile = inventory.profile
    options = {
        "pcmk_host_check": "static-list",
        "pcmk_monitor_timeout": f"{MONITOR_S}s",
        "pcmk_monitor_retries": "1",
        "pcmk_off_timeout": f"{profile.off_s}s",
        "pcmk_on_timeout": f"{_on_s(kind, inventory)}s",
        "pcmk_on_retries": "1",
        **_agent_options(kind.agent, profile),
        **kind.options,
        **own,
    }
    params = tuple(sorted(options.items()))
    return Primitive(id_, f"stonith:{kind.agent}", params, DEVICE_MONITOR, ALONE)


def _on_s(kind: Kind, inventory: Inventory) -> int:
    """Return how long the power may take to come on; the devices of a level wait one by one."""
    levels = (level for node in inventory.computes for level in node.levels if kind.name in level)
    agents = ([inventory.kinds[name].agent for name in level] for level in levels)
    most = max((sum(agent not in NOT_REAL for agent in level) for level in agents), default=1)
    return min(inventory.profile.on_s, int(Policy().patience_s) // max(most, 1))


def _agent_options(agent: str, profile: Profile) -> dict[str, str]:
    """Return an agent's own options; it must not wait for longer than it is given."""
    options = dict(_AGENT_OPTIONS.get(agent, {}))
    if agent not in _NO_POWER_TIMEOUT and profile.off_s < POWER_S + LOGIN_S:
        options["power_timeout"] = str(profile.off_s - LOGIN_S)
    return options


def _receipt(inventory: Inventory) -> Primitive:
    names = " ".join(node.name for node in inventory.computes)
    # Not one receipt after the other when a whole rack is fenced.
    params = (
        ("pcmk_action_limit", "-1"),
        ("pcmk_host_check", "static-list"),
        ("pcmk_host_list", names),
    )
    agent = f"stonith:{fence_nova.SPEC.name}"
    return Primitive(OWN_DEVICE, agent, params, DEVICE_MONITOR, ALONE)


def _services(inventory: Inventory) -> Iterator[Primitive]:
    said = {nova_evacuate.CLOUD.name: inventory.cloud}
    if inventory.storage is not None:
        said[nova_evacuate.STORAGE.name] = inventory.storage.value
    evacuate = {**said, **inventory.evacuate, **_host_map(inventory)}
    interleave: Pairs = (("interleave", "true"),)
    yield Primitive(
        EVACUATE,
        f"ocf:novaha:{nova_evacuate.SPEC.name}",
        tuple(sorted(evacuate.items())),
        _operations(nova_evacuate.SPEC.operations),
        (("requires", "quorum"),),
    )
    yield Primitive(
        UNFENCE,
        f"ocf:novaha:{nova_compute_unfence.SPEC.name}",
        tuple(sorted(inventory.unfence.items())),
        _operations(nova_compute_unfence.SPEC.operations),
        (("failure-timeout", "60s"), ("requires", "quorum")),
        interleave,
    )
    yield Primitive(
        COMPUTE,
        inventory.nova_compute,
        (),
        (Operation("start", 0, 60), Operation("stop", 0, 120), Operation("monitor", 10, 30)),
        (("failure-timeout", "120s"), ("requires", "quorum")),
        interleave,
    )


def _operations(advertised: Iterable[_Advertised]) -> tuple[Operation, ...]:
    """Return what Pacemaker schedules, with the timeouts that the agent advertises."""
    return tuple(
        Operation(each.name, each.interval_s or 0, each.timeout_s)
        for each in advertised
        if each.name in {"start", "stop", "monitor"}
    )


def _host_map(inventory: Inventory) -> dict[str, str]:
    pairs = [
        f"{node.name}={node.nova_host}"
        for node in inventory.computes
        if node.nova_host is not None and str(node.nova_host) != node.name
    ]
    return {nova_evacuate.HOST_MAP.name: " ".join(pairs)} if pairs else {}


def _levels(inventory: Inventory) -> Iterator[Level]:
    """Yield the levels; those of a compute begin with the gate and end with the receipt."""
    for node in inventory.nodes:
        receipt = () if node.address is None else (OWN_DEVICE,)
        for index, names in enumerate(node.levels, 1):
            ids = tuple(_device_id(inventory.kinds[name], node) for name in names)
            yield Level(node.name, index, (*gates.of(inventory, node), *ids, *receipt))
