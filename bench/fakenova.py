"""A Nova with one lost host, over HTTP: as much of it as a recovery asks for, and Keystone."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
PAGE = 1000
LISTS = {
    "/v2.1/os-services": "services",
    "/v2.1/os-aggregates": "aggregates",
    "/v2.1/os-server-groups": "server_groups",
    "/v2.1/servers": "servers",
    "/v2.1/servers/detail": "servers",
    "/v2.1/os-migrations": "migrations",
}
"""What each list is called in its answer."""
_ACTION = re.compile(r"/v2\.1/servers/([^/]+)/action")


class FakeNova:
    """A cloud whose instances are all on one host; an evacuation takes move_s."""

    def __init__(self, host: str, instances: int, move_s: float) -> None:
        """Boot them."""
        self.host, self.move_s = host, move_s
        self.names = {f"{n:08d}-0000-4000-8000-000000000000": f"vm-{n}" for n in range(instances)}
        self.sent_s: dict[str, float] = {}
        self.service: Json = {
            "id": "s-1", "host": host, "status": "enabled", "disabled_reason": None,
            "forced_down": False, "updated_at": "2026-01-01T00:00:00.0", "state": "up",
        }  # fmt: skip
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Json) -> Json:
        """Return what Nova answers; raises KeyError for what it does not know."""
        action = _ACTION.fullmatch(path)
        if action:
            self.sent_s.setdefault(action[1], time.monotonic())
            return {}
        if method == "PUT":
            self.service = {**self.service, **body}
            return {"service": self.service}
        key = LISTS[path]
        rows: dict[str, Callable[[], list[Json]]] = {
            "services": lambda: [self.service],
            "servers": lambda: [self.row(id_) for id_ in self.names if not self.gone(id_)],
            "migrations": lambda: [self.record(n, i) for n, i in enumerate(self.sent_s, 1)][::-1],
        }
        return page(rows.get(key, list)(), key, query)

    def gone(self, id_: str) -> bool:
        """Tell whether an instance has arrived elsewhere."""
        sent_s = self.sent_s.get(id_)
        return sent_s is not None and time.monotonic() - sent_s > self.move_s

    def row(self, id_: str) -> Json:
        """Return an instance about as long as a real one is in the detailed list."""
        addresses = [{"version": 4, "addr": "10.0.0.7", "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:0:0"}]
        return {
            "id": id_, "name": self.names[id_], "status": "ACTIVE", "locked": False,
            "tenant_id": "a" * 32, "user_id": "b" * 32, "metadata": {"role": "web"}, "tags": [],
            "image": {"id": "c" * 36}, "addresses": {"private": addresses}, "accessIPv4": "",
            "flavor": {"original_name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 20,
                       "ephemeral": 0, "swap": 0, "extra_specs": {"hw:cpu_policy": "shared"}},
            "OS-EXT-STS:vm_state": "active", "OS-EXT-STS:task_state": None,
            "OS-EXT-STS:power_state": 1, "OS-EXT-SRV-ATTR:host": self.host,
            "OS-EXT-SRV-ATTR:user_data": None, "links": [{"rel": "self", "href": "x" * 100}] * 2,
            "security_groups": [{"name": "default"}], "created": "2026-01-01T00:00:00Z",
        }  # fmt: skip

    def record(self, number: int, id_: str) -> Json:
        """Return the evacuation record of an instance."""
        return {
            "id": number, "uuid": f"{number:036d}", "instance_uuid": id_,
            "source_compute": self.host, "dest_compute": "compute-2",
            "status": "done" if self.gone(id_) else "running",
        }  # fmt: skip


def page(rows: list[Json], key: str, query: dict[str, list[str]]) -> Json:
    """Return a page of a list, with the link that says that there is another one."""
    marker = query.get("marker", [""])[0]
    ids = [str(row.get("uuid") or row["id"]) for row in rows]
    start = ids.index(marker) + 1 if marker in ids else 0
    part = rows[start : start + PAGE]
    more = {f"{key}_links": [{"rel": "next"}]} if len(part) == PAGE else {}
    return {key: part, **more}


def serve(cloud: FakeNova, pipe: Connection) -> None:
    """Serve until the pipe says stop; tell the address first, and the counts last."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud))
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(url)
    pipe.recv()
    pipe.send(cloud.counts)


def _handler(cloud: FakeNova) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def do_PUT(self) -> None:
            self._do()

        def log_message(self, *_: object) -> None:
            pass

        def _do(self) -> None:
            url = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            base = f"http://{self.headers['Host']}"
            status, answer, headers = 200, _keystone(self.command, url.path, base), {}
            if answer is None:
                with cloud.lock:
                    what = "/action" if _ACTION.fullmatch(url.path) else url.path
                    cloud.counts[f"{self.command} {what}"] += 1
                    body = json.loads(raw) if raw else {}
                    answer = cloud.answer(self.command, url.path, parse_qs(url.query), body)
            elif url.path == "/v3/auth/tokens":
                status, headers = 201, {"X-Subject-Token": "t"}
            text = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

    return Handler


def _keystone(method: str, path: str, base: str) -> Json | None:
    """Return what Keystone answers, and Nova's own versions; None for all else."""
    links = [{"rel": "self", "href": f"{base}{path}"}]
    if path in ("/v3", "/v3/"):
        return {"version": {"id": "v3.14", "status": "stable", "links": links}}
    if path in ("/v2.1", "/v2.1/"):
        version = {"id": "v2.1", "status": "CURRENT", "version": "2.100", "min_version": "2.1"}
        return {"version": {**version, "links": links}}
    if path == "/v3/auth/tokens" and method == "POST":
        who = {"id": "u", "name": "u", "domain": {"id": "d", "name": "Default"}}
        endpoint = {"id": "e", "interface": "public", "region": "R1", "region_id": "R1",
                    "url": f"{base}/v2.1"}  # fmt: skip
        catalog = [{"type": "compute", "name": "nova", "id": "c", "endpoints": [endpoint]}]
        times = {"expires_at": "2999-01-01T00:00:00.0Z", "issued_at": "2026-01-01T00:00:00.0Z"}
        return {"token": {"methods": ["password"], "user": who, "project": who, "roles": [],
                          "catalog": catalog, **times}}  # fmt: skip
    return None
