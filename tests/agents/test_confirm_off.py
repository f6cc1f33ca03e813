"""`nova-ha confirm-off` against fakes of Pacemaker's tools, and what the recovery makes of it."""

import io
import json
import os
import sys
import syslog
from pathlib import Path

import pytest
from agentnode import Node
from novaha.adapters import cib
from novaha.adapters.confirm import CONFIRMED_PREFIX
from novaha.adapters.pacemaker import Pacemaker
from novaha.cli.main import main
from novaha.core import properties
from novaha.core.model import HoldMark
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.proof import prove
from novaha.core.recovery import Proof
from worlds import memory, view

A = NodeName("compute-1")
FAILED = (
    '<fence_event action="reboot" target="compute-1" client="pacemaker-controld.1"'
    ' origin="controller-1" status="failed" exit-reason="no answer" delegate="controller-1"'
    ' completed="2033-05-18 03:30:00Z"/>'
)
HOSTILE = "plug in my hand: <b>&\"'; rm -rf $HOME ü"
YES = ["--yes", "--saw", HOSTILE]


@pytest.fixture
def lost(node: Node, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a cluster that has lost a compute and cannot fence it."""
    for name, value in node.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setenv("FAKE_HISTORY", FAILED)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    Path(f"{node.cib}.lost").write_text("compute-1")
    remote = '<primitive id="compute-1" class="ocf" type="remote"/>'
    node.cib.write_text(node.cib.read_text().replace("<resources>", f"<resources>{remote}"))
    return node


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


def confirmed(node: Node) -> bool:
    return Path(f"{node.cib}.confirmed").exists()


def untouched(node: Node) -> bool:
    text = node.cib.read_text()
    ours = (properties.RECEIPT_PREFIX, CONFIRMED_PREFIX, "nova-ha-hold-")
    return not confirmed(node) and not any(prefix in text for prefix in ours)


def test_it_shows_first_and_changes_nothing(lost: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["confirm-off", A]) == 0
    shown = capsys.readouterr()
    assert "compute-1 is lost, and its fencing failed once, the last time: no answer" in shown.out
    assert "nothing was changed; --yes with --saw" in shown.err
    assert untouched(lost)


def test_with_yes_the_receipt_and_the_hold_are_there_before_pacemaker_is_told(
    lost: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda _, text: logged.append(text))
    assert main(["confirm-off", A, *YES]) == 0
    then = Path(f"{lost.cib}.at-confirm").read_text()
    receipt = cib.read_receipt(A)
    assert receipt is not None
    assert (receipt.by, receipt.devices, receipt.before) == ("person", ("word-of-alice",), 0)
    for text in (receipt.id, HoldMark.of(A, receipt.id).id, f"{CONFIRMED_PREFIX}{A}"):
        assert text in then
    assert sum("--modify" in call for call in lost.calls()) == 1
    assert logged == [f"alice confirmed that compute-1 is off: {HOSTILE}"]
    seen = Pacemaker().observe()
    proof = prove(receipt, view(seen, memory(begun={})), Policy())
    assert isinstance(proof, Proof)
    assert (proof.action, proof.devices) == ("off", ("word-of-alice",))


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        ("the plug is in my hand\ncompute-1\n", True),
        ("the plug is in my hand\ncompute-2\n", False),
        ("the plug is in my hand\nyes\n", False),
        ("\ncompute-1\n", False),
        ("the plug is in my hand\n", False),
        ("", False),
    ],
)
def test_a_person_is_asked_what_they_saw_and_for_the_name(
    lost: Node,
    typed: str,
    done: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert main(["confirm-off", A]) == 0
    assert confirmed(lost) is done
    assert untouched(lost) is not done
    shown = capsys.readouterr()
    assert "What did you see" in shown.out
    assert ("nothing was changed" in shown.err) is not done


def test_programs_are_not_asked(
    lost: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("plug\ncompute-1\n"))
    assert main(["confirm-off", A, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["failures"], told["last_reason"], told["changed"]) == (1, "no answer", False)
    assert untouched(lost)
    assert main(["confirm-off", A, "--json", *YES]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["by"], told["saw"], told["changed"]) == ("alice", HOSTILE, True)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ([A, "--yes"], "--yes needs --saw"),
        (["compute-9", *YES], "compute-9 is no compute node of this cluster"),
        (["<a>; rm", *YES], "is no compute node"),
    ],
)
def test_what_makes_no_sense_gets_code_2_and_changes_nothing(
    lost: Node, argv: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["confirm-off", *argv]) == 2
    assert complaint in capsys.readouterr().err
    assert untouched(lost)


def test_a_node_that_is_online_is_refused_whatever_is_said(
    lost: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    state = '<status><node_state uname="compute-1" in_ccm="true"/>'
    lost.cib.write_text(lost.cib.read_text().replace("<status>", state))
    assert main(["confirm-off", A, "--anyway", *YES]) == 2
    assert "compute-1 is online: it runs" in capsys.readouterr().err
    assert untouched(lost)


def test_a_node_that_pacemaker_does_not_want_fenced_is_refused(
    lost: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(f"{lost.cib}.lost").write_text("")
    assert main(["confirm-off", A, "--anyway", *YES]) == 2
    assert "is not lost" in capsys.readouterr().err
    assert untouched(lost)


def test_one_whose_fencing_has_not_failed_needs_anyway(
    lost: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_HISTORY", "")
    assert main(["confirm-off", A, *YES]) == 2
    assert "wait for its devices, or say --anyway" in capsys.readouterr().err
    assert untouched(lost)
    assert main(["confirm-off", A, "--anyway", *YES]) == 0
    assert confirmed(lost)


def test_when_pacemaker_refuses_nothing_is_left(
    lost: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_STONITH_ADMIN", "no-confirm")
    assert main(["confirm-off", A, *YES]) == 1
    assert "fencer is busy" in capsys.readouterr().err
    assert untouched(lost)


def test_when_it_failed_and_took_effect_the_receipt_stays(
    lost: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_STONITH_ADMIN", "lost")
    assert main(["confirm-off", A, *YES]) == 1
    assert confirmed(lost)
    assert cib.read_receipt(A) is not None


@pytest.mark.parametrize("tool", ["FAKE_CRM_MON", "FAKE_CIBADMIN"])
def test_a_cluster_without_an_answer_gets_code_1(
    lost: Node, tool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(tool, "fail")
    assert main(["confirm-off", A, *YES]) == 1
    assert "nova-ha: c" in capsys.readouterr().err
    assert untouched(lost)


def test_a_fencer_without_an_answer_is_refused(
    lost: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_STONITH_ADMIN", "fail")
    assert main(["confirm-off", A, *YES]) == 2
    assert "the fencer gives no answer" in capsys.readouterr().err
    assert untouched(lost)


def test_without_the_clone_there_is_no_hold_and_nothing_is_confirmed(
    lost: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    text = lost.cib.read_text()
    lost.cib.write_text(text.replace("<clone ", "<group ").replace("</clone>", "</group>"))
    assert main(["confirm-off", A, *YES]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert untouched(lost)


def test_only_root_may(lost: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["confirm-off", A, *YES]) == 1
    assert lost.calls() == []


def test_the_recovery_process_shows_it_before(lost: Node) -> None:
    assert Pacemaker().observe().failing == ((A, "no answer"),)
    Path(f"{lost.cib}.lost").write_text("")
    assert Pacemaker().observe().failing == ()


@pytest.mark.usefixtures("lost")
@pytest.mark.parametrize("tool", ["FAKE_CRM_MON", "FAKE_STONITH_ADMIN"])
def test_what_is_only_shown_stops_nothing(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tool, "fail")
    assert Pacemaker().observe().failing == ()


def test_a_lost_node_with_a_receipt_is_told_of_by_that(lost: Node) -> None:
    assert main(["confirm-off", A, *YES]) == 0
    assert Pacemaker().observe().failing == ()
    assert "crm_mon" not in lost.calls()[-1]
