"""What is written to the CIB and read from it, through a stand-in for cibadmin."""

import json
import os
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from novaha.adapters import cib
from novaha.adapters.cib import Scene
from novaha.core.incarnation import Incarnation
from novaha.core.names import NodeName
from novaha.core.receipt import MalformedReceipt
from novaha.errors import ClusterUnavailable
from worlds import NODE, mark, proven, receipt, recovery

RECEIPT = receipt()
NOTHING = (105, "")

# Answers by the words of its command line, the first that fits; keeps what it was called with.
CIBADMIN = f"""#!{sys.executable}
import json, os, sys
here = os.path.dirname(__file__)
stdin = sys.stdin.read() if "--xml-pipe" in sys.argv else ""
with open(os.path.join(here, "calls"), "a") as file:
    file.write(json.dumps([sys.argv[1:], stdin]) + "\\n")
for word, code, text in json.load(open(os.path.join(here, "answers"))):
    if word in " ".join(sys.argv) + stdin:
        print(text)
        sys.exit(code)
"""


class Tool:
    """The stand-in; what is not answered succeeds without a word."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "cibadmin"
        path.write_text(CIBADMIN)
        path.chmod(0o755)
        self.answers()

    def answers(self, **of: tuple[int, str]) -> None:
        table = [(word.replace("_", "-"), code, text) for word, (code, text) in of.items()]
        (self.folder / "answers").write_text(json.dumps(table))

    def calls(self) -> list[tuple[list[str], str]]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(argv, stdin) for argv, stdin in map(json.loads, lines)]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Tool(tmp_path)


def written(tool: Tool, index: int = -1) -> ET.Element:
    return ET.fromstring(tool.calls()[index][1])  # noqa: S314  (our own)


START = """<lrm_resource id="compute-1" type="remote">
 <lrm_rsc_op operation="start" rc-code="0" transition-key="32:2:0:uuid"/>
 <lrm_rsc_op operation="start" rc-code="193" transition-key="33:7:0:uuid"/>
 <lrm_rsc_op operation="monitor" rc-code="0" transition-key="29:3:0:uuid"/>
