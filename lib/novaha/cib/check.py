"""What is wrong with a cluster's configuration: a table of rules, each with the mend of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from novaha.cib.attempts import START, attempt_s
from novaha.cib.facts import Facts, covers, pairs, params, seconds
from novaha.cib.gates import MARGIN_S
from novaha.cib.generate import POWER_S, PROPERTIES
from novaha.cib.inventory import SECRETS
from novaha.cib.profiles import OVERHEAD_S, PAUSE_S
from novaha.cib.xml import Element, find_all
from novaha.core.hostmap import parse_host_map
from novaha.core.policy import NOT_REAL, Policy
from novaha.params import BadParameter, Values, as_text
from novaha.specs import fence_nova, fence_nova_gate, nova_compute_unfence, nova_evacuate

RECEIPT, GATE = fence_nova.SPEC.name, fence_nova_gate.SPEC.name
GATE_WORK_S = 10
"""What a gate needs besides its wait, at the least: the cluster's tools may be slow in a storm."""
_SPECS = {spec.name: spec for spec in (nova_evacuate.SPEC, nova_compute_unfence.SPEC)}


Found = Iterator[tuple[str, str, str]]
Rule = Callable[[Facts], Found]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, and what mends it."""

    rule: str
    place: str
    text: str
    mend: str


def level_missing(facts: Facts) -> Found:
    """Find a compute without a fencing level."""
    if any(level.get("target-attribute") is not None for level in facts.levels):
        return  # Attributes are the live cluster's; only Pacemaker can tell.
    for node in sorted(facts.remotes):
        if any(covers(level, node) for level in facts.levels):
            continue
        mend = f"pcs stonith level add 1 {node} DEVICE {RECEIPT}"
        yield node, "has no fencing level: no receipt will be written", mend


def level_not_real(facts: Facts) -> Found:
    """Find a level whose devices cut neither power nor storage."""
    for level in facts.levels:
        if all(agent in NOT_REAL or not agent for agent in facts.agents(level)):
            mend = "put a power or storage device before fence_nova"
            yield str(level.get("id")), "has no device that cuts power or storage", mend


def receipt_not_last(facts: Facts) -> Found:
    """Find a compute's level that does not end with the receipt."""
    for level in facts.levels:
        of_compute = any(covers(level, node) for node in facts.remotes)
        if of_compute and facts.agents(level)[-1:] != [RECEIPT]:
            text = f"does not end with {RECEIPT}: its fencing starts no recovery"
            yield str(level.get("id")), text, f"make {RECEIPT} its last device"


def gate_not_first(facts: Facts) -> Found:
    """Find a level in which the storm brake comes too late, or which goes round it."""
    target = {id(level): _target_of(level) for level in facts.levels}
    gated = {target[id(level)] for level in facts.levels if GATE in facts.agents(level)}
    for level in facts.levels:
        agents, mend = facts.agents(level), f"make {GATE} its first device"
        if GATE in agents[1:]:
            yield str(level.get("id")), f"has {GATE} behind a device that has fenced already", mend
        elif target[id(level)] in gated and GATE not in agents:
            text = f"has no {GATE}: it fences what another level of this node holds back"
            yield str(level.get("id")), text, mend


def _target_of(level: Element) -> tuple[str | None, ...]:
    names = ("target", "target-pattern", "target-attribute", "target-value")
    return tuple(level.get(name) for name in names)


def gate_never_releases(facts: Facts) -> Found:
    """Find a storm brake that can never release: its fencings fail whatever is lost."""
    for device in facts.of_type(GATE):
        id_, given = str(device.get("id")), params(device)
        values = Values(fence_nova_gate.PARAMS, given)
        if problems := values.problems():
            mend = f"correct it: pcs stonith update {id_}"
            yield id_, f"fails every fencing: {'; '.join(problems)}", mend
            continue
        wait_s, limit_s = values[fence_nova_gate.WAIT], facts.time_of(device, "off")
        if limit_s is not None and wait_s + GATE_WORK_S > limit_s:
            text = f"waits {wait_s} s and is given up after {limit_s:.0f} s, before it has decided"
            mend = f"pcs stonith update {id_} pcmk_off_timeout={wait_s + MARGIN_S}s"
            yield id_, text, mend
        if given.get("pcmk_action_limit") != "-1":
            text = "is asked for one host after the other, so that in a storm most are given up"
            yield id_, text, f"pcs stonith update {id_} pcmk_action_limit=-1"


