"""The inventory of what is there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from migrating import classic_cib, inventory_of
from novaha.cib import generate, inventory
from novaha.cib.inventory import Inventory, Kind, Node
from novaha.cib.profiles import PROFILES
from novaha.cib.xml import find_all
from novaha.core.names import ComputeHost, NodeName
from novaha.core.storage import Storage
from novaha.errors import ConfigError
from novaha.migrate import draft, secrets, toml


def test_a_classic_cluster_gives_an_inventory_that_the_generator_takes() -> None:
    made = inventory_of(classic_cib())
    assert [node.name for node in made.controllers] == [f"controller-{n}" for n in range(3)]
    assert [node.name for node in made.computes] == ["compute-0", "compute-1"]
    assert made.nova_compute == "systemd:openstack-nova-compute"
    assert made.profile.name == "calm"
    assert made.computes[1].address == "compute-1.localdomain"
    assert made.computes[1].levels == (("ipmilan",), ("rack-pdu",))
    assert made.computes[1].devices["rack-pdu"] == {"plug": "2"}
    assert made.controllers[0].levels == (("ipmilan",),)
    assert made.kinds["ipmilan"].options == {"username": "root", "lanplus": "1"}
    assert len(generate.generate(made).levels) == 7


def test_no_password_is_in_the_inventory_and_each_is_in_a_script() -> None:
    made = draft.of_classic(classic_cib(), "overcloud")
    assert "bmc-" not in made.text
    assert "cloud-pass" not in made.text
    files = {name: (text, mode) for name, text, mode in
             secrets.files(classic_cib(), "overcloud", made.secrets)}  # fmt: skip
    assert files["ipmi-compute-1"] == ("#!/bin/sh\nprintf '%s\\n' bmc-5\n", 0o700)
    assert "ipmi-networker-0" not in files
    assert '"password": "cloud-pass"' in files["clouds.yaml"][0]
    assert files["clouds.yaml"][1] == 0o600


def test_a_password_is_no_shell() -> None:
    made = draft.of_classic(classic_cib(('value="bmc-5"', 'value="$(id)\' ;"')), "overcloud")
    (text,) = [t for n, t, _ in secrets.files(classic_cib(), "c", made.secrets)
               if n == "ipmi-compute-1"]  # fmt: skip
    assert text.endswith("printf '%s\\n' '$(id)'\"'\"' ;'\n")


def test_insecure_is_what_it_says() -> None:
    auth = '<nvpair id="x" name="auth_url" value="http://192.0.2.10:5000/v3"/><nvpair id="y" '
    old = '<nvpair id="nova-evacuate-instance_attributes-auth_url" name="auth_url" '
    old += 'value="http://192.0.2.10:5000/v3"/>'
    for value, verify in (("false", None), ("1", False)):
        cib = classic_cib((old, f'{auth}name="insecure" value="{value}"/>'))
        assert secrets.cloud_of(cib).get("verify") is verify


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ('type="fence_apc_snmp"', 'type="external/libvirt"', "say which fence agent"),
        ('target="networker-0"', 'target-pattern="net.*"', "for a pattern"),
        ('name="record_only" value="1"', 'name="record_only" value="2"', "kept fencing from"),
        ('id="vip"', 'id="vip"', "evacuate_delay has no counterpart"),
    ],
)
def test_what_cannot_be_carried_over_is_said(old: str, new: str, note: str) -> None:
    made = draft.of_classic(classic_cib((old, new)), "overcloud")
    assert any(note in each for each in made.notes)


def test_external_ipmi_becomes_fence_ipmilan() -> None:
    cib = classic_cib(('type="fence_ipmilan"', 'type="external/ipmi"'), ("login", "userid"))
    for pair in find_all(cib, "//primitive[@type='external/ipmi']//nvpair"):
        if pair.get("name") == "pcmk_host_list":
            pair.set("name", "hostname")
    made = inventory_of(cib)
    assert made.kinds["ipmilan"].agent == "fence_ipmilan"
    assert made.computes[0].devices["ipmilan"]["ip"] == "198.51.100.4"


def test_a_node_that_nothing_fences_is_left_to_a_person() -> None:
    gone = '<fencing-level id="fl-controller-0-1" target="controller-0"'
    cib = classic_cib((gone, '<fencing-level id="fl-x" target="nobody"'),
                      ('value="controller-0"', 'value="nobody"'))  # fmt: skip
    with pytest.raises(inventory.BadInventory, match="cannot be fenced"):
        inventory.parse(draft.of_classic(cib, "overcloud").text)


def test_without_levels_each_device_is_one() -> None:
    cib = classic_cib()
    for level in list(cib.iter("fencing-level")):
        level.getparent().remove(level)  # type: ignore[union-attr]
    made = inventory_of(cib)
    assert made.computes[0].levels == (("ipmilan",), ("rack-pdu",))


def test_names_in_nova_come_from_the_device_that_had_them() -> None:
    listed = '<nvpair id="fence-nova-instance_attributes-pcmk_host_list" name="pcmk_host_list" '
    mapped = listed.replace("list", "map")
    cib = classic_cib((f'{listed}value="compute-0 compute-1"',
                       f'{mapped}value="compute-0:cmp0.example;x:y"'))  # fmt: skip
    assert inventory_of(cib).computes[0].nova_host == "cmp0.example"


def test_a_cluster_without_classic_is_refused() -> None:
    swaps = [("fence_compute", "fence_kdump"), ('type="NovaEvacuate"', 'type="Dummy"'),
             ('type="nova-compute-wait"', 'type="Dummy"'), ("unfencing", "quorum")]  # fmt: skip
    with pytest.raises(ConfigError, match="no classic InstanceHA here"):
        draft.of_classic(classic_cib(*swaps), "overcloud")


def test_hosts_of_a_cloud_without_a_cluster() -> None:
    hosts = (ComputeHost("c1.example"), ComputeHost("c2.example"))
    made = draft.of_hosts(None, "overcloud", hosts, {"c1.example": "10.0.0.1"})
    with pytest.raises(inventory.BadInventory) as caught:
        inventory.parse(made.text)
    assert "controller is missing" in str(caught.value)
    assert "storage must be shared or local" in str(caught.value)
    assert any(note.startswith("say in storage where image-booted") for note in made.notes)
    assert 'name = "c1"\naddress = "10.0.0.1"\nnova_host = "c1.example"' in made.text


def test_hosts_of_a_cloud_whose_cluster_fences_them() -> None:
    hosts = tuple(map(ComputeHost, ("compute-0.localdomain", "compute-9")))
    made = draft.of_hosts(classic_cib(), "overcloud", hosts, {})
    assert 'name = "compute-0"\naddress = "compute-0.localdomain"' in made.text
    assert "compute-9 has no remote node in this cluster: put pacemaker_remote on it" in made.notes
    assert 'name = "compute-1"' not in made.text


OF_SUPERVISOR = 'name="no_shared_storage" value="1"'
OF_DEVICE = 'name="no_shared_storage" value="False"'


@pytest.mark.parametrize(
    ("supervisor", "device", "storage"),
    [
        ("1", "False", Storage.LOCAL),
        ("0", "true", Storage.LOCAL),
        ("False", "False", Storage.SHARED),
        ("no", "", Storage.SHARED),
        ("", "True", Storage.LOCAL),
    ],
)
def test_what_classic_was_told_of_the_storage_is_carried_over_and_said(
    supervisor: str, device: str, storage: Storage
) -> None:
    cib = classic_cib(
        (OF_SUPERVISOR, OF_SUPERVISOR.replace("1", supervisor)),
        (OF_DEVICE, OF_DEVICE.replace("False", device)),
    )
    assert inventory_of(cib).storage is storage
    assert f"# storage = {storage} because " in draft.of_classic(cib, "overcloud").text


@pytest.mark.parametrize(("supervisor", "device"), [("", ""), ("", "False"), ("perhaps", "False")])
def test_a_storage_that_classic_does_not_tell_clearly_is_left_to_a_person(
    supervisor: str, device: str
) -> None:
    cib = classic_cib(
        (OF_SUPERVISOR, OF_SUPERVISOR.replace("1", supervisor)),
        (OF_DEVICE, OF_DEVICE.replace("False", device)),
    )
    made = draft.of_classic(cib, "overcloud")
    line = made.text.splitlines().index('storage = ""  # shared or local?') + 1
    with pytest.raises(inventory.BadInventory) as caught:
        inventory.parse(made.text)
    assert str(caught.value) == f"line {line}: storage must be shared or local"
    assert any(note.startswith("say in storage where image-booted") for note in made.notes)


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)
TEXTS = TEXT.filter(str.isprintable)
OPTIONS = st.dictionaries(st.sampled_from(["ip", "ipport", "delay", "lanplus"]), TEXTS)


@given(common=OPTIONS, own=OPTIONS, evacuate=st.booleans(), remark=st.text())
def test_what_is_written_is_read_again(
    common: dict[str, str], own: dict[str, str], *, evacuate: bool, remark: str
) -> None:
    levels = (("bmc",), ("bmc", "pdu"))
    kinds = {"bmc": Kind("bmc", "fence_x", common, password_in_cib=True),
             "pdu": Kind("pdu", "fence_y", {}, shared=True)}  # fmt: skip
    node = Node(NodeName("n1"), None, None, (("bmc",),), {"bmc": own})
    compute = Node(NodeName("c1"), "10.0.0.1", ComputeHost("c1.x"), levels, {"bmc": {}})
    options = {"interval": "7"} if evacuate else {}
    wanted = Inventory(
        "c", Storage.LOCAL, PROFILES["fast"], "lsb:x", kinds, (node,), (compute,), options, {}
    )
    if evacuate:
        groups = {"rack-1": (NodeName("c1"),)}
        wanted = replace(wanted, gate={"wait": "7"}, groups=groups, fail_counts=False)
    assert inventory.parse(toml.write(wanted, [remark])) == wanted
