"""A cluster with classic InstanceHA, for tests of the migration."""

from pathlib import Path

from lxml import etree
from novaha.adapters import configuration
from novaha.cib import inventory
from novaha.cib.xml import Element
from novaha.migrate import draft

CLASSIC = Path(__file__).parents[1] / "data/classic-cib.xml"


def classic_cib(*replaced: tuple[str, str]) -> Element:
    """Return the CIB, with texts replaced; each must be there."""
    text = CLASSIC.read_text()
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    return etree.fromstring(text, etree.XMLParser(remove_blank_text=True))


def from_disk() -> Element:
    """Return the CIB as the command reads it."""
    return configuration.from_file(CLASSIC)


def inventory_of(cib: Element) -> inventory.Inventory:
    """Return the inventory that is drafted for a CIB."""
    return inventory.parse(draft.of_classic(cib, "overcloud").text)
