"""What a person does to let a host go that the cluster holds; docs/return.md says when."""

from testcloud.cluster import Cluster

from .pacemaker import look

_KINDS = ("receipt", "recovery")


def let_go(cluster: Cluster, node: str) -> None:
    """Delete what holds a node, with the commands of docs/return.md."""
    controller = cluster.controllers()[0]
    for name in (f"nova-ha-{kind}-{node}" for kind in _KINDS):
        if name in look(cluster, controller).properties:
            delete = ("--type", "crm_config", "--set-name", "nova-ha-state", "--name", name)
            cluster.exec(controller, ("crm_attribute", *delete, "--delete"))


def delete_hold(cluster: Cluster, node: str) -> None:
    """Delete the hold of a node, which NovaEvacuate would do where it runs."""
    controller = cluster.controllers()[0]
    shown = cluster.exec(controller, ("pcs", "constraint", "--full")).out
    words = shown.replace("(", " ").replace(")", " ").replace("id:", "").split()
    (hold,) = {word for word in words if word.startswith(f"nova-ha-hold-{node}.")}
    cluster.exec(controller, ("pcs", "constraint", "delete", hold))
