"""What a migration asks of a running cluster beside its CIB."""

import time
from xml.etree import ElementTree as ET

from novaha.adapters.command import run
from novaha.errors import ClusterUnavailable

TIMEOUT_S = 10.0
STOPPED_WITHIN_S = 300
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


def wait_stopped(ids: frozenset[str]) -> None:
    """Wait until none of these primitives runs anywhere.

    Only they are waited for: in a cluster with any trouble something is always under way. Raises
    ClusterUnavailable when one still runs after five minutes.
    """
    deadline_s = time.monotonic() + STOPPED_WITHIN_S
    while running := _running(ids):
        if time.monotonic() > deadline_s:
            msg = f"after {STOPPED_WITHIN_S} s still running: {', '.join(running)}"
            raise ClusterUnavailable(msg)
        time.sleep(1.0)


def _running(ids: frozenset[str]) -> tuple[str, ...]:
    """Return `id on node` for each instance that is active."""
    text = run(["crm_mon", "--one-shot", "--output-as=xml"], timeout_s=TIMEOUT_S)
    try:
        found = ET.fromstring(text).iter("resource")  # noqa: S314  (of Pacemaker's own tool)
    except ET.ParseError as error:
        msg = f"crm_mon printed something that is no XML: {error}"
        raise ClusterUnavailable(msg) from error
    return tuple(
        f"{each.get('id')} on {node.get('name')}"
        for each in found
        if str(each.get("id")).split(":")[0] in ids and each.get("active") == "true"
        for node in each.iter("node")
    )