def gates_differ(facts: Facts) -> Found:
    """Find gates of one cluster that count in different ways."""
    first: dict[str, tuple[str, str]] = {}
    for device in facts.of_type(GATE):
        id_, given = str(device.get("id")), params(device)
        for param in fence_nova_gate.COMMON:
            value = given.get(param.name) or as_text(param.default)
            other, wanted = first.setdefault(param.name, (id_, value))
            if value != wanted:
                mend = f"pcs stonith update {id_} {param.name}={wanted}"
                yield id_, f"has {param.name}={value}, and {other} has {wanted}", mend


def fence_delay(facts: Facts) -> Found:
    """Find a fence delay that outlasts the evacuation's patience."""
    devices = {str(each.get("id")): each for each in facts.devices}
    patience_s = Policy().patience_s
    for level in facts.levels:
        if level.get("target") not in facts.remotes:
            continue
        place, ids = str(level.get("id")), str(level.get("devices")).split(",")
        mine = [devices[id_.strip()] for id_ in ids if id_.strip() in devices]
        before_s = sum(map(_delay_s, mine))
        if before_s > patience_s:
            text = f"may wait {before_s:.0f} s before it fences; {patience_s:.0f} s is the patience"
            yield place, text, "lower pcmk_delay_base, pcmk_delay_max, delay or wait"
        real = [each for each in mine if each.get("type") not in NOT_REAL]
        after_s = sum(facts.time_of(each, "on") or 0.0 for each in real)
        if after_s > patience_s:
            text = f"may wait {after_s:.0f} s for the power after the receipt, beyond the patience"
            yield place, text, "lower pcmk_on_timeout: the recovery begins only then"


def _delay_s(device: Element) -> float:
    """Return how long a device may wait on purpose before it acts."""
    given = params(device)
    bases = [part.rpartition(":")[2] for part in given.get("pcmk_delay_base", "").split(";")]
    spread = max(seconds(text) or 0.0 for text in (*bases, given.get("pcmk_delay_max", "")))
    own = seconds(given.get("delay", "")) or 0.0
    if device.get("type") == GATE:
        wait = fence_nova_gate.WAIT
        own += seconds(given.get(wait.name, as_text(wait.default))) or 0.0
    return spread + own


def nova_device_alone(facts: Facts) -> Found:
    """Find a device that fences nothing, and may be used without a level."""
    for device in facts.of_type(RECEIPT, GATE):
        names = params(device).get("pcmk_host_list", "").replace(",", " ").split()
        bare = [n for n in names if not any(covers(level, n) for level in facts.levels)]
        if not names or bare:
            which = ", ".join(sorted(bare)) or "any node"
            mend = "set pcmk_host_list to nodes that have levels"
            yield str(device.get("id")), f"may be the only device that fences {which}", mend


def fencing_disabled(facts: Facts) -> Found:
    """Find fencing that is switched off."""
    if facts.properties.get("stonith-enabled", "true").lower() in {"false", "no", "off", "0", "n"}:
        yield "stonith-enabled", "no node will ever be fenced", _property("stonith-enabled", "true")


def quorum_policy(facts: Facts) -> Found:
    """Find a minority of controllers that goes on, and fences."""
    policy = facts.properties.get("no-quorum-policy", "stop")
    if policy == "ignore":
        text = "a controller that is alone fences the others' computes"
        yield "no-quorum-policy", text, _property("no-quorum-policy", "stop")


def health_stops_compute(facts: Facts) -> Found:
    """Find health attributes with which Pacemaker stops nova-compute before its host is drained."""
    strategy = facts.properties.get("node-health-strategy", "none")
    if strategy != "none":
        text = "moves nova-compute off an ill node at once, and without it nothing can leave"
        mend = _property("node-health-strategy", "none")
        yield "node-health-strategy", f"{strategy} {text}", f"{mend}; nova-ha drains by itself"


