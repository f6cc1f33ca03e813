"""The storm brake: who is let through, who is held, and for how long."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.actions import Hold
from novaha.core.brake import REFRESH, Because, Limits, Sight, Verdict, judge
from novaha.core.brakestate import (
    CLUSTER,
    Brake,
    Kept,
    MalformedBrakeState,
    Passed,
    Release,
    group_scope,
    parse_brake,
    parse_groups,
    parse_passed,
    parse_release,
)
from novaha.core.decide import decide
from novaha.core.explain import overview
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from worlds import cluster, memory, view

NOW_S = 1_700_000_000.0
LIMITS = Limits(cluster=2, group=1, window_s=600, cooldown_s=300)
WIDE = replace(LIMITS, group=1000)
HOSTS = tuple(NodeName(f"compute-{number}") for number in range(1, 10))
A, B, C, D = HOSTS[:4]


def passed(node: NodeName, ago_s: float = 0) -> Passed:
    return Passed(node, NOW_S - ago_s, "ctl-1")


def brake(*hosts: NodeName, scope: str = CLUSTER, ago_s: float = 0) -> Brake:
    return Brake(scope, NOW_S - 1000, NOW_S - ago_s, 300, 2, hosts)


def release(node: NodeName, ago_s: float = 0) -> Release:
    return Release(node, NOW_S - ago_s, 3600, "alice", "the rack has no power")


def judged(*lost: NodeName, limits: Limits = WIDE, waited: bool = True, **seen: Any) -> Verdict:  # noqa: ANN401
    kept = Kept(seen.pop("passed", ()), seen.pop("brakes", ()), seen.pop("releases", ()))
    sight = Sight(lost[0], NOW_S, "ctl-1", frozenset(lost), kept=kept, **seen)
    return judge(sight, limits, waited=waited)


def racks(**of: tuple[NodeName, ...]) -> dict[NodeName, frozenset[str]]:
    return {host: frozenset(g for g, hosts in of.items() if host in hosts) for host in HOSTS}


def test_one_lost_host_is_let_through_and_counted_from_then_on() -> None:
    verdict = judged(A)
    assert verdict.because is Because.WITHIN_LIMITS
    assert verdict.because.opens
    assert verdict.passed == passed(A)


def test_nothing_is_let_through_before_a_storm_had_time_to_show() -> None:
    verdict = judged(A, waited=False)
    assert verdict.because is Because.WATCHING
    assert verdict.because.opens is None
    assert verdict.passed is None


def test_as_many_as_the_limit_are_let_through_and_of_one_more_none_is() -> None:
    assert judged(A, B).because is Because.WITHIN_LIMITS
    for first in (A, B, C):
        others = tuple({A, B, C} - {first})
        verdict = judged(first, *others)
        assert verdict.because is Because.CLUSTER_LIMIT
        assert not verdict.because.opens
        assert verdict.passed is None
        assert verdict.brakes == (Brake(CLUSTER, NOW_S, NOW_S, 300, 2, (A, B, C)),)


def test_the_text_tells_how_many_are_which_and_what_to_do() -> None:
    text = judged(A, B, C).text
    assert "3 hosts of the cluster" in text
    assert "2 may be (compute-1, compute-2, compute-3)" in text
    assert text.endswith("nova-ha release")
    assert " and 1 more)" in judged(*HOSTS).text


def test_those_let_through_count_until_the_window_is_over() -> None:
    recent = (passed(B, 599), passed(C, 10))
    assert judged(A, passed=recent).because is Because.CLUSTER_LIMIT
    assert judged(A, passed=(passed(B, 600), passed(C, 10))).because is Because.WITHIN_LIMITS


def test_a_host_counts_once_however_often_it_was_let_through_and_is_lost_again() -> None:
    assert judged(A, B, passed=(passed(A, 5), passed(B, 5))).because is Because.WITHIN_LIMITS


def test_a_host_that_cannot_be_fenced_is_not_written_anew_at_each_retry() -> None:
    assert judged(A, passed=(passed(A, 600 / REFRESH - 1),)).passed is None
    assert judged(A, passed=(passed(A, 600 / REFRESH),)).passed == passed(A)


def test_a_clock_that_was_wrong_by_years_holds_nobody() -> None:
    years_s = -300_000_000
    wrong = (passed(B, years_s), passed(C, years_s))
    assert judged(A, passed=wrong).because is Because.WITHIN_LIMITS
    assert judged(A, brakes=(brake(A, ago_s=years_s),)).because is Because.WITHIN_LIMITS
    assert judged(A, B, C, releases=(release(A, years_s),)).because is Because.CLUSTER_LIMIT


def test_a_clock_that_is_a_little_ahead_counts() -> None:
    assert judged(A, passed=(passed(B, -60), passed(C, -60))).because is Because.CLUSTER_LIMIT


def test_hosts_already_proven_off_are_let_through_at_once_and_not_counted() -> None:
    off = frozenset((A, B, C))
    verdict = judged(A, B, C, D, waited=False, off=off)
    assert verdict.because is Because.PROVEN_OFF
    assert verdict.passed is None
    assert judged(D, A, B, C, off=off).because is Because.WITHIN_LIMITS


def test_what_a_person_asks_for_is_done_at_once_and_not_counted() -> None:
    verdict = judged(A, B, C, waited=False, by_person=True)
    assert verdict.because is Because.BY_PERSON
    assert verdict.passed is None
    assert verdict.brakes == ()


def test_a_release_lets_its_hosts_through_at_once_and_the_others_are_judged_without_them() -> None:
    releases = (release(A), release(B))
    assert judged(A, B, C, D, waited=False, releases=releases).because is Because.RELEASED
    assert judged(C, A, B, D, releases=releases).because is Because.WITHIN_LIMITS
    assert judged(C, A, B, D, releases=releases[:1]).because is Because.CLUSTER_LIMIT


def test_a_release_ends() -> None:
    assert judged(A, B, C, releases=(release(A, 3599),)).because is Because.RELEASED
    assert judged(A, B, C, releases=(release(A, 3600),)).because is Because.CLUSTER_LIMIT


def test_a_brake_stays_on_for_the_cooldown_after_too_many_were_seen() -> None:
    verdict = judged(A, brakes=(brake(A, B, C, ago_s=299),))
    assert verdict.because is Because.COOLDOWN
    assert verdict.brakes == ()
    assert judged(A, brakes=(brake(A, B, C, ago_s=300),)).because is Because.WITHIN_LIMITS


def test_a_host_that_only_the_cooldown_holds_is_shown_too() -> None:
    (written,) = judged(D, brakes=(brake(A, B, C, ago_s=100),)).brakes
    assert written.hosts == (D,)
    assert written.seen_s == NOW_S - 100


def test_a_brake_whose_hosts_are_all_released_is_off() -> None:
    releases = tuple(map(release, (A, B, C)))
    on = (brake(A, B, C),)
    assert judged(D, brakes=on, releases=releases).because is Because.WITHIN_LIMITS
    assert judged(D, brakes=on, releases=releases[:2]).because is Because.COOLDOWN


def test_a_brake_that_stands_is_not_written_at_every_look() -> None:
    young = judged(A, B, C, brakes=(brake(A, B, C, ago_s=300 / REFRESH - 1),))
    assert (young.because, young.brakes) == (Because.CLUSTER_LIMIT, ())
    (old,) = judged(A, B, C, brakes=(brake(A, B, C, ago_s=300 / REFRESH),)).brakes
    assert (old.since_s, old.seen_s) == (NOW_S - 1000, NOW_S)
    (other,) = judged(A, B, C, brakes=(brake(A, B),)).brakes
    assert other.hosts == (A, B, C)
    (again,) = judged(A, B, C, brakes=(brake(A, B, C, ago_s=300),)).brakes
    assert again.since_s == NOW_S


def test_a_storm_in_a_rack_holds_the_rack_and_not_the_others() -> None:
    groups = racks(r1=HOSTS[:6], r2=HOSTS[6:])
    lost = HOSTS[:6]
    verdict = judged(*lost, limits=LIMITS, groups=groups)
    assert verdict.because is Because.GROUP_LIMIT
    assert [written.scope for written in verdict.brakes] == [group_scope("r1")]
    assert "6 hosts of group r1" in verdict.text
    assert judged(HOSTS[6], *lost, limits=LIMITS, groups=groups).because is Because.WITHIN_LIMITS


def test_a_host_of_two_groups_is_held_by_either() -> None:
    groups = racks(r1=(A,), ssd=(A, B))
    assert judged(A, B, limits=LIMITS, groups=groups).because is Because.GROUP_LIMIT
    assert judged(B, A, limits=LIMITS, groups=groups).because is Because.GROUP_LIMIT


def test_single_losses_in_many_racks_are_a_storm_of_the_cluster() -> None:
    groups = racks(r1=(A,), r2=(B,), r3=(C,))
    assert judged(A, B, C, limits=LIMITS, groups=groups).because is Because.CLUSTER_LIMIT


def test_the_cooldown_of_a_rack_holds_the_rack_only() -> None:
    groups, on = racks(r1=(A, B), r2=(C,)), (brake(A, B, scope=group_scope("r1")),)
    assert judged(A, limits=LIMITS, groups=groups, brakes=on).because is Because.COOLDOWN
    assert judged(C, A, limits=LIMITS, groups=groups, brakes=on).because is Because.WITHIN_LIMITS


def test_those_of_a_rack_that_were_let_through_count_for_the_rack() -> None:
    groups, wide = racks(r1=(A, B)), replace(LIMITS, cluster=9)
    verdict = judged(B, limits=wide, groups=groups, passed=(passed(A, 9),))
    assert verdict.because is Because.GROUP_LIMIT


def test_a_rack_that_cools_down_does_not_count_for_the_cluster() -> None:
    groups, on = racks(r1=(A, B), r2=(C,)), (brake(A, B, scope=group_scope("r1")),)
    limits = replace(LIMITS, group=2)
    lost = judged(C, A, B, limits=limits, groups=groups, brakes=on)
    assert lost.because is Because.WITHIN_LIMITS
    assert judged(C, A, B, limits=limits, groups=groups).because is Because.CLUSTER_LIMIT


@st.composite
def storms(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """Return a limit, and which host does its next step when, with how far its reader lags."""
    count = draw(st.integers(1, 6))
    steps = [host for host in range(count) for _ in range(5)]
    order = draw(st.permutations(steps))
    return draw(st.integers(1, 3)), [(host, draw(st.integers(0, 30))) for host in order]


@given(storms())
def test_gates_on_any_controllers_let_no_more_through_than_the_limit(
    storm: tuple[int, list[tuple[int, int]]],
) -> None:
    """Each host: is lost, its gate reads who is lost, reads the rest, writes, and it is fenced.

    A reader may lag behind by any number of changes, but not behind what made Pacemaker ask.
    """
    limit, order = storm
    limits = replace(WIDE, cluster=limit)
    log: list[tuple[str, NodeName]] = []
    gates: dict[int, list[Any]] = {}
    for host, lag in order:
        node, done = HOSTS[host], gates.setdefault(host, [])
        if not done:
            log.append(("lost", node))
            done.append(len(log))
        elif len(done) in (1, 2):  # how much of the log the two reads see
            done.append(max(len(log) - lag, done[-1]))
        elif len(done) == 3:
            gone = {n for what, n in log[: done[1]] if what == "fenced"}
            lost = frozenset(n for what, n in log[: done[1]] if what == "lost") - gone
            through = tuple(passed(n) for what, n in log[: done[2]] if what == "passed")
            sight = Sight(node, NOW_S, "ctl-1", lost, kept=Kept(through))
            done.append(judge(sight, limits, waited=True).because.opens)
            log += [("passed", node)] if done[3] else []
        elif done[3]:
            log.append(("fenced", node))
    assert sum(what == "passed" for what, _ in log) <= limit


@pytest.mark.parametrize(
    ("kept", "parse"),
    [
        (passed(A), lambda value: parse_passed(A, value)),
        (brake(A, B), lambda value: parse_brake(CLUSTER, value)),
        (release(A), lambda value: parse_release(A, value)),
    ],
)
def test_what_is_kept_is_read_back(kept: Any, parse: Any) -> None:  # noqa: ANN401
    assert parse(kept.to_value()) == kept
    for value in ("", "v2 time=1", kept.to_value()[3:], kept.to_value().replace("=", "=x", 1)):
        with pytest.raises(MalformedBrakeState, match="malformed"):
            parse(value)


def test_what_is_over_is_told_apart_from_what_is_not() -> None:
    new = Kept((passed(A, 599),), (brake(A, ago_s=299),), (release(A, 3599),))
    old = Kept((passed(A, 600),), (brake(A, ago_s=300),), (release(A, 3600),))
    assert new.expired(600, NOW_S) == ()
    assert old.expired(600, NOW_S) == (*old.passed, *old.brakes, *old.releases)


def test_who_is_held_is_who_a_brake_names_and_nobody_released() -> None:
    kept = Kept((), (brake(A, B), brake(C, ago_s=300)), (release(B),))
    assert [host for host, _ in kept.held(NOW_S)] == [A]


@pytest.mark.parametrize("text", ["a b a", "a,b", "ü", "-" * 64, "a/b", "a.b"])
def test_groups_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no group|twice"):
        parse_groups(text)


def test_groups_are_names_between_blanks() -> None:
    assert parse_groups("  rack-1   ssd ") == frozenset({"rack-1", "ssd"})
    assert parse_groups("") == frozenset()


def test_what_is_held_is_told_with_what_to_do_first() -> None:
    held = ((A, brake(A, B, C)),)
    (hold,) = decide(view(cluster(receipts=(), marks=(), braked=held), memory(), 0.0), Policy())
    assert isinstance(hold, Hold)
    assert (hold.subject, hold.reason) == (A, Reason.STORM_BRAKE)
    assert hold.reason.trouble
    assert "nova-ha release" in hold.text[:127]
    assert "held: 3, 2 may be" in hold.text


def test_explain_shows_a_held_host_although_nothing_of_it_is_to_be_recovered_yet() -> None:
    seen = view(cluster(receipts=(), marks=(), braked=((A, brake(A, B)),)), memory(), 0.0)
    (told,) = overview(seen, Policy())
    assert told.node == A
    assert [hold.reason for hold in told.waits] == [Reason.STORM_BRAKE]