</lrm_resource>"""
CLONE = '<clone id="unfence-clone"><primitive id="u"/></clone>'
LEVEL = """<fencing-level target="compute-1" devices="ipmi-1,nova" index="1"/>
<primitive id="ipmi-1" class="stonith" type="fence_ipmilan"/>
<primitive id="nova" class="stonith" type="fence_nova"/>"""
LIVED = Incarnation.of(frozenset({"32:2:0:uuid"}))


@pytest.mark.parametrize(
    ("answer", "scene"),
    [
        (
            (0, f"<xpath-query>{CLONE}{LEVEL}{START}</xpath-query>"),
            Scene("unfence-clone", LIVED, ("ipmi-1",)),
        ),
        (
            (0, f"<xpath-query>{CLONE}{START}</xpath-query>"),
            Scene("unfence-clone", LIVED, ()),
        ),
        ((0, CLONE), Scene("unfence-clone", Incarnation(), ())),
        ((0, START), Scene(None, LIVED, ())),
        (NOTHING, Scene(None, Incarnation(), ())),
        ((1, "broken"), Scene()),
        ((0, "no xml"), Scene()),
    ],
    ids=["all", "no level", "stopped", "no clone", "neither", "no answer", "nonsense"],
)
def test_what_is_fenced_is_read_with_one_question_that_never_fails(
    tool: Tool, answer: tuple[int, str], scene: Scene
) -> None:
    tool.answers(__xpath=answer)
    assert cib.scene_of(NODE) == scene
    assert len(tool.calls()) == 1


def test_a_receipt_and_its_hold_are_one_change(tool: Tool) -> None:
    cib.write_receipt(RECEIPT, "unfence-clone")
    assert len(tool.calls()) == 1
    root = written(tool)
    pair = root.find(f"./crm_config/cluster_property_set[@id='{cib.PROPERTY_SET}']/nvpair")
    hold = root.find("./constraints/rsc_location")
    assert pair is not None
    assert hold is not None
    assert (pair.get("name"), pair.get("value")) == (
        "nova-ha-receipt-compute-1",
        RECEIPT.to_value(),
    )
    assert hold.attrib == {
        "id": mark().id,
        "rsc": "unfence-clone",
        "node": "compute-1",
        "score": "-INFINITY",
    }


def test_without_the_clone_the_receipt_is_written_alone(tool: Tool) -> None:
    cib.write_receipt(RECEIPT, None)
    assert written(tool).find("constraints") is None


def test_a_hold_that_is_refused_costs_no_receipt(tool: Tool) -> None:
    tool.answers(INFINITY=(78, "refused"))
    cib.write_receipt(RECEIPT, "unfence-clone")
    assert written(tool).find("constraints") is None
    assert written(tool).find(".//nvpair") is not None


def test_a_receipt_that_cannot_be_written_is_an_error(tool: Tool) -> None:
    tool.answers(__modify=(76, "not connected"))
    with pytest.raises(ClusterUnavailable, match=r"cibadmin failed \(76\): not connected"):
        cib.write_receipt(RECEIPT, "unfence-clone")


@pytest.mark.parametrize("node", ["a b", "a'b", "a/b", "<a>"])
def test_a_name_that_the_cib_cannot_hold_is_refused_before_anything_runs(
    tool: Tool, node: str
) -> None:
    with pytest.raises(ClusterUnavailable, match="cannot be kept in the CIB"):
        cib.read_receipt(NodeName(node))
    with pytest.raises(ClusterUnavailable, match="cannot be kept in the CIB"):
        cib.write_record(recovery(NodeName(node)))
    assert tool.calls() == []


def test_deleting_names_the_value_so_that_a_newer_one_stays(tool: Tool) -> None:
    cib.delete_receipt(RECEIPT)
    cib.delete_record(recovery())
    cib.delete_hold(mark().id)
    elements = [ET.fromstring(argv[-1]) for argv, _ in tool.calls()]  # noqa: S314
    assert [e.get("value") for e in elements] == [
        RECEIPT.to_value(),
        recovery().to_value(),
        None,
    ]
    assert elements[2].attrib == {"id": mark().id}
    assert [argv[argv.index("--scope") + 1] for argv, _ in tool.calls()] == [
        "crm_config",
        "crm_config",
        "constraints",
    ]


def test_deleting_what_is_gone_is_no_error_and_a_refusal_is(tool: Tool) -> None:
    tool.answers(__delete=NOTHING)
    cib.delete_receipt(RECEIPT)
    tool.answers(__delete=(4, "permission denied"))
    with pytest.raises(ClusterUnavailable, match="permission denied"):
        cib.delete_receipt(RECEIPT)


def pair(value: str) -> str:
    return ET.tostring(ET.Element("nvpair", id="x", name="x", value=value), encoding="unicode")


@pytest.mark.parametrize("wrapped", ["{}", "<xpath-query>{}</xpath-query>"])
def test_a_receipt_is_read_whether_one_or_many_match(tool: Tool, wrapped: str) -> None:
    tool.answers(__xpath=(0, wrapped.format(pair(RECEIPT.to_value()))))
    assert cib.read_receipt(NODE) == RECEIPT


def test_no_receipt_is_none_and_a_malformed_one_is_an_error(tool: Tool) -> None:
    tool.answers(__xpath=NOTHING)
    assert cib.read_receipt(NODE) is None
    tool.answers(__xpath=(0, pair("nonsense")))
    with pytest.raises(MalformedReceipt):
        cib.read_receipt(NODE)


def held(tool: Tool, receipt_: tuple[int, str], record: tuple[int, str]) -> str | None:
    tool.answers(nova_ha_receipt=receipt_, nova_ha_recovery=record)
    return cib.read_hold(NODE).why


def test_a_node_is_held_from_its_receipt_to_the_end_of_its_evacuation(tool: Tool) -> None:
    there = (0, pair(RECEIPT.to_value()))
    evacuating = (0, pair(recovery().to_value()))
    kept = (0, pair(proven().to_value()))
    returning = (0, pair(recovery(phase="returning").to_value()))
    assert "not yet recovered" in str(held(tool, there, NOTHING))
    assert "not yet recovered" in str(held(tool, there, returning))
    assert "being evacuated" in str(held(tool, NOTHING, kept))
    assert "being evacuated" in str(held(tool, NOTHING, evacuating))
    assert held(tool, NOTHING, returning) is None
    assert cib.read_hold(NODE).returns_from == recovery().receipt_id
    assert held(tool, NOTHING, NOTHING) is None
    assert cib.read_hold(NODE) == cib.Held()


def test_what_cannot_be_read_holds_the_node_too(tool: Tool) -> None:
    assert "malformed" in str(held(tool, (0, pair("?")), NOTHING))
    assert "malformed" in str(held(tool, NOTHING, (0, pair("?"))))


@pytest.mark.parametrize("answer", [(76, "not connected"), (0, "no xml")])
def test_a_cluster_without_an_answer_never_means_that_a_node_is_free(
    tool: Tool, answer: tuple[int, str]
) -> None:
    with pytest.raises(ClusterUnavailable):
        held(tool, answer, NOTHING)
    with pytest.raises(ClusterUnavailable):
        held(tool, NOTHING, answer)
