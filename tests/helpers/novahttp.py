"""A cloud as requests_mock answers for it: Keystone, and where Nova is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests_mock
from novaha.adapters.nova import Nova

KEYSTONE = "http://keystone.test/v3"
NOVA = "http://nova.test/v2.1"
PASSWORD = "top-secret"  # noqa: S105  (of a cloud that does not exist)

CLOUDS = f"""
clouds:
  test:
    region_name: R1
    auth:
      auth_url: {KEYSTONE}
      username: nova-ha
      password: {PASSWORD}
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
"""

PLACEMENT = "http://placement.test"


def _entry(kind: str, url: str) -> dict[str, Any]:
    place = {"id": f"e-{kind}", "interface": "public", "region": "R1", "region_id": "R1"}
    return {"type": kind, "name": kind, "id": kind, "endpoints": [{**place, "url": url}]}


TOKEN = {
    "token": {
        "methods": ["password"],
        "expires_at": "2999-01-01T00:00:00.000000Z",
        "issued_at": "2024-01-01T00:00:00.000000Z",
        "user": {"id": "u", "name": "nova-ha", "domain": {"id": "d", "name": "Default"}},
        "project": {"id": "p", "name": "admin", "domain": {"id": "d", "name": "Default"}},
        "roles": [{"id": "r", "name": "admin"}],
        "catalog": [_entry("compute", NOVA), _entry("placement", PLACEMENT)],
    }
}
IDENTITY = {
    "version": {
        "id": "v3.14",
        "status": "stable",
        "links": [{"rel": "self", "href": KEYSTONE}],
    }
}

SERVICE = {
    "id": "uuid-1",
    "binary": "nova-compute",
    "host": "compute-1",
    "status": "disabled",
    "disabled_reason": None,
    "state": "down",
    "forced_down": True,
    "updated_at": "2024-05-03T12:00:00.000000",
}
RECORD = {
    "id": 7,
    "uuid": "u-7",
    "instance_uuid": "vm-1",
    "source_compute": "compute-1",
    "dest_compute": None,
    "status": "accepted",
}


def version(newest: str) -> dict[str, Any]:
    link = {"rel": "self", "href": NOVA}
    return {
        "version": {
            "id": "v2.1",
            "status": "CURRENT",
            "version": newest,
            "min_version": "2.1",
            "links": [link],
        }
    }


@pytest.fixture
def http() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        mocker.get(KEYSTONE, json=IDENTITY)
        mocker.post(f"{KEYSTONE}/auth/tokens", json=TOKEN, headers={"X-Subject-Token": "t"})
        mocker.get(NOVA, json=version("2.96"))
        yield mocker


@pytest.fixture
def nova(http: requests_mock.Mocker, tmp_path: Path) -> Nova:
    assert http is not None
    path = tmp_path / "clouds.yaml"
    path.write_text(CLOUDS)
    return Nova("test", str(path), timeout_s=5)


def sent(http: requests_mock.Mocker) -> list[str]:
    return [f"{r.method} {r.url}" for r in http.request_history if r.url.startswith(f"{NOVA}/")]
