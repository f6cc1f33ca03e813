"""A returned host runs a canary before it is enabled."""

from dataclasses import replace

import pytest
from novaha.core import canarymemory
from novaha.core.actions import (
    Action,
    AskCanaries,
    BootCanary,
    Decision,
    DeleteCanary,
    Enable,
    EndRecovery,
    Hold,
)
from novaha.core.canary import Canary, Recipe, parse_recipe
from novaha.core.decide import decide
from novaha.core.model import Memory
from novaha.core.names import ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from worlds import HOST, NODE, NOW_S, RECEIPT_ID, cluster, memory, ours, recovery, service, view

RECIPE = Recipe("image-1", "flavor-1")
POLICY = Policy(canary=RECIPE)
MINE = Canary(ServerId("c-1"), RECEIPT_ID, "BUILD")
BOOT = BootCanary(HOST, RECEIPT_ID, RECIPE)
ASK = AskCanaries(HOST, RECEIPT_ID)
LONG_AGO_S = NOW_S - 500.0


def known(*listed: Canary, asked_s: float = NOW_S, own: bool = True) -> Memory:
    """Return what is known of a host that is back and forced up, with its canaries.

    own: this process itself began the recovery.
    """
    begun = {RECEIPT_ID: 0} if own else {}
    before = replace(memory(services=(ours(forced_down=False),)), started_s=NOW_S, begun=begun)
    return canarymemory.saw_canaries(before, HOST, RECEIPT_ID, listed, asked_s)


def decided(
    of: Memory, now_s: float = NOW_S, *, policy: Policy = POLICY, released: bool = False
) -> tuple[Decision, ...]:
    record = recovery(phase="returning", heartbeat="before", raised=True)
    freed = frozenset({NODE}) if released else frozenset()
    alive = frozenset({NODE})
    seen = cluster(receipts=(), marks=(), records=(record,), online=alive, released=freed)
    fresh = of.services and replace(of.services, asked_s=now_s)
    return decide(view(seen, replace(of, services=fresh), now_s), policy)


def reasons(decisions: tuple[Decision, ...]) -> list[Reason]:
    return [each.reason for each in decisions if isinstance(each, Hold)]


def test_without_a_recipe_a_host_is_enabled_and_nothing_asked() -> None:
    decisions = decided(known(), policy=Policy())
    assert [type(each) for each in decisions if isinstance(each, Action)] == [Enable]
    assert ASK not in decisions


def test_nova_is_asked_first_then_one_is_booted() -> None:
    unasked = replace(known(), canaries={})
    assert decided(unasked) == (ASK,)
    assert decided(known()) == (BOOT,)


def test_the_host_stays_disabled_while_it_boots() -> None:
    decisions = decided(
        canarymemory.saw_canaries(
            canarymemory.booted(known(), HOST, RECEIPT_ID, NOW_S), HOST, RECEIPT_ID, (MINE,), NOW_S
        )
    )
    assert reasons(decisions) == [Reason.CANARY]
    assert not [each for each in decisions if isinstance(each, Action)]


def test_one_that_runs_is_deleted_and_then_the_host_serves() -> None:
    (delete,) = decided(known(MINE._replace(status="ACTIVE")))
    assert delete == DeleteCanary(HOST, RECEIPT_ID, MINE.server, passed=True)
    deleted = canarymemory.deleting(known(), delete, NOW_S)
    gone = canarymemory.saw_canaries(deleted, HOST, RECEIPT_ID, (), NOW_S)
    assert any(isinstance(each, Enable) for each in decided(gone))


def test_a_deletion_without_effect_is_asked_for_again_later() -> None:
    (delete,) = decided(known(MINE._replace(status="ACTIVE")))
    assert isinstance(delete, DeleteCanary)
    deleted = canarymemory.deleting(known(), delete, NOW_S)
    there = canarymemory.saw_canaries(deleted, HOST, RECEIPT_ID, (MINE,), NOW_S)
    assert reasons(decided(there)) == [Reason.CANARY]
    late = canarymemory.saw_canaries(there, HOST, RECEIPT_ID, (MINE,), NOW_S + 31)
    assert DeleteCanary(HOST, RECEIPT_ID, MINE.server) in decided(late, NOW_S + 31)


