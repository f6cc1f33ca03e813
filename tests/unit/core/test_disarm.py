"""What a person has disarmed is recorded and shown, not acted upon, and armed again by itself."""

import re
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.actions import (
    Action,
    AskRules,
    BeginRecovery,
    Evacuate,
    Hold,
    KeepProof,
    Question,
)
from novaha.core.decide import decide
from novaha.core.disarm import LONGEST_S, Disarm, MalformedDisarm, Reach, Scope, parse_disarm
from novaha.core.model import Answer, ClusterView, HoldMark, Memory
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.segments import SEGMENT, Aggregate
from worlds import (
    HOST,
    NODE,
    NOW_S,
    WRITTEN_S,
    cluster,
    evacuating,
    mark,
    memory,
    ours,
    proven,
    server,
    service,
    view,
)

POLICY = Policy()
RACK = "rack 1, Übersee"
SEGMENTS = Rules((Aggregate(1, "a", frozenset({HOST}), {SEGMENT: RACK}),))


def disarm(reach: Reach = "all", name: str = "", **changes: float) -> Disarm:
    plain = Disarm(Scope(reach, name), WRITTEN_S, 7200, "2023-11-15T00:13:20Z", "alice", "new PDU")
    return replace(plain, **changes)  # type: ignore[arg-type]


MINE = (disarm(), disarm("host", NODE), disarm("segment", RACK))
OTHERS = (disarm("host", "compute-9"), disarm("segment", "rack 2"))


def waiting(*disarms: Disarm) -> ClusterView:
    return cluster(records=(proven(),), events=None, disarmed=disarms)


def known(rules: Rules | None = SEGMENTS, age_s: float = 0.0) -> Memory:
    """Return what a process knows that has asked everything, the rules some time ago."""
    plain = memory(services=(service(),), servers=(), migrations=(), begun={})
    return replace(plain, rules=None if rules is None else Answer(rules, NOW_S - age_s))


@pytest.mark.parametrize("of", MINE, ids=str)
def test_a_host_that_is_disarmed_is_shown_and_nothing_is_done(of: Disarm) -> None:
    decisions = decide(view(waiting(of), known()), POLICY)
    assert not any(isinstance(decision, Action | Question) for decision in decisions)
    (hold,) = [d for d in decisions if isinstance(d, Hold) and d.subject == NODE]
    assert hold.reason is Reason.DISARMED
    assert "not recovered" in hold.text
    assert f"{of.scope} disarmed by alice until 2023-11-15T00:13:20Z: new PDU" in hold.text


@pytest.mark.parametrize("of", MINE, ids=str)
def test_a_fencing_meanwhile_is_written_down(of: Disarm) -> None:
    decisions = decide(view(cluster(disarmed=(of,)), known()), POLICY)
    assert [d for d in decisions if isinstance(d, Action)] == [KeepProof(proven())]


@pytest.mark.parametrize("of", OTHERS, ids=str)
def test_a_host_beside_it_is_recovered(of: Disarm) -> None:
    decisions = decide(view(waiting(of), known()), POLICY)
    assert any(isinstance(decision, BeginRecovery) for decision in decisions)


def test_when_it_is_over_the_recovery_begins() -> None:
    assert any(isinstance(d, BeginRecovery) for d in decide(view(waiting(), known()), POLICY))


@pytest.mark.parametrize("of", MINE, ids=str)
def test_a_recovery_that_was_begun_is_finished(of: Disarm) -> None:
    seen = memory(services=(ours(),), servers=(server(),), migrations=(), rules=known().rules)
    decisions = decide(view(evacuating(disarmed=(of,)), seen), POLICY)
    assert any(isinstance(decision, Evacuate) for decision in decisions)


def test_a_release_does_not_arm() -> None:
    seen = replace(waiting(disarm()), released=frozenset({NODE}))
    assert not any(isinstance(d, BeginRecovery) for d in decide(view(seen, known()), POLICY))


@pytest.mark.parametrize("missing", [{"rules": None}, {"services": None}])
def test_nothing_begins_while_nobody_knows_the_segment_of_a_host(missing: dict[str, None]) -> None:
    seen = replace(known(), **missing)  # type: ignore[arg-type]
    decisions = decide(view(waiting(disarm("segment", RACK)), seen), POLICY)
    assert not any(isinstance(decision, Action) for decision in decisions)
    assert any(isinstance(decision, Question) for decision in decisions)


