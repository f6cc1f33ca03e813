"""Ports tried in the background, against real sockets on this machine."""

import socket
import time
from collections.abc import Iterator

import pytest
from novaha.adapters.probes import Probes
from novaha.core.names import ServerId
from novaha.core.order import Target

DB, WEB = ServerId("db"), ServerId("web")
HERE = ("127.0.0.1",)
NOWHERE = "192.0.2.1"
"""TEST-NET-1: nobody answers, and nobody refuses."""


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def found(probes: Probes, *targets: Target, within_s: float = 5.0) -> frozenset[ServerId]:
    """Ask until somebody answers, or for so long."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if answering := probes.answering(targets):
            return answering
        time.sleep(0.02)
    return frozenset()


def test_who_listens_answers_and_who_does_not_does_not(port: int) -> None:
    targets = (Target(DB, port, HERE), Target(WEB, closed_port(), HERE))
    assert found(Probes(), *targets) == {DB}


def test_any_of_its_addresses_will_do(port: int) -> None:
    probes = Probes(timeout_s=0.2)
    assert found(probes, Target(DB, port, (NOWHERE, *HERE))) == {DB}


def test_one_that_begins_to_listen_is_found_then() -> None:
    probes, port = Probes(), closed_port()
    target = Target(DB, port, HERE)
    assert found(probes, target, within_s=0.3) == frozenset()
    with socket.create_server(("127.0.0.1", port)):
        assert found(probes, target) == {DB}


def test_asking_waits_for_nobody_however_many_are_silent() -> None:
    probes = Probes(timeout_s=2.0)
    targets = [Target(ServerId(f"vm-{n}"), 81, (NOWHERE,) * 4) for n in range(64)]
    began_s = time.monotonic()
    for _ in range(3):
        assert probes.answering(targets) == frozenset()
    assert time.monotonic() - began_s < 0.5


def test_an_answer_counts_once_and_only_for_who_is_asked_for(port: int) -> None:
    probes, target = Probes(), Target(DB, port, HERE)
    probes.answering((target,))
    time.sleep(0.3)
    assert probes.answering((Target(WEB, port, ()),)) == frozenset()
    assert probes.answering((target,)) == frozenset(), "an answer of before is forgotten"


@pytest.mark.parametrize("address", ["", "no such name.invalid", "\x00", "999.1.1.1", "a" * 300])
def test_an_address_that_is_none_does_not_answer(address: str) -> None:
    assert found(Probes(), Target(DB, 22, (address,)), within_s=0.3) == frozenset()
