"""From a classic configuration to ours, and back."""

from copy import deepcopy

import pytest
from lxml import etree
from migrating import classic_cib, from_disk, inventory_of
from novaha.cib.check import check
from novaha.cib.facts import Facts
from novaha.cib.merge import canonical
from novaha.cib.xml import Element, find_all
from novaha.errors import ConfigError
from novaha.migrate import classic, leave, rollback, units


def migrated(cib: Element) -> leave.Plan:
    return leave.plan(cib, inventory_of(cib))


def ids(cib: Element, xpath: str) -> set[str]:
    return {str(each.get("id")) for each in find_all(cib, xpath)}


def test_nothing_of_classic_is_left() -> None:
    after = migrated(classic_cib()).after
    assert not classic.find(after).is_there
    assert find_all(after, "//*[@provides='unfencing' or @requires='unfencing']") == []
    assert find_all(after, "//nvpair[@value='unfencing']") == []


def test_what_is_not_classic_stays() -> None:
    before = classic_cib()
    after = migrated(before).after
    old, new = units.units(before), units.units(after)
    for name in ("primitive vip", "clone libvirtd-compute-clone", "primitive networker-0",
                 "primitive ipmi-networker-0", "clone openstack-nova-conductor-clone"):  # fmt: skip
        key = ("resources", *name.split())
        assert canonical(old[key]) == canonical(new[key])
    assert ("constraints", "rsc_location", "location-vip") in new
    assert ("fencing-topology", "fencing-level", "networker-0", "1") in new


def test_nothing_keeps_our_recovery_behind_nova_compute() -> None:
    """Held computes would wait for the recovery, and the recovery for nova-compute."""
    after = migrated(classic_cib()).after
    orders = find_all(after, "//rsc_order[@then='nova-evacuate']")
    assert orders == []
    assert find_all(after, "//resource_ref[@id='nova-evacuate']") == []


def test_what_stood_before_nova_compute_still_does() -> None:
    after = migrated(classic_cib()).after
    firsts = {str(each.get("first")) for each in
              find_all(after, "//rsc_order[@then='nova-compute-clone']")}  # fmt: skip
    assert firsts == {"libvirtd-compute-clone", "nova-compute-unfence-clone"}


def test_every_constraint_names_what_is_there() -> None:
    after = migrated(classic_cib()).after
    there = ids(after, "//resources//*[@id]")
    for constraint in find_all(after, "//constraints/*"):
        assert units.referred(constraint) <= there, constraint.get("id")
    tagged = {str(each.get("id")) for each in find_all(after, "//tags/tag/obj_ref")}
    assert tagged <= there


def test_the_check_finds_only_the_remote_node_that_is_not_ours() -> None:
    found = check(Facts(migrated(classic_cib()).after))
    places = {each.place.split()[0] for each in found}
    assert places <= {"networker-0", "ipmi-networker-0", "fl-networker-0-1"}


def test_a_second_time_changes_nothing() -> None:
    plan = migrated(classic_cib())
    again = leave.plan(plan.after, inventory_of(classic_cib()))
    assert again.changes == ()


def test_no_secret_is_shown() -> None:
    shown = str(migrated(classic_cib()).changes)
    assert "bmc-" not in shown
    assert "cloud-pass" not in shown
    assert "********" in shown


def test_a_group_is_refused_with_the_command_that_mends_it() -> None:
    cib = classic_cib()
    clone = find_all(cib, "//clone[@id='openstack-nova-compute-clone']")[0]
    group = etree.Element("group", id="g")
    group.append(clone[0])
    group.append(etree.fromstring('<primitive id="p" class="ocf" provider="x" type="Dummy"/>'))
    clone.insert(0, group)
    with pytest.raises(ConfigError, match="pcs resource group remove g openstack-nova-compute"):
        migrated(cib)


def test_what_a_person_stopped_is_named() -> None:
    clone = '<clone id="openstack-nova-compute-clone">'
    meta = '<meta_attributes id="m"><nvpair id="n" name="target-role" value="Stopped"/>'
    cib = classic_cib((clone, f"{clone}{meta}</meta_attributes>"))
    notes = migrated(cib).notes
    assert any("openstack-nova-compute-clone has target-role=Stopped" in each for each in notes)


def test_nova_compute_that_runs_in_a_classic_agent_is_replaced() -> None:
    old = '<primitive id="openstack-nova-compute" class="systemd" type="openstack-nova-compute">'
    new = '<primitive id="nova" class="ocf" provider="openstack" type="NovaCompute">'
    plan = migrated(classic_cib((old, new)))
    assert ids(plan.after, "//clone[@id='openstack-nova-compute-clone']") == set()
    assert ids(plan.after, "//rsc_order[@first='libvirtd-compute-clone']") == {
        "order-libvirtd-compute-clone-openstack-nova-compute-clone-mandatory"}  # fmt: skip


