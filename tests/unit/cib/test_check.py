"""Each rule of the check: silent on what we generate, and found where it is broken."""

from pathlib import Path

import pytest
from lxml import etree
from novaha.cib import generate, inventory, render_xml, running
from novaha.cib.check import RULES, check
from novaha.cib.facts import Facts
from novaha.cib.profiles import PROFILES
from novaha.cib.xml import Element, find_all

EXAMPLE = (Path(__file__).parents[3] / "crm-config/examples/inventory.toml").read_text()
GOOD = render_xml.as_text(render_xml.whole(generate.generate(inventory.parse(EXAMPLE))))
GATE = 'gate = {}\ngroups = { rack-1 = ["compute-1"] }\n[fence.ipmi]'
GATED = render_xml.as_text(
    render_xml.whole(generate.generate(inventory.parse(EXAMPLE.replace("[fence.ipmi]", GATE, 1))))
)
KNOWN = frozenset(dict(generate.PROPERTIES))

WINDOW = '<nvpair id="x" name="window" value="601"/>'
BROKEN: dict[str, tuple[tuple[str, str], ...]] = {
    "level-missing": (('target="compute-1"', 'target="compute-9"'),),
    "level-not-real": (('"fence-pdu,fence-nova"', '"fence-nova"'),),
    "receipt-not-last": (('"fence-pdu,fence-nova"', '"fence-nova,fence-pdu"'),),
    "gate-not-first": (
        ('type="fence_apc_snmp"', 'type="fence_nova_gate"'),
        ('"fence-ipmi-compute-1,fence-nova"', '"fence-ipmi-compute-1,fence-pdu,fence-nova"'),
    ),
    "gate-never-releases": (('name="pcmk_action_limit" value="-1"', 'name="x" value="-1"'),),
    "gates-differ": (('name="wait" value="6"/>', f'name="wait" value="6"/>{WINDOW}'),),
    "fence-delay": (('name="pcmk_on_timeout" value="20s"', 'name="pcmk_on_timeout" value="61s"'),),
    "nova-device-alone": (('value="compute-1 compute-2"', 'value="compute-1 compute-7"'),),
    "fencing-disabled": (
        ('name="stonith-enabled" value="true"', 'name="stonith-enabled" value="no"'),
    ),
    "quorum-policy": (('value="stop"', 'value="ignore"'),),
    "health-stops-compute": (
        (
            'name="cluster-recheck-interval" value="60s"',
            'name="node-health-strategy" value="only-green"',
        ),
    ),
    "sick-host-holds-all": (('name="requires" value="quorum"', 'name="requires" value="fencing"'),),
    "unfencing": (('type="fence_apc_snmp"', 'type="fence_compute"'),),
    "reconnect-missing": (('name="reconnect_interval"', 'name="other"'),),
    "reconnect-without-pause": (
        ('name="reconnect_interval" value="75s"', 'name="reconnect_interval" value="6s"'),
    ),
    "loss-unnoticed": (('name="monitor" interval="5s"', 'name="monitor" interval="0"'),),
    "given-up-too-early": (
        ('name="pcmk_off_timeout" value="30s"', 'name="pcmk_off_timeout" value="9s"'),
    ),
    "secret-in-cib": (('name="password_script"', 'name="password"'),),
    "timeout-too-short": (('timeout="60s"', 'timeout="6s"'),),
    "order-missing": (('first="nova-compute-unfence-clone"', 'first="x"'),),
    "evacuate-anywhere": (('rsc="nova-evacuate"', 'rsc="x"'),),
    "storage-unsaid": (('name="storage"', 'name="x"'),),
    "host-map": (("compute-2=cmp2.example.org", "compute-2=a compute-3=a"),),
    "unknown-option": (('name="no-quorum-policy"', 'name="fencing-enabled"'),),
}


def rules(text: str, known: frozenset[str] | None = KNOWN) -> set[str]:
    return {found.rule for found in check(Facts(etree.fromstring(text), known))}