def test_one_that_fails_is_deleted_told_of_and_followed_by_another_later() -> None:
    (delete,) = decided(known(MINE._replace(status="ERROR", fault="No port.")))
    assert delete == DeleteCanary(HOST, RECEIPT_ID, MINE.server, why="No port.")
    deleted = canarymemory.deleting(known(), delete, NOW_S)
    gone = canarymemory.saw_canaries(deleted, HOST, RECEIPT_ID, (), NOW_S)
    (hold,) = [each for each in decided(gone) if isinstance(each, Hold)]
    assert hold.reason is Reason.CANARY_FAILED
    assert "its canary does not run: No port (tries: 1)" in hold.text
    assert f"nova-ha release {NODE}" in hold.text
    assert ASK not in decided(gone, NOW_S + 20), "what fails is not asked about in each cycle"
    later = canarymemory.saw_canaries(gone, HOST, RECEIPT_ID, (), NOW_S + 30)
    assert BOOT in decided(later, NOW_S + 30)


def test_one_that_takes_too_long_has_failed() -> None:
    booted = canarymemory.booted(known(), HOST, RECEIPT_ID, NOW_S - POLICY.canary_s)
    listed = canarymemory.saw_canaries(booted, HOST, RECEIPT_ID, (MINE,), NOW_S)
    (delete,) = decided(listed)
    assert isinstance(delete, DeleteCanary)
    assert "still BUILD after 120 s" in delete.why


def test_one_that_may_be_on_its_way_is_waited_for_before_another_is_booted() -> None:
    asked = canarymemory.booted(known(), HOST, RECEIPT_ID, NOW_S - 29)
    assert reasons(decided(canarymemory.saw_canaries(asked, HOST, RECEIPT_ID, (), NOW_S))) == [
        Reason.CANARY
    ]
    assert reasons(decided(known(own=False))) == [Reason.CANARY]
    assert BOOT in decided(known(own=False, asked_s=NOW_S + 30), NOW_S + 30)


def test_those_of_another_recovery_and_a_second_one_go_first() -> None:
    old = Canary(ServerId("c-0"), "ba9876543210", "ACTIVE")
    second = MINE._replace(server=ServerId("c-2"))
    assert decided(known(old, MINE)) == (DeleteCanary(HOST, RECEIPT_ID, old.server),)
    assert decided(known(MINE, second)) == (DeleteCanary(HOST, RECEIPT_ID, second.server),)


def test_a_person_who_releases_the_host_wants_none() -> None:
    assert any(isinstance(each, Enable) for each in decided(known(), released=True))
    assert decided(known(MINE), released=True) == (DeleteCanary(HOST, RECEIPT_ID, MINE.server),)


def test_none_is_left_where_a_person_has_enabled_the_host() -> None:
    enabled = replace(known(MINE), services=memory(services=(service(),)).services)
    assert decided(enabled) == (DeleteCanary(HOST, RECEIPT_ID, MINE.server),)
    empty = replace(known(), services=memory(services=(service(),)).services)
    assert any(isinstance(each, EndRecovery) for each in decided(empty))


def test_a_list_is_asked_for_anew_beside_what_is_done() -> None:
    assert decided(known(asked_s=LONG_AGO_S)) == (ASK, BOOT)


def test_what_is_known_of_another_recovery_is_void() -> None:
    other = canarymemory.saw_canaries(known(), HOST, "ba9876543210", (), NOW_S)
    assert decided(other) == (ASK,)


@pytest.mark.parametrize("text", ["image=a flavor=b", " flavor=b  image=a network=none "])
def test_a_recipe_is_read(text: str) -> None:
    assert parse_recipe(text) == Recipe("a", "b")
    assert parse_recipe(Recipe("a", "b", "n").to_text()) == Recipe("a", "b", "n")
    assert parse_recipe("") is None


@pytest.mark.parametrize(
    "text",
    [
        *("image=a", "flavor=b", "a b", "image=a flavor=", "image=a image=c flavor=b", "image"),
        *("image=a flavor=b size=3", "image=a;rm flavor=b", "image=a flavor=b/../c", "=a flavor=b"),
    ],
)
def test_a_recipe_that_is_none_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="must be image=ID flavor=ID"):
        parse_recipe(text)
