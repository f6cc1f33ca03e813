"""A classic configuration becomes ours with Pacemaker's own tools, and ours becomes it again."""

from pathlib import Path

import pytest
from cibtools import Tools
from lxml import etree
from migrating import CLASSIC
from novaha.cib.merge import canonical
from novaha.cib.xml import find_all
from testcloud import docker

pytestmark = pytest.mark.cluster

LIB = Path(__file__).parents[2] / "lib"
# CIB_file has Pacemaker's tools work on a file. What needs daemons is stood in for.
SETUP = """
export CIB_file=/tmp/cib/cib.xml PYTHONPATH=/opt/lib PATH=/tmp/cib/bin:$PATH
nova_ha() { python3 -c 'import sys; from novaha.cli.main import main
sys.exit(main(sys.argv[1:]))' "$@"; }
mkdir -p bin; printf '#!/bin/sh\\necho "$NOTHING"\\nexit 78\\n' > bin/attrd_updater
NOTHING='<r><status code="78"/><errors><error>attribute does not exist</error></errors></r>'
export NOTHING
printf '#!/bin/sh\\ncat "$CIB_file" > waited; echo "<r/>"\\n' > bin/crm_mon; chmod 755 bin/*
rm -rf kept.json secrets waited; cp classic.xml cib.xml
nova_ha migrate classic --cloud overcloud --secrets secrets > inventory.toml 2> /dev/null
"""
APPLY = "nova_ha migrate apply inventory.toml --yes --save kept.json > /dev/null 2>&1\n"
VERIFY = "crm_verify --xml-file"


@pytest.fixture
def run(tools: Tools) -> Tools:
    """Give the tools with nova-ha beside them."""
    package = sorted((LIB / "novaha").rglob("*.py"))
    files = [docker.File(f"opt/lib/{each.relative_to(LIB)}", each.read_bytes()) for each in package]
    docker.copy_in(tools.container, files)
    return tools


def after(run: Tools, script: str) -> str:
    return run.sh(SETUP + script, classic_xml=CLASSIC.read_text())


def configuration(text: str) -> list[str]:
    root = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True))
    (found,) = find_all(root, "/cib/configuration")
    return canonical(found).replace("><", ">\n<").splitlines()


def test_the_classic_configuration_is_one_that_pacemaker_takes(run: Tools) -> None:
    assert "rrors found" not in after(run, f"{VERIFY} classic.xml 2>&1 || true")


def test_nothing_is_changed_without_yes(run: Tools) -> None:
    shown = after(
        run,
        "nova_ha migrate apply inventory.toml > /dev/null 2>&1; nova_ha migrate diff inventory.toml"
        " > /dev/null 2>&1 || cmp cib.xml classic.xml && echo same; ls -A | grep kept || true",
    )
    assert shown == "same\n"


def test_apply_gives_a_valid_configuration_without_any_problem_of_ours(run: Tools) -> None:
    shown = after(run, f"{APPLY} {VERIFY} cib.xml 2>&1 || true")
    assert "rrors found" not in shown
    shown = after(run, f"{APPLY} nova_ha cib check || true")
    problems = [line for line in shown.splitlines() if not line.startswith(" ")]
    assert all("networker-0" in line for line in problems[:-1]), problems
    left = after(
        run, f"{APPLY} grep -c -e fence_compute -e openstack:: -e unfencing cib.xml || true"
    )
    assert left == "0\n"


def test_the_old_nova_compute_is_stopped_before_ours_is_there(run: Tools) -> None:
    """What the configuration was when the cluster was asked whether it still runs."""
    cib = etree.fromstring(after(run, f"{APPLY} cat waited").encode())
    old = "//clone[@id='openstack-nova-compute-clone']"
    assert len(find_all(cib, f"{old}//nvpair[@name='target-role'][@value='Stopped']")) == 1
    assert find_all(cib, "//clone[@id='nova-compute-clone']") == []


def test_rollback_gives_the_same_configuration(run: Tools) -> None:
    back = "nova_ha migrate rollback kept.json --yes > /dev/null 2>&1\n"
    text = after(run, f"{APPLY} {back} cat cib.xml")
    assert configuration(text) == configuration(CLASSIC.read_text())


def test_rollback_keeps_what_was_added_since(run: Tools) -> None:
    add = "pcs -f cib.xml resource create later ocf:pacemaker:Dummy > /dev/null\n"
    back = "nova_ha migrate rollback kept.json --yes > /dev/null 2>&1\n"
    text = after(run, f"{APPLY} {add} {back} cat cib.xml")
    assert 'id="later"' in text
    assert 'type="fence_compute"' in text


def test_rollback_refuses_what_contradicts_and_changes_nothing(run: Tools) -> None:
    change = 'sed -i \'s/ocf:novaha/&/; s/provider="novaha"/provider="other"/\' cib.xml\n'
    back = "cp cib.xml was.xml; nova_ha migrate rollback kept.json --yes 2>&1 && exit 9\n"
    shown = after(run, f"{APPLY} {change} {back} cmp cib.xml was.xml && echo same")
    assert "primitive nova-evacuate was changed since" in shown
    assert shown.endswith("same\n")


def test_no_node_is_fenced_by_the_change(run: Tools) -> None:
    """The cluster as it runs with classic, given our configuration: what the scheduler does."""
    up = " ".join(f"--node-up controller-{n}" for n in range(3))
    simulate = "env -u CIB_file crm_simulate --simulate --output-as=xml --xml-file"
    start = f"{simulate} classic.xml --save-output cib.xml {up} > start.xml; cp cib.xml was.xml\n"
    ours = after(run, f"{start} {APPLY} {simulate} cib.xml --save-output after.xml")
    old = after(run, f"{start} {simulate} was.xml --save-output after.xml")
    assert fencings(old)  # Classic unfences every node, so the question is one.
    assert fencings(ours) == []
    actions = find_all(etree.fromstring(ours.encode()), "//actions/rsc_action")
    done = {(str(each.get("action")), str(each.get("resource"))) for each in actions}
    assert ("restart", "nova-evacuate") in done
    assert ("stop", "compute-unfence-trigger") in done
    assert {name for _, name in done}.isdisjoint({"vip", "networker-0"})
    held = [each for each in actions if "nova-compute-unfence" in str(each.get("resource"))]
    assert {each.get("node") for each in held} == {"compute-0", "compute-1"}


def fencings(text: str) -> list[str]:
    result = etree.fromstring(text.encode())
    return [str(each.get("node")) for each in find_all(result, "//node_action")]
