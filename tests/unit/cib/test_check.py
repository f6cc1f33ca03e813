"""Each rule of the check: silent on what we generate, and found where it is broken."""

from pathlib import Path

import pytest
from lxml import etree
from novaha.cib import generate, inventory, render_xml
from novaha.cib.check import RULES, Facts, check

EXAMPLE = (Path(__file__).parents[3] / "crm-config/examples/inventory.toml").read_text()
GOOD = render_xml.as_text(render_xml.whole(generate.generate(inventory.parse(EXAMPLE))))
KNOWN = frozenset(dict(generate.PROPERTIES))

BROKEN: dict[str, tuple[tuple[str, str], ...]] = {
    "level-missing": (('target="compute-1"', 'target="compute-9"'),),
    "level-not-real": (('"fence-pdu,fence-nova"', '"fence-nova"'),),
    "receipt-not-last": (('"fence-pdu,fence-nova"', '"fence-nova,fence-pdu"'),),
    "gate-not-first": (
        ('type="fence_apc_snmp"', 'type="fence_nova_gate"'),
        ('"fence-ipmi-compute-1,fence-nova"', '"fence-ipmi-compute-1,fence-pdu,fence-nova"'),
    ),
    "nova-device-alone": (('value="compute-1 compute-2"', 'value="compute-1 compute-7"'),),
    "fencing-disabled": (
        ('name="stonith-enabled" value="true"', 'name="stonith-enabled" value="no"'),
    ),
    "quorum-policy": (('value="stop"', 'value="ignore"'),),
    "sick-host-holds-all": (('name="requires" value="quorum"', 'name="requires" value="fencing"'),),
    "unfencing": (('type="fence_apc_snmp"', 'type="fence_compute"'),),
    "reconnect-missing": (('name="reconnect_interval"', 'name="other"'),),
    "loss-unnoticed": (('name="monitor" interval="5s"', 'name="monitor" interval="0"'),),
    "given-up-too-early": (
        ('name="pcmk_off_timeout" value="30s"', 'name="pcmk_off_timeout" value="9s"'),
    ),
    "secret-in-cib": (('name="password_script"', 'name="password"'),),
    "timeout-too-short": (('timeout="60s"', 'timeout="6s"'),),
    "order-missing": (('first="nova-compute-unfence-clone"', 'first="x"'),),
    "evacuate-anywhere": (('rsc="nova-evacuate"', 'rsc="x"'),),
    "host-map": (("compute-2=cmp2.example.org", "compute-2=a compute-3=a"),),
    "unknown-option": (('name="no-quorum-policy"', 'name="fencing-enabled"'),),
}


def rules(text: str, known: frozenset[str] | None = KNOWN) -> set[str]:
    return {found.rule for found in check(Facts(etree.fromstring(text), known))}


def broken(rule: str) -> str:
    text = GOOD
    for old, new in BROKEN[rule]:
        assert old in text
        text = text.replace(old, new)
    return text


def test_what_we_generate_is_good() -> None:
    assert rules(GOOD) == set()


def test_every_rule_is_tested() -> None:
    assert BROKEN.keys() == RULES.keys()


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_broken_is_found_with_place_and_mend(rule: str) -> None:
    found = check(Facts(etree.fromstring(broken(rule)), KNOWN))
    mine = [each for each in found if each.rule == rule]
    assert mine
    assert all(each.place and each.text and each.mend for each in mine)


def test_option_names_are_judged_only_where_the_daemons_were_asked() -> None:
    assert rules(broken("unknown-option"), None) == set()


def test_an_empty_cib_is_no_trouble() -> None:
    assert rules("<cib><configuration/></cib>") == {"sick-host-holds-all"}


def test_levels_may_be_by_pattern() -> None:
    text = GOOD.replace('target="compute-1"', 'target-pattern="^compute-[12]$"')
    assert rules(text) == set()
    assert "receipt-not-last" in rules(text.replace("-1,fence-nova", "-1"))
    assert "level-missing" in rules(GOOD.replace('target="compute-1"', 'target-pattern="^x"'))
    assert "level-missing" in rules(GOOD.replace('target="compute-1"', 'target-pattern="("'))


def test_an_agent_that_is_told_to_wait_longer_wants_more_time() -> None:
    slow = GOOD.replace('name="power_wait" value="0"', 'name="power_wait" value="15"')
    assert slow != GOOD
    assert rules(slow) == {"given-up-too-early"}


def test_a_supervisor_that_is_hidden_from_computes_is_found() -> None:
    hidden = GOOD.replace('rsc="nova-evacuate"', 'rsc="nova-evacuate" resource-discovery="never"')
    assert rules(hidden) == {"sick-host-holds-all"}


@pytest.mark.parametrize("id_", ["nova-compute", "nova-compute-unfence", "nova-evacuate"])
def test_whatever_waits_for_the_fencing_of_others_is_found(id_: str) -> None:
    pair = f'<nvpair id="{id_}-meta_attributes-requires" name="requires" value="quorum"/>'
    assert pair in GOOD
    assert rules(GOOD.replace(pair, "")) == {"sick-host-holds-all"}
