"""The cold start: who is waited for, for how long, and who is asked for when it is over."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.actions import Hold
from novaha.core.brake import Because, Limits, Sight, Verdict, judge
from novaha.core.brakestate import CLUSTER, COLD_START, Brake, Kept, Release
from novaha.core.coldstart import Beginning
from novaha.core.decide import decide
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.release import chosen, standings
from worlds import cluster, memory, view

NOW_S = 1_700_000_000.0
GRACE_S = 300.0
LIMITS = Limits(cluster=2, group=2, window_s=600, cooldown_s=300, grace_s=GRACE_S)
A, B, C, D = (NodeName(f"compute-{number}") for number in range(1, 5))
RELEASE = Release(A, NOW_S, 3600, "alice", "it burns")


def began(ago_s: float, *unseen: NodeName) -> Beginning:
    return Beginning(NOW_S - ago_s, frozenset(unseen))


def judged(node: NodeName, beginning: Beginning, **seen: Any) -> Verdict:  # noqa: ANN401
    lost = frozenset({node, *seen.pop("lost", ())})
    sight = Sight(node, NOW_S, "ctl-1", lost, beginning=beginning, **seen)
    return judge(sight, LIMITS, waited=True)


def test_a_host_that_has_not_come_yet_is_not_fenced_and_shown_with_all_like_it() -> None:
    verdict = judged(A, began(100, A, B))
    assert verdict.because is Because.COLD_START
    assert not verdict.because.opens
    assert verdict.brakes == (Brake(COLD_START, NOW_S - 100, NOW_S - 100, GRACE_S, 0, (A, B)),)
    assert "200 s more" in verdict.text
    assert verdict.text.endswith("nova-ha release")


def test_it_is_refused_at_once_for_pacemaker_computes_nothing_while_a_gate_waits() -> None:
    sight = Sight(A, NOW_S, "ctl-1", frozenset({A}), beginning=began(1, A))
    assert judge(sight, LIMITS, waited=False).because is Because.COLD_START


def test_what_stands_already_is_not_written_again() -> None:
    shown = judged(A, began(100, A, B)).brakes
    assert judged(B, began(100, A, B), kept=Kept(brakes=shown)).brakes == ()


def test_a_host_that_was_seen_since_is_fenced_as_ever() -> None:
    assert judged(A, began(100, B)).because is Because.WITHIN_LIMITS


def test_hosts_that_are_waited_for_are_no_storm() -> None:
    assert judged(A, began(100, B, C, D), lost=(B, C, D)).because is Because.WITHIN_LIMITS


def test_after_the_grace_normal_rules_hold() -> None:
    assert judged(A, began(GRACE_S, A)).because is Because.WITHIN_LIMITS
    everybody = began(GRACE_S, A, B, C)
    assert judged(A, everybody, lost=(B, C)).because is Because.CLUSTER_LIMIT


def test_nobody_is_waited_for_where_nobody_knows_when_the_cluster_began() -> None:
    assert judged(A, Beginning(None, frozenset({A}))).because is Because.WITHIN_LIMITS


def test_a_person_is_obeyed_at_once() -> None:
    assert judged(A, began(1, A), by_person=True).because is Because.BY_PERSON
    assert judged(A, began(1, A), kept=Kept(releases=(RELEASE,))).because is Because.RELEASED


def test_a_released_host_is_not_among_those_that_are_shown() -> None:
    (shown,) = judged(B, began(1, A, B), kept=Kept(releases=(RELEASE,))).brakes
    assert shown.hosts == (B,)


def test_one_that_was_off_before_the_site_was_waits_too() -> None:
    assert judged(A, began(1, A), off=frozenset({A})).because is Because.COLD_START
    assert judged(A, began(GRACE_S, A), off=frozenset({A})).because is Because.PROVEN_OFF


@given(st.floats(-1e6, 1e6))
def test_a_grace_is_bounded_whatever_the_clocks_say(ago_s: float) -> None:
    late = began(ago_s, A).late(GRACE_S, NOW_S)
    assert bool(late) == (abs(ago_s) < GRACE_S)
    assert not began(ago_s, A).late(0.0, NOW_S)


def test_it_is_shown_as_a_trouble_of_its_own() -> None:
    brake = Brake(COLD_START, NOW_S, NOW_S, GRACE_S, 0, (A, B))
    of = cluster(braked=((A, brake),))
    decided = decide(view(of, memory()), Policy())
    (hold,) = (h for h in decided if isinstance(h, Hold) and h.subject == A)
    assert hold.reason is Reason.COLD_START
    assert "if dead: nova-ha release" in hold.text[:127]
    assert "300 s, of 2: compute-1, compute-2" in hold.text


def test_who_came_is_held_no_more_and_other_brakes_stand() -> None:
    cold = Brake(COLD_START, NOW_S, NOW_S, GRACE_S, 0, (A, B))
    storm = Brake(CLUSTER, NOW_S, NOW_S, 300, 2, (A, C))
    kept = Kept(brakes=(cold, storm))
    assert kept.without({A}).brakes == (replace(cold, hosts=(B,)), storm)
    assert kept.without({A, B}).brakes == (storm,)


def overdue(beginning: Beginning, **others: tuple[NodeName, ...]) -> tuple[NodeName, ...]:
    wanted, released = others.get("wanted", ()), others.get("released", ())
    return beginning.overdue(GRACE_S, NOW_S, wanted, released)


def test_who_never_came_is_asked_for_when_the_grace_is_over() -> None:
    assert overdue(began(GRACE_S - 1, A, B)) == ()
    assert overdue(began(GRACE_S, B, A)) == (A, B)
    assert overdue(began(GRACE_S, A, B), wanted=(A,)) == (B,)


def test_who_is_released_is_asked_for_before() -> None:
    assert overdue(began(1, A, B), released=(A,)) == (A,)


def test_nobody_is_asked_for_where_nobody_knows_when_the_cluster_began() -> None:
    assert overdue(Beginning(None, frozenset({A}))) == ()


@pytest.mark.parametrize("lost", [frozenset[NodeName](), frozenset({A})])
def test_a_person_may_release_a_host_that_has_not_come(lost: frozenset[NodeName]) -> None:
    # While Pacemaker tries to connect to it, it is not lost.
    brake = Brake(COLD_START, NOW_S, NOW_S, GRACE_S, 0, (A,))
    assert chosen(standings(lost, {}, Kept(brakes=(brake,)), NOW_S), (), None) == (A,)
