"""Canaries on a real Nova: a small instance on one host whose service is disabled.

Nova's scheduler asks no filter where an instance is to be on one host by name (`zone:host`, for
administrators), so the service may stay disabled, which keeps everybody else off by ComputeFilter.
But Placement is asked first, and never for a host with the trait COMPUTE_STATUS_DISABLED, which
nova-compute has set there: it is taken away before, and put back when the canary goes. nova-compute
puts it back by itself, too (its periodic task, every 60 s, once its cache of 300 s is over).
Source: nova/scheduler/request_filter.py and host_manager.py, 34.0.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from novaha.adapters.answers import field_of, list_of, read
from novaha.adapters.placement import Placement
from novaha.adapters.starts import NOT_FOUND
from novaha.core.canary import KEY, NO_NETWORK, Canary, Recipe, name_of
from novaha.core.names import ComputeHost, ServerId
from novaha.core.protection import PROTECT
from novaha.errors import CloudRefused, CloudUnavailable

Json = Mapping[str, Any]


class Canaries:
    """They are found by their name and the key in their metadata; others are never touched."""

    def __init__(
        self,
        call: Callable[..., Json],
        pages: Callable[..., Iterable[Json]],
        placement: Placement,
    ) -> None:
        """Use the requests of one cloud: call(method, path, body), pages(path, key, **query)."""
        self._call = call
        self._pages = pages
        self._placement = placement

    def there(self, host: ComputeHost) -> tuple[Canary, ...]:
        """List those of a host, wherever they are."""
        query = {"all_tenants": "1", "name": f"^{re.escape(name_of(host))}$"}
        found = self._pages("/servers/detail", "servers", **query)
        return tuple(read(_canary, raw) for raw in found if read(_is_ours, raw))

    def boot(self, host: ComputeHost, receipt_id: str, recipe: Recipe) -> None:
        """Boot one on exactly this host."""
        service = self._service(host)
        if service is None:
            msg = f"Nova lists no nova-compute on {host}"
            raise CloudUnavailable(msg)
        zone = field_of(service, "zone")
        self._placement.open(self._provider(host))
        nets = recipe.network if recipe.network == NO_NETWORK else [{"uuid": recipe.network}]
        server = {
            "name": name_of(host),
            "imageRef": recipe.image,
            "flavorRef": recipe.flavor,
            "networks": nets,
            "availability_zone": f"{zone}:{host}",
            # Should the host die now, nobody misses it.
            "metadata": {KEY: receipt_id, PROTECT: "false"},
        }
        self._call("POST", "/servers", {"server": server})

    def delete(self, host: ComputeHost, server: ServerId) -> None:
        """Delete one, and close its host again to Placement, unless a person has enabled it."""
        try:
            self._call("DELETE", f"/servers/{server}")
        except CloudRefused as error:
            if error.status != NOT_FOUND:
                raise
        service = self._service(host)
        if service is not None and field_of(service, "status") == "disabled":
            self._placement.close(self._provider(host))

    def _service(self, host: ComputeHost) -> Json | None:
        body = self._call("GET", f"/os-services?binary=nova-compute&host={host}")
        return next(iter(list_of(body, "services")), None)

    def _provider(self, host: ComputeHost) -> str:
        """Return the resource provider of a host, which has its hypervisor's id (2.53).

        Looked for by the host's short name: a list by pages ends early where a hypervisor on a page
        has no service any more (Nova 34.0 links no next page then). The whole of it is the second
        try, for hosts that are not called like their hypervisor.
        """
        ids = self._hypervisors(host) or [
            read(_id, row)
            for row in self._pages("/os-hypervisors/detail", "hypervisors")
            if read(_host, row) == host
        ]
        if len(ids) != 1:
            msg = f"Nova lists {len(ids)} hypervisors on {host}: a canary needs exactly one"
            raise CloudUnavailable(msg)
        return ids[0]

    def _hypervisors(self, host: ComputeHost) -> list[str]:
        """Return the ids of those of a host that have its short name in theirs."""
        query = urlencode({"hypervisor_hostname_pattern": host.split(".")[0]})
        try:
            body = self._call("GET", f"/os-hypervisors/detail?{query}")
        except CloudRefused as error:
            if error.status != NOT_FOUND:
                raise
            return []
        rows = list_of(body, "hypervisors")
        return [read(_id, row) for row in rows if read(_host, row) == host]


def _is_ours(raw: Json) -> bool:
    return KEY in raw["metadata"]


def _canary(raw: Json) -> Canary:
    fault = raw.get("fault") or {}
    words = str(fault.get("message", ""))[:300]
    return Canary(ServerId(raw["id"]), str(raw["metadata"][KEY]), str(raw["status"]), words)


def _id(raw: Json) -> str:
    return str(raw["id"])


def _host(raw: Json) -> str:
    return str(raw["service"]["host"])
