"""The cloud port on a real Nova, through openstacksdk's session.

Requests are written out here instead of the SDK's resource calls, because each one is counted: no
lookup before a change, no retry behind our back, and one microversion for all.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import openstack.exceptions
from keystoneauth1 import exceptions as ksa
from openstack.config.cloud_region import CloudRegion

from novaha.adapters.answers import ODD, field_of, json_of, list_of, read, unavailable, words_of
from novaha.adapters.canaries import Canaries
from novaha.adapters.novarecords import is_hidden, migration_of, server_of, service_of
from novaha.adapters.placement import Placement
from novaha.adapters.probes import Probes
from novaha.adapters.region import adapter_of, region_of
from novaha.adapters.rules import aggregate, server_group
from novaha.adapters.serverdetails import server_in_detail
from novaha.adapters.starts import (
    ACTIONS,
    BAD_REQUEST,
    CONFLICT,
    NOT_FOUND,
    action_of,
    is_active,
    is_too_old,
    stopped_since,
)
from novaha.core.actions import Evacuate, LiveMigrate, Request, Start
from novaha.core.canary import Canary, Recipe
from novaha.core.capacity import Room
from novaha.core.model import Migration, Server, Service
from novaha.core.names import ComputeHost, ServerId
from novaha.core.order import Target
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.errors import CloudRefused, CloudUnavailable, NeedsNoStart, NotInTwoPhases

Json = Mapping[str, Any]
Version = tuple[int, int]

OLDEST = (2, 59)
"""Paged evacuation records; Nova 17 (Queens)."""
NEWEST = (2, 94)
"""From 2.95 on an evacuated instance is left stopped (Nova 27)."""
STOPPED = (2, 95)
"""Of an evacuation that is to leave its instance stopped."""
DETAILED = (2, 98)
"""Of the detailed list, whose images then have their properties (Nova 31)."""
FORCING = (2, 67)
"""The newest with `force`, which passes by the scheduler."""
PAGE = 1000

CLIENT_ERROR = 400
SERVER_ERROR = 500
NOT_NOW = frozenset({401, 408, 429})
"""Refusals that say nothing about the request itself: the same may be accepted later."""
NO_SUCH_VERSION = 406
_SILENT = (ksa.ClientException, openstack.exceptions.SDKException, OSError, *ODD)
OVERLOADED = frozenset({429, 502, 503, 504})
"""What Nova, or a proxy before it, answers when there is more to do than it can."""


class Nova:
    """One cloud of clouds.yaml; the token is fetched on first use and renewed by keystoneauth.

    timeout_s: of each request. Raises ConfigError when the cloud cannot be found in the file.
    """

    def __init__(self, cloud: str, clouds_yaml: str, timeout_s: float) -> None:
        """Read the configuration; nothing is sent yet."""
        self._timeout_s = timeout_s
        # The token and the versions are fetched inside a request, and have no other timeout.
        self._region = partial(region_of, cloud, clouds_yaml, api_timeout=timeout_s)
        region = self._region()
        self._meet(region)
        self._placement = Placement(region)
        self._probes = Probes()
        self._canaries = Canaries(self._call, self._pages, self._placement)

    def _meet(self, region: CloudRegion) -> None:
        """Know nothing of Nova yet, its microversions least of all.

        Not by Connection(...).compute: that asks Keystone at once, and a cloud that is down must
        not keep this process from starting.
        """
        self._top: Version | None = None
        self._compute = adapter_of(region, "compute")

    def warm_up(self) -> None:
        """Fetch a token and learn Nova's microversions, so that the first evacuation is fast."""
        self.microversion()

    def microversion(self, most: Version = NEWEST) -> str:
        """Return the microversion to be used: the newest that Nova has, up to a limit of ours."""
        if self._top is None:
            self._top = self._discover()
        return "{}.{}".format(*min(self._top, most))

    def services(self) -> tuple[Service, ...]:
        """List the nova-compute services; hidden: those whose cell gives Nova no answer."""
        body = self._call("GET", "/os-services?binary=nova-compute")
        return tuple(read(service_of, raw) for raw in list_of(body, "services"))

    def servers(self, host: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        """List the servers of a host, of every project.

        details: with how each stands, and the fault of those in ERROR. That list makes nova-api ask
        Neutron too, and took ten times as long as the short one (0.56 s for 10 servers on a busy
        machine).
        """
        path = "/servers/detail" if details else "/servers"
        version = DETAILED if details else NEWEST
        pages = self._pages(path, "servers", version, on=host, all_tenants="1", host=host)
        return tuple(read(server_in_detail if details else server_of, raw) for raw in pages)

    def migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List the evacuation records whose source is the host."""
        return self._records(host, "evacuation")

    def live_migrations(self, host: ComputeHost) -> tuple[Migration, ...]:
        """List the live migration records whose source is the host."""
        return self._records(host, "live-migration")

    def _records(self, host: ComputeHost, kind: str) -> tuple[Migration, ...]:
        query = {"migration_type": kind, "source_compute": host}
        pages = self._pages("/os-migrations", "migrations", NEWEST, on=host, **query)
        return tuple(read(migration_of, raw) for raw in pages)

    def rooms(self) -> tuple[Room, ...]:
        """Tell what is free on each host that takes instances, by Placement."""
        return self._placement.rooms()

    def answering(self, targets: tuple[Target, ...]) -> frozenset[ServerId]:
        """Tell whose port answered since it was asked for last, and try all anew; never waits."""
        return self._probes.answering(targets)

    def rules(self) -> Rules:
        """List the host aggregates, and the server groups of every project."""
        body = self._call("GET", "/os-aggregates")
        aggregates = tuple(read(aggregate, raw) for raw in list_of(body, "aggregates"))
        return Rules(aggregates, tuple(read(server_group, raw) for raw in self._groups()))

    def _groups(self) -> Iterable[Json]:
        """Yield all server groups: Nova pages them by their number, and links no next page."""
        offset = 0
        while True:
            query = urlencode({"all_projects": "True", "limit": PAGE, "offset": offset})
            page = list_of(self._call("GET", f"/os-server-groups?{query}"), "server_groups")
            yield from page
            if not page:
                return
            offset += len(page)

    def set_forced_down(self, service: Service, *, forced_down: bool) -> Service:
        """Force a service down or up; what Nova answers is what it then holds."""
        body = {"forced_down": forced_down}
        answer = self._put_service(service, body)
        if answer.forced_down is not forced_down:
            msg = f"Nova took forced_down={forced_down} for {service.host} and does not show it"
            raise CloudUnavailable(msg)
        return answer

    def set_enabled(self, service: Service, *, enabled: bool, reason: str = "") -> Service:
        """Enable a service, or disable it with a reason."""
        body = {"status": "enabled"} if enabled else _disabled(reason)
        answer = self._put_service(service, body)
        if answer.enabled is not enabled:
            msg = f"Nova took {body['status']} for {service.host} and does not show it"
            raise CloudUnavailable(msg)
        return answer

    def leaves_stopped(self) -> bool:
        """Tell whether an evacuated instance can be left stopped, by the versions of the API."""
        self.microversion()
        return self._top is not None and self._top >= STOPPED

    def post(self, request: Request) -> None:
        """Send a request; an answer without an error is not done yet."""
        match request:
            case Evacuate():
                self.evacuate(request)
            case Start():
                self.start(request)
            case LiveMigrate(server):
                # Nova's scheduler chooses the host, and its compute services copy what has to be.
                # Source: Compute API "Live-Migrate Server (os-migrateLive Action)", 2.34 onward.
                body = {"host": None, "block_migration": "auto"}
                self._call("POST", f"/servers/{server}/action", {"os-migrateLive": body})

    def evacuate(self, evacuate: Evacuate) -> None:
        """Ask Nova to evacuate one server, its state reset where asked; 200 is not done yet.

        Raises NotInTwoPhases where Nova cannot leave it stopped: from 2.95 on its API says so while
        a nova-compute is older than that. With an older microversion it would be running.
        """
        if evacuate.stopped and not self.leaves_stopped():
            msg = f"Nova offers microversion {self._top}, {STOPPED} is needed to leave it stopped"
            raise NotInTwoPhases(msg, BAD_REQUEST)
        action = f"/servers/{evacuate.server}/action"
        if evacuate.reset:
            self._call("POST", action, {"os-resetState": {"state": "active"}})
        # Without `force` the scheduler checks the host.
        where = {"host": evacuate.to} if evacuate.to else {}
        force = {"force": True} if evacuate.forced else {}
        try:
            self._call("POST", action, {"evacuate": {**where, **force}}, _version_for(evacuate))
        except CloudRefused as error:
            if evacuate.stopped and is_too_old(str(error)):
                raise NotInTwoPhases(str(error), error.status) from error
            raise

    def start(self, start: Start) -> None:
        """Ask Nova to start one server; raises NeedsNoStart where nobody wants or needs that."""
        path = f"/servers/{start.server}"
        try:
            done = self._call("GET", f"{path}/os-instance-actions?limit={ACTIONS}")
            if stopped_since(read(action_of, raw) for raw in list_of(done, "instanceActions")):
                msg = "it was stopped after its evacuation"
                raise NeedsNoStart(msg, CONFLICT)
            self._call("POST", f"{path}/action", {"os-start": None})
        except CloudRefused as error:
            if error.status == NOT_FOUND or is_active(str(error)):
                raise NeedsNoStart(str(error), error.status) from error
            raise

    def set_aggregate_metadata(self, id_: int, metadata: Mapping[str, str]) -> Aggregate:
        """Set keys of an aggregate; all others stay."""
        answer = self._change_aggregate(id_, {"set_metadata": {"metadata": dict(metadata)}})
        if not metadata.items() <= answer.metadata.items():
            msg = f"Nova took {dict(metadata)} for aggregate {answer.name} and does not show it"
            raise CloudUnavailable(msg)
        return answer

    def add_to_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        """Have a host join an aggregate."""
        return self._change_aggregate(id_, {"add_host": {"host": host}})

    def remove_from_aggregate(self, id_: int, host: ComputeHost) -> Aggregate:
        """Take a host out of an aggregate."""
        return self._change_aggregate(id_, {"remove_host": {"host": host}})

    def canaries(self, host: ComputeHost) -> tuple[Canary, ...]:
        """List the canaries of a host, for whatever recovery they were booted."""
        return self._canaries.there(host)

    def boot_canary(self, host: ComputeHost, receipt_id: str, recipe: Recipe) -> None:
        """Boot a canary on exactly this host, whose service is disabled."""
        self._canaries.boot(host, receipt_id, recipe)

    def delete_canary(self, host: ComputeHost, server: ServerId) -> None:
        """Delete a canary; one that is gone is no error."""
        self._canaries.delete(host, server)

    def _change_aggregate(self, id_: int, body: Json) -> Aggregate:
        answer = self._call("POST", f"/os-aggregates/{id_}/action", body)
        return read(aggregate, field_of(answer, "aggregate"))

    def _put_service(self, service: Service, body: Json) -> Service:
        answer = self._call("PUT", f"/os-services/{service.id}", body)
        return read(service_of, field_of(answer, "service"))

    def _discover(self) -> Version:
        try:
            data = self._compute.get_endpoint_data()
        except _SILENT as error:
            raise unavailable(error) from error
        top = data.max_microversion if data is not None else None
        if data is None or top is None:
            # keystoneauth says the same of a Nova that is down, answers 503 or has no versions.
            where = data.url if data is not None else "an endpoint the catalog lacks"
            msg = f"Nova at {where} does not tell its versions: it gives no answer, or is no Nova"
            raise CloudUnavailable(msg)
        if top < OLDEST:
            msg = f"Nova offers microversion {top}, at least {OLDEST} is needed (Nova 17)"
            raise CloudUnavailable(msg)
        return int(top[0]), int(top[1])

    def _pages(
        self,
        path: str,
        key: str,
        version: Version = NEWEST,
        on: ComputeHost | None = None,
        **query: str,
    ) -> Iterable[Json]:
        """Yield the objects of all pages; Nova links the next one, for its pages may be shorter.

        An operator's `[api] max_limit` caps what is asked for here. A list cut short there would
        miss evacuations in flight. on: the host it is about, whose empty pages are made sure of.
        """
        marker: Mapping[str, str] = {}
        while True:
            url = f"{path}?{urlencode({**query, 'limit': PAGE, **marker})}"
            body = self._call("GET", url, version=version)
            page = list_of(body, key)
            if on and not page:
                self._see_cell(on)
                body = self._call("GET", url, version=version)
                page = list_of(body, key)
            yield from page
            if not page or not body.get(f"{key}_links"):
                return
            before, marker = marker, {"marker": read(_marker, page[-1])}
            if marker == before:
                msg = f"Nova's list of {key} has no end: the same page comes again and again"
                raise CloudUnavailable(msg)

    def _see_cell(self, host: ComputeHost) -> None:
        """Raise CloudUnavailable while the cell of a host gives Nova no answer.

        Nova leaves out what is in such a cell, and answers 200 all the same (`[api]
        list_records_by_skipping_down_cells`). One host is in one cell, so a page that shows
        something is whole; an empty one counts when the cell answers, and it is empty again.
        """
        path = f"/os-services?{urlencode({'binary': 'nova-compute', 'host': host})}"
        if any(read(is_hidden, raw) for raw in list_of(self._call("GET", path), "services")):
            msg = f"the cell of {host} is down: Nova cannot tell what is on it"
            raise CloudUnavailable(msg)

    def _call(
        self, method: str, path: str, body: Json | None = None, version: Version = NEWEST
    ) -> Json:
        """Send one request, once; raises CloudUnavailable, CloudRefused."""
        try:
            response = self._compute.request(
                path,
                method,
                json=body,
                microversion=self.microversion(version),
                timeout=self._timeout_s,
                raise_exc=False,
                connect_retries=0,
                status_code_retries=0,
            )
        except _SILENT as error:
            raise unavailable(error) from error
        if response.status_code == NO_SUCH_VERSION:
            # It was replaced by an older one; what keystoneauth has learned goes with the session.
            self._meet(self._region())
            msg = "Nova does not know the microversion that it offered before: it is asked anew"
            raise CloudUnavailable(msg)
        if response.status_code >= SERVER_ERROR or response.status_code in NOT_NOW:
            msg = f"Nova answered {response.status_code} to {method} {path}"
            raise CloudUnavailable(msg, busy=response.status_code in OVERLOADED)
        if response.status_code >= CLIENT_ERROR:
            msg = f"{words_of(response)} ({response.status_code})"
            raise CloudRefused(msg, response.status_code)
        return json_of(response)


def _marker(raw: Json) -> str:
    return str(raw.get("uuid") or raw["id"])


def _disabled(reason: str) -> Json:
    return {"status": "disabled", "disabled_reason": reason}


def _version_for(evacuate: Evacuate) -> tuple[int, int]:
    """Return the newest microversion that can do it; none can leave stopped what it forces."""
    if evacuate.forced:
        return FORCING
    return STOPPED if evacuate.stopped else NEWEST
