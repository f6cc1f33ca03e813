"""Aggregates and server groups as Nova lists and changes them."""

from typing import Any

import pytest
import requests_mock
from novaha.adapters.nova import Nova
from novaha.adapters.rules import aggregate, server_group
from novaha.core.names import ComputeHost, ServerId
from novaha.core.rules import ServerGroup
from novaha.core.segments import Aggregate
from novaha.errors import CloudUnavailable
from novahttp import NOVA
from requests_mock.adapter import _Matcher

# openstacksdk warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

AGGREGATE: dict[str, Any] = {
    "id": 3, "name": "rack-1", "hosts": ["compute-1"], "metadata": {"nova_ha:segment": "s"},
}  # fmt: skip
GROUP: dict[str, Any] = {
    "id": "g-1",
    "name": "web",
    "policy": "anti-affinity",
    "rules": {"max_server_per_host": 2},
    "members": ["vm-1", "vm-2"],
}


def test_what_decisions_use_is_read() -> None:
    read = Aggregate(3, "rack-1", frozenset({ComputeHost("compute-1")}), {"nova_ha:segment": "s"})
    assert aggregate(AGGREGATE) == read
    members = frozenset({ServerId("vm-1"), ServerId("vm-2")})
    assert server_group(GROUP) == ServerGroup("g-1", "web", "anti-affinity", 2, members)


def test_a_group_of_an_older_nova_has_its_policy_in_a_list() -> None:
    old = {"id": "g-1", "name": "web", "policies": ["affinity"], "members": []}
    assert server_group(old) == ServerGroup("g-1", "web", "affinity")


@pytest.mark.parametrize("wrong", [{"hosts": None}, {"metadata": []}, {"id": "x"}, {"name": ...}])
def test_an_aggregate_of_another_shape_is_told(wrong: dict[str, Any]) -> None:
    raw = {k: v for k, v in {**AGGREGATE, **wrong}.items() if v is not ...}
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        aggregate(raw)


@pytest.mark.parametrize("wrong", [{"members": None}, {"rules": 7}, {"id": ...}])
def test_a_group_of_another_shape_is_told(wrong: dict[str, Any]) -> None:
    raw = {k: v for k, v in {**GROUP, **wrong}.items() if v is not ...}
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        server_group(raw)


def changed(http: requests_mock.Mocker, **answer: Any) -> _Matcher:  # noqa: ANN401
    """Have an aggregate answer to a change."""
    row = {**AGGREGATE, **answer}
    return http.post(f"{NOVA}/os-aggregates/3/action", json={"aggregate": row})


def test_each_change_is_one_request_and_returns_what_nova_holds_then(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    host = ComputeHost("spare-1")
    after = changed(http, hosts=["spare-1"], metadata={"key": "true", "other": "x"})
    read = Aggregate(3, "rack-1", frozenset({host}), {"key": "true", "other": "x"})
    assert nova.set_aggregate_metadata(3, {"key": "true"}) == read
    assert nova.add_to_aggregate(3, host) == read
    assert nova.remove_from_aggregate(3, host) == read
    assert [request.json() for request in after.request_history] == [
        {"set_metadata": {"metadata": {"key": "true"}}},
        {"add_host": {"host": "spare-1"}},
        {"remove_host": {"host": "spare-1"}},
    ]


def test_metadata_that_nova_does_not_show_is_not_believed(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    changed(http, metadata={"key": "false"})
    with pytest.raises(CloudUnavailable, match="does not show it"):
        nova.set_aggregate_metadata(3, {"key": "true"})
