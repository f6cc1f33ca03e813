"""Segments of the real Nova: the aggregates of which tests tell what is said of reserved hosts."""

from collections.abc import Iterator
from contextlib import contextmanager

from testcloud.cloudctl import CloudCtl
from testcloud.rest import Json

SPARE = "compute-4"
KEY = f"nova_ha:reserved:{SPARE}"
KEPT_FREE = "nova-ha: reserved"
SEGMENT = {
    "nova_ha:segment": "seg-1",
    "nova_ha:recovery_method": "reserved_host",
    "nova_ha:add_reserved": "true",
    KEY: "true",
}
HANDED_BACK_S = 60.0


def is_free(cloud: CloudCtl, segment: str) -> bool:
    """Tell whether the reserved host was handed back."""
    return bool(look(cloud, segment)["metadata"][KEY] == "true")


def look(cloud: CloudCtl, aggregate_id: str) -> Json:
    """Return an aggregate as Nova shows it."""
    row: Json = cloud.call("GET", f"/os-aggregates/{aggregate_id}")["aggregate"]
    return row


@contextmanager
def aggregate(
    cloud: CloudCtl, name: str, hosts: list[str], metadata: dict[str, str]
) -> Iterator[str]:
    """Have an aggregate with hosts and metadata; yields its id."""
    row = cloud.call("POST", "/os-aggregates", {"aggregate": {"name": name}})["aggregate"]
    id_ = str(row["id"])
    action = f"/os-aggregates/{id_}/action"
    if metadata:
        cloud.call("POST", action, {"set_metadata": {"metadata": metadata}})
    for host in hosts:
        cloud.call("POST", action, {"add_host": {"host": host}})
    try:
        yield id_
    finally:
        for host in look(cloud, id_)["hosts"]:
            cloud.call("POST", action, {"remove_host": {"host": host}})
        cloud.call("DELETE", f"/os-aggregates/{id_}")
