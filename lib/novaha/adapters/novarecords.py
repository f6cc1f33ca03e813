"""Objects of Nova's answers, read."""

from collections.abc import Mapping
from typing import Any

from novaha.core.model import Migration, Server, Service
from novaha.core.names import ComputeHost, ServerId

Json = Mapping[str, Any]


def is_hidden(raw: Json) -> bool:
    """Tell whether Nova shows a name only, of a service whose cell gives it no answer (2.69)."""
    return str(raw.get("status")) == "UNKNOWN"


def _hidden(host: ComputeHost) -> Service:
    """Return a service of which only the host is known."""
    return Service(
        "",
        host,
        enabled=False,
        disabled_reason="",
        forced_down=False,
        heartbeat="",
        up=False,
        hidden=True,
    )


def service_of(raw: Json) -> Service:
    """Read a nova-compute service; raises what a missing or wrong value raises."""
    if is_hidden(raw):
        return _hidden(ComputeHost(raw["host"]))
    return Service(
        id=raw["id"],
        host=ComputeHost(raw["host"]),
        enabled=raw["status"] == "enabled",
        disabled_reason=raw.get("disabled_reason") or "",
        forced_down=bool(raw["forced_down"]),
        heartbeat=raw.get("updated_at") or "",
        up=raw.get("state") != "down",
    )


def server_of(raw: Json) -> Server:
    """Read a server without its details; raises what a missing or wrong value raises."""
    return Server(ServerId(raw["id"]), raw["name"])


def migration_of(raw: Json) -> Migration:
    """Read a migration record; raises what a missing or wrong value raises."""
    destination = raw.get("dest_compute")
    return Migration(
        id=int(raw["id"]),
        server=ServerId(raw["instance_uuid"]),
        source=ComputeHost(raw["source_compute"]),
        destination=ComputeHost(destination) if destination else None,
        status=raw["status"],
    )
