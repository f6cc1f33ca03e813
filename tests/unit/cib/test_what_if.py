"""`nova-ha cib what-if`: what is asked of the scheduler, and how its answer is told."""

import json
import os
from pathlib import Path

import pytest
from cibscenarios import GOLDENS, SCENARIOS, broken, cib_of
from lxml import etree
from novaha.cib import outcome
from novaha.cib.events import Event, happen, where
from novaha.cib.xml import find_all
from novaha.cli.main import main
from novaha.errors import ClusterUnavailable, ConfigError

INVENTORY = str(GOLDENS / "inventory.toml")
LOSS = """\
<pacemaker-result><actions>
<node_action task="Fence (reboot)" node="compute-7" reason="it is gone"/>
<node_action task="Shutdown" node="controller-1"/>
<rsc_action action="stop" resource="compute-7" node="controller-1"/>
<rsc_action action="stop" resource="nova-compute:6" node="compute-7"/>
<rsc_action action="move" resource="nova-evacuate" source="controller-2" dest="controller-1"/>
<rsc_action action="restart" resource="nova-compute:2" source="compute-3"/>
</actions></pacemaker-result>
"""
TOLD = """\
If compute-7 is lost:
  compute-7 is fenced (it is gone)
    by fence-ipmi-compute-7, then fence-nova
    where that fails, by fence-pdu-b, then fence-nova
  controller-1 then evacuates the instances of compute-7
  nova-compute is restarted on compute-3
  nova-evacuate moves from controller-2 to controller-1
  nothing else happens
"""
QUIET = "<pacemaker-result><actions/></pacemaker-result>"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a crm_simulate on the path that keeps what it is asked, and sees a loss in it."""
    fake = tmp_path / "crm_simulate"
    fake.write_text(
        f'#!/bin/sh\nif grep -q last_failure "$3"; then cp "$3" {tmp_path}/asked.xml\n'
        f"cat <<'E'\n{LOSS}E\nelse echo '{QUIET}'; fi\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "asked.xml"


def what_if(*args: str) -> int:
    return main(["cib", "what-if", *args])


def test_a_loss_is_told_in_words(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert what_if("--inventory", INVENTORY, "--down", "compute-7") == 0
    assert capsys.readouterr().out == TOLD
    assert 'id="compute-7_last_failure_0"' in asked.read_text()


def test_json_has_levels_and_steps(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert what_if("--inventory", INVENTORY, "--json", "--down", "compute-7", "compute-3") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fencings"][0]["levels"][1] == ["fence-pdu-b", "fence-nova"]
    assert told["supervisor"] == "controller-1"
    assert asked.read_text().count("_last_failure_0") == 2


def test_a_cluster_that_is_not_at_rest_is_noted(
    tmp_path: Path, asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_bytes(etree.tostring(cib_of(SCENARIOS["one-compute"])))
    assert what_if("--file", str(cib), "--down", "compute-1") == 0
    assert "not at rest" in capsys.readouterr().err
    assert asked.exists()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "say what happens"),
        (("--down", "compute-9"), "compute-9 is no node that this cluster has seen; there is"),
        (("--standby", "compute-9"), "and 3 more"),
        (("--maintenance", "x"), "x is no node"),
        (("--fail", "nova"), "there is no resource nova; there is compute-1"),
        (("--fail", "nova-compute"), "say where it fails, as nova-compute@NODE"),
        (("--fail", "nova-evacuate@controller-1"), "does not run on controller-1 now"),
        (("--fail", "nova-evacuate@x"), "x is no node"),
        (("--down", "controller-1", "--down", "controller-1"), ""),
    ],
)
def test_bad_input_gets_code_2_and_what_there_is(
    args: tuple[str, ...], text: str, asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert what_if("--inventory", INVENTORY, *args) == (2 if text else 0)
    assert text in capsys.readouterr().err
    assert not asked.exists()


def test_a_cib_without_status_gets_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cib = tmp_path / "cib.xml"
    cib.write_text("<cib><configuration/></cib>")
    assert what_if("--file", str(cib), "--down", "x") == 2
    assert "has no status" in capsys.readouterr().err


def test_file_and_inventory_exclude_each_other() -> None:
    with pytest.raises(SystemExit) as info:
        what_if("--file", "a", "--inventory", "b", "--down", "x")
    assert info.value.code == 2


def test_a_node_without_pacemaker_gets_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert what_if("--inventory", INVENTORY, "--down", "compute-7") == 1
    assert "crm_simulate is not installed" in capsys.readouterr().err


def test_what_is_lost_already_cannot_be_lost_again() -> None:
    cib = cib_of(SCENARIOS["controller"])
    with pytest.raises(ConfigError, match="controller-3 is offline already"):
        happen(cib, Event("down", "controller-3"), 1)
    happen(cib, Event("down", "compute-7"), 1)
    with pytest.raises(ConfigError, match="compute-7 does not run now"):
        happen(cib, Event("down", "compute-7"), 1)


def test_two_of_three_controllers_take_quorum_with_them() -> None:
    assert cib_of(SCENARIOS["controller"]).get("have-quorum") == "1"
    assert cib_of(SCENARIOS["two-controllers"]).get("have-quorum") == "0"


def test_a_clones_instance_is_found_with_or_without_its_number() -> None:
    cib = cib_of(SCENARIOS["nothing"])
    xpath = "//node_state[@id=$node]//lrm_resource[@id='nova-compute']"
    find_all(cib, xpath, node="compute-1")[0].set("id", "nova-compute:4")
    assert len(where(cib, "nova-compute")) == 8


def test_an_answer_without_actions_is_refused() -> None:
    with pytest.raises(ClusterUnavailable):
        outcome.read(etree.fromstring("<pacemaker-result/>"), cib_of(SCENARIOS["nothing"]))


def test_the_facts_of_a_scenario_notice_what_is_wrong() -> None:
    cib = cib_of(SCENARIOS["rack"])
    known = outcome.read(etree.fromstring(LOSS), cib)
    assert [text.split(":")[0] for text in broken(SCENARIOS["rack"], known)] == [
        "fenced are ['compute-7'], not ['compute-1', 'compute-2', 'compute-3', 'compute-4']",
        "NovaEvacuate is on 'controller-1', not 'controller-2'",
        "must not be touched",
        "must not be touched",
    ]
