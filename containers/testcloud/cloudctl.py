"""What tests and the demo ask of the cloud: direct HTTP as its administrator, no SDK needed.

This is the person's and the referee's way to Nova; the product under test never passes here.
"""

import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from . import rest
from .errors import ClusterError
from .names import NodeName, ServerId
from .openstack_conf import GLANCE_PORT, KEYSTONE_PORT, NEUTRON_PORT, NOVA_PORT, PASSWORD
from .settings import Settings
from .waiting import until

# 2.93: the newest that Debian 12's Nova has too; evacuations leave instances in their old state.
_MICROVERSION = "2.93"
_PAGE = 1000
AGAIN_S = 5.0
"""After so long an instance that ended in ERROR is made anew."""


@dataclass(frozen=True)
class Server:
    """An instance as Nova shows it."""

    id: ServerId
    name: str
    status: str
    task_state: str | None
    host: NodeName | None


@dataclass(frozen=True)
class Service:
    """One nova-compute as Nova shows it; state is up or down, status enabled or disabled."""

    id: str
    host: NodeName
    state: str
    status: str
    forced_down: bool
    disabled_reason: str | None
    updated_at: str | None


@dataclass(frozen=True)
class Migration:
    """A migration record."""

    id: int
    server: ServerId
    kind: str
    status: str
    source: NodeName
    destination: NodeName | None
    created_at: str
    updated_at: str | None


