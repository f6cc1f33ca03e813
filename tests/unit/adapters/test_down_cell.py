"""A Nova cell whose database gives no answer: Nova leaves out what is in it, and answers 200."""

from collections.abc import Callable

import pytest
import requests_mock
from novaha.adapters.nova import Nova
from novaha.core.names import ComputeHost
from novaha.errors import CloudUnavailable
from novahttp import NOVA, RECORD, SERVICE, sent

# openstacksdk warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

HOST = ComputeHost("compute-1")
STUB = {"binary": "nova-compute", "host": "compute-1", "status": "UNKNOWN"}
"""As Nova 34.0 shows it while it cannot connect to the database of the cell."""
FLYING = {**RECORD, "status": "running"}
ASK: dict[str, Callable[[Nova], object]] = {
    "servers": lambda nova: nova.servers(HOST),
    "servers/detail": lambda nova: nova.servers(HOST, details=True),
    "os-migrations": lambda nova: nova.migrations(HOST),
}
KEYS = {"servers": "servers", "servers/detail": "servers", "os-migrations": "migrations"}


def test_only_the_host_of_a_service_behind_a_down_cell_is_known(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/os-services", json={"services": [STUB, {**SERVICE, "host": "compute-2"}]})
    assert [(s.host, s.hidden) for s in nova.services()] == [
        ("compute-1", True),
        ("compute-2", False),
    ]


@pytest.mark.parametrize("path", ASK)
def test_an_empty_list_of_a_host_behind_a_down_cell_is_no_answer(
    nova: Nova, http: requests_mock.Mocker, path: str
) -> None:
    http.get(f"{NOVA}/{path}", json={KEYS[path]: []})
    http.get(f"{NOVA}/os-services", json={"services": [STUB]})
    with pytest.raises(CloudUnavailable, match="cell of compute-1 is down"):
        ASK[path](nova)
    assert any("host=compute-1" in url for url in sent(http) if "os-services" in url)


@pytest.mark.parametrize("path", ASK)
@pytest.mark.parametrize("services", [[SERVICE], []])
def test_an_empty_list_is_believed_when_the_cell_answers(
    nova: Nova, http: requests_mock.Mocker, path: str, services: list[object]
) -> None:
    http.get(f"{NOVA}/{path}", json={KEYS[path]: []})
    http.get(f"{NOVA}/os-services", json={"services": services})
    assert ASK[path](nova) == ()


def test_what_a_moment_of_the_cell_had_left_out_is_seen(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    there = {"json": {"migrations": [FLYING]}}
    http.get(f"{NOVA}/os-migrations", [{"json": {"migrations": []}}, there])
    http.get(f"{NOVA}/os-services", json={"services": [SERVICE]})
    assert [record.id for record in nova.migrations(HOST)] == [7]


def test_a_page_that_a_moment_of_the_cell_had_left_out_is_seen(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    """`[api] max_limit` of 1."""
    link = {"migrations_links": [{"rel": "next", "href": "ignored"}]}
    http.get(f"{NOVA}/os-migrations", json={"migrations": [FLYING], **link})
    last = {"json": {"migrations": [{**FLYING, "id": 8, "uuid": "u-8"}]}}
    http.get(f"{NOVA}/os-migrations?marker=u-7", [{"json": {"migrations": []}}, last])
    http.get(f"{NOVA}/os-services", json={"services": [SERVICE]})
    assert [record.id for record in nova.migrations(HOST)] == [7, 8]


def test_a_list_that_shows_something_is_whole_and_asked_for_once(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/os-migrations", json={"migrations": [FLYING]})
    assert len(nova.migrations(HOST)) == 1
    assert len(sent(http)) == 1
