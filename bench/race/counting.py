"""What a contender asked of the APIs, from their access logs."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from testcloud import access_log
from testcloud.access_log import Request
from testcloud.cluster import Cluster

APIS = ("nova", "keystone")
_LOGS = {"nova": "nova-api", "keystone": "keystone"}
_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

Asked = Mapping[str, Sequence[Request]]


def requests(cluster: Cluster, clients: tuple[str, ...], since_s: float) -> Asked:
    """Return the requests of these addresses to each API since a moment."""
    logs = {api: cluster.access_log(name) for api, name in _LOGS.items()}
    return {
        api: tuple(access_log.requests(log, since_s=since_s, clients=clients))
        for api, log in logs.items()
    }


def count(asked: Asked, until_s: float) -> dict[str, int]:
    """Return how many requests each API got before a moment."""
    return {api: sum(r.time_s <= until_s for r in found) for api, found in asked.items()}


def kinds(requests: Iterable[Request], until_s: float) -> dict[str, int]:
    """Return how often each kind of request was made before a moment, the most frequent first."""
    counted = Counter(_kind(request) for request in requests if request.time_s <= until_s)
    return dict(counted.most_common())


def _kind(request: Request) -> str:
    path = _ID.sub("ID", request.path.partition("?")[0]).removeprefix("/v2.1")
    return f"{request.method} {path or '/'}"


def marks(requests: Sequence[Request], since_s: float) -> dict[str, float]:
    """Return when the service was changed first, and servers first and last, in seconds."""
    found = {}
    ordered = sorted(requests, key=lambda request: request.time_s)  # logged as they ended
    changing = [r for r in ordered if r.method == "PUT"]
    acting = [r for r in ordered if r.method == "POST" and r.path.endswith("/action")]
    if changing:
        found["service changed"] = changing[0].time_s - since_s
    if acting:
        found["first action"] = acting[0].time_s - since_s
        found["last action"] = acting[-1].time_s - since_s
    return {name: round(at_s, 3) for name, at_s in found.items()}
