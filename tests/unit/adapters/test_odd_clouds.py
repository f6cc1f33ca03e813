"""What answers may be no Keystone or an older Nova, and clouds.yaml nonsense: never a traceback."""

from pathlib import Path
from typing import Any

import pytest
import requests_mock
import yaml
from novaha.adapters.nova import Nova
from novaha.core.names import ComputeHost
from novaha.errors import CloudUnavailable, ConfigError
from novahttp import CLOUDS, IDENTITY, KEYSTONE, NOVA, PASSWORD, TOKEN, sent, version

# openstacksdk warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

HOST = ComputeHost("compute-1")
VALUES: tuple[Any, ...] = (None, 5, "x", [], {}, [5], {"a": 5}, True, -1, 1e300)


def with_odd(whole: Any, path: tuple[str | int, ...], value: Any) -> Any:  # noqa: ANN401
    """Return a copy of an answer with one part of it replaced."""
    if not path:
        return value
    copy = dict(whole) if isinstance(whole, dict) else list(whole)
    copy[path[0]] = with_odd(copy[path[0]], path[1:], value)  # type: ignore[index]
    return copy


TOKEN_PARTS: tuple[tuple[str | int, ...], ...] = (
    (),
    ("token",),
    ("token", "catalog"),
    ("token", "catalog", 0),
    ("token", "catalog", 0, "endpoints"),
    ("token", "catalog", 0, "endpoints", 0),
    ("token", "catalog", 0, "endpoints", 0, "url"),
    ("token", "catalog", 0, "type"),
    ("token", "expires_at"),
    ("token", "project"),
)
VERSION_PARTS: tuple[tuple[str | int, ...], ...] = (
    (),
    ("version",),
    ("version", "id"),
    ("version", "status"),
    ("version", "links"),
    ("version", "links", 0),
    ("version", "links", 0, "href"),
)


NOVA_PARTS: tuple[tuple[str | int, ...], ...] = (
    ("version", "version"),
    ("version", "min_version"),
)


def asked(nova: Nova) -> str:
    """Return why nothing is known, "" where something is after all."""
    try:
        nova.services()
    except CloudUnavailable as error:
        return str(error)
    return ""


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("part", TOKEN_PARTS)
def test_an_odd_token_is_a_cloud_that_gives_no_answer(
    nova: Nova, http: requests_mock.Mocker, part: tuple[str | int, ...], value: object
) -> None:
    http.post(
        f"{KEYSTONE}/auth/tokens",
        json=with_odd(TOKEN, part, value),
        headers={"X-Subject-Token": "t"},
    )
    http.get(f"{NOVA}/os-services", json={"services": []})
    assert PASSWORD not in asked(nova)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("part", [*VERSION_PARTS, *NOVA_PARTS])
def test_an_odd_version_document_is_a_cloud_that_gives_no_answer(
    nova: Nova, http: requests_mock.Mocker, part: tuple[str | int, ...], value: object
) -> None:
    http.get(NOVA, json=with_odd(version("2.96"), part, value))
    http.post(f"{KEYSTONE}/x/v3/auth/tokens", status_code=404)
    if part in VERSION_PARTS:
        http.get(KEYSTONE, json=with_odd(IDENTITY, part, value))
    http.get(f"{NOVA}/os-services", json={"services": []})
    assert PASSWORD not in asked(nova)


ENTRY_PARTS: tuple[tuple[str | int, ...], ...] = (
    ("clouds", "test"),
    ("clouds", "test", "auth"),
    ("clouds", "test", "auth", "auth_url"),
    ("clouds", "test", "auth", "username"),
    ("clouds", "test", "region_name"),
    ("clouds", "test", "auth_type"),
    ("clouds", "test", "interface"),
    ("clouds", "test", "compute_endpoint_override"),
    ("clouds", "test", "verify"),
    ("clouds", "test", "cacert"),
)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("part", ENTRY_PARTS)
def test_a_wrong_entry_of_clouds_yaml_is_told_without_its_password(
    http: requests_mock.Mocker, tmp_path: Path, part: tuple[str | int, ...], value: object
) -> None:
    whole = yaml.safe_load(CLOUDS)
    whole["clouds"]["test"] |= dict.fromkeys(
        ("auth_type", "interface", "compute_endpoint_override", "verify", "cacert")
    )
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(with_odd(whole, part, value)))
    http.get(f"{NOVA}/os-services", json={"services": []})
    try:
        why = asked(Nova("test", str(path), timeout_s=5))
    except ConfigError as error:
        why = str(error)
    assert PASSWORD not in why


def test_a_nova_that_was_replaced_by_an_older_one_is_asked_for_its_versions_anew(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/os-services", json={"services": []})
    assert nova.services() == ()
    http.get(NOVA, json=version("2.87"))
    http.get(f"{NOVA}/servers", status_code=406, json={"computeFault": {"message": "no 2.94"}})
    with pytest.raises(CloudUnavailable, match="asked anew"):
        nova.servers(HOST)
    http.get(f"{NOVA}/servers", json={"servers": [{"id": "a", "name": "a"}]})
    assert len(nova.servers(HOST)) == 1
    last = http.request_history[-1]
    assert last.url in sent(http)[-1]
    assert last.headers["OpenStack-API-Version"] == "compute 2.87"


def test_no_request_waits_without_an_end_for_keystone_or_for_novas_versions(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/os-services", json={"services": []})
    nova.services()
    assert {request.timeout for request in http.request_history} == {5}
    assert len(http.request_history) > 2
