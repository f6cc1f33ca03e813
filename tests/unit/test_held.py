"""What nova-compute has to pass: the cluster, guests of a former life, or a person's word."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from novaha import held
from novaha.adapters.cib import Held
from novaha.core.names import NodeName
from novaha.errors import ClusterUnavailable
from novaha.held import Gate

GUESTS = "guests run that nova-compute did not start: instance-0000000a"


class Host:
    """A node of which the cluster and libvirt tell what is set here."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Held()
        self.guests: str | None = None
        self.folder = folder

    def gate(self) -> Gate:
        """Look through the eyes of a new process."""
        return Gate(str(self.folder), lambda: NodeName("compute-1"), re.compile("instance-.*"))

    def let_go(self) -> str | None:
        """Ask as before a start of nova-compute, and start it where nothing holds it."""
        gate = self.gate()
        why = gate.why_held()
        if why is None:
            gate.remember()
        return why


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path)
    monkeypatch.setattr(held, "read_hold", lambda _: host.cluster)
    monkeypatch.setattr(held, "former_life", lambda _: host.guests)
    return host


def test_guests_of_a_node_that_was_never_fenced_are_its_own(host: Host) -> None:
    host.guests = GUESTS
    assert host.let_go() is None


def test_a_node_on_its_way_back_must_not_run_what_nova_compute_did_not_start(host: Host) -> None:
    host.cluster = Held(returns_from="0123456789ab")
    host.guests = GUESTS
    assert host.let_go() == GUESTS
    assert host.let_go() == GUESTS
    host.guests = None
    assert host.let_go() is None


def test_what_nova_compute_started_on_its_way_back_does_not_hold_it_when_it_starts_again(
    host: Host,
) -> None:
    host.cluster = Held(returns_from="0123456789ab")
    assert host.let_go() is None
    host.guests = GUESTS
    assert host.let_go() is None


def test_a_later_recovery_counts_them_again_even_without_a_boot(host: Host) -> None:
    """Storage fencing leaves the node running, with all its guests."""
    host.cluster = Held(returns_from="0123456789ab")
    assert host.let_go() is None
    host.cluster, host.guests = Held(returns_from="ba9876543210"), GUESTS
    assert host.let_go() == GUESTS


def test_to_ask_is_not_to_start(host: Host) -> None:
    host.cluster = Held(returns_from="0123456789ab")
    assert host.gate().why_held() is None
    host.guests = GUESTS
    assert host.let_go() == GUESTS


def test_a_held_node_tells_of_its_guests_too(host: Host) -> None:
    host.cluster = Held("fenced and not yet recovered")
    assert host.let_go() == "fenced and not yet recovered"
    host.guests = GUESTS
    assert host.let_go() == f"fenced and not yet recovered; and {GUESTS}"


def test_a_person_s_word_is_enough_until_it_is_taken_back(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.cluster, host.guests = Held("its instances are being evacuated"), GUESTS
    host.gate().word.set("alice: the cluster is stopped")
    assert host.let_go() is None
    monkeypatch.setattr("novaha.hold.boot_identity", lambda: "another boot")
    assert host.let_go() is not None
    monkeypatch.undo()


def test_a_word_that_was_taken_back_is_no_word(host: Host) -> None:
    host.cluster = Held("held")
    host.gate().word.set("alice")
    host.gate().word.clear()
    assert host.let_go() == "held"


def _called(monkeypatch: pytest.MonkeyPatch, hostname: str, *nodes: str) -> None:
    """Have the cluster know these nodes, and this one have a host name and no crm_node."""
    name = os.uname_result(("Linux", hostname, "6", "1", "x86_64"))
    monkeypatch.setattr("os.uname", lambda: name)
    monkeypatch.setattr("shutil.which", lambda _: None)
    known: Callable[[NodeName], bool] = set(nodes).__contains__
    monkeypatch.setattr(held, "has_node", known)


@pytest.mark.parametrize("hostname", ["compute-1", "compute-1.example.com"])
def test_a_node_is_called_as_its_host(monkeypatch: pytest.MonkeyPatch, hostname: str) -> None:
    _called(monkeypatch, hostname, "compute-1", "compute-2")
    assert held.own_name() == "compute-1"
    assert held.own_name("compute-2") == "compute-2"


def test_a_name_that_the_cluster_has_not_never_says_that_nothing_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _called(monkeypatch, "c1.example.com", "compute-1")
    with pytest.raises(ClusterUnavailable, match=r"no node c1.example.com; say --node"):
        held.own_name()
    with pytest.raises(ClusterUnavailable, match=r"no node compute-1.example.com"):
        held.own_name("compute-1.example.com")
