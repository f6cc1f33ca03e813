"""An entry of Nova's detailed list of servers, read.

Raises KeyError, TypeError, AttributeError and ValueError for what has another shape; the caller
knows what to make of them.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from itertools import islice
from typing import Any

from novaha.core.details import Details, Flavor
from novaha.core.model import Server
from novaha.core.names import ServerId

Json = Mapping[str, Any]

LONGEST_FAULT = 200
MOST = 4
"""So many addresses of an instance are kept."""


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
        addresses=tuple(_addresses(raw.get("addresses"))),
    )


def _addresses(raw: object) -> Iterator[str]:
    """Yield some addresses of an instance; none that would lead to ourselves or to many."""
    networks = raw.values() if isinstance(raw, Mapping) else ()
    entries = (entry for network in networks for entry in network or ())
    yield from islice(filter(_leads_there, (str(entry["addr"]) for entry in entries)), MOST)


def _leads_there(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    there = address.is_loopback, address.is_link_local, address.is_multicast
    return not any((*there, address.is_unspecified))


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