class CloudCtl:
    """The cloud's administrator. One token serves for a day; it is fetched again when refused."""

    def __init__(self, settings: Settings) -> None:
        """Know where the APIs are; nothing is asked yet."""
        ip = settings.cloud_machine().ip
        self._keystone = f"http://{ip}:{KEYSTONE_PORT}/v3"
        self._nova = f"http://{ip}:{NOVA_PORT}/v2.1"
        self._glance = f"http://{ip}:{GLANCE_PORT}/v2"
        self.neutron = f"http://{ip}:{NEUTRON_PORT}/v2.0"
        self._token = ""

    def servers(self) -> tuple[Server, ...]:
        """Return all instances of the cloud."""
        rows = self._pages("/servers/detail?all_tenants=1", "servers")
        return tuple(_server(row) for row in rows)

    def services(self) -> tuple[Service, ...]:
        """Return the compute services, by host."""
        rows = self.call("GET", "/os-services?binary=nova-compute")["services"]
        return tuple(sorted((_service(row) for row in rows), key=lambda s: s.host))

    def service(self, host: str) -> Service:
        """Return the compute service of a host; raises ClusterError if Nova knows none."""
        for service in self.services():
            if service.host == host:
                return service
        msg = f"Nova knows no compute service of {host}: was it ever started?"
        raise ClusterError(msg)

    def migrations(self, source: str = "", since_s: float = 0.0) -> tuple[Migration, ...]:
        """Return the evacuation records, oldest first; only those from one host if it is named.

        since_s: only those that changed then or later, in seconds since the epoch.
        """
        return self._records("evacuation", source, since_s)

    def live_migrations(self, source: str) -> tuple[Migration, ...]:
        """Return the live migration records from a host, oldest first."""
        return self._records("live-migration", source)

    def _records(self, kind: str, source: str, since_s: float = 0.0) -> tuple[Migration, ...]:
        query = f"?migration_type={kind}" + (f"&source_compute={source}" if source else "")
        if since_s:
            query += f"&changes-since={datetime.fromtimestamp(since_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
        rows = self._pages(f"/os-migrations{query}", "migrations")
        return tuple(sorted((_migration(row) for row in rows), key=lambda m: m.id))

    def set_service(
        self,
        host: str,
        *,
        forced_down: bool | None = None,
        status: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Change what an operator can change of a compute service; None leaves a thing alone."""
        wanted = {"forced_down": forced_down, "status": status, "disabled_reason": reason}
        body = {key: value for key, value in wanted.items() if value is not None}
        self.call("PUT", f"/os-services/{self.service(host).id}", body)

    def boot(  # noqa: PLR0913  (each has what most callers want)
        self,
        count: int,
        hosts: Sequence[str],
        prefix: str = "vm",
        *,
        flavor: str | None = None,
        outstanding: int = 4,
        timeout_s: float = 300.0,
    ) -> tuple[Server, ...]:
        """Boot instances, pinned to the hosts in turn, and wait until all are ACTIVE.

        flavor: its id, where it is not the one that all others have.
        At most `outstanding` are being built at a time: all at once they would conflict in
        Placement, and Nova would answer that there is no valid host. One that ends in ERROR is made
        anew: for up to a minute after a service was enabled Placement may still bar its host.
        """
        wanted = {f"{prefix}-{i:03d}": hosts[i % len(hosts)] for i in range(count)}
        image, flavor = self.image(), flavor or self.flavor()
        made: dict[str, ServerId] = {}
        not_before_s = 0.0

        def progressed() -> bool:
            nonlocal not_before_s
            states = {server.id: server.status for server in self.servers()}
            for name in [name for name, id_ in made.items() if states.get(id_) == "ERROR"]:
                self.delete(made.pop(name))
                not_before_s = time.monotonic() + AGAIN_S
            built = sum(states.get(id_) == "ACTIVE" for id_ in made.values())
            for name in [name for name in wanted if name not in made]:
                if len(made) - built < outstanding and time.monotonic() >= not_before_s:
                    made[name] = self.create(name, wanted[name], image, flavor)
            return built == count

        until(f"{count} instances {prefix}-* to be ACTIVE", progressed, timeout_s)
        return tuple(server for server in self.servers() if server.id in made.values())

    def delete(self, server: ServerId) -> None:
        """Ask Nova to delete an instance."""
        self.call("DELETE", f"/servers/{server}")

    def wipe(self, timeout_s: float = 300.0) -> None:
        """Delete every instance and wait until Nova shows none."""
        for server in self.servers():
            self.delete(server.id)
        until("every instance to be deleted", lambda: not self.servers(), timeout_s, 0.5)

    def wait_services_up(self, hosts: Sequence[str], timeout_s: float = 120.0) -> None:
        """Wait until the compute services of these hosts are up and can be scheduled to."""

        def all_up() -> bool:
            up = {service.host for service in self.services() if service.state == "up"}
            return up >= set(hosts) and self._hypervisors() >= set(hosts)

        until(f"nova-compute on {', '.join(hosts)} to be up", all_up, timeout_s, 0.5)

    def call(self, method: str, path: str, body: rest.Json | None = None) -> rest.Json:
        """Do any request to Nova, path as in its API reference; returns the decoded body."""
        return self._call(method, self._nova + path, body)

    def call_url(self, method: str, url: str, body: rest.Json | None = None) -> rest.Json:
        """Do any request to any API that takes the cloud's tokens; returns the decoded body."""
        return self._call(method, url, body)

    def _call(self, method: str, url: str, body: rest.Json | None = None) -> rest.Json:
        if not self._token:
            self._token = self._new_token()
        headers = {"X-Auth-Token": self._token, "OpenStack-API-Version": f"compute {_MICROVERSION}"}
        try:
            return rest.request(method, url, body=body, headers=headers).body
        except rest.ApiError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
        self._token = self._new_token()
        headers["X-Auth-Token"] = self._token
        return rest.request(method, url, body=body, headers=headers).body

    def _new_token(self) -> str:
        domain = {"id": "default"}
        user = {"name": "admin", "domain": domain, "password": PASSWORD}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"name": "admin", "domain": domain}},
            }
        }
        answer = rest.request("POST", f"{self._keystone}/auth/tokens", body=body)
        return answer.headers["X-Subject-Token"]

    def _pages(self, path: str, key: str) -> Iterator[rest.Json]:
        """Yield all rows of a listing, following Nova's links to further pages."""
        next_path = f"{path}&limit={_PAGE}"
        while next_path:
            body = self.call("GET", next_path)
            yield from body[key]
            links = (link["href"] for link in body.get(f"{key}_links", ()) if link["rel"] == "next")
            parsed = urllib.parse.urlsplit(next(links, ""))
            path = parsed.path.removeprefix("/v2.1")
            next_path = f"{path}?{parsed.query}" if parsed.query else ""

    def create(self, name: str, host: str, image: str, flavor: str, **more: object) -> ServerId:
        """Ask Nova to boot an instance on a host; more: further fields of it, over the usual."""
        server = {
            "name": name,
            "imageRef": image,
            "flavorRef": flavor,
            "networks": "none",
            "availability_zone": f"nova:{host}",
            **more,
        }
        return ServerId(self.call("POST", "/servers", {"server": server})["server"]["id"])

    def image(self) -> str:
        """Return the id of the image that all instances are made of."""
        return str(self._call("GET", f"{self._glance}/images?name=tiny")["images"][0]["id"])

    def flavor(self) -> str:
        """Return the id of the flavor that instances have where nothing else is said."""
        flavors = self.call("GET", "/flavors")["flavors"]
        return next(str(flavor["id"]) for flavor in flavors if flavor["name"] == "tiny")

    def _hypervisors(self) -> set[str]:
        rows = self.call("GET", "/os-hypervisors")["hypervisors"]
        return {row["hypervisor_hostname"] for row in rows}


def _server(row: rest.Json) -> Server:
    host = row["OS-EXT-SRV-ATTR:host"]
    return Server(
        id=ServerId(row["id"]),
        name=row["name"],
        status=row["status"],
        task_state=row["OS-EXT-STS:task_state"],
        host=NodeName(host) if host else None,
    )


def _service(row: rest.Json) -> Service:
    return Service(
        id=row["id"],
        host=NodeName(row["host"]),
        state=row["state"],
        status=row["status"],
        forced_down=row["forced_down"],
        disabled_reason=row["disabled_reason"],
        updated_at=row["updated_at"],
    )


def _migration(row: rest.Json) -> Migration:
    destination = row["dest_compute"]
    return Migration(
        id=row["id"],
        server=ServerId(row["instance_uuid"]),
        kind=row["migration_type"],
        status=row["status"],
        source=NodeName(row["source_compute"]),
        destination=NodeName(destination) if destination else None,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
