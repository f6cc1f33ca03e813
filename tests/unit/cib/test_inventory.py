"""Inventories: what a good one gives, and that a bad one gets all its problems with their lines."""

from pathlib import Path

import pytest
from novaha.cib.inventory import BadInventory, parse

EXAMPLE = Path(__file__).parents[3] / "crm-config" / "examples" / "inventory.toml"
GOOD = """\
cloud = "cloud"
storage = "shared"
levels = [["ipmi"]]
[fence.ipmi]
agent = "fence_ipmilan"
[[controller]]
name = "ctl-1"
fence.ipmi = { ip = "10.0.9.1" }
[[compute]]
name = "cmp-1"
address = "10.0.0.1"
fence.ipmi = { ip = "10.0.9.11" }
[[compute]]
name = "cmp-2"
address = "10.0.0.2"
[compute.fence.ipmi]
ip = "10.0.9.12"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(BadInventory) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_example_is_good() -> None:
    inventory = parse(EXAMPLE.read_text())
    assert [node.name for node in inventory.computes] == ["compute-1", "compute-2"]


def test_the_least_inventory_is_good() -> None:
    inventory = parse(GOOD)
    assert inventory.profile.name == "default"
    assert inventory.computes[1].devices == {"ipmi": {"ip": "10.0.9.12"}}
    assert inventory.secrets() == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('cloud = "cloud"', "", "line 1: cloud is missing: name of the cloud in clouds.yaml"),
        ('cloud = "cloud"', "cloud = 3", "line 1: cloud must be a text"),
        ('storage = "shared"\n', "", "line 1: storage is missing: where image-booted instances"),
        ('"shared"', '"ceph"', "line 2: storage must be shared or local"),
        ('"shared"', "true", "line 2: storage must be shared or local"),
        ('"shared"', "[1]", "line 2: storage must be shared or local"),
        ('cloud = "cloud"', 'cloud = "a b"', "line 1: cloud='a b': must be the name of a cloud"),
        ('cloud = "cloud"', 'cloud = "cloud"\nclod = 1', "line 2: unknown key 'clod'"),
        ('[["ipmi"]]', "[]", "line 3: levels is empty"),
        ('[["ipmi"]]', '[["ipmo"]]', "line 3: level 1 names 'ipmo'; there is ipmi under fence"),
        ('[["ipmi"]]', '[["ipmi", "ipmi"]]', "line 3: level 1 names a device twice"),
        ("fence_ipmilan", "fence_kdump", "line 3: level 1 has no device that cuts power or"),
        ("fence_ipmilan", "ipmilan", "line 5: agent in fence.ipmi must be fence_..."),
        ('10.0.9.12"', '10.0.9.11"', "line 16: ipmi address 10.0.9.11 is that of cmp-1 already"),
        ('"10.0.0.2"', '"10.0.0.1"', "line 15: address 10.0.0.1 is that of cmp-1 already"),
        ('"cmp-2"', '"cmp-1"', "line 14: name cmp-1 is that of cmp-1 already"),
        ('"cmp-2"', '"ctl-1"', "line 14: name ctl-1 is that of ctl-1 already"),
        ('"cmp-2"', '"cmp-2"\nnova_host = "cmp-1"', "line 15: Nova host cmp-1 is that of cmp-1"),
        ('"10.0.0.2"', "2", "line 15: address in compute.2 must be an address"),
        ('fence.ipmi = { ip = "10.0.9.11" }', "", "line 9: cmp-1 has no 'ipmi', which its levels"),
        ('ip = "10.0.9.12"', 'password = "x"', "line 17: password would be kept in the CIB: give"),
        ('"cloud"', '"cloud"\nevacuate = { pace = 1 }', "line 2: NovaEvacuate has no parameter"),
        (
            '"cloud"',
            '"cloud"\nevacuate = { storage = "local" }',
            "line 2: storage is said by the key storage",
        ),
        (
            '"cloud"',
            '"cloud"\nevacuate = { protect = "some" }',
            "line 2: protect='some': must be all or tagged",
        ),
        (
            '"cloud"',
            '"cloud"\nevacuate = { exclude_names = "*" }',
            "line 2: exclude_names='*': must not exclude every name",
        ),
        ('"cloud"', '"cloud"\nunfence = { poll = 99 }', "line 2: poll='99': must be a whole"),
        ("[fence.ipmi]", "[fence.ipmi", "line 4: Expected ']'"),
    ],
)
def test_a_problem_is_told_with_its_line(old: str, new: str, said: str) -> None:
    assert any(text.startswith(said) for text in problems(GOOD.replace(old, new, 1))), problems(
        GOOD.replace(old, new, 1)
    )


SHARED = GOOD.replace('"fence_ipmilan"', '"fence_apc"\nshared = true')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHARED.replace("ipmi", "nova"), "the device nova would have the id fence-nova, which"),
        (SHARED.replace("ipmi", "nova-gate"), "the device nova-gate would have the id fence-nova-"),
        (GOOD.replace('"cmp-2"', '"nova-evacuate"'), "compute nova-evacuate would have the id"),
        (GOOD.replace('"cmp-2"', '"nova-compute"'), "compute nova-compute would have the id nova"),
        (GOOD.replace('"cmp-2"', '"fence-ipmi-cmp-1"'), "the device ipmi of cmp-1 would have the"),
        (GOOD.replace('"cmp-2"', '"9x"'), "compute 9x becomes a resource, and no id of one begins"),
        (
            GOOD.replace('[["ipmi"]]', '[["a"], ["a-b"]]')
            .replace("[fence.ipmi]", '[fence.a-b]\nagent = "fence_apc"\n[fence.a]')
            .replace("fence.ipmi", "fence.a")
            .replace('"cmp-1"', '"b-c"')
            .replace('"cmp-2"', '"c"'),
            "the device a-b of c would have the id fence-a-b-c, like the device a of b-c",
        ),
    ],
)
def test_names_that_give_two_things_one_id_are_refused(text: str, said: str) -> None:
    assert any(f": {said}" in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('ip = "10.0.9.12"', "ipmi is shared: of one node only its plug can be said"),
        ('plug = "1;cmp-1:9"', "plug '1;cmp-1:9' has a space, a semicolon or a colon"),
        ('plug = "1 2"', "plug '1 2' has a space, a semicolon or a colon"),
    ],
)
def test_of_one_node_only_a_plug_of_a_shared_device_is_said(option: str, said: str) -> None:
    text = SHARED.replace('ip = "10.0.9.12"', option)
    assert any(said in problem for problem in problems(text)), problems(text)


def test_all_problems_are_told_at_once_in_the_order_of_their_lines() -> None:
    bad = GOOD.replace('"10.0.0.2"', '"10.0.0.1"').replace('ip = "10.0.9.12"', 'ip = "10.0.9.11"')
    bad = bad.replace('fence.ipmi = { ip = "10.0.9.1" }', "")
    lines = [text.split(":")[0] for text in problems(bad)]
    assert lines == ["line 6", "line 15", "line 16"]


@pytest.mark.parametrize("text", ["", "[[", "fence = 1", "compute = [1]", "controller = {}"])
def test_nonsense_gets_problems_and_no_traceback(text: str) -> None:
    assert problems(text)


def test_a_password_that_may_lie_in_the_cib_is_told() -> None:
    text = GOOD.replace('ip = "10.0.9.12"', 'ip = "10.0.9.12"\npassword = "x"').replace(
        'agent = "fence_ipmilan"', 'agent = "fence_ipmilan"\npassword_in_cib = true'
    )
    (sentence,) = parse(text).secrets()
    assert sentence.startswith("cmp-2, ipmi: password is kept in the CIB")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("gate = 3", "gate must be a table of texts, numbers, true or false"),
        ("gate = { limit = 3 }", "fence_nova_gate has no parameter 'limit'; it has cluster_limit"),
        ("gate = { wait = 99 }", "wait='99': must be a whole number of seconds from 1 to 30"),
        ("gate = { cluster_limit = true }", "cluster_limit='true': must be a whole number"),
        ('gate = { groups = "r1" }', "groups is said by the table groups"),
        ('groups = { r1 = ["cmp-1"] }', "groups are of the storm brake: say gate = {}"),
        ('gate = {}\ngroups = { r1 = ["cmp-9"] }', "r1 names 'cmp-9', which is no compute"),
        ('gate = {}\ngroups = { r1 = ["ctl-1"] }', "r1 names 'ctl-1', which is no compute"),
        ('gate = {}\ngroups = { r1 = ["cmp-1", "cmp-1"] }', "r1 names a compute twice"),
        ('gate = {}\ngroups = { "r 1" = ["cmp-1"] }', "'r 1' is no group"),
        ('gate = {}\ngroups = { "r.1" = ["cmp-1"] }', "'r.1' is no group"),
        ("gate = {}\ngroups = { r1 = [] }", "groups must be a table of lists of names"),
        ('gate = {}\ngroups = { r1 = "cmp-1" }', "groups must be a table of lists of names"),
        ("gate = {}\ngroups = { r1 = [1] }", "groups must be a table of lists of names"),
    ],
)
def test_a_gate_and_groups_that_make_no_sense_are_told_with_their_line(
    gate: str, said: str
) -> None:
    (problem,) = problems(GOOD.replace("[fence.ipmi]", f"{gate}\n[fence.ipmi]", 1))
    line = 4 + gate.count("\n")
    assert problem.startswith(f"line {line}: {said}")


def test_a_gate_and_its_groups_are_read() -> None:
    text = 'gate = { wait = 9 }\ngroups = { r1 = ["cmp-2", "cmp-1"] }\n[fence.ipmi]'
    inventory = parse(GOOD.replace("[fence.ipmi]", text, 1))
    assert inventory.gate == {"wait": "9"}
    assert inventory.groups == {"r1": ("cmp-2", "cmp-1")}
    assert parse(GOOD).gate is None
