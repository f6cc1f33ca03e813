"""The inventory that stands for what there is; what cannot be known is left for a person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from novaha.cib.facts import Facts, pairs, params, seconds
from novaha.cib.inventory import Inventory, Node
from novaha.cib.profiles import PROFILES, Profile
from novaha.cib.xml import Element, find_all
from novaha.core.names import ComputeHost, NodeName, compute_host_of
from novaha.core.storage import WORDS, Storage
from novaha.errors import ConfigError
from novaha.migrate import classic, devices, toml

_DEFAULT_AGENT = "systemd:nova-compute"
_USUAL_MONITOR_S = 20.0
"""Of TripleO's remote connections."""


_SAY_STORAGE = (
    f"say in storage where image-booted instances have their disks, {WORDS} (docs/cib.md): nothing"
    " that there is tells it"
)
_STORAGE_WAS = {
    Storage.LOCAL: (
        "because of no_shared_storage, which some installers set whatever there is: image-booted"
        " instances wait for their host; say shared if their disks are where every compute reaches"
        " them"
    ),
    Storage.SHARED: (
        "because NovaEvacuate has no_shared_storage switched off: be sure of it, because"
        " image-booted instances with their disks on a lost compute would lose their data"
    ),
}


@dataclass(frozen=True)
class Draft:
    """An inventory, what a person should know of it, and the secrets that it leaves out.

    secrets: text by the path of the script that prints it.
    """

    text: str
    notes: tuple[str, ...]
    secrets: Mapping[str, str]


@dataclass(frozen=True)
class _Cloud:
    """What is known of the cloud. addresses: of nodes. storage: None where that is not clear."""

    name: str
    addresses: Mapping[str, str]
    storage: Storage | None = None


def of_classic(cib: Element, cloud: str) -> Draft:
    """Return the inventory of a cluster with classic InstanceHA; raises ConfigError for others."""
    old = classic.required(cib)
    facts = Facts(cib)
    names = classic.computes(facts, old)
    if not names:
        msg = "no remote node is looked after: nova-ha wants computes as ocf:pacemaker:remote"
        raise ConfigError(msg)
    hosts = classic.nova_hosts(old)
    computes = {name: _host(name, hosts.get(name)) for name in names}
    return _draft(cib, _Cloud(cloud, {}, classic.storage(old)), computes, _of_agents(old))


def of_hosts(
    cib: Element | None, cloud: str, hosts: Sequence[ComputeHost], addresses: Mapping[str, str]
) -> Draft:
    """Return the inventory of a cloud's hosts.

    cib: of the cluster that watches them, None where there is none to read. addresses: of hosts, as
    Nova knows them.
    """
    facts = Facts(cib) if cib is not None else None
    remotes = _remotes_of(facts, hosts)
    computes = {remotes.get(h, h.split(".", 1)[0]): h for h in hosts}
    if len(computes) < len(hosts):
        computes = {remotes.get(h, str(h)): h for h in hosts}
    notes = [
        f"{host} has no remote node in this cluster: put pacemaker_remote on it"
        for host in hosts
        if facts is not None and host not in remotes
    ]
    known = {node: addresses[host] for node, host in computes.items() if host in addresses}
    named = {node: _host(node, host) for node, host in computes.items()}
    return _draft(cib, _Cloud(cloud, known), named, notes)


def _remotes_of(facts: Facts | None, hosts: Sequence[ComputeHost]) -> dict[ComputeHost, str]:
    found: dict[ComputeHost, str] = {}
    for remote in facts.remotes if facts is not None else ():
        try:
            found[compute_host_of(NodeName(remote), hosts, {})] = remote
        except LookupError:
            continue  # A remote node that is none of these hosts, or could be several.
    return found


def _host(node: str, host: str | None) -> ComputeHost | None:
    return None if host in {None, "", node} else ComputeHost(str(host))


