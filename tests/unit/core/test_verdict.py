"""What is said of an instance is worked out once, and anew when anything of it is read anew."""

from dataclasses import replace
from unittest.mock import patch

from novaha.core import eligibility
from novaha.core import verdict as module
from novaha.core.details import Details
from novaha.core.model import Server
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import Policy
from novaha.core.protection import PROTECT
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.verdict import verdict

HOST, POLICY = ComputeHost("compute-1"), Policy()
DETAILS = Details()
VM = Server(ServerId("vm-1"), "vm-1", "", DETAILS)


def test_it_is_worked_out_once_while_nothing_is_read_anew() -> None:
    rules = Rules()
    with patch.object(module, "kept", wraps=eligibility.kept) as kept:
        first = verdict(VM, DETAILS, rules.of(HOST), POLICY)
        assert verdict(VM, DETAILS, rules.of(HOST), POLICY) is first
        assert kept.call_count == 1


def test_each_thing_that_is_read_anew_counts() -> None:
    rules = Rules()
    assert verdict(VM, DETAILS, rules.of(HOST), POLICY).kept is None
    excluded = replace(POLICY, exclude_names=("vm-*",))
    assert verdict(VM, DETAILS, rules.of(HOST), excluded).kept is not None
    said = replace(DETAILS, metadata={PROTECT: "false"})
    assert verdict(VM, said, rules.of(HOST), POLICY).kept is not None
    named = replace(VM, name="amphora-1")
    assert verdict(named, DETAILS, rules.of(HOST), POLICY).kept is not None
    closed = Rules((Aggregate(1, "a", frozenset({HOST}), {PROTECT: "false"}),))
    assert verdict(VM, DETAILS, closed.of(HOST), POLICY).kept is not None
    assert verdict(VM, DETAILS, closed.of(ComputeHost("other")), POLICY).kept is None


def test_rules_of_a_host_are_one_object_and_equal_to_those_of_equal_rules() -> None:
    rules = Rules()
    assert rules.of(HOST) is rules.of(HOST)
    verdict(VM, DETAILS, rules.of(HOST), POLICY)
    assert rules.of(HOST) == Rules().of(HOST)