def test_a_nova_compute_that_goes_is_stopped_first() -> None:
    plan = migrated(classic_cib())
    between = leave.stopped_first(plan.before, plan.after)
    (change,) = units.differences(plan.before, between)
    assert change.what == "clone openstack-nova-compute-clone"
    assert 'name="target-role" value="Stopped"' in change.after
    assert units.differences(plan.after, leave.stopped_first(plan.after, plan.after)) == ()


def saved() -> rollback.Saved:
    plan = migrated(from_disk())
    between = leave.stopped_first(plan.before, plan.after)
    return rollback.read(rollback.write(rollback.Saved(plan.before, between, plan.after)))


@pytest.mark.parametrize("moment", ["after", "between", "before"])
def test_the_rollback_gives_back_the_same_text(moment: str) -> None:
    kept = saved()
    result = rollback.back(getattr(kept, moment), kept)
    assert etree.tostring(result) == etree.tostring(kept.before)


def test_a_rollback_that_was_broken_off_goes_on() -> None:
    kept = saved()
    half = leave.stopped_first(kept.after, kept.before)
    assert units.differences(kept.after, half)
    assert etree.tostring(rollback.back(half, kept)) == etree.tostring(kept.before)


def test_the_rollback_keeps_what_others_changed_since() -> None:
    kept = saved()
    live = deepcopy(kept.after)
    find_all(live, "//primitive[@id='vip']//nvpair[@name='ip']")[0].set("value", "192.0.2.99")
    find_all(live, "//resources")[0].append(
        etree.fromstring('<primitive id="new" class="ocf" provider="heartbeat" type="Dummy"/>')
    )
    result = rollback.back(live, kept)
    assert ids(result, "//primitive[@id='new']") == {"new"}
    assert "192.0.2.99" in etree.tostring(result, encoding="unicode")
    assert classic.find(result).is_there


def test_the_rollback_refuses_what_contradicts_and_names_all_of_it() -> None:
    kept = saved()
    live = deepcopy(kept.after)
    find_all(live, "//primitive[@id='nova-evacuate']//op")[0].set("timeout", "1h")
    find_all(live, "//fencing-level[@target='compute-0']")[0].set("devices", "x")
    with pytest.raises(ConfigError) as caught:
        rollback.back(live, kept)
    assert str(caught.value).count("was changed since") == 2


RECEIPT = '<nvpair id="r" name="nova-ha-receipt-x" value="1"/>'
OTHER = 'class="ocf" provider="heartbeat" type="Dummy"'


@pytest.mark.parametrize(
    ("where", "text", "wrong"),
    [
        (
            "//crm_config",
            f'<cluster_property_set id="nova-ha-state">{RECEIPT}</cluster_property_set>',
            "is not over",
        ),
        (
            "//constraints",
            '<rsc_location id="l" rsc="nova-compute-unfence-clone" node="n" score="1"/>',
            "l names nova-compute-unfence-clone, which goes away",
        ),
        (
            "//resources",
            f'<primitive id="rack-pdu-instance_attributes" {OTHER}/>',
            "is taken meanwhile",
        ),
    ],
)
def test_the_rollback_waits_for_a_person(where: str, text: str, wrong: str) -> None:
    kept = saved()
    live = deepcopy(kept.after)
    find_all(live, where)[0].append(etree.fromstring(text))
    with pytest.raises(ConfigError, match=wrong):
        rollback.back(live, kept)


@pytest.mark.parametrize("name", ["nova-ha-confirmed-a", "nova-ha-passed-a", "nova-ha-disarm-b"])
def test_what_is_only_remembered_hinders_no_rollback(name: str) -> None:
    kept = saved()
    live = deepcopy(kept.after)
    pair = f'<nvpair id="r" name="{name}" value="1"/>'
    text = f'<cluster_property_set id="nova-ha-state">{pair}</cluster_property_set>'
    find_all(live, "//crm_config")[0].append(etree.fromstring(text))
    assert find_all(rollback.back(live, kept), "//*[@type='NovaCompute' or @id='compute-0']")


def test_the_rollback_of_another_cluster_is_refused() -> None:
    kept = saved()
    live = deepcopy(kept.after)
    find_all(live, "//nvpair[@name='cluster-name']")[0].set("value", "other")
    with pytest.raises(ConfigError, match="of another cluster: overcloud with controller-0"):
        rollback.back(live, kept)


def test_ours_stays_off_remote_nodes_that_are_no_computes() -> None:
    after = migrated(classic_cib()).after
    away = find_all(after, "//rsc_location[@node='networker-0'][@score='-INFINITY']")
    assert {str(each.get("rsc")) for each in away} == {
        "nova-compute-clone",
        "nova-compute-unfence-clone",
    }
