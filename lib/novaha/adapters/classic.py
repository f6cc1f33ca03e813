"""What a migration asks of a running cluster beside its CIB."""

from xml.etree import ElementTree as ET

from novaha.adapters.command import run
from novaha.errors import ClusterUnavailable

TIMEOUT_S = 10.0
SETTLE_S = 300
_OVER = frozenset({"", "no"})
_NO_SUCH_ATTRIBUTE = "(6)"


def evacuating() -> tuple[str, ...]:
    """Return the hosts whose evacuation by classic InstanceHA is not over.

    It keeps a private attribute `evacuate` of each Nova host: empty, yes, CONTROLLER@TIME or no.
    """
    argv = ["attrd_updater", "--name", "evacuate", "--query", "--all", "--output-as=xml"]
    try:
        text = run(argv, timeout_s=TIMEOUT_S)
    except ClusterUnavailable as error:
        if _NO_SUCH_ATTRIBUTE in str(error):
            return ()
        raise
    try:
        found = ET.fromstring(text).iter("attribute")  # noqa: S314  (of Pacemaker's own daemon)
    except ET.ParseError as error:
        msg = f"attrd_updater printed something that is no XML: {error}"
        raise ClusterUnavailable(msg) from error
    return tuple(sorted(str(e.get("host")) for e in found if e.get("value") not in _OVER))


def settle() -> None:
    """Wait until the cluster has done all that its configuration asks for.

    Raises ClusterUnavailable when it has not after five minutes.
    """
    run(["crm_resource", "--wait", f"--timeout={SETTLE_S}s"], timeout_s=SETTLE_S + TIMEOUT_S)
