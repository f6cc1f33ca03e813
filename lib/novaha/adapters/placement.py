"""What is free on the hosts that may get instances, as Placement tells it."""

from collections.abc import Mapping
from typing import Any

import openstack.exceptions
from keystoneauth1 import exceptions as ksa
from openstack.config.cloud_region import CloudRegion

from novaha.adapters.answers import ODD
from novaha.adapters.region import adapter_of
from novaha.core.canary import DISABLED
from novaha.core.capacity import Room
from novaha.errors import CloudUnavailable

Json = Mapping[str, Any]

TIMEOUT_S = 5.0
"""The plan is welcome; no recovery waits for it any longer."""
MOST = 10_000
_CANDIDATES = f"/allocation_candidates?resources=MEMORY_MB:1&required=!{DISABLED}&limit={MOST}"


class Placement:
    """Placement of one cloud; nothing is sent before it is asked."""

    def __init__(self, region: CloudRegion) -> None:
        """Use the session of the region, and so its token."""
        self._placement = adapter_of(region, "placement", default_microversion="1.29")

    def rooms(self) -> tuple[Room, ...]:
        """Return what is free on each host that takes instances; raises CloudUnavailable."""
        candidates, listed = self._get(_CANDIDATES), self._get("/resource_providers")
        try:
            summaries, providers = candidates["provider_summaries"], listed["resource_providers"]
            names = {provider["uuid"]: str(provider["name"]) for provider in providers}
            found = (room(names.get(uuid, uuid), raw) for uuid, raw in summaries.items())
            return tuple(each for each in found if each is not None)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            msg = f"Placement's answer is not as expected: {type(error).__name__} {error}"
            raise CloudUnavailable(msg) from error

    def open(self, provider: str) -> None:
        """Have a provider be a candidate though its service is disabled; raises CloudUnavailable.

        Source: Placement API "Update resource provider traits", 1.6 onward.
        """
        self._set_disabled(provider, disabled=False)

    def close(self, provider: str) -> None:
        """Have it be none, as nova-compute has it where its service is disabled."""
        self._set_disabled(provider, disabled=True)

    def _set_disabled(self, provider: str, *, disabled: bool) -> None:
        path = f"/resource_providers/{provider}/traits"
        body = self._get(path)
        try:
            traits = {str(trait) for trait in body["traits"]}
            generation = int(body["resource_provider_generation"])
        except (KeyError, TypeError, ValueError) as error:
            msg = f"Placement's answer is not as expected: {type(error).__name__} {error}"
            raise CloudUnavailable(msg) from error
        wanted = traits | {DISABLED} if disabled else traits - {DISABLED}
        if wanted == traits:
            return
        change = {"traits": sorted(wanted), "resource_provider_generation": generation}
        self._ask("PUT", path, change)

    def _get(self, path: str) -> Json:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, change: Json | None = None) -> Json:
        try:
            response = self._placement.request(
                path,
                method,
                json=change,
                timeout=TIMEOUT_S,
                connect_retries=0,
                status_code_retries=0,
            )
            body = response.json()
        except (ksa.ClientException, openstack.exceptions.SDKException, OSError) as error:
            msg = f"Placement gives no answer: {str(error)[:200]}".splitlines()[0]
            raise CloudUnavailable(msg) from error
        except ODD as error:
            msg = f"Placement's or Keystone's answer cannot be read: {type(error).__name__}"
            raise CloudUnavailable(msg) from error
        if not isinstance(body, dict):
            msg = "Placement answered with JSON that is no object"
            raise CloudUnavailable(msg)
        return body


def room(name: str, raw: Json) -> Room | None:
    """Return what is free on a provider, None for one that is no host."""
    free = {
        kind: int(amount["capacity"]) - int(amount["used"])
        for kind, amount in raw["resources"].items()
    }
    if "MEMORY_MB" not in free:
        return None
    return Room(name, free.get("VCPU", 0), free["MEMORY_MB"], free.get("DISK_GB"))