def broken(rule: str) -> str:
    text = GATED if rule.startswith("gate") and rule != "gate-not-first" else GOOD
    for old, new in BROKEN[rule]:
        assert old in text
        text = text.replace(old, new, 1) if rule == "gates-differ" else text.replace(old, new)
    return text


def test_what_we_generate_is_good() -> None:
    assert rules(GOOD) == set()


def as_it_runs(text: str) -> Element:
    """Return the CIB that an inventory gives once its controllers are there."""
    known = inventory.parse(text)
    made = render_xml.whole(generate.generate(known))
    return running.booted(made, [node.name for node in known.controllers])


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("more", [0, 2, 4])
@pytest.mark.parametrize("levels", ['[["ipmi"], ["pdu"]]', '[["ipmi", "pdu"]]'])
def test_what_we_generate_is_good_as_it_runs(profile: str, more: int, levels: str) -> None:
    text = EXAMPLE.replace('profile = "default"', f'profile = "{profile}"')
    text = text.replace('levels = [["ipmi"], ["pdu"]]', f"levels = {levels}")
    for number in range(more):
        text += f'[[controller]]\nname = "ctl-{number}"\nlevels = [["ipmi"]]\n'
        text += f'fence.ipmi = {{ ip = "10.9.9.{number}" }}\n'
    assert {found.rule for found in check(Facts(as_it_runs(text), KNOWN))} == set()


def test_a_start_of_which_nothing_is_said_takes_as_long_as_pacemaker_gives_it() -> None:
    cib = as_it_runs(EXAMPLE.replace('levels = [["ipmi"], ["pdu"]]', 'levels = [["ipmi"]]'))
    for start in find_all(cib, "//primitive[@type='remote']/operations/op[@name='start']"):
        del start.attrib["timeout"]
    found = [each for each in check(Facts(cib, KNOWN)) if each.rule == "reconnect-without-pause"]
    assert {each.place for each in found} == {"compute-1", "compute-2"}
    assert found[0].mend.endswith("reconnect_interval=71s")


@pytest.mark.parametrize(
    ("old", "new", "wanted_s"),
    [
        ('pcmk_off_timeout" value="30s"', 'pcmk_off_timeout" value="50s"', 50 + 50 + 10),
        ('pcmk_off_timeout" value="30s"', 'x" value="30s"', 60 + 60 + 10),
        ('pcmk_action_limit" value="2"', 'x" value="2"', 30 + 10 + 30 + 10),
        ('pcmk_monitor_timeout" value="10s"', 'x" value="10s"', 30 + 30 + 20),
        ('"fence-ipmi-compute-1,fence-nova"', '"fence-pdu,fence-nova"', 40 + 40),
    ],
)
def test_a_loss_is_remembered_for_longer_than_silent_devices_are_tried(
    old: str, new: str, wanted_s: int
) -> None:
    assert old in GOOD
    found = check(Facts(etree.fromstring(GOOD.replace(old, new)), KNOWN))
    assert {each.rule for each in found} == {"reconnect-without-pause"}
    assert {each.place for each in found} == {"compute-1", "compute-2"}
    assert all(each.text.endswith(" is given up") for each in found)
    assert all(each.mend.endswith(f"reconnect_interval={wanted_s + 5}s") for each in found)


def test_a_level_whose_devices_are_not_there_is_no_attempt() -> None:
    text = GOOD.replace('"fence-pdu,fence-nova"', '"gone, fence-nova"')
    assert "reconnect-without-pause" not in rules(text)


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


@pytest.mark.parametrize("name", ["concurrent-fencing", "stonith-max-attempts", "load-threshold"])
def test_each_option_that_lets_the_others_go_on_is_asked_for(name: str) -> None:
    assert f'name="{name}"' in GOOD
    assert rules(GOOD.replace(f'name="{name}"', 'name="x"'), None) == {"sick-host-holds-all"}


