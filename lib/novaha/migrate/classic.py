"""What classic InstanceHA is in a CIB: recognised by its agents, whatever the resources are called.

Classic InstanceHA: the fence device `fence_compute` behind a power device in each level, the
resource `ocf:openstack:NovaEvacuate` on a controller, and on the computes either a trigger of
unfencing (a clone of Dummy), or `nova-compute-wait` before nova-compute, or `NovaCompute` that runs
it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from novaha.cib.facts import Facts, pairs, params
from novaha.cib.xml import Element, find_all
from novaha.core.storage import Storage
from novaha.errors import ConfigError

NOVA_DEVICES = frozenset({"fence_compute", "fence_evacuate"})
"""Fence agents that only talk to Nova."""

NO_SHARED_STORAGE = "no_shared_storage"
_TRUE, _FALSE = frozenset({"1", "yes", "true", "ja", "on"}), frozenset({"0", "no", "false", "off"})

_AT_HOME = frozenset({"systemd", "lsb", "service"})


@dataclass(frozen=True)
class Classic:
    """The pieces of classic InstanceHA in one CIB.

    devices: those that only talk to Nova. helpers: primitives that have no successor of the same
    kind. nova_computes: primitives that run nova-compute.
    """

    devices: tuple[Element, ...]
    evacuates: tuple[Element, ...]
    helpers: tuple[Element, ...]
    nova_computes: tuple[Element, ...]

    @property
    def is_there(self) -> bool:
        """Tell whether this is a classic InstanceHA at all."""
        return bool(self.devices or self.evacuates or self.helpers)

    def pieces(self) -> Iterator[Element]:
        """Yield every primitive of it, nova-compute where classic agents run it."""
        yield from (*self.devices, *self.evacuates, *self.helpers)
        yield from (each for each in self.nova_computes if _is(each, "openstack", "NovaCompute"))


def find(cib: Element) -> Classic:
    """Return the pieces of classic InstanceHA in a CIB."""
    everything = find_all(cib, "/cib/configuration/resources//primitive")
    return Classic(
        tuple(
            each
            for each in everything
            if each.get("class") == "stonith" and each.get("type") in NOVA_DEVICES
        ),
        tuple(each for each in everything if _is(each, "openstack", "NovaEvacuate")),
        tuple(
            each
            for each in everything
            if _is(each, "openstack", "nova-compute-wait") or _is_trigger(each)
        ),
        tuple(each for each in everything if _runs_nova_compute(each)),
    )


def required(cib: Element) -> Classic:
    """Return the pieces; raises ConfigError where there are none."""
    found = find(cib)
    if not found.is_there:
        msg = (
            "there is no classic InstanceHA here, neither fence_compute nor NovaEvacuate nor its"
            " helpers; a cluster without it starts with: nova-ha cib"
        )
        raise ConfigError(msg)
    return found


def computes(facts: Facts, classic: Classic) -> tuple[str, ...]:
    """Return the remote nodes that classic InstanceHA looks after.

    Those with a Nova device in a level; without levels those that such a device lists; where it
    lists none, all.
    """
    devices = {str(each.get("id")) for each in classic.devices}
    leveled = {level.get("target") for level in facts.levels if devices & set(members(level))}
    listed = {name for each in classic.devices for name in hosts_of(each)}
    chosen = leveled or listed or facts.remotes.keys()
    return tuple(name for name in facts.remotes if name in chosen)


def members(level: Element) -> list[str]:
    """Return the ids of a level's devices, in order."""
    return [id_ for id_ in map(str.strip, str(level.get("devices", "")).split(",")) if id_]


def hosts_of(device: Element) -> dict[str, str]:
    """Return the nodes that a fence device says it fences, each with its plug ("" without)."""
    given = params(device)
    listed = given.get("pcmk_host_list", "").replace(",", " ").replace(";", " ").split()
    return {**dict.fromkeys(listed, ""), **_plugs(given.get("pcmk_host_map", ""))}


def _plugs(text: str) -> dict[str, str]:
    """Read a pcmk_host_map: node:plug, separated by semicolons or blanks; a plug may be a list."""
    found = (word.split(":", 1) for word in text.replace(";", " ").split())
    return {pair[0]: pair[1] for pair in found if len(pair) > 1}


def nova_hosts(classic: Classic) -> Mapping[str, str]:
    """Return the names in Nova that the Nova devices map nodes to."""
    return {n: host for each in classic.devices for n, host in hosts_of(each).items() if host}


def storage(classic: Classic) -> Storage | None:
    """Return what the classic agents were told of the storage; None where that is not clear.

    One that was told of none that is shared is believed, whatever the others say: then instances
    wait, where otherwise their data could be lost. That there is one counts from NovaEvacuate only:
    fence_compute takes even a `false` for a yes, and does nothing with it.
    """
    if _told(classic.pieces()) & _TRUE:
        return Storage.LOCAL
    words = _told(classic.evacuates)
    return Storage.SHARED if words and words <= _FALSE else None


def _told(primitives: Iterable[Element]) -> set[str]:
    given = (params(each).get(NO_SHARED_STORAGE, "") for each in primitives)
    return {word.strip().lower() for word in given if word.strip()}


def top(element: Element) -> Element:
    """Return the clone, group or primitive directly below `resources` that an element is in."""
    for each in (element, *element.iterancestors()):
        parent = each.getparent()
        if parent is not None and parent.tag == "resources":
            return each
    return element


def _is(primitive: Element, provider: str, type_: str) -> bool:
    return primitive.get("provider") == provider and primitive.get("type") == type_


def _is_trigger(primitive: Element) -> bool:
    """Tell a Dummy that exists to require unfencing; it, its clone or its start says so."""
    if primitive.get("type") != "Dummy":
        return False
    around = [e for e in (primitive, primitive.getparent()) if e is not None]
    metas = [pairs(e, "meta_attributes/nvpair").get("requires") for e in around]
    ops = [op.get("requires") for op in find_all(primitive, "operations/op")]
    ops += [pairs(op, "*/nvpair").get("requires") for op in find_all(primitive, "operations/op")]
    return "unfencing" in (*metas, *ops)


def _runs_nova_compute(primitive: Element) -> bool:
    if _is(primitive, "openstack", "NovaCompute"):
        return True
    named = str(primitive.get("type")).removesuffix(".service")
    return primitive.get("class") in _AT_HOME and named.replace("_", "-").endswith("nova-compute")
