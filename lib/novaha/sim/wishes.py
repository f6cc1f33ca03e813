"""What owners and operators want of an instance, for the judge.

Found here once more, in another way than the shipped decisions find it, so that a mistake of theirs
is seen: place by place, from the farthest to the nearest, each overruling the one before.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from novaha.core.facts import Wished
from novaha.core.names import NodeName
from novaha.core.storage import Storage
from novaha.sim.records import Instance
from novaha.sim.spec import WorldSpec


def wished(at_s: float, instance: Instance, spec: WorldSpec) -> Wished:
    """Return what is wanted of an instance where it is now."""
    racks = [dict(a.metadata) for a in spec.aggregates if instance.node in a.nodes]
    return Wished(
        at_s, instance.id, _protected(instance, racks, spec), _loses(instance, racks, spec)
    )


def reserved_only(node: NodeName, spec: WorldSpec) -> bool:
    """Tell whether instances of a node may go to a reserved host only."""
    mine = (a for a in spec.aggregates if node in a.nodes and "nova_ha:segment" in a.metadata)
    segment = min(mine, key=lambda a: a.name, default=None)
    return (
        segment is not None and segment.metadata.get("nova_ha:recovery_method") == "reserved_host"
    )


def _protected(instance: Instance, racks: list[dict[str, str]], spec: WorldSpec) -> bool:
    answer = spec.policy.protect == "all"
    if any(rack.get("evacuable") == "true" for rack in racks):
        answer = True
    if any("nova_ha:segment" in rack and rack.get("nova_ha:enabled") == "false" for rack in racks):
        answer = False
    answer = _said(racks, answer=answer)
    if any(fnmatchcase(instance.id, pattern) for pattern in spec.policy.exclude_names):
        answer = False
    if instance.metadata.get("HA_Enabled", "").lower() in ("true", "yes"):
        answer = True
    return _said([instance.metadata], answer=answer)


def _said(tables: Sequence[Mapping[str, str]], *, answer: bool) -> bool:
    """Return what tables say, or else the answer so far; one that is not plain protects."""
    words = [table["nova_ha:protect"] for table in tables if "nova_ha:protect" in table]
    return answer if not words else any(word != "false" for word in words)


def _loses(instance: Instance, racks: list[dict[str, str]], spec: WorldSpec) -> bool:
    words = {rack["nova_ha:storage"] for rack in racks if "nova_ha:storage" in rack}
    shared = (words or {spec.policy.storage}) == {Storage.SHARED}
    tables = [instance.metadata] if "nova_ha:may_lose" in instance.metadata else racks
    consents = {table["nova_ha:may_lose"] for table in tables if "nova_ha:may_lose" in table}
    return bool(instance.image) and not shared and consents != {"root"}
