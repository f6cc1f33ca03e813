"""What Pacemaker does with our configuration when something is lost, by its own scheduler.

Each scenario states facts that must hold; a golden for each Pacemaker has all that happens.
"""

import re

import pytest
from cibgraph import fencings_before
from cibscenarios import GOLDENS, SCENARIOS, broken, cib_of
from cibtools import Tools
from lxml import etree
from novaha.cib import outcome
from novaha.cib.xml import Element

pytestmark = pytest.mark.cluster
SIMULATE = "crm_simulate --run --xml-file cib.xml --output-as=xml"


@pytest.fixture(scope="session", params=["tools", "next_tools"], ids=["debian12", "debian13"])
def pacemaker(request: pytest.FixtureRequest) -> tuple[Tools, str]:
    """Give the tools of a Pacemaker, and its version."""
    tools: Tools = request.getfixturevalue(request.param)
    found = re.search(r"Pacemaker (\S+)", tools.sh("crm_simulate --version"))
    assert found
    return tools, found[1]


def simulated(tools: Tools, cib: Element) -> outcome.Outcome:
    out = tools.sh(SIMULATE, cib_xml=etree.tostring(cib, encoding="unicode"))
    return outcome.read(etree.fromstring(out.encode()), cib)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_pacemaker_does(
    name: str, pacemaker: tuple[Tools, str], request: pytest.FixtureRequest
) -> None:
    tools, version = pacemaker
    cib = cib_of(SCENARIOS[name])
    known = simulated(tools, cib)
    assert list(broken(SCENARIOS[name], known)) == []
    told = "".join(f"{line}\n" for line in outcome.words(SCENARIOS[name].events, known, cib))
    golden = GOLDENS / version / f"{name}.txt"
    if request.config.getoption("--update-goldens"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(told)
    assert golden.exists(), f"{golden} is missing: --update-goldens writes it; read it then"
    assert told == golden.read_text()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_facts_hold_without_fail_counts_too(name: str, pacemaker: tuple[Tools, str]) -> None:
    cib = cib_of(SCENARIOS[name], "fail_counts = false\n")
    assert list(broken(SCENARIOS[name], simulated(pacemaker[0], cib))) == []


SICK_HOST = {
    "controller-with-supervisor-and-compute": (
        "nova-evacuate_start_0",
        "compute-2_start_0",
        "fence-ipmi-compute-3_start_0",
    ),
    "return-beside-a-lost-compute": (
        "compute-7_start_0",
        "nova-compute-unfence_start_0",
        "nova-compute_start_0",
    ),
}


@pytest.mark.parametrize("name", SICK_HOST)
def test_nothing_waits_for_the_fencing_of_another_host(
    name: str, pacemaker: tuple[Tools, str]
) -> None:
    cib = cib_of(SCENARIOS[name])
    script = "crm_simulate --run --xml-file cib.xml --save-graph graph.xml >&2; cat graph.xml"
    out = pacemaker[0].sh(script, cib_xml=etree.tostring(cib, encoding="unicode"))
    graph = etree.fromstring(out.encode())
    waiting = {key: fencings_before(graph, key) for key in SICK_HOST[name]}
    assert waiting == dict.fromkeys(waiting, frozenset())


def test_no_golden_is_left_over(pacemaker: tuple[Tools, str]) -> None:
    assert {each.stem for each in (GOLDENS / pacemaker[1]).iterdir()} == SCENARIOS.keys()
