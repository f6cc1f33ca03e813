"""A CIB, as the rules of the check ask for it."""

import re

from novaha.cib.xml import Element, find_all
from novaha.specs import nova_compute_unfence


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

    def of_type(self, *types: str) -> list[Element]:
        """Return the primitives of these types."""
        return [each for each in self.primitives if each.get("type") in types]

    def time_of(self, device: Element, action: str) -> float | None:
        """Return how long a device may take for an action, in seconds; None if it is not clear."""
        usual = self.properties.get("stonith-timeout", "60s")
        return seconds(params(device).get(f"pcmk_{action}_timeout", usual))

    def held(self) -> list[Element]:
        """Return the primitives of the clones that start after a clone of the hold."""
        xpath = (
            "/cib/configuration/resources/clone[@id = /cib/configuration/constraints/rsc_order"
            "[@first = /cib/configuration/resources/clone[primitive/@type=$type]/@id]/@then]"
            "/primitive"
        )
        return find_all(self.cib, xpath, type=nova_compute_unfence.SPEC.name)

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
