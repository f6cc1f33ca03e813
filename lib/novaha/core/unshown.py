"""What is left to recover and nobody hears of (L7)."""

from novaha.core.actions import Hold
from novaha.core.model import View
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.recovery import Recovery
from novaha.core.standing import concerned


def unshown(view: View, policy: Policy, holds: tuple[Hold, ...]) -> tuple[NodeName, ...]:
    """Return the nodes with something to recover that no hold speaks of (L7).

    A hold speaks of a node by its name, its host, one of its instances, or of all together.
    """
    nodes = concerned(view.cluster)
    if not nodes:
        return ()
    subjects = {hold.subject for hold in holds}
    if not subjects.isdisjoint(("nova", "cluster")):
        return ()
    return tuple(n for n in nodes if subjects.isdisjoint(_names_of(n, view, policy)))


def _names_of(node: NodeName, view: View, policy: Policy) -> set[str]:
    record = view.cluster.record_of(node)
    mapped = policy.host_map.get(node)
    host = record.host if isinstance(record, Recovery) else mapped
    names: set[str] = {node, *((host,) if host else ())}
    listed = view.memory.servers.get(host) if host else None
    return names | {server.id for server in (listed.value if listed else ())}
