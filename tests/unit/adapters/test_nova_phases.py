"""Requests of two phases, on a Nova that answers over HTTP."""

from collections.abc import Mapping
from typing import Any

import pytest
import requests_mock
from novaha.adapters.nova import Nova
from novaha.core.actions import Evacuate, Start
from novaha.core.names import ComputeHost, ServerId
from novaha.errors import CloudRefused, CloudUnavailable, NeedsNoStart, NotInTwoPhases
from novahttp import NOVA, version

pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

HOST = ComputeHost("compute-1")
STOPPED = Evacuate(ServerId("vm-1"), HOST, stopped=True)
START = Start(ServerId("vm-1"), HOST)
ACTION, ACTIONS = f"{NOVA}/servers/vm-1/action", f"{NOVA}/servers/vm-1/os-instance-actions"
OLD = "Starting with microversion 2.95, please use an older microversion."


def done(http: requests_mock.Mocker, *actions: str) -> None:
    http.get(ACTIONS, json={"instanceActions": [{"action": action} for action in actions]})


def fault(status: int, text: str) -> dict[str, Any]:
    body: Mapping[str, Any] = {"fault": {"code": status, "message": text}}
    return {"status_code": status, "json": body}


def test_what_is_to_be_left_stopped_is_asked_for_with_that_microversion_and_no_other(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    post = http.post(ACTION, status_code=200)
    for request in (STOPPED, Evacuate(ServerId("vm-1"), HOST)):
        nova.post(request)
    versions = [r.headers["OpenStack-API-Version"] for r in post.request_history]
    assert versions == ["compute 2.95", "compute 2.94"]
    assert [r.json() for r in post.request_history] == [{"evacuate": {}}] * 2


@pytest.mark.parametrize(
    ("status", "text"), [(400, OLD), (409, "Unsupported RPC version for rebuild_instance.")]
)
def test_a_cloud_with_an_old_part_is_told_apart_from_an_instance_that_cannot_move(
    nova: Nova, http: requests_mock.Mocker, status: int, text: str
) -> None:
    http.post(ACTION, **fault(status, text))
    with pytest.raises(NotInTwoPhases):
        nova.evacuate(STOPPED)
    http.post(ACTION, **fault(409, "has shares"))
    with pytest.raises(CloudRefused) as caught:
        nova.evacuate(STOPPED)
    assert not isinstance(caught.value, NotInTwoPhases)


def test_an_api_without_it_is_not_asked(nova: Nova, http: requests_mock.Mocker) -> None:
    http.get(NOVA, json=version("2.94"))
    post = http.post(ACTION, status_code=200)
    assert not nova.leaves_stopped()
    with pytest.raises(NotInTwoPhases):
        nova.evacuate(STOPPED)
    assert post.call_count == 0


def test_a_start_reads_what_was_done_and_then_asks(nova: Nova, http: requests_mock.Mocker) -> None:
    done(http, "evacuate", "stop", "create")
    post = http.post(ACTION, status_code=202)
    nova.post(START)
    assert [r.json() for r in post.request_history] == [{"os-start": None}]


def test_what_was_stopped_after_its_evacuation_is_not_started(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    done(http, "stop", "start", "evacuate")
    post = http.post(ACTION, status_code=202)
    with pytest.raises(NeedsNoStart, match="stopped after its evacuation"):
        nova.start(START)
    assert post.call_count == 0


def test_what_runs_or_is_gone_needs_no_start(nova: Nova, http: requests_mock.Mocker) -> None:
    done(http, "evacuate")
    http.post(ACTION, **fault(409, "Cannot 'start' instance vm-1 while it is in vm_state active"))
    with pytest.raises(NeedsNoStart):
        nova.start(START)
    http.get(ACTIONS, **fault(404, "Instance vm-1 could not be found."))
    with pytest.raises(NeedsNoStart):
        nova.start(START)


def test_any_other_refusal_of_a_start_is_one(nova: Nova, http: requests_mock.Mocker) -> None:
    done(http, "evacuate")
    http.post(ACTION, **fault(409, "Cannot 'start' instance vm-1 while it is in vm_state error"))
    with pytest.raises(CloudRefused) as caught:
        nova.start(START)
    assert not isinstance(caught.value, NeedsNoStart)


@pytest.mark.parametrize("body", [{}, {"instanceActions": None}, {"instanceActions": [{}]}, []])
def test_a_list_of_actions_of_another_shape_starts_nothing(
    nova: Nova, http: requests_mock.Mocker, body: object
) -> None:
    http.get(ACTIONS, json=body)
    post = http.post(ACTION, status_code=202)
    with pytest.raises(CloudUnavailable):
        nova.start(START)
    assert post.call_count == 0
