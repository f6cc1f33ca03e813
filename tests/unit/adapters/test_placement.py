"""What Placement tells of the room that is left, and that nobody waits for it."""

from typing import Any

import pytest
import requests
import requests_mock
from novaha.adapters.nova import Nova
from novaha.core.capacity import Room
from novaha.errors import CloudUnavailable
from novahttp import PLACEMENT

# openstacksdk warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

SUMMARY = {"VCPU": {"capacity": 8, "used": 3}, "MEMORY_MB": {"capacity": 100, "used": 40}}


@pytest.fixture
def answers(http: requests_mock.Mocker) -> dict[str, Any]:
    disk = {"DISK_GB": {"capacity": 9, "used": 0}}
    summaries = {"u-1": {"resources": SUMMARY}, "u-2": {"resources": disk}}
    found = {"provider_summaries": summaries}
    links = [{"rel": "self", "href": ""}]
    one = {"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT"}
    http.get(f"{PLACEMENT}/", json={"versions": [{**one, "links": links}]})
    http.get(f"{PLACEMENT}/allocation_candidates", json=found)
    listed = [{"uuid": "u-1", "name": "compute-1"}, {"uuid": "u-2", "name": "storage"}]
    http.get(f"{PLACEMENT}/resource_providers", json={"resource_providers": listed})
    return found


def test_what_is_free_is_told_for_each_host_and_for_nothing_else(
    nova: Nova, answers: dict[str, Any]
) -> None:
    assert answers
    assert nova.rooms() == (Room("compute-1", 5, 60, None),)


def test_a_host_that_is_disabled_is_not_asked_for(
    nova: Nova, answers: dict[str, Any], http: requests_mock.Mocker
) -> None:
    assert answers
    nova.rooms()
    asked = [r for r in http.request_history if r.path == "/allocation_candidates"]
    assert asked[0].qs["required"] == ["!compute_status_disabled"]
    assert asked[0].headers["OpenStack-API-Version"] == "placement 1.29"


@pytest.mark.parametrize("wrong", [{}, {"provider_summaries": {"u-1": {}}}, [], "text"])
def test_an_answer_of_another_shape_is_none(
    nova: Nova, answers: dict[str, Any], http: requests_mock.Mocker, wrong: object
) -> None:
    assert answers
    http.get(f"{PLACEMENT}/allocation_candidates", json=wrong)
    with pytest.raises(CloudUnavailable, match="Placement"):
        nova.rooms()


@pytest.mark.parametrize(
    "broken",
    [{"exc": requests.exceptions.ConnectTimeout}, {"status_code": 503}, {"text": "no JSON"}],
)
def test_a_placement_that_gives_no_answer_is_told_in_one_line(
    nova: Nova, answers: dict[str, Any], http: requests_mock.Mocker, broken: dict[str, Any]
) -> None:
    assert answers
    http.get(f"{PLACEMENT}/allocation_candidates", **broken)
    with pytest.raises(CloudUnavailable) as raised:
        nova.rooms()
    assert "\n" not in str(raised.value)