def _draft(
    cib: Element | None,
    cloud: _Cloud,
    computes: Mapping[str, ComputeHost | None],
    notes: Iterable[str],
) -> Draft:
    facts = Facts(cib if cib is not None else _empty())
    controllers = _controllers(facts.cib)
    fencing = devices.read(facts, (*controllers, *computes))
    profile = _profile(facts, computes)

    def node(name: str, address: str | None, host: ComputeHost | None) -> Node:
        levels, own = fencing.levels[name], fencing.devices[name]
        return Node(NodeName(name), address, host, levels, own)

    inventory = Inventory(
        cloud.name,
        cloud.storage,
        profile,
        _nova_compute(facts.cib),
        {kind.name: kind for kind in fencing.kinds},
        tuple(node(name, None, None) for name in controllers),
        tuple(node(name, _address(facts, name, cloud.addresses), host)
              for name, host in computes.items()),
    )  # fmt: skip
    remarks = (
        *notes,
        *([_SAY_STORAGE] if cloud.storage is None else []),
        *([] if fencing.kinds else ["nothing tells how nodes are fenced: see docs/cib.md, fence"]),
        *fencing.notes,
        *_others(facts, computes),
        *_detection(facts, computes, profile),
        *_of_secrets(fencing.secrets),
    )
    return Draft(toml.write(inventory, remarks), remarks, fencing.secrets)


def _empty() -> Element:
    from lxml import etree

    return etree.fromstring("<cib><configuration/></cib>")


def _controllers(cib: Element) -> tuple[str, ...]:
    nodes = find_all(cib, "/cib/configuration/nodes/node")
    return tuple(str(n.get("uname")) for n in nodes if n.get("type") not in {"remote", "ping"})


def _address(facts: Facts, name: str, known: Mapping[str, str]) -> str:
    remote = facts.remotes.get(name)
    said = params(remote).get("server") if remote is not None else None
    return said or known.get(name) or name


def _nova_compute(cib: Element) -> str:
    """Return the agent that starts nova-compute where the cluster does that already."""
    for each in classic.find(cib).nova_computes:
        if each.get("provider") is None:
            return f"{each.get('class')}:{each.get('type')}"
    return _DEFAULT_AGENT


def _monitor_s(facts: Facts, computes: Iterable[str]) -> float:
    """Return how often remote connections are looked at, by the slowest of them."""
    found = [
        seconds(str(op.get("interval")))
        for name in computes
        if name in facts.remotes
        for op in find_all(facts.remotes[name], "operations/op[@name='monitor']")
    ]
    return max((each for each in found if each is not None), default=_USUAL_MONITOR_S)


def _profile(facts: Facts, computes: Iterable[str]) -> Profile:
    """Return the profile whose pace is nearest to that of the cluster."""
    now = _monitor_s(facts, computes) if facts.remotes else PROFILES["default"].monitor_interval_s
    return min(PROFILES.values(), key=lambda each: abs(each.monitor_interval_s - now))


def _detection(facts: Facts, computes: Iterable[str], profile: Profile) -> Iterator[str]:
    if facts.remotes:
        now = _monitor_s(facts, computes)
        yield (
            f"computes are looked at every {now:g} s today, and every"
            f" {profile.monitor_interval_s} s with the profile {profile.name};"
            f" others: {', '.join(PROFILES)}"
        )


def _others(facts: Facts, computes: Mapping[str, object]) -> Iterator[str]:
    for name in facts.remotes.keys() - computes.keys():
        yield f"the remote node {name} is no compute of this: it stays as it is"
    for primitive in facts.primitives:
        guest = pairs(primitive, "meta_attributes/nvpair").get("remote-node")
        if guest:
            yield f"the guest node {guest} stays as it is: nova-ha wants remote nodes"


def _of_secrets(secrets: Mapping[str, str]) -> Iterator[str]:
    if secrets:
        yield (
            f"{len(secrets)} passwords of fence devices leave the CIB: each controller needs the"
            f" scripts in {devices.SECRETS_FOLDER}; --secrets FOLDER writes them"
        )


def _of_agents(old: classic.Classic) -> Iterator[str]:
    """Yield what the parameters of the classic agents mean here."""
    given = [params(each) for each in old.pieces()]
    names = {name for each in given for name in each}
    if "auth_url" in names:
        yield "the cloud's credentials leave the CIB for clouds.yaml; --secrets FOLDER writes one"
    if (storage := classic.storage(old)) is not None:
        yield f"storage = {storage} {_STORAGE_WAS[storage]}"
    for name in sorted({"evacuate_delay", "evacuation_delay"} & names):
        yield f"{name} has no counterpart: an evacuation begins when the fencing has succeeded"
    if any(each.get("record_only") in {"2", "disabled"} for each in given):
        yield "record_only kept fencing from doing anything: with nova-ha hosts are evacuated"
    if any(e.get("provider") == "openstack" and e.get("type") == "NovaCompute"
           for e in old.nova_computes):  # fmt: skip
        yield "NovaCompute ran nova-compute: say in nova_compute which service takes its place"
