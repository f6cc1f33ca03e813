"""A CIB, as the rules of the check ask for it."""

import re
from collections.abc import Mapping

from novaha.cib.xml import Element, find_all
from novaha.specs import nova_compute_unfence

Device = tuple[str, Mapping[str, str]]
"""A fence device: the type of its agent, and its parameters."""

STONITH_TIMEOUT = "60s"
"""How long a fencing may take of which nothing is said; source: Pacemaker's stonith-timeout."""


class Facts:
    """A CIB, as the rules ask for it. known: option names of the daemons, None where not asked."""

    def __init__(self, cib: Element, known: frozenset[str] | None = None) -> None:
        """Look the common things up once."""
        self.cib = cib
        self.known = known
        self.primitives = find_all(cib, "/cib/configuration/resources//primitive")
        self.types = {str(each.get("id")): str(each.get("type")) for each in self.primitives}
        remotes = [each for each in self.primitives if each.get("type") == "remote"]
        self.remotes = {str(each.get("id")): each for each in remotes}
        self.devices = [each for each in self.primitives if each.get("class") == "stonith"]
        self.levels = find_all(cib, "/cib/configuration/fencing-topology/fencing-level")
        self.properties = pairs(cib, "/cib/configuration/crm_config/*/nvpair")
        self.fencing_timeout = self.properties.get("stonith-timeout", STONITH_TIMEOUT)

    def of_type(self, *types: str) -> list[Element]:
        """Return the primitives of these types."""
        return [each for each in self.primitives if each.get("type") in types]

    def time_of(self, device: Element, action: str) -> float | None:
        """Return how long a device may take for an action, in seconds; None if it is not clear."""
        return seconds(params(device).get(f"pcmk_{action}_timeout", self.fencing_timeout))

    def held(self) -> list[Element]:
        """Return the primitives of the clones that start after a clone of the hold."""
        xpath = (
            "/cib/configuration/resources/clone[@id = /cib/configuration/constraints/rsc_order"
            "[@first = /cib/configuration/resources/clone[primitive/@type=$type]/@id]/@then]"
            "/primitive"
        )
        return find_all(self.cib, xpath, type=nova_compute_unfence.SPEC.name)

    def levels_of(self) -> dict[str, list[list[Device]]]:
        """Return the devices of the levels of each target that is said."""
        devices = {
            str(each.get("id")): (str(each.get("type")), params(each)) for each in self.devices
        }
        found: dict[str, list[list[Device]]] = {}
        for level in self.levels:
            names = ("target", "target-pattern", "target-value")
            target = next((str(level.get(name)) for name in names if level.get(name)), "")
            ids = (id_.strip() for id_ in str(level.get("devices")).split(","))
            found.setdefault(target, []).append([devices[id_] for id_ in ids if id_ in devices])
        return found

    def agents(self, level: Element) -> list[str]:
        """Return the agents of a level's devices, in order; "" for a device that is not there."""
        return [self.types.get(id_.strip(), "") for id_ in str(level.get("devices")).split(",")]


def pairs(element: Element, xpath: str) -> dict[str, str]:
    """Return names and values of the pairs that an XPath matches."""
    return {str(p.get("name")): str(p.get("value")) for p in find_all(element, xpath)}


def params(primitive: Element) -> dict[str, str]:
    """Return the parameters of a primitive."""
    return pairs(primitive, "instance_attributes/nvpair")


def covers(level: Element, node: str) -> bool:
    """Tell whether a fencing level is one of this node's, by its name or by a pattern."""
    pattern = level.get("target-pattern")
    if pattern is None:
        return level.get("target") == node
    try:
        return re.search(pattern, node) is not None
    except re.error:
        return False


def seconds(text: str) -> float | None:
    """Return a time of the CIB in seconds; None for one of another form."""
    units = {"ms": 0.001, "min": 60.0, "m": 60.0, "sec": 1.0, "s": 1.0, "": 1.0, "h": 3600.0}
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    factor = units.get(text[len(number) :])
    digits = number.isascii() and number.isdigit()
    return float(number) * factor if digits and factor is not None else None