@pytest.mark.parametrize(("age_s", "asks"), [(0.0, False), (61.0, True)])
def test_the_segments_are_read_again_from_time_to_time(age_s: float, *, asks: bool) -> None:
    decisions = decide(view(waiting(disarm("segment", RACK)), known(age_s=age_s)), POLICY)
    assert (AskRules() in decisions) is asks


def test_nova_is_asked_nothing_for_a_host_that_is_disarmed_by_name() -> None:
    nothing = Memory(started_s=0.0)
    for of in (disarm(), disarm("host", NODE)):
        decisions = decide(view(waiting(of), nothing), POLICY)
        assert not any(isinstance(decision, Question) for decision in decisions)


def test_one_that_is_disarmed_takes_no_place_of_another() -> None:
    other = proven(NodeName("compute-2"), "b" * 12)
    both = replace(
        waiting(disarm("host", NODE)),
        records=(proven(), other),
        marks=(mark(), HoldMark.of(other.node, other.proof.receipt_id)),
    )
    hosts = (service(), service(ComputeHost("compute-2")))
    seen = replace(
        known(),
        services=Answer(hosts, NOW_S),
        servers={h.host: Answer((), NOW_S) for h in hosts},
        migrations={h.host: Answer((), NOW_S) for h in hosts},
    )
    decisions = decide(view(both, seen), Policy(max_recoveries=1))
    assert [d.recovery.node for d in decisions if isinstance(d, BeginRecovery)] == ["compute-2"]


def test_what_is_disarmed_is_shown_while_nothing_is_lost_and_once_for_each_host() -> None:
    quiet = ClusterView(quorate=True, disarmed=(*MINE, *OTHERS))
    holds = [d for d in decide(view(quiet), POLICY) if isinstance(d, Hold)]
    assert [hold.subject for hold in holds] == [
        "all",
        NODE,
        "segment:rack%201%2C%20%C3%9Cbersee",
        "compute-9",
        "segment:rack%202",
    ]
    lost = decide(view(waiting(disarm("host", NODE)), known()), POLICY)
    assert len([d for d in lost if isinstance(d, Hold)]) == 1


@pytest.mark.parametrize(
    ("late_s", "holds"), [(0, True), (7199, True), (7200, False), (-7199, True), (-7200, False)]
)
def test_it_is_good_for_so_long_by_any_clock(late_s: float, *, holds: bool) -> None:
    assert disarm().holds(WRITTEN_S + late_s) is holds


NAMES = st.text(min_size=1, max_size=80).filter(lambda text: text.isprintable())
SCOPES = st.one_of(
    st.just(Scope("all")),
    st.builds(Scope, st.just("segment"), NAMES),
    st.builds(Scope, st.just("host"), st.from_regex(r"[A-Za-z0-9._-]{1,63}", fullmatch=True)),
)


@given(SCOPES, st.integers(0, LONGEST_S), NAMES)
def test_what_was_written_is_read_back(scope: Scope, lasts_s: int, why: str) -> None:
    of = Disarm(scope, WRITTEN_S, lasts_s, "2023-11-15T00:13:20Z", "alice", why)
    assert parse_disarm(of.to_value()) == of
    assert re.fullmatch(r"[A-Za-z0-9._-]+", scope.key)


def test_no_disarm_holds_for_ever() -> None:
    text = disarm().to_value().replace("for=7200", "for=999999")
    assert parse_disarm(text).lasts_s == LONGEST_S


@pytest.mark.parametrize(
    "text", ["", "v1", "v2 time=1", "v1 time=1 for=2 until=x by=y scope=rack:1 why=z", "x" * 500]
)
def test_what_is_no_disarm_is_refused(text: str) -> None:
    with pytest.raises(MalformedDisarm, match="no disarm"):
        parse_disarm(text)


@given(st.text(max_size=300))
def test_nothing_but_malformed_is_raised(text: str) -> None:
    with suppress(MalformedDisarm):
        parse_disarm(text)
