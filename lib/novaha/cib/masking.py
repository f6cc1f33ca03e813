"""Parts of a CIB as people may see them: without the secrets that stand in it."""

from copy import deepcopy

from lxml import etree

from novaha.cib.inventory import NO_OTHER_WAY, SECRETS
from novaha.cib.xml import Element

MASK = "********"
HIDDEN = SECRETS | NO_OTHER_WAY | {"password_admin", "os_password"}


def shown(element: Element | None) -> str:
    """Return an element as people read it, with its secrets masked; a pair as its value."""
    if element is None:
        return ""
    copy = deepcopy(element)
    copy.tail = None
    for pair in copy.iter("nvpair"):
        if is_secret(str(pair.get("name"))) and pair.get("value"):
            pair.set("value", MASK)
    if copy.tag == "nvpair":
        return str(copy.get("value"))
    etree.indent(copy)
    return etree.tostring(copy, encoding="unicode")


def is_secret(name: str) -> bool:
    """Tell whether a parameter of this name may hold a secret."""
    return name in HIDDEN or name.endswith(("passwd", "password"))
