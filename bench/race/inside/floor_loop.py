"""The floor of a recovery: force a host down, evacuate, look at the records; nothing else.

Runs inside a controller, with the standard library only. argv[1] is JSON: keystone, nova, username,
password, project, host, servers, in_flight, poll_s. Says "ready", waits for a line, does it, and
says what it took. It knows no retry: a record that failed is at its end too.
"""

import json
import resource
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

IN_FLIGHT = {"accepted", "queued", "preparing", "pre-migrating", "running", "post-migrating"}
MICROVERSION = "compute 2.93"


def main() -> None:
    """Log in, wait for the word, recover, report."""
    told = json.loads(sys.argv[1])
    nova = Nova(told)
    service = nova.call("GET", f"/os-services?binary=nova-compute&host={told['host']}")
    say({"event": "ready"})
    sys.stdin.readline()
    nova.call("PUT", f"/os-services/{service['services'][0]['id']}", {"forced_down": True})
    Records(nova, told["host"], told["poll_s"]).evacuate(told["servers"], told["in_flight"])
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = usage.ru_utime + usage.ru_stime
    say({"event": "over", "cpu_s": cpu_s, "peak_mb": usage.ru_maxrss / 1024})


def say(what: dict[str, Any]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Nova:
    """Nova's API under one token."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Log in."""
        self._url: str = told["nova"]
        domain = {"id": "default"}
        user = {"name": told["username"], "domain": domain, "password": told["password"]}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": told["project"], "domain": domain}},
        }
        with _open("POST", f"{told['keystone']}/auth/tokens", {"auth": auth}, {}) as answer:
            token = answer.headers["X-Subject-Token"]
        self._headers = {"X-Auth-Token": token, "OpenStack-API-Version": MICROVERSION}

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Do one request; returns the decoded body."""
        with _open(method, self._url + path, body, self._headers) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
            return found


def _open(method: str, url: str, body: object, headers: dict[str, str]) -> Any:  # noqa: ANN401
    data = None if body is None else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data=data, method=method, headers=all_headers)  # noqa: S310
    return urllib.request.urlopen(request, timeout=120)  # noqa: S310


class Records:
    """Evacuations of one host and their records, which one thread looks at for all."""

    def __init__(self, nova: Nova, host: str, poll_s: float) -> None:
        """Begin with no record."""
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = f"source_compute={host}&migration_type=evacuation&changes-since={since}"
        self._nova, self._path, self._poll_s = nova, f"/os-migrations?{query}&limit=1000", poll_s
        self._ended: set[str] = set()
        self._looked = threading.Condition()
        self._stop = threading.Event()

    def evacuate(self, servers: list[str], in_flight: int) -> None:
        """Keep so many evacuations in flight until all are at their end."""
        looking = threading.Thread(target=self._look_again)
        looking.start()
        try:
            with ThreadPoolExecutor(in_flight) as pool:
                list(pool.map(self._one, servers))
        finally:
            self._stop.set()
            looking.join()

    def _one(self, server: str) -> None:
        self._nova.call("POST", f"/servers/{server}/action", {"evacuate": {}})
        with self._looked:
            while server not in self._ended:
                self._looked.wait()

    def _look_again(self) -> None:
        while not self._stop.wait(self._poll_s):
            rows = self._nova.call("GET", self._path)["migrations"]
            ended = {r["instance_uuid"] for r in rows if r["status"] not in IN_FLIGHT}
            with self._looked:
                self._ended = ended
                self._looked.notify_all()


if __name__ == "__main__":
    main()
