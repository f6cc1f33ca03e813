"""The cluster's whole configuration: read, proposed as a patch, written. Needs lxml."""

import tempfile
from pathlib import Path

from lxml import etree

from novaha.adapters.command import run
from novaha.errors import ClusterUnavailable, ConfigError

Element = etree._Element  # noqa: SLF001  (lxml has no public name for it)
TIMEOUT_S = 30.0
SIMULATE_S = 120.0
SCHEMAS = Path("/usr/share/pacemaker")
DAEMON_FOLDERS = (Path("/usr/lib/pacemaker"), Path("/usr/libexec/pacemaker"))
DAEMONS = ("pacemaker-based", "pacemaker-controld", "pacemaker-schedulerd")
_NOT_ADVERTISED = frozenset({"last-lrm-refresh"})
"""Written by Pacemaker's own tools, and in no daemon's metadata (2.1.5)."""


def live() -> Element:
    """Return the running cluster's CIB; raises ClusterUnavailable."""
    return _parsed(run(["cibadmin", "--query"], timeout_s=TIMEOUT_S), "cibadmin")


def from_file(path: Path) -> Element:
    """Return the CIB of a file; raises ConfigError."""
    try:
        cib = _parsed(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise ConfigError(msg) from error
    except ClusterUnavailable as error:
        raise ConfigError(str(error)) from error
    if cib.tag != "cib" or cib.find("configuration") is None:
        msg = f"{path} is no CIB; one is printed by: cibadmin --query"
        raise ConfigError(msg)
    return cib


def schema_of(cib: Element, folder: Path = SCHEMAS) -> Element | None:
    """Return the schema that a CIB names, as this machine's Pacemaker has it; None without one."""
    path = folder / f"{cib.get('validate-with')}.rng"
    return etree.parse(str(path)).getroot() if path.is_file() else None


def known_options() -> frozenset[str] | None:
    """Return the cluster options that this machine's Pacemaker knows; None without its daemons."""
    folder = next((each for each in DAEMON_FOLDERS if (each / DAEMONS[0]).exists()), None)
    if folder is None:
        return None
    texts = [run([str(folder / name), "metadata"], timeout_s=TIMEOUT_S) for name in DAEMONS]
    names = {
        str(parameter.get("name"))
        for text in texts
        for parameter in _parsed(text, "metadata").iter("parameter")
    }
    return frozenset(names) | _NOT_ADVERTISED


def write(before: Element, after: Element) -> None:
    """Change the running cluster's CIB from one text to another, in one change.

    What others changed meanwhile stays; where that contradicts, nothing is written. Raises
    ClusterUnavailable.
    """
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old.xml"), Path(folder, "new.xml")
        old.write_bytes(etree.tostring(before))
        new.write_bytes(etree.tostring(after))
        # crm_diff exits with 1 where the two differ, which is no failure.
        script = 'crm_diff --original "$1" --new "$2" --no-version || [ $? -eq 1 ]'
        argv = ["sh", "-c", script, "sh", str(old), str(new)]
        patch = run(argv, timeout_s=TIMEOUT_S)
    run(["cibadmin", "--patch", "--xml-pipe"], timeout_s=TIMEOUT_S, stdin=patch)


def simulated(cib: Element) -> Element:
    """Return crm_simulate's answer: what the scheduler would do now; raises ClusterUnavailable."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(etree.tostring(cib))
        file.flush()
        argv = ["crm_simulate", "--run", "--xml-file", file.name, "--output-as=xml"]
        return _parsed(run(argv, timeout_s=SIMULATE_S), "crm_simulate")


def _parsed(text: str, source: str) -> Element:
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False)
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        msg = f"{source} is no XML: {error}"
        raise ClusterUnavailable(msg) from error
