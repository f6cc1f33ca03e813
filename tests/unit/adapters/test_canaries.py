"""Canaries on a Nova and a Placement that answer over HTTP."""

from typing import Any

import pytest
import requests_mock
from novaha.adapters.nova import Nova
from novaha.core.canary import Canary, Recipe
from novaha.core.names import ComputeHost, ServerId
from novaha.errors import CloudRefused, CloudUnavailable
from novahttp import NOVA, PLACEMENT

pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

HOST = ComputeHost("compute-1.example.org")
CANARY = ServerId("c-1")
RECEIPT = "0123456789ab"
NAME = "nova-ha-canary-compute-1.example.org"
OURS = {"id": "c-1", "status": "BUILD", "metadata": {"nova_ha:canary": RECEIPT}}
DISABLED = "COMPUTE_STATUS_DISABLED"
TRAITS = f"{PLACEMENT}/resource_providers/u-1/traits"


def service(host: str) -> dict[str, Any]:
    return {"id": "u-1", "service": {"host": host}}


@pytest.fixture
def cloud(http: requests_mock.Mocker) -> requests_mock.Mocker:
    links = [{"rel": "self", "href": ""}]
    one = {"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT"}
    http.get(f"{PLACEMENT}/", json={"versions": [{**one, "links": links}]})
    http.get(f"{NOVA}/os-services", json={"services": [{"zone": "az-2", "status": "disabled"}]})
    rows = [{"id": "u-0", "service": {"host": "other"}}, service(HOST)]
    http.get(f"{NOVA}/os-hypervisors/detail", json={"hypervisors": rows})
    traits(http, "CUSTOM_GOLD", DISABLED)
    http.put(TRAITS, json={})
    http.post(f"{NOVA}/servers", json={"server": {"id": "c-1"}}, status_code=202)
    http.delete(f"{NOVA}/servers/c-1", status_code=204)
    return http


def traits(http: requests_mock.Mocker, *names: str) -> None:
    http.get(TRAITS, json={"traits": list(names), "resource_provider_generation": 7})


def changes(http: requests_mock.Mocker) -> list[tuple[str, str, Any]]:
    asked = [r for r in http.request_history if r.method != "GET" and "/auth/" not in r.path]
    return [(r.method, r.path.rpartition("/")[2], r.json() if r.body else None) for r in asked]


def listed(http: requests_mock.Mocker, *rows: object) -> None:
    http.get(f"{NOVA}/servers/detail", json={"servers": list(rows)})


def test_it_is_booted_on_one_host_by_name_after_placement_was_opened(
    nova: Nova, cloud: requests_mock.Mocker
) -> None:
    nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1"))
    server = {
        "name": NAME,
        "imageRef": "image-1",
        "flavorRef": "flavor-1",
        "networks": "none",
        "availability_zone": f"az-2:{HOST}",
        "metadata": {"nova_ha:canary": RECEIPT, "nova_ha:protect": "false"},
    }
    opened = {"traits": ["CUSTOM_GOLD"], "resource_provider_generation": 7}
    assert changes(cloud) == [("PUT", "traits", opened), ("POST", "servers", {"server": server})]


def test_a_host_that_is_open_already_is_not_changed(
    nova: Nova, cloud: requests_mock.Mocker
) -> None:
    traits(cloud, "CUSTOM_GOLD")
    nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1", "net-1"))
    ((method, _, body),) = changes(cloud)
    assert (method, body["server"]["networks"]) == ("POST", [{"uuid": "net-1"}])


@pytest.mark.parametrize("status", [204, 404])
def test_its_host_is_closed_again_when_it_is_deleted(
    nova: Nova, cloud: requests_mock.Mocker, status: int
) -> None:
    traits(cloud, "CUSTOM_GOLD")
    cloud.delete(f"{NOVA}/servers/c-1", status_code=status, json={})
    nova.delete_canary(HOST, CANARY)
    closed = {"traits": [DISABLED, "CUSTOM_GOLD"], "resource_provider_generation": 7}
    assert changes(cloud) == [("DELETE", "c-1", None), ("PUT", "traits", closed)]