def sick_host_holds_all(facts: Facts) -> Found:
    """Find a host that cannot be fenced stops the recovery of all others."""
    wanted = dict(PROPERTIES)
    for name in ("concurrent-fencing", "stonith-max-attempts", "load-threshold"):
        if facts.properties.get(name) != wanted[name]:
            text = "one host that cannot be fenced holds up all others"
            yield name, text, _property(name, wanted[name])
    exempt = [(each, "nothing") for each in (*facts.remotes.values(), *facts.devices)]
    exempt += [(each, "quorum") for each in (*facts.of_type(*_SPECS), *facts.held())]
    for primitive, value in exempt:
        if pairs(primitive, "meta_attributes/nvpair").get("requires") != value:
            id_ = str(primitive.get("id"))
            text = "is not started while any host waits for its fencing"
            yield id_, text, f"pcs resource meta {id_} requires={value}"
    for primitive in facts.of_type("NovaEvacuate"):
        xpath = "/cib/configuration/constraints/rsc_location[@rsc=$id and @resource-discovery]"
        for location in find_all(facts.cib, xpath, id=str(primitive.get("id"))):
            text = "hides computes from it, so that its start waits for the fencing of every one"
            mend = (
                "leave out resource-discovery, and ban it: rule score=-INFINITY '#kind' ne cluster"
            )
            yield str(location.get("id")), text, mend


def unfencing(facts: Facts) -> Found:
    """Find unfencing, which reaches controllers too."""
    for device in facts.devices:
        provides = pairs(device, "meta_attributes/nvpair").get("provides")
        if provides == "unfencing" or device.get("type") == "fence_compute":
            id_ = str(device.get("id"))
            text = "makes the cluster unfence every node, controllers included"
            yield id_, text, f"remove its unfencing: pcs stonith meta {id_} provides="


def reconnect_missing(facts: Facts) -> Found:
    """Find a remote connection that is tried again at once, or never."""
    for id_, remote in facts.remotes.items():
        if not params(remote).get("reconnect_interval"):
            mend = f"pcs resource update {id_} reconnect_interval=10s"
            yield id_, "has no reconnect_interval: a host that boots is fenced again", mend


def reconnect_without_pause(facts: Facts) -> Found:
    """Find a remote connection that is tried again, or forgotten, before others had their turn."""
    xpath = "/cib/configuration/nodes/node[not(@type) or @type='member']"
    controllers = max(len(find_all(facts.cib, xpath)), 1)
    attempts = [
        (attempt_s(levels, facts.fencing_timeout), f"{target} is given up")
        for target, levels in facts.levels_of().items()
    ]
    for id_, remote in facts.remotes.items():
        starts = find_all(remote, "operations/op[@name='start']")
        start_s = seconds(starts[0].get("timeout", START) if starts else START)
        again_s = seconds(params(remote).get("reconnect_interval", ""))
        if start_s is None or again_s is None:
            continue
        tries = (controllers * (start_s + OVERHEAD_S), f"{controllers} tries are over")
        wanted_s, what = max(tries, *attempts)
        if again_s < wanted_s:
            text = f"is tried again after {again_s:.0f} s, before {what}"
            mend = f"pcs resource update {id_} reconnect_interval={wanted_s + PAUSE_S:.0f}s"
            yield id_, text, mend


def loss_unnoticed(facts: Facts) -> Found:
    """Find a remote connection that nothing monitors."""
    for id_, remote in facts.remotes.items():
        ops = find_all(remote, "operations/op[@name='monitor']")
        if not any(seconds(op.get("interval", "0")) for op in ops):
            mend = f"pcs resource op add {id_} monitor interval=5s timeout=5s"
            yield id_, "has no recurring monitor: a host that is silent is not missed", mend


def given_up_too_early(facts: Facts) -> Found:
    """Find a fence device that is given up while its agent still waits for the power."""
    for device in facts.devices:
        options = params(device)
        wanted_s = sum(seconds(options.get(n, "0")) or 0 for n in ("power_wait", "delay"))
        wanted_s += seconds(options.get("power_timeout", str(POWER_S))) or 0
        for name in ("pcmk_off_timeout", "pcmk_reboot_timeout"):
            given_s = seconds(options.get(name, ""))
            if given_s is not None and given_s < wanted_s:
                id_ = str(device.get("id"))
                text = f"ends the agent after {given_s:.0f} s, which may wait {wanted_s:.0f} s"
                mend = f"pcs stonith update {id_} {name}={wanted_s + 10:.0f}s"
                yield f"{id_} {name}", text, mend


def secret_in_cib(facts: Facts) -> Found:
    """Find a password in the CIB."""
    for primitive in facts.primitives:
        id_ = str(primitive.get("id"))
        for name in sorted(SECRETS & params(primitive).keys()):
            yield f"{id_} {name}", "is a secret in the CIB", f"use {name}_script"


