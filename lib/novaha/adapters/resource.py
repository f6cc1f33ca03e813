"""The NovaEvacuate resource, as the CIB configures it and Pacemaker places it."""

from typing import NamedTuple

from novaha.adapters import cib
from novaha.adapters.command import run
from novaha.core.names import NodeName


class RecoveryResource(NamedTuple):
    """The resource: its id, its parameters as they were written, and the nodes that run it."""

    id: str
    parameters: tuple[tuple[str, str], ...]
    nodes: tuple[NodeName, ...]


def recovery_resource() -> RecoveryResource | None:
    """Return the resource, or None where none is configured; raises ClusterUnavailable."""
    resources = cib.query().iterfind("./configuration/resources//primitive[@type='NovaEvacuate']")
    primitive = next((each for each in resources if each.get("provider") == "novaha"), None)
    if primitive is None:
        return None
    pairs = primitive.iterfind("./instance_attributes/nvpair")
    parameters = tuple((pair.get("name", ""), pair.get("value", "")) for pair in pairs)
    id_ = primitive.get("id", "")
    return RecoveryResource(id_, parameters, _nodes(id_))


def _nodes(resource: str) -> tuple[NodeName, ...]:
    argv = ["crm_resource", "--resource", resource, "--locate", "--output-as=xml"]
    root = cib.parse(run(argv, timeout_s=cib.TIMEOUT_S), argv[0])
    return tuple(NodeName(node.text or "") for node in root.iterfind("./nodes/node"))