def test_an_empty_cib_is_no_trouble() -> None:
    assert rules("<cib><configuration/></cib>") == {"sick-host-holds-all"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name="wait" value="6"', 'name="wait" value="often"', "fails every fencing: wait='often'"),
        ('name="pcmk_off_timeout" value="36s"', 'name="pcmk_off_timeout" value="15s"', "15 s"),
        ('name="pcmk_off_timeout" value="36s"', 'name="x" value="36s"', ""),
        ('name="wait" value="6"', 'name="cluster_limit" value="0"', "from 1 to 1000"),
    ],
)
def test_a_gate_that_cannot_release_is_told_why(old: str, new: str, words: str) -> None:
    assert old in GATED
    found = check(Facts(etree.fromstring(GATED.replace(old, new)), KNOWN))
    texts = [each.text for each in found if each.rule == "gate-never-releases"]
    assert bool(texts) == bool(words)
    assert all(words in text for text in texts)


@pytest.mark.parametrize(
    "devices",
    ['"fence-pdu,fence-nova"', '"fence-pdu,fence-nova-gate.rack-1,fence-nova"'],
)
def test_no_level_of_a_node_goes_round_the_gate(devices: str) -> None:
    whole = '"fence-nova-gate.rack-1,fence-pdu,fence-nova"'
    assert whole in GATED
    assert rules(GATED.replace(whole, devices)) == {"gate-not-first"}


@pytest.mark.parametrize(
    ("delay", "late"),
    [
        ('name="pcmk_delay_max" value="55s"', True),  # and the wait of the gate
        ('name="pcmk_delay_max" value="54s"', False),
        ('name="pcmk_delay_base" value="compute-1:3s;compute-2:1min"', True),
        ('name="delay" value="61"', True),
        ('name="delay" value="later"', False),
    ],
)
def test_delays_of_a_level_are_added_up(delay: str, late: bool) -> None:  # noqa: FBT001
    pair = f'<nvpair id="x" {delay}/>'
    before = '<nvpair id="fence-ipmi-compute-1-instance_attributes-ip"'
    assert before in GATED
    found = rules(GATED.replace(before, pair + before))
    assert found - {"given-up-too-early"} == ({"fence-delay"} if late else set())


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


@pytest.mark.parametrize("said", ["", "ceph", "Shared"])
def test_a_storage_that_the_supervisor_does_not_take_is_found(said: str) -> None:
    text = GOOD.replace('name="storage" value="local"', f'name="storage" value="{said}"')
    assert text != GOOD
    assert rules(text) == {"storage-unsaid"}


def test_the_classic_supervisor_is_not_asked_for_its_storage() -> None:
    text = broken("storage-unsaid").replace('provider="novaha"', 'provider="openstack"')
    assert "storage-unsaid" not in rules(text)


def test_a_supervisor_that_is_hidden_from_computes_is_found() -> None:
    hidden = GOOD.replace('rsc="nova-evacuate"', 'rsc="nova-evacuate" resource-discovery="never"')
    assert rules(hidden) == {"sick-host-holds-all"}


@pytest.mark.parametrize("id_", ["nova-compute", "nova-compute-unfence", "nova-evacuate"])
def test_whatever_waits_for_the_fencing_of_others_is_found(id_: str) -> None:
    pair = f'<nvpair id="{id_}-meta_attributes-requires" name="requires" value="quorum"/>'
    assert pair in GOOD
    assert rules(GOOD.replace(pair, "")) == {"sick-host-holds-all"}


@pytest.mark.parametrize("strategy", ["migrate-on-red", "only-green", "progressive", "custom"])
def test_every_health_strategy_but_none_stops_nova_compute_too_early(strategy: str) -> None:
    interval = 'name="cluster-recheck-interval" value="60s"'
    assert interval in GOOD
    text = GOOD.replace(interval, f'name="node-health-strategy" value="{strategy}"')
    assert rules(text, None) == {"health-stops-compute"}
    assert rules(text.replace(f'"{strategy}"', '"none"'), None) == set()
