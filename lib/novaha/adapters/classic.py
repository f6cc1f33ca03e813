"""What a migration asks of a running cluster beside its CIB."""

from xml.etree import ElementTree as ET

from novaha.adapters.command import run
from novaha.errors import ClusterUnavailable

TIMEOUT_S = 10.0
SETTLE_S = 300
_OVER = frozenset({"", "no"})


def evacuating() -> tuple[str, ...]:
    """Return the hosts whose evacuation by classic InstanceHA is not over.

    It keeps a private attribute `evacuate` of each Nova host: empty, yes, CONTROLLER@TIME or no.
    Raises ClusterUnavailable.
    """
    # An attribute that nobody has set ends the command with an error; what it is stands in the XML.
    query = "attrd_updater --name evacuate --query --all --output-as=xml || true"
    text = run(["sh", "-c", query], timeout_s=TIMEOUT_S)
    try:
        root = ET.fromstring(text)  # noqa: S314  (of Pacemaker's own daemon)
    except ET.ParseError as error:
        msg = f"attrd_updater printed something that is no XML: {error}"
        raise ClusterUnavailable(msg) from error
    status = root.find("status")
    if status is None or status.get("code") != "0":
        errors = [str(error.text) for error in root.iter("error")]
        if not any("does not exist" in error for error in errors):
            raise ClusterUnavailable("; ".join(errors) or "attrd_updater gave no answer")
    found = root.iter("attribute")
    return tuple(sorted(str(e.get("host")) for e in found if e.get("value", "") not in _OVER))


def settle() -> None:
    """Wait until the cluster has done all that its configuration asks for.

    Raises ClusterUnavailable when it has not after five minutes.
    """
    run(["crm_resource", "--wait", f"--timeout={SETTLE_S}s"], timeout_s=SETTLE_S + TIMEOUT_S)
