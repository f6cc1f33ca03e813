"""What is disarmed, as the CIB keeps it.

crm_config/cluster_property_set#nova-ha-state
    nvpair nova-ha-disarm-<key of the scope>     written by `nova-ha disarm`, see core/disarm.py
"""

from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree as ET

from novaha.adapters import cib
from novaha.core.disarm import Disarm, MalformedDisarm, parse_disarm

DISARM_PREFIX = "nova-ha-disarm-"


class Disarms(NamedTuple):
    """All that stands there, over or not. unreadable: (name, value) of what nobody can read."""

    disarms: tuple[Disarm, ...]
    unreadable: tuple[tuple[str, str], ...]

    def good(self, now_s: float) -> tuple[Disarm, ...]:
        """Return those that still hold."""
        return tuple(disarm for disarm in self.disarms if disarm.holds(now_s))


def disarms_of(root: ET.Element) -> Disarms:
    """Return the disarms of a CIB; what cannot be read disarms nothing, for it has no end."""
    good: list[Disarm] = []
    bad: list[tuple[str, str]] = []
    for key, value in cib.properties_of(root, DISARM_PREFIX):
        try:
            good.append(parse_disarm(value))
        except MalformedDisarm:
            bad.append((DISARM_PREFIX + key, value))
    return Disarms(tuple(good), tuple(bad))


def write(disarms: Iterable[Disarm]) -> None:
    """Write disarms over those of the same scopes, in one change; raises ClusterUnavailable."""
    if values := {DISARM_PREFIX + disarm.scope.key: disarm.to_value() for disarm in disarms}:
        cib.write_properties(values)


def delete(disarms: Iterable[Disarm], unreadable: Iterable[tuple[str, str]]) -> None:
    """Delete exactly these: what was written meanwhile stays; raises ClusterUnavailable."""
    pairs = [(DISARM_PREFIX + disarm.scope.key, disarm.to_value()) for disarm in disarms]
    for name, value in (*pairs, *unreadable):
        cib.delete_property(name, value)
