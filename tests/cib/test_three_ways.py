"""One inventory as a CIB, by pcs and by crmsh: the same configuration, valid for Pacemaker."""

import re
from pathlib import Path

import pytest
from cibtools import Tools
from lxml import etree
from novaha.cib import (
    check,
    facts,
    generate,
    inventory,
    merge,
    render_crmsh,
    render_pcs,
    render_xml,
)
from novaha.cib.configuration import Configuration
from novaha.cib.xml import find_all
from testcloud import docker

pytestmark = pytest.mark.cluster

EXAMPLE = (Path(__file__).parents[2] / "crm-config/examples/inventory.toml").read_text()
KDUMP = EXAMPLE.replace('levels = [["ipmi"], ["pdu"]]', 'levels = [["kdump", "ipmi"], ["sbd"]]')
KDUMP = KDUMP.replace(
    "[fence.pdu]",
    '[fence.kdump]\nagent = "fence_kdump"\nshared = true\n'
    '[fence.sbd]\nagent = "fence_sbd"\nshared = true\noptions = { devices = "/dev/sbd" }\n'
    "[fence.pdu]",
)
# Not beyond ASCII: crmsh 4.4 escapes that twice.
ODD = KDUMP.replace('"fence"', '"it\'s \\\\ $HOME "')

GATED = EXAMPLE.replace(
    "[fence.ipmi]",
    'gate = { cluster_limit = 3 }\ngroups = { rack-1 = ["compute-1"], ssd = ["compute-1"] }\n'
    "[fence.ipmi]",
    1,
)
UNCOUNTED = f"fail_counts = false\n{GATED}"


@pytest.fixture(
    params=[EXAMPLE, ODD, UNCOUNTED], ids=["example", "kdump-sbd-odd-text", "gated-uncounted"]
)
def made(request: pytest.FixtureRequest) -> Configuration:
    return generate.generate(inventory.parse(request.param))


def configuration(text: str) -> list[str]:
    root = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True))
    (found,) = find_all(root, "/cib/configuration")
    return merge.canonical(found).replace("><", ">\n<").splitlines()


def test_pcs_gives_the_same(made: Configuration, tools: Tools) -> None:
    script = "cibadmin --empty > cib.xml; bash our.sh cib.xml >&2; cat cib.xml"
    out = tools.sh(script, our_sh=render_pcs.render(made))
    assert configuration(out) == configuration(render_xml.as_text(render_xml.whole(made)))


def test_crmsh_gives_the_same(made: Configuration, tools: Tools) -> None:
    script = (
        "cibadmin --empty > cib.xml; export CIB_file=cib.xml;"
        " crm -F configure load update our.crm >&2; cat cib.xml"
    )
    out = tools.sh(script, our_crm=render_crmsh.render(made))
    assert configuration(out) == configuration(render_xml.as_text(render_xml.whole(made)))


def test_pacemakers_schema_accepts_it(made: Configuration, tools: Tools) -> None:
    text = render_xml.as_text(render_xml.whole(made))
    tools.sh(
        "xmllint --noout --relaxng /usr/share/pacemaker/pacemaker-3.9.rng our.xml", our_xml=text
    )


def test_the_check_asks_the_daemons_and_finds_nothing_in_ours(
    made: Configuration, tools: Tools
) -> None:
    daemons = ("based", "controld", "schedulerd")
    script = "; ".join(f"/usr/lib/pacemaker/pacemaker-{name} metadata" for name in daemons)
    names = set(re.findall(r'<parameter name="([^"]+)"', tools.sh(script)))
    assert {name for name, _ in made.properties} <= names
    assert check.check(facts.Facts(render_xml.whole(made), frozenset(names))) == ()


def test_apply_writes_once_and_then_finds_nothing_to_change(tools: Tools) -> None:
    docker.copy_tar_in(tools.container, docker.tar_of(_package()))
    script = (
        "cibadmin --empty > cib.xml; export CIB_file=/tmp/cib/cib.xml PYTHONPATH=/opt/lib;"
        " nova_ha() { python3 -c 'import sys; from novaha.cli.main import main;"
        ' sys.exit(main(sys.argv[1:]))\' "$@"; };'
        " nova_ha cib apply our.toml >&2; ! grep -q primitive cib.xml;"
        " nova_ha cib apply --yes our.toml >&2; nova_ha cib diff our.toml; nova_ha cib check"
    )
    assert tools.sh(script, our_toml=EXAMPLE).splitlines() == ["0 changes", "0 problems"]


def _package() -> list[docker.File]:
    lib = Path(__file__).parents[2] / "lib"
    found = sorted((lib / "novaha").rglob("*.py"))
    return [docker.File(f"opt/lib/{each.relative_to(lib)}", each.read_bytes()) for each in found]
