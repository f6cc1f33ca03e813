"""Our configuration inside an existing one."""

from pathlib import Path

import pytest
from lxml import etree
from novaha.cib import generate, inventory, merge, render_xml
from novaha.cib.xml import Element, find_all
from novaha.errors import ConfigError

EXAMPLE = (Path(__file__).parents[3] / "crm-config/examples/inventory.toml").read_text()
OTHERS = """\
<cib validate-with="pacemaker-3.9"><configuration><crm_config>
<cluster_property_set id="nova-ha-state"><nvpair id="r" name="nova-ha-receipt-x" value="1"/>
</cluster_property_set><cluster_property_set id="mine">
<nvpair id="a" name="stonith-enabled" value="false"/><nvpair id="b" name="cluster-name" value="c"/>
</cluster_property_set></crm_config><nodes/><resources>
<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></resources>
<constraints><rsc_location id="l" rsc="vip" node="n" score="1"/></constraints></configuration></cib>
"""


def ours(text: str = EXAMPLE) -> Element:
    return render_xml.render(generate.generate(inventory.parse(text)))


def test_a_second_time_changes_nothing() -> None:
    once, changes = merge.merge(etree.fromstring(OTHERS), ours())
    assert changes
    again, none = merge.merge(once, ours())
    assert none == ()
    assert etree.tostring(again) == etree.tostring(once)


def test_what_is_not_ours_stays() -> None:
    merged, _ = merge.merge(etree.fromstring(OTHERS), ours())
    for xpath in ("//*[@id='vip']", "//*[@id='l']", "//*[@id='r']", "//nvpair[@id='b']"):
        assert len(find_all(merged, xpath)) == 1


def test_a_property_that_is_there_is_changed_in_its_place() -> None:
    merged, changes = merge.merge(etree.fromstring(OTHERS), ours())
    assert merge.Change("change", "stonith-enabled", "false", "true") in changes
    (pair,) = find_all(merged, "//nvpair[@name='stonith-enabled']")
    assert pair.get("id") == "a"


def test_a_level_under_another_id_is_the_same_level() -> None:
    cib, _ = merge.merge(etree.fromstring(OTHERS), ours())
    (level,) = find_all(cib, "//fencing-level[@target='compute-1'][@index='1']")
    level.set("id", "fencing")
    assert merge.merge(cib, ours())[1] == ()
    level.set("devices", "fence-nova")
    (change,) = merge.merge(cib, ours())[1]
    assert 'devices="fence-nova"' in change.before


def test_only_what_differs_is_changed() -> None:
    cib, _ = merge.merge(etree.fromstring(OTHERS), ours())
    _, changes = merge.merge(cib, ours(EXAMPLE.replace("10.0.9.11", "10.0.9.99")))
    assert [(change.kind, change.what) for change in changes] == [
        ("change", "primitive fence-ipmi-compute-1")
    ]


def test_an_id_that_is_something_else_is_refused() -> None:
    cib = etree.fromstring(OTHERS.replace('id="vip"', 'id="nova-evacuate-x"'))
    find_all(cib, "//resources")[0].append(
        etree.fromstring("<group id='g'><primitive id='nova-evacuate'/></group>")
    )
    with pytest.raises(ConfigError, match="has a primitive nova-evacuate elsewhere"):
        merge.merge(cib, ours())


def test_a_node_or_a_reference_of_the_same_id_is_not_in_the_way() -> None:
    node = '<nodes><node id="compute-1" uname="compute-1" type="remote"/></nodes>'
    reference = '<rsc_order id="o"><resource_set id="s"><resource_ref id="compute-1"/>'
    reference += "</resource_set></rsc_order></constraints>"
    text = OTHERS.replace("<nodes/>", node).replace("</constraints>", reference)
    _, changes = merge.merge(etree.fromstring(text), ours())
    assert "primitive compute-1" in [change.what for change in changes]


def test_a_change_shows_no_password_and_makes_it_all_the_same() -> None:
    there = '<primitive id="fence-ipmi-compute-1" class="stonith" type="fence_ipmilan">\
<instance_attributes id="i"><nvpair id="p" name="password" value="old-secret"/>\
</instance_attributes></primitive></resources>'
    wanted = ours()
    (device,) = find_all(wanted, "//primitive[@id='fence-ipmi-compute-1']/instance_attributes")
    device.append(etree.fromstring('<nvpair id="q" name="password" value="new-secret"/>'))
    merged, changes = merge.merge(etree.fromstring(OTHERS.replace("</resources>", there)), wanted)
    (change,) = [each for each in changes if each.what == "primitive fence-ipmi-compute-1"]
    assert change.kind == "change"
    assert "secret" not in change.before + change.after
    assert "********" in change.before
    assert find_all(merged, "//nvpair[@value='new-secret']")