def timeout_too_short(facts: Facts) -> Found:
    """Find an operation that is given less time than its agent asks for."""
    for primitive in facts.of_type(*_SPECS):
        spec = _SPECS[str(primitive.get("type"))]
        for op in primitive.iterfind("operations/op"):
            name, given_s = str(op.get("name")), seconds(op.get("timeout", "20s"))
            if given_s is not None and given_s < spec.timeout_s(name):
                place = f"{primitive.get('id')} {name}"
                mend = f"set its timeout to {spec.timeout_s(name):.0f}s"
                yield place, f"may take {given_s:.0f} s only", mend


def order_missing(facts: Facts) -> Found:
    """Find a nova-compute that nothing keeps behind the hold."""
    clones = find_all(facts.cib, "/cib/configuration/resources/clone[primitive/@type=$type]",
                      type="NovaComputeUnfence")  # fmt: skip
    if not clones and facts.of_type("NovaEvacuate"):
        yield "resources", "there is no clone of NovaComputeUnfence", "see nova-ha cib generate"
    for clone in clones:
        for tag, end in (("rsc_order", "first"), ("rsc_colocation", "with-rsc")):
            xpath = f"/cib/configuration/constraints/{tag}[@{end}=$id]"
            if not find_all(facts.cib, xpath, id=str(clone.get("id"))):
                text = f"no {tag} ties nova-compute to it"
                yield str(clone.get("id")), text, "see nova-ha cib generate"


def evacuate_anywhere(facts: Facts) -> Found:
    """Find a NovaEvacuate that may run on a compute, which has no credentials."""
    for primitive in facts.of_type("NovaEvacuate"):
        xpath = "/cib/configuration/constraints/rsc_location[@rsc=$id]"
        if not find_all(facts.cib, xpath, id=str(primitive.get("id"))):
            id_ = str(primitive.get("id"))
            mend = f"pcs constraint location {id_} rule score=-INFINITY '#kind' ne cluster"
            yield id_, "may be started on a compute", mend


def storage_unsaid(facts: Facts) -> Found:
    """Find a NovaEvacuate that does not start, because nobody said what storage there is."""
    for primitive in facts.of_type("NovaEvacuate"):
        if primitive.get("provider") != "novaha":
            continue  # The classic agent knows no such thing.
        id_, param = str(primitive.get("id")), nova_evacuate.STORAGE
        try:
            param.parse(params(primitive).get(param.name))
        except BadParameter as error:
            words = " or ".join(f"{param.name}={word}" for word in param.words)
            yield id_, f"does not start: {error}", f"pcs resource update {id_} {words}"


def host_map(facts: Facts) -> Found:
    """Find names of Nova hosts that cannot be used."""
    for primitive in facts.of_type("NovaEvacuate"):
        id_ = str(primitive.get("id"))
        try:
            known = parse_host_map(params(primitive).get("host_map", ""))
        except ValueError as error:
            yield id_, str(error), f"pcs resource update {id_} host_map=..."
            continue
        for node in sorted(set(map(str, known)) - facts.remotes.keys()):
            yield id_, f"host_map names {node}, which is no compute", "take it out"


def unknown_option(facts: Facts) -> Found:
    """Find a cluster option that this Pacemaker ignores."""
    if facts.known is None:
        return
    xpath = "/cib/configuration/crm_config/*[not(@id='nova-ha-state')]/nvpair"
    for name in sorted(pairs(facts.cib, xpath).keys() - facts.known):
        yield name, "is not known to this Pacemaker, which ignores it", "correct or remove it"


RULES: Mapping[str, Rule] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        level_missing,
        level_not_real,
        receipt_not_last,
        gate_not_first,
        gate_never_releases,
        gates_differ,
        fence_delay,
        nova_device_alone,
        fencing_disabled,
        quorum_policy,
        health_stops_compute,
        sick_host_holds_all,
        unfencing,
        reconnect_missing,
        reconnect_without_pause,
        loss_unnoticed,
        given_up_too_early,
        secret_in_cib,
        timeout_too_short,
        order_missing,
        evacuate_anywhere,
        storage_unsaid,
        host_map,
        unknown_option,
    )
}


def table() -> Iterator[tuple[str, str]]:
    """Yield the id and the meaning of every rule, for the reference."""
    for name, rule in RULES.items():
        sentence = (rule.__doc__ or "").removeprefix("Find ").rstrip(".")
        yield name, sentence


def check(facts: Facts) -> tuple[Finding, ...]:
    """Return all that is wrong, rule by rule."""
    return tuple(
        Finding(name, *found) for name, rule in RULES.items() for found in sorted(rule(facts))
    )


def _property(name: str, value: str) -> str:
    return f"pcs property set {name}={value}"
