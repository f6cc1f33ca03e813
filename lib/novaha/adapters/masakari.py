"""Masakari's segments and Nova's aggregates, through openstacksdk's resource calls.

Only a migration comes here, so what is counted elsewhere (requests, look-ups) is of no account.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import openstack.exceptions
from keystoneauth1 import exceptions as ksa
from openstack.connection import Connection

from novaha.adapters.region import region_of
from novaha.core.names import ComputeHost
from novaha.core.segments import Aggregate, Segment, SegmentHost
from novaha.errors import CloudRefused, CloudUnavailable

T = TypeVar("T")
PAGE = 500
TIMEOUT_S = 60.0
CLIENT_ERRORS = range(400, 500)
NO_RIGHTS = frozenset({401, 403})


class Source:
    """One cloud of clouds.yaml with a Masakari in it.

    Raises ConfigError when the cloud cannot be found in the file, and for each call
    CloudUnavailable or CloudRefused.
    """

    def __init__(self, cloud: str, clouds_yaml: str) -> None:
        """Read the configuration; nothing is sent yet."""
        self._cloud = cloud
        region = region_of(cloud, clouds_yaml, api_timeout=TIMEOUT_S)
        self._connection = Connection(config=region)

    def segments(self) -> tuple[Segment, ...]:
        """Return all segments with their hosts, by name."""
        found = self._asked("Masakari", lambda: tuple(self._segments()))
        return tuple(sorted(found, key=lambda segment: segment.name))

    def _segments(self) -> Iterator[Segment]:
        masakari = self._connection.instance_ha
        for raw in _pages(masakari.segments):
            found = _pages(lambda raw=raw, **query: masakari.hosts(raw.uuid, **query))
            hosts = tuple(sorted(map(_host, found), key=lambda host: host.name))
            # Before its microversion 1.2 a segment has no flag, and works.
            enabled = True if raw.is_enabled is None else _flag(raw.is_enabled)
            yield Segment(_text(raw.name), _text(raw.recovery_method), enabled, hosts)

    def hosts(self) -> tuple[ComputeHost, ...]:
        """Return the hosts of Nova's compute services."""

        def read() -> tuple[ComputeHost, ...]:
            found = self._connection.compute.services(binary="nova-compute")
            return tuple(ComputeHost(_text(service.host)) for service in found)

        return self._asked("Nova", read)

    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return all host aggregates."""
        return self._asked(
            "Nova", lambda: tuple(map(_aggregate, self._connection.compute.aggregates()))
        )

    def addresses(self) -> Mapping[str, str]:
        """Return the addresses of hosts, as their hypervisors tell them."""

        def read() -> dict[str, str]:
            found = {}
            for each in self._connection.compute.hypervisors(details=True):
                service = each.service_details or {}
                if service.get("host") and each.host_ip:
                    found[str(service["host"])] = str(each.host_ip)
            return found

        return self._asked("Nova", read)

    def create(self, name: str) -> Aggregate:
        """Create a host aggregate without a zone."""
        return self._asked(
            "Nova", lambda: _aggregate(self._connection.compute.create_aggregate(name=name))
        )

    def add_host(self, aggregate: Aggregate, host: str) -> None:
        """Add a host to an aggregate."""
        id_ = str(aggregate.id)
        self._asked("Nova", lambda: self._connection.compute.add_host_to_aggregate(id_, host))

    def set_metadata(self, aggregate: Aggregate, metadata: Mapping[str, str]) -> None:
        """Set some of an aggregate's metadata; the others stay."""
        id_, new = str(aggregate.id), dict(metadata)
        self._asked("Nova", lambda: self._connection.compute.set_aggregate_metadata(id_, new))

    def _asked(self, whom: str, call: Callable[[], T]) -> T:
        """Do a call; whatever goes wrong is said with who did not answer as expected."""
        try:
            return call()
        except openstack.exceptions.HttpException as error:
            raise _of_http(whom, self._cloud, error) from error
        except (openstack.exceptions.SDKException, ksa.ClientException) as error:
            raise CloudUnavailable(_no_answer(whom, self._cloud, error)) from error
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            msg = f"{whom}'s answer is not as expected ({error}); is its endpoint really {whom}?"
            raise CloudUnavailable(msg) from error


def _pages(listed: Callable[..., Iterable[Any]]) -> Iterator[Any]:
    """Yield the objects of all pages; Masakari links no next one, and its pages may be shorter."""
    last: dict[str, Any] = {}
    while page := list(listed(paginated=False, limit=PAGE, **last)):
        yield from page
        last = {"marker": page[-1].id}


def _host(raw: Any) -> SegmentHost:  # noqa: ANN401  (a resource of openstacksdk)
    return SegmentHost(ComputeHost(_text(raw.name)), _flag(raw.reserved), _flag(raw.on_maintenance))


def _aggregate(raw: Any) -> Aggregate:  # noqa: ANN401
    hosts = frozenset(ComputeHost(_text(host)) for host in raw.hosts or ())
    metadata = {_text(key): _text(value) for key, value in (raw.metadata or {}).items()}
    return Aggregate(int(raw.id), _text(raw.name), hosts, metadata)


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is no text"
        raise TypeError(msg)
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        msg = f"{value!r} is neither true nor false"
        raise TypeError(msg)
    return value


def _of_http(
    whom: str, cloud: str, error: openstack.exceptions.HttpException
) -> CloudRefused | CloudUnavailable:
    status = int(error.status_code or 0)
    words = _first_line(error)
    if status in NO_RIGHTS:
        msg = f"{whom} refuses the account of cloud {cloud} ({status}): it wants an administrator's"
        return CloudRefused(msg, status)
    if status in CLIENT_ERRORS:
        return CloudRefused(f"{whom} refuses ({status}): {words}", status)
    return CloudUnavailable(f"{whom} gives no usable answer ({status or 'none'}): {words}")


def _no_answer(whom: str, cloud: str, error: Exception) -> str:
    if isinstance(error, ksa.EndpointNotFound | openstack.exceptions.NotSupported):
        kind = "instance-ha" if whom == "Masakari" else "compute"
        return f"the catalog of cloud {cloud} has no endpoint of {whom}, of the type {kind}"
    if isinstance(error, ksa.Unauthorized):
        return f"Keystone refuses the account of cloud {cloud} (401): mend its entry in clouds.yaml"
    return f"{whom} of cloud {cloud} gives no answer: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split(": HTTPConnectionPool", 1)[0][:300]
