"""An entry of Nova's detailed list, with all that it may lack."""

from typing import Any

import pytest
from novaha.adapters.serverdetails import server_in_detail
from novaha.core.details import Details, Flavor
from novaha.core.model import Server
from novaha.core.names import ServerId

RAW: dict[str, Any] = {
    "id": "vm-1",
    "name": "one",
    "OS-EXT-STS:vm_state": "error",
    "OS-EXT-STS:task_state": "rebuilding",
    "locked": True,
    "tenant_id": "p-1",
    "image": {"id": "image-1"},
    "metadata": {"HA_Enabled": "True"},
    "tags": ["gold"],
    "flavor": {
        "original_name": "m1.small",
        "vcpus": 2,
        "ram": 2048,
        "disk": 20,
        "ephemeral": 5,
        "swap": 512,
        "extra_specs": {"hw:cpu_policy": "dedicated"},
    },
    "fault": {"message": "No valid host"},
}


def test_everything_that_decisions_use_is_read() -> None:
    flavor = Flavor("m1.small", 2, 2048, 20, 5, 512, {"hw:cpu_policy": "dedicated"})
    details = Details(
        "error",
        "rebuilding",
        locked=True,
        project="p-1",
        image="image-1",
        metadata={"HA_Enabled": "True"},
        tags=frozenset({"gold"}),
        flavor=flavor,
    )
    assert server_in_detail(RAW) == Server(ServerId("vm-1"), "one", "No valid host", details)


@pytest.mark.parametrize("fault", [None, {}, {"message": None}])
def test_a_server_without_words_about_its_fault_is_still_a_server(fault: object) -> None:
    assert server_in_detail({**RAW, "fault": fault}).fault == ""


def test_what_boots_from_a_volume_has_no_image_and_what_nova_hides_is_taken_for_nothing() -> None:
    hidden = {"image": "", "flavor": {"original_name": "tiny"}, "metadata": None, "tags": None}
    found = server_in_detail({**RAW, **hidden, "OS-EXT-STS:task_state": None, "locked": None})
    assert found.details == Details("error", "", project="p-1", flavor=Flavor("tiny"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"OS-EXT-STS:vm_state": ...},
        {"OS-EXT-STS:task_state": ...},
        {"image": {"name": "no id"}},
        {"image": "an image"},
        {"flavor": {"vcpus": "many"}},
        {"flavor": 7},
        {"tags": 7},
        {"fault": "words"},
    ],
)
def test_an_entry_of_another_shape_is_told(wrong: dict[str, Any]) -> None:
    raw = {key: value for key, value in {**RAW, **wrong}.items() if value is not ...}
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        server_in_detail(raw)


@pytest.mark.parametrize(
    ("addresses", "kept"),
    [
        (None, ()),
        ({}, ()),
        ({"net": [{"addr": "192.0.2.7", "version": 4}, {"addr": "2001:db8::7"}]},
         ("192.0.2.7", "2001:db8::7")),
        ({"a": [{"addr": "127.0.0.1"}], "b": [{"addr": "::1"}, {"addr": "::"}]}, ()),
        ({"a": [{"addr": "169.254.169.254"}, {"addr": "224.0.0.1"}, {"addr": "fe80::1"}]}, ()),
        ({"a": [{"addr": "controller"}], "b": None}, ()),
        ({"a": [{"addr": f"192.0.2.{n}"} for n in range(9)]},
         tuple(f"192.0.2.{n}" for n in range(4))),
        ("hidden", ()),
    ],
)  # fmt: skip
def test_only_addresses_that_lead_to_the_instance_are_kept(
    addresses: object, kept: tuple[str, ...]
) -> None:
    details = server_in_detail({**RAW, "addresses": addresses}).details
    assert details is not None
    assert details.addresses == kept
