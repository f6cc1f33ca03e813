"""Requests that an API has served, from its access log."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One request; the client is an address, which tells controllers, cloud and host apart."""

    time_s: float
    client: str
    method: str
    path: str
    status: int


def requests(
    log: Path, *, since_s: float = 0.0, clients: tuple[str, ...] = ()
) -> Iterator[Request]:
    """Yield requests in the order they ended.

    since_s: only those that began then or later, in seconds since the epoch.
    clients: only those from these addresses, all if empty.
    """
    for line in log.read_text().splitlines():
        time_ms, client, method, path, status, _duration_ms = line.split()
        request = Request(int(time_ms) / 1000, client, method, path, int(status))
        if request.time_s >= since_s and (not clients or request.client in clients):
            yield request
