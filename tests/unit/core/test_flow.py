"""When the records of a host's evacuations are looked at again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.flow import EARLY, FAILED_S, LAST, Flow
from novaha.core.names import ServerId
from novaha.core.policy import Policy

POLICY = Policy()
QUICK_S = POLICY.poll_s / 2
A, B, C = (ServerId(name) for name in "abc")


def flow(*took_s: float, looks: int = 0, ended: int = 0, **sent_s: float) -> Flow:
    return Flow({ServerId(name): at_s for name, at_s in sent_s.items()}, took_s, ended, looks)


def next_s(of: Flow, asked_s: float, quiet_s: float = 0.0) -> float:
    return of.next_look_s(POLICY, asked_s, quiet_s)


def test_what_moved_tells_how_long_the_next_takes_and_what_failed_does_not() -> None:
    flew = flow(a=10.0, b=11.0, c=12.0).looked(14.0, flying={A, B, C}, moved=())
    assert flew.looked(15.0, flying={C}, moved={A}) == Flow({C: 12.0}, (4.0,), 2, 2, 15.0)


def test_what_was_never_seen_in_flight_tells_nothing() -> None:
    assert flow(a=10.0).looked(15.0, flying=(), moved={A}) == Flow(ended=1, looks=1, looked_s=15.0)


def test_what_others_sent_tells_nothing() -> None:
    seen = flow(a=10.0).looked(12.0, flying={A}, moved=())
    assert seen.looked(15.0, flying={A}, moved={B}).took_s == ()


def test_only_the_last_ones_count() -> None:
    many = flow(*(float(n) for n in range(LAST)), a=10.0)
    many = replace(many, looked_s=30.0)
    assert many.looked(31.0, flying=(), moved={A}).took_s == (*map(float, range(1, LAST)), 20.0)


def test_one_is_looked_at_when_it_may_have_ended() -> None:
    assert next_s(flow(8.0, 5.0, a=10.0, b=12.0), asked_s=11.0) == 10.0 + 5.0 * EARLY


def test_halfway_there_too_for_what_fails_does_so_early() -> None:
    assert next_s(flow(20.0, a=10.0), asked_s=10.5) == 10.5 + 20.0 * EARLY / 2
    assert next_s(flow(8.0, a=10.0), asked_s=10.5) == 10.5 + FAILED_S


def test_one_that_is_late_is_looked_at_soon_and_ever_less_often() -> None:
    one = flow(5.0 / EARLY, a=10.0)
    due_s = [next_s(one, asked_s) - asked_s for asked_s in (15.0, 16.0, 20.0, 40.0)]
    assert due_s == pytest.approx([QUICK_S, QUICK_S, 1.0, 5.0])


def test_a_very_slow_one_hides_no_other() -> None:
    assert next_s(flow(5.0 / EARLY, a=10.0, b=600.0), asked_s=602.5) == pytest.approx(605.0)


def test_before_the_first_has_ended_it_is_looked_for_ever_less_often() -> None:
    due_s = [next_s(flow(a=0.0), at_s, quiet_s=at_s) - at_s for at_s in (0.0, 3.0, 10.0)]
    assert due_s == [POLICY.poll_s, POLICY.poll_s, 2.0]
    assert next_s(flow(looks=1, a=0.0), 10.0, quiet_s=10.0) == 14.0, "there was one for each"


def test_once_there_were_as_many_looks_as_evacuations_they_are_as_rare_as_ends() -> None:
    spent = flow(8.0 / EARLY, 8.0 / EARLY, looks=2, a=0.0, b=0.0)
    assert next_s(spent, asked_s=8.0) == pytest.approx(8.0 + 4.0 / EARLY)
    assert next_s(replace(spent, ended=1), asked_s=8.0) == 8.0 + QUICK_S
    late_s = [next_s(of, asked_s=38.0) - 38.0 for of in (spent, replace(spent, ended=1))]
    assert late_s == pytest.approx([12.0, 6.0])


@given(
    took_s=st.floats(0.5, 300.0),
    spread=st.floats(0.0, 1.0),
    count=st.integers(1, 60),
    at_once=st.integers(1, 16),
)
def test_a_recovery_needs_about_as_many_looks_as_it_has_evacuations(
    took_s: float, spread: float, count: int, at_once: int
) -> None:
    """However slow Nova is, and whether evacuations end together or one after the other.

    With one or two in flight each is looked at before its end, too.
    """
    now_s, begun, ends_s, known = 0.0, 0, dict[ServerId, float](), Flow()
    changed_s = 0.0
    while known.ended < count:
        while begun < count and len(ends_s) < at_once:
            begun += 1
            server = ServerId(str(begun))
            ends_s[server] = now_s + took_s * (1 + spread * (begun % 3))
            known, changed_s = known.sent(server, now_s), now_s
        due_s = known.next_look_s(POLICY, now_s, now_s - changed_s)
        assert due_s >= now_s + QUICK_S
        now_s = min(due_s, now_s + POLICY.poll_last_s)
        moved = {server for server, end_s in ends_s.items() if end_s <= now_s}
        changed_s = now_s if moved else changed_s
        ends_s = {server: at_s for server, at_s in ends_s.items() if server not in moved}
        known = known.looked(now_s, ends_s.keys(), moved)
    long_waits = now_s / POLICY.poll_last_s
    each = 1.0 if at_once > 2 else 2.0
    assert known.looks <= each * count + 12 + long_waits, known
