"""What must be kept to take a migration back, as the text of a file."""

import json
from dataclasses import dataclass

from lxml import etree

from novaha.cib.merge import STATE_SET
from novaha.cib.xml import Element, find_all
from novaha.core.properties import OPEN
from novaha.errors import ConfigError
from novaha.migrate import leave, units

FORMAT = "nova-ha migration 1"


@dataclass(frozen=True)
class Saved:
    """A cluster's configuration before a migration, while it is made, and after it."""

    before: Element
    between: Element
    after: Element


def write(saved: Saved) -> str:
    """Return the text of the file; it holds what the CIB holds, its secrets too."""
    content = {
        "format": FORMAT,
        "before": _text(saved.before),
        "between": _text(saved.between),
        "after": _text(saved.after),
    }
    return json.dumps(content, indent=1) + "\n"


def read(text: str) -> Saved:
    """Return what a file holds; raises ConfigError where it is not one that we wrote."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"this is no file of --save: {error}"
        raise ConfigError(msg) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        msg = f"this is no file of --save: its format is not {FORMAT!r}"
        raise ConfigError(msg)
    return Saved(*(_cib(content, name) for name in ("before", "between", "after")))


def back(live: Element, saved: Saved) -> Element:
    """Return the cluster's CIB without the migration; raises ConfigError where that cannot be."""
    units.configuration(live)
    _same_cluster(live, saved.before)
    kept = find_all(live, "/cib/configuration/crm_config/*[@id=$id]/nvpair", id=STATE_SET)
    names = (str(pair.get("name")) for pair in kept)
    busy = sorted(name for name in names if name.startswith(OPEN))
    if busy:
        msg = (
            f"what nova-ha has begun is not over ({', '.join(busy)}): wait for its end, see"
            f" nova-ha explain, or its instances are left where they are"
        )
        raise ConfigError(msg)
    # A rollback that was broken off left the cluster on its own way back.
    between = (saved.between, leave.stopped_first(saved.after, saved.before))
    return units.restore(live, saved.before, saved.after, between=between)


def _same_cluster(live: Element, saved: Element) -> None:
    """Raise ConfigError unless both are of one cluster: same name, and a full node in common."""
    now, then = _names(live), _names(saved)
    if now[0] != then[0] or (then[1] and not now[1] & then[1]):
        msg = (
            f"the file is of another cluster: {then[0] or 'without name'} with"
            f" {', '.join(sorted(then[1])) or 'no nodes'}"
        )
        raise ConfigError(msg)


def _names(cib: Element) -> tuple[str, frozenset[str]]:
    pairs = find_all(cib, "/cib/configuration/crm_config/*/nvpair[@name='cluster-name']")
    nodes = find_all(cib, "/cib/configuration/nodes/node[not(@type='remote')]")
    name = str(pairs[0].get("value")) if pairs else ""
    return name, frozenset(str(node.get("uname")) for node in nodes)


def _cib(content: dict[str, object], name: str) -> Element:
    text = content.get(name)
    if not isinstance(text, str):
        msg = f"this is no file of --save: {name!r} is missing in it"
        raise ConfigError(msg)
    # No entities: a file is not trusted to be ours because it says so.
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    try:
        cib = etree.fromstring(text.encode(), parser)
        units.configuration(cib)
    except (etree.XMLSyntaxError, ConfigError, UnicodeEncodeError) as error:
        msg = f"this is no file of --save: {name!r} in it is no CIB: {error}"
        raise ConfigError(msg) from error
    return cib


def _text(cib: Element) -> str:
    """Return a CIB without its status, which is not what a rollback is about."""
    root = etree.Element("cib", {str(k): str(v) for k, v in cib.attrib.items()})
    root.append(etree.fromstring(etree.tostring(units.configuration(cib))))
    return etree.tostring(root, encoding="unicode")