@pytest.mark.parametrize("services", [[], [{"zone": "az-2", "status": "enabled"}]])
def test_a_host_that_a_person_has_enabled_or_removed_is_not_closed(
    nova: Nova, cloud: requests_mock.Mocker, services: list[object]
) -> None:
    traits(cloud, "CUSTOM_GOLD")
    cloud.get(f"{NOVA}/os-services", json={"services": services})
    nova.delete_canary(HOST, CANARY)
    assert changes(cloud) == [("DELETE", "c-1", None)]


def test_only_those_of_ours_are_listed_each_by_its_host(
    nova: Nova, cloud: requests_mock.Mocker
) -> None:
    theirs = {"id": "x", "status": "ACTIVE", "metadata": {"name": NAME}}
    failed = {**OURS, "id": "c-2", "status": "ERROR", "fault": {"message": "No port."}}
    listed(cloud, OURS, theirs, failed)
    assert nova.canaries(HOST) == (
        Canary(CANARY, RECEIPT, "BUILD"),
        Canary(ServerId("c-2"), RECEIPT, "ERROR", "No port."),
    )
    asked = cloud.request_history[-1]
    assert asked.qs["name"] == [r"^nova\-ha\-canary\-compute\-1\.example\.org$"]
    assert asked.qs["all_tenants"] == ["1"]


@pytest.mark.parametrize("rows", [[], [{"id": "u-1", "service": {"host": "other"}}], [{}, {}]])
def test_a_host_without_exactly_one_hypervisor_gets_none(
    nova: Nova, cloud: requests_mock.Mocker, rows: list[object]
) -> None:
    cloud.get(f"{NOVA}/os-hypervisors/detail", json={"hypervisors": rows})
    with pytest.raises(CloudUnavailable):
        nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1"))
    assert changes(cloud) == []


@pytest.mark.parametrize("first", [{"json": {"hypervisors": []}}, {"status_code": 404}])
def test_a_host_that_is_not_called_like_its_hypervisor_is_found_in_the_whole_list(
    nova: Nova, cloud: requests_mock.Mocker, first: dict[str, Any]
) -> None:
    url = f"{NOVA}/os-hypervisors/detail"
    cloud.get(f"{url}?hypervisor_hostname_pattern=compute-1", **first)
    nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1"))
    asked = [r.qs for r in cloud.request_history if r.path.endswith("/os-hypervisors/detail")]
    assert [list(each) for each in asked] == [["hypervisor_hostname_pattern"], ["limit"]]


@pytest.mark.parametrize("answer", [{}, {"traits": None}, {"traits": [], "x": 1}, []])
def test_an_answer_of_another_shape_is_none(
    nova: Nova, cloud: requests_mock.Mocker, answer: object
) -> None:
    cloud.get(TRAITS, json=answer)
    with pytest.raises(CloudUnavailable, match="Placement"):
        nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1"))
    assert changes(cloud) == []


def test_traits_that_somebody_changed_meanwhile_are_no_success(
    nova: Nova, cloud: requests_mock.Mocker
) -> None:
    cloud.put(TRAITS, status_code=409, json={"errors": [{"title": "Conflict"}]})
    with pytest.raises(CloudUnavailable, match="409"):
        nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1"))
    assert "POST" not in [method for method, _, _ in changes(cloud)]


def test_nova_s_refusal_is_one(nova: Nova, cloud: requests_mock.Mocker) -> None:
    fault = {"badRequest": {"message": "Can not find requested image", "code": 400}}
    cloud.post(f"{NOVA}/servers", status_code=400, json=fault)
    with pytest.raises(CloudRefused, match="Can not find requested image"):
        nova.boot_canary(HOST, RECEIPT, Recipe("image-1", "flavor-1"))
