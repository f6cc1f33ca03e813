"""The words of a drain as the CIB keeps them, a node's health, and what both together want."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.details import Details
from novaha.core.drain import (
    Drain,
    Health,
    Phase,
    Withdrawn,
    health_of,
    parse_drain,
    parse_withdrawn,
)
from novaha.core.livestates import LIVE_RULES, Leave, live_rule_of
from novaha.core.names import ComputeHost
from worlds import HOST, NODE, cluster

LINE = st.text(st.characters(blacklist_categories=["C", "Z"]), max_size=40)


@given(why=LINE, standby=st.booleans(), at_s=st.integers(0, 10**11))
def test_what_is_written_is_read_again(why: str, standby: bool, at_s: int) -> None:  # noqa: FBT001
    drain = Drain(NODE, at_s, "alice", why, standby)
    assert parse_drain(NODE, drain.to_value()) == drain


@given(phase=st.sampled_from(Phase), enabled=st.booleans(), after=st.integers(0, 10**17))
def test_what_was_taken_is_read_again(phase: Phase, enabled: bool, after: int) -> None:  # noqa: FBT001
    withdrawn = Withdrawn(NODE, HOST, phase, enabled, after)
    assert parse_withdrawn(NODE, withdrawn.to_value()) == withdrawn


@given(st.text(max_size=80))
def test_whatever_stands_there_is_read_and_deleted_as_it_is(text: str) -> None:
    assert parse_drain(NODE, text).node == NODE
    assert parse_withdrawn(NODE, text).node == NODE
    assert parse_drain(NODE, "x" + text).to_value() == "x" + text
    assert parse_withdrawn(NODE, "x" + text).to_value() == "x" + text


def test_what_nobody_can_read_was_taken_all_the_same() -> None:
    withdrawn = parse_withdrawn(NODE, "v1 phase=asleep found=enabled host=a after=1")
    assert (withdrawn.host, withdrawn.phase) == (ComputeHost(""), Phase.PARKED)


@pytest.mark.parametrize(
    ("values", "health"),
    [
        ([], Health.GREEN),
        (["green", "0", "-1000000", "rouge"], Health.GREEN),
        (["green", " Yellow "], Health.YELLOW),
        (["RED", "yellow"], Health.RED),
    ],
)
def test_the_worst_colour_counts(values: list[str], health: Health) -> None:
    assert health_of(values) is health


def test_a_person_and_a_node_s_health_ask_for_less() -> None:
    assert cluster().wanted(NODE) is None
    yellow = cluster(health={NODE: Health.YELLOW}).wanted(NODE)
    red = cluster(health={NODE: Health.RED}).wanted(NODE)
    drain = Drain(NODE, 0, "alice", "RAM", standby=True)
    drained = cluster(health={NODE: Health.YELLOW}, drains=(drain,)).wanted(NODE)
    assert yellow
    assert red
    assert drained
    assert (yellow.empty, red.empty, drained.empty) == (False, True, True)
    assert (drained.standby, drained.said) == (True, "drained by alice: RAM")


@pytest.mark.parametrize(
    ("vm_state", "task_state", "leave"),
    [
        ("active", "", Leave.MOVE),
        ("paused", "", Leave.MOVE),
        ("active", "migrating", Leave.MOVING),
        ("active", "rebooting", Leave.LATER),
        ("active", "deleting", Leave.LATER),
        ("building", "spawning", Leave.LATER),
        ("stopped", "", Leave.STAY),
        ("stopped", "powering-on", Leave.LATER),
        ("suspended", "", Leave.STAY),
        ("rescued", "", Leave.STAY),
        ("error", "", Leave.STAY),
        ("resized", "", Leave.STAY),
        ("shelved", "", Leave.STAY),
        ("soft-delete", "", Leave.STAY),
        ("of-a-newer-nova", "", Leave.STAY),
    ],
)
def test_every_state_has_its_way(vm_state: str, task_state: str, leave: Leave) -> None:
    assert live_rule_of(Details(vm_state, task_state)).leave is leave
    assert live_rule_of(Details(vm_state, task_state, locked=True)).leave is leave


def test_every_rule_of_the_table_is_reached() -> None:
    for rule in LIVE_RULES:
        details = Details((rule.vm_states or ("active",))[0], (rule.task_states or ("",))[0])
        assert live_rule_of(details) is rule
