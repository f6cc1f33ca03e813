"""Nova over HTTP: what is sent, what is read, and what every wrong answer becomes."""

from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
from novaha.adapters.nova import Nova
from novaha.core.actions import Evacuate, LiveMigrate
from novaha.core.details import Details
from novaha.core.model import Migration, Server
from novaha.core.names import ComputeHost, ServerId
from novaha.errors import CloudRefused, CloudUnavailable, ConfigError
from novahttp import (
    CLOUDS,
    IDENTITY,
    KEYSTONE,
    NOVA,
    PASSWORD,
    RECORD,
    SERVICE,
    sent,
    version,
)
from worlds import service

# openstacksdk warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

HOST = ComputeHost("compute-1")
EVACUATE = Evacuate(ServerId("vm-1"), HOST)


def test_services_are_read_as_they_stand(nova: Nova, http: requests_mock.Mocker) -> None:
    http.get(f"{NOVA}/os-services", json={"services": [SERVICE]})
    (found,) = nova.services()
    assert found == service(
        id="uuid-1",
        enabled=False,
        forced_down=True,
        heartbeat="2024-05-03T12:00:00.000000",
        up=False,
    )


def test_each_question_is_one_request_with_one_token_and_one_microversion(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/os-services", json={"services": []})
    for _ in range(3):
        nova.services()
    assert sent(http) == [f"GET {NOVA}/os-services?binary=nova-compute"] * 3
    versions = {r.headers.get("OpenStack-API-Version") for r in http.request_history[-3:]}
    assert versions == {"compute 2.94"}
    assert len([r for r in http.request_history if "auth/tokens" in r.url]) == 1


def test_an_older_nova_is_spoken_to_in_its_own_microversion(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(NOVA, json=version("2.72"))
    assert nova.microversion() == "2.72"


def test_a_nova_that_cannot_page_its_records_is_refused(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(NOVA, json=version("2.53"))
    with pytest.raises(CloudUnavailable, match=r"2, 53.*2, 59"):
        nova.services()


def test_a_nova_that_was_down_when_first_asked_is_found_later(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(NOVA, status_code=503, text="down")
    http.get(f"{NOVA}/os-services", status_code=503, text="down")
    with pytest.raises(CloudUnavailable, match="gives no answer"):
        nova.services()
    http.get(NOVA, json=version("2.96"))
    http.get(f"{NOVA}/os-services", json={"services": [SERVICE]})
    assert len(nova.services()) == 1


def test_servers_are_listed_for_all_projects_with_details_only_on_demand(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/servers", json={"servers": [{"id": "vm-1", "name": "one"}]})
    raw = {"id": "vm-1", "name": "one", "OS-EXT-STS:vm_state": "active"}
    detailed = {**raw, "OS-EXT-STS:task_state": None}
    http.get(f"{NOVA}/servers/detail", json={"servers": [detailed]})
    assert nova.servers(HOST) == (Server(ServerId("vm-1"), "one"),)
    assert nova.servers(HOST, details=True) == (Server(ServerId("vm-1"), "one", "", Details()),)
    assert sent(http)[0].endswith("/servers?all_tenants=1&host=compute-1&limit=1000")


def test_details_of_another_shape_are_no_answer(nova: Nova, http: requests_mock.Mocker) -> None:
    http.get(f"{NOVA}/servers/detail", json={"servers": [{"id": "vm-1", "name": "one"}]})
    with pytest.raises(CloudUnavailable, match="not as expected: KeyError"):
        nova.servers(HOST, details=True)


def test_records_are_read_with_and_without_a_destination(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    arrived = {**RECORD, "id": 8, "dest_compute": "compute-2", "status": "done"}
    http.get(f"{NOVA}/os-migrations", json={"migrations": [arrived, RECORD]})
    assert nova.migrations(HOST) == (
        Migration(8, ServerId("vm-1"), HOST, ComputeHost("compute-2"), "done"),
        Migration(7, ServerId("vm-1"), HOST, None, "accepted"),
    )
    assert "migration_type=evacuation&source_compute=compute-1" in sent(http)[0]


@pytest.mark.parametrize("size", [1, 100])
def test_all_pages_are_read_however_short_novas_pages_are(
    nova: Nova, http: requests_mock.Mocker, size: int
) -> None:
    """`[api] max_limit` may be less than what we ask for."""
    pages = [[{**RECORD, "id": p * size + i, "uuid": f"u{p}"} for i in range(size)] for p in (0, 1)]
    first = {"migrations": pages[0], "migrations_links": [{"rel": "next", "href": "ignored"}]}
    http.get(f"{NOVA}/os-migrations", json=first)
    http.get(f"{NOVA}/os-migrations?marker=u0", json={"migrations": pages[1]})
    assert [m.id for m in nova.migrations(HOST)] == list(range(2 * size))


def test_servers_are_paged_by_their_id(nova: Nova, http: requests_mock.Mocker) -> None:
    link = [{"rel": "next", "href": "ignored"}]
    first = {"servers": [{"id": "a", "name": "a"}], "servers_links": link}
    http.get(f"{NOVA}/servers", json=first)
    http.get(f"{NOVA}/servers?marker=a", json={"servers": [{"id": "b", "name": "b"}]})
    assert [s.id for s in nova.servers(HOST)] == ["a", "b"]


def test_a_change_is_one_request_and_returns_what_nova_holds_then(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    put = http.put(f"{NOVA}/os-services/uuid-1", json={"service": SERVICE})
    old = service(id="uuid-1")
    assert nova.set_forced_down(old, forced_down=True).forced_down
    assert put.last_request is not None
    assert put.last_request.json() == {"forced_down": True}
    assert not nova.set_enabled(old, enabled=False, reason="nova-ha: x").enabled
    assert put.last_request.json() == {"status": "disabled", "disabled_reason": "nova-ha: x"}
    assert len(sent(http)) == 2


def test_a_change_that_nova_does_not_show_is_not_believed(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.put(f"{NOVA}/os-services/uuid-1", json={"service": SERVICE})
    old = service(id="uuid-1")
    with pytest.raises(CloudUnavailable, match="does not show it"):
        nova.set_forced_down(old, forced_down=False)
    with pytest.raises(CloudUnavailable, match="does not show it"):
        nova.set_enabled(old, enabled=True)


def test_an_evacuation_to_a_host_names_it_and_leaves_the_check_to_the_scheduler(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    post = http.post(f"{NOVA}/servers/vm-1/action", status_code=200)
    nova.evacuate(Evacuate(ServerId("vm-1"), HOST, to=ComputeHost("spare-1")))
    assert post.last_request is not None
    assert post.last_request.json() == {"evacuate": {"host": "spare-1"}}


def test_the_scheduler_is_passed_by_with_the_newest_version_that_lets_it_be(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    post = http.post(f"{NOVA}/servers/vm-1/action", status_code=200)
    nova.evacuate(Evacuate(ServerId("vm-1"), HOST, to=ComputeHost("like-it"), forced=True))
    assert post.last_request is not None
    assert post.last_request.json() == {"evacuate": {"host": "like-it", "force": True}}
    assert post.last_request.headers["OpenStack-API-Version"] == "compute 2.67"


def test_an_evacuation_is_one_post_without_host_or_force(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    post = http.post(f"{NOVA}/servers/vm-1/action", status_code=200)
    nova.evacuate(EVACUATE)
    assert post.call_count == 1
    assert post.last_request is not None
    assert post.last_request.json() == {"evacuate": {}}


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_refusal_carries_novas_own_words(
    nova: Nova, http: requests_mock.Mocker, status: int
) -> None:
    body = {"conflict": {"message": "Instance vm-1 is locked", "code": status}}
    http.post(f"{NOVA}/servers/vm-1/action", status_code=status, json=body)
    with pytest.raises(CloudRefused, match=f"vm-1 is locked.*{status}") as caught:
        nova.evacuate(EVACUATE)
    assert caught.value.status == status


@pytest.mark.parametrize("text", ["<html>403</html>", "[]", '{"a": 1}', '{"a": {}}', ""])
def test_a_refusal_without_words_is_a_refusal(
    nova: Nova, http: requests_mock.Mocker, text: str
) -> None:
    http.post(f"{NOVA}/servers/vm-1/action", status_code=403, text=text)
    with pytest.raises(CloudRefused, match="gave no reason"):
        nova.evacuate(EVACUATE)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503, 504])
def test_an_answer_that_decides_nothing_is_sent_once_and_leaves_it_open(
    nova: Nova, http: requests_mock.Mocker, status: int
) -> None:
    """A repeated POST is the one thing that must never happen behind our back."""
    post = http.post(f"{NOVA}/servers/vm-1/action", status_code=status, text="<html>")
    with pytest.raises(CloudUnavailable, match=str(status)):
        nova.evacuate(EVACUATE)
    assert post.call_count == (2 if status == 401 else 1)  # 401: nothing was done, a fresh token


@pytest.mark.parametrize(
    "error", [requests.ConnectTimeout, requests.ReadTimeout, requests.ConnectionError]
)
def test_a_connection_that_breaks_is_not_tried_again_behind_our_back(
    nova: Nova, http: requests_mock.Mocker, error: type[Exception]
) -> None:
    post = http.post(f"{NOVA}/servers/vm-1/action", exc=error)
    with pytest.raises(CloudUnavailable):
        nova.evacuate(EVACUATE)
    assert post.call_count == 1


BAD_BODIES = [
    "<html><body>Bad gateway</body></html>",
    "null",
    "[]",
    "7",
    "{}",
    '{"services": null, "servers": null, "migrations": null}',
    '{"services": {}, "servers": "x", "migrations": 7}',
    '{"services": [null], "servers": [null], "migrations": [null]}',
    '{"services": [{}], "servers": [{}], "migrations": [{}]}',
    '{"services": ["x"], "servers": ["x"], "migrations": ["x"]}',
]


@pytest.mark.parametrize("body", BAD_BODIES)
@pytest.mark.parametrize("what", ["services", "servers", "migrations"])
def test_an_answer_of_another_shape_never_reads_as_an_empty_list(
    nova: Nova, http: requests_mock.Mocker, what: str, body: str
) -> None:
    http.get(requests_mock.ANY, text=body)
    http.get(NOVA, json=version("2.96"))
    http.get(KEYSTONE, json=IDENTITY)
    with pytest.raises(CloudUnavailable, match="Nova"):
        ask(nova, what)


def ask(nova: Nova, what: str) -> object:
    if what == "services":
        return nova.services()
    return nova.servers(HOST) if what == "servers" else nova.migrations(HOST)


def test_a_record_with_a_number_that_is_none_is_not_believed(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.get(f"{NOVA}/os-migrations", json={"migrations": [{**RECORD, "id": "seven"}]})
    with pytest.raises(CloudUnavailable, match="not as expected"):
        nova.migrations(HOST)


def test_wrong_credentials_are_told_apart_and_the_password_is_not_told(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.post(f"{KEYSTONE}/auth/tokens", status_code=401, json={"error": {"message": "no"}})
    with pytest.raises(CloudUnavailable, match=r"credentials \(401\).*clouds.yaml") as caught:
        nova.services()
    assert PASSWORD not in str(caught.value)


def test_a_keystone_that_is_down_is_no_refusal(nova: Nova, http: requests_mock.Mocker) -> None:
    http.get(KEYSTONE, exc=requests.ConnectionError)
    http.post(f"{KEYSTONE}/auth/tokens", exc=requests.ConnectionError)
    with pytest.raises(CloudUnavailable):
        nova.services()


def test_an_unknown_cloud_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text(CLOUDS)
    with pytest.raises(ConfigError, match=r"'other'.*clouds\.yaml"):
        Nova("other", str(path), timeout_s=5)


@pytest.mark.parametrize(
    "text",
    ["clouds: [", "just words", "", "clouds: 7", "\x00", f"clouds:\n  test: {{{PASSWORD}: [\n"],
)
def test_a_file_that_is_no_clouds_yaml_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Nova("test", str(path), timeout_s=5)
    assert PASSWORD not in str(caught.value)


def test_a_state_is_reset_right_before_the_evacuation_and_no_more_is_sent_when_that_is_refused(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    action = http.post(f"{NOVA}/servers/vm-1/action", json={})
    nova.evacuate(Evacuate(ServerId("vm-1"), HOST, reset=True))
    bodies = [request.json() for request in action.request_history]
    assert bodies == [{"os-resetState": {"state": "active"}}, {"evacuate": {}}]
    refused = http.post(f"{NOVA}/servers/vm-1/action", status_code=403, json={})
    with pytest.raises(CloudRefused):
        nova.evacuate(Evacuate(ServerId("vm-1"), HOST, reset=True))
    assert refused.call_count == 1


def test_all_server_groups_are_read_page_by_page(nova: Nova, http: requests_mock.Mocker) -> None:
    groups = [{"id": f"g-{n}", "name": "web", "policy": "affinity", "members": []} for n in (1, 2)]
    http.get(f"{NOVA}/os-aggregates", json={"aggregates": []})
    pages: list[dict[str, Any]] = [
        {"json": {"server_groups": groups}},
        {"json": {"server_groups": []}},
    ]
    http.get(f"{NOVA}/os-server-groups", pages)
    assert [group.id for group in nova.rules().groups] == ["g-1", "g-2"]
    assert sent(http)[-1].endswith("/os-server-groups?all_projects=True&limit=1000&offset=2")


def test_a_list_whose_pages_never_end_is_given_up(nova: Nova, http: requests_mock.Mocker) -> None:
    links = [{"rel": "next", "href": "again"}]
    page = {"migrations": [RECORD], "migrations_links": links}
    http.get(f"{NOVA}/os-migrations", json=page)
    with pytest.raises(CloudUnavailable, match="has no end"):
        nova.migrations(HOST)
    assert len(sent(http)) == 2


def test_live_migrations_are_listed_by_their_source(nova: Nova, http: requests_mock.Mocker) -> None:
    http.get(f"{NOVA}/os-migrations", json={"migrations": [{**RECORD, "status": "running"}]})
    assert nova.live_migrations(HOST) == (Migration(7, ServerId("vm-1"), HOST, None, "running"),)
    assert "migration_type=live-migration&source_compute=compute-1" in sent(http)[0]


def test_a_live_migration_leaves_host_and_disks_to_nova(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    http.post(f"{NOVA}/servers/vm-1/action", status_code=202)
    nova.post(LiveMigrate(ServerId("vm-1"), HOST))
    body = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
    assert http.request_history[-1].json() == body
    nova.post(EVACUATE)
    assert http.request_history[-1].json() == {"evacuate": {}}


def test_a_live_migration_that_nova_refuses_has_its_words(
    nova: Nova, http: requests_mock.Mocker
) -> None:
    words = {"conflictingRequest": {"message": "Cannot 'os-migrateLive' while it is migrating"}}
    http.post(f"{NOVA}/servers/vm-1/action", status_code=409, json=words)
    with pytest.raises(CloudRefused, match="while it is migrating"):
        nova.post(LiveMigrate(ServerId("vm-1"), HOST))
