"""The laws about what is wanted of an instance; the others are judged by every simulation."""

import pytest
from novaha.core import facts
from novaha.core.facts import Fact
from novaha.core.invariants import UNREAD_S, violations
from novaha.core.names import NodeName, ServerId

NODE, VM = NodeName("compute-1"), ServerId("vm-1")
FENCED = (facts.PoweredOff(1.0, NODE), facts.Fenced(2.0, NODE, 0.5, None))


def wished(at_s: float, *, protected: bool = True, loses: bool = False) -> facts.Wished:
    return facts.Wished(at_s, VM, protected, loses)


def evacuated(at_s: float = 200.0, by: facts.By = "process") -> Fact:
    return facts.Accepted(at_s, VM, NODE, 1, by)


def left(*, shown: bool = False) -> Fact:
    return facts.InstanceLeft(300.0, VM, NODE, running=False, shown=shown)


def broken(*history: Fact) -> set[str]:
    return {violation.law for violation in violations((*FENCED, *history), 8)}


def test_what_is_not_protected_is_not_evacuated_by_us() -> None:
    assert broken(wished(0.0, protected=False), evacuated()) == {"L6"}
    assert broken(wished(0.0, protected=False), evacuated(by="orphan")) == {"L6"}
    assert broken(wished(0.0, protected=False), evacuated(by="person")) == set()
    assert broken(wished(0.0), evacuated()) == set()


def test_no_data_is_lost_without_consent() -> None:
    assert broken(wished(0.0, loses=True), evacuated()) == {"L3"}
    assert broken(wished(0.0, loses=True), evacuated(by="person")) == set()
    assert broken(wished(0.0, loses=True), wished(50.0), evacuated()) == set()


@pytest.mark.parametrize(("said_s", "law"), [(150.0, "L6-operator"), (100.0, "L6")])
def test_what_was_said_a_moment_before_nobody_could_have_read(said_s: float, law: str) -> None:
    assert 200.0 - UNREAD_S > 100.0
    assert broken(wished(0.0), wished(said_s, protected=False), evacuated()) == {law}
    again = (wished(0.0, protected=False), wished(said_s, protected=False))
    assert broken(*again, evacuated()) == {"L6"}


def test_nobody_is_missed_who_is_not_protected() -> None:
    assert broken(left()) == {"L3"}
    assert broken(wished(0.0), left()) == {"L3"}
    assert broken(wished(0.0, protected=False), left()) == set()
    assert broken(wished(0.0, protected=False), wished(50.0), left()) == {"L3-operator"}
