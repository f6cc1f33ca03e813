"""An entry of Nova's detailed list of servers, read.

Raises KeyError, TypeError, AttributeError and ValueError for what has another shape; the caller
knows what to make of them.
"""

from collections.abc import Mapping
from typing import Any

from novaha.core.details import Details, Flavor
from novaha.core.model import Server
from novaha.core.names import ServerId

Json = Mapping[str, Any]

LONGEST_FAULT = 200


def server_in_detail(raw: Json) -> Server:
    """Return a server with its details. Source: Compute API "List Servers Detailed"."""
    fault = (raw.get("fault") or {}).get("message") or ""
    return Server(ServerId(raw["id"]), raw["name"], fault[:LONGEST_FAULT], _details(raw))


def _details(raw: Json) -> Details:
    image = raw.get("image") or {}  # "" where it boots from a volume
    return Details(
        vm_state=raw["OS-EXT-STS:vm_state"],
        task_state=raw["OS-EXT-STS:task_state"] or "",
        locked=bool(raw.get("locked")),
        project=raw.get("tenant_id") or "",
        image=image["id"] if image else "",
        image_properties=_texts(image.get("properties")) if image else {},
        metadata=_texts(raw.get("metadata")),
        tags=frozenset(raw.get("tags") or ()),
        flavor=_flavor(raw.get("flavor") or {}),
    )


def _flavor(raw: Json) -> Flavor:
    return Flavor(
        name=raw.get("original_name") or "",
        vcpus=int(raw.get("vcpus") or 0),
        ram_mib=int(raw.get("ram") or 0),
        disk_gib=int(raw.get("disk") or 0),
        ephemeral_gib=int(raw.get("ephemeral") or 0),
        swap_mib=int(raw.get("swap") or 0),
        specs=_texts(raw.get("extra_specs")),
    )


def _texts(raw: object) -> dict[str, str]:
    """Return a table of texts; empty where Nova's policy hides it."""
    if not isinstance(raw, Mapping):
        return {}
    return {str(key): str(value) for key, value in raw.items()}
