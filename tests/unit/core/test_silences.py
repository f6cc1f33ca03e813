"""What got no answer: how long it is left alone, what waits for it, and what does not."""

from dataclasses import replace

import pytest
from novaha.core.actions import (
    AddToAggregate,
    AskLiveMigrations,
    AskMigrations,
    AskRoom,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    Disable,
    Enable,
    ForceDown,
    ForceUp,
    Hold,
    Question,
    Release,
    RemoveFromAggregate,
    SetUse,
)
from novaha.core.model import Memory, Topic
from novaha.core.names import ComputeHost
from novaha.core.reasons import Reason
from novaha.core.segments import Aggregate
from novaha.core.silence import (
    GIVES_SLOTS_S,
    HANG_SHARE,
    LONGEST_WAIT_S,
    TURN_S,
    WAIT_S,
    aggregates_unchanged,
    ended,
    heard,
    hung,
    in_turn,
    left_alone,
    long_silent,
    service_may_hang,
    topic_of,
    topic_of_change,
    unheard,
    unknown,
    without_silence,
)
from worlds import HOST, NOW_S, cluster, memory, ours, receipt, recovery, view

OTHER = ComputeHost("compute-2")
TOPIC = topic_of(AskMigrations(HOST))
WHY = "Nova answered 500"
SERVES = heard(memory(), AskServices(), NOW_S)
RELEASE = Release(recovery(), receipt())


def silent(times: int = 1, topic: Topic = TOPIC, of: Memory = SERVES) -> Memory:
    """Return what is known once a topic got no answer so often, and Nova answered others."""
    for _ in range(times):
        of, alone = unheard(of, topic, WHY, NOW_S, since_s=NOW_S)
        assert not alone
        of = heard(of, AskServers(OTHER), NOW_S + 0.1)
    return of


def kept(of: Memory, *decisions: Decision, now_s: float = NOW_S) -> tuple[Decision, ...]:
    return without_silence(view(cluster(), of, now_s), decisions)


def test_both_lists_of_a_recovery_are_one_topic_and_all_else_is_its_own() -> None:
    assert topic_of(AskServers(HOST, details=True)) == topic_of(AskServers(HOST)) == TOPIC
    others: tuple[Question, ...] = (AskLiveMigrations(HOST), AskServices(), AskRules())
    assert len({TOPIC, topic_of(AskMigrations(OTHER)), *map(topic_of, others)}) == 5


def test_a_change_is_about_the_service_of_a_host_or_about_its_aggregates() -> None:
    rack = Aggregate(3, "rack", frozenset({OTHER}))
    services = (ForceDown, ForceUp, Enable)
    about = {topic_of_change(change(ours())) for change in services}
    (its_service,) = about | {topic_of_change(Disable(ours(), "nova-ha: fenced"))}
    aggregates = (AddToAggregate(rack, HOST), RemoveFromAggregate(rack, HOST))
    (its_aggregates,) = {topic_of_change(c) for c in (*aggregates, SetUse(rack, HOST, None))}
    assert its_service != its_aggregates
    assert its_service.host == its_aggregates.host == HOST


def test_the_aggregates_of_a_host_are_left_alone_after_a_change_without_an_answer() -> None:
    topic = topic_of_change(SetUse(Aggregate(3, "rack", frozenset()), HOST, None))
    of = silent(2, topic)
    text = aggregates_unchanged(view(cluster(), of), HOST)
    assert text.startswith("Nova does not answer a change of its aggregates, for 0 s now: ")
    assert text.endswith(f"{WHY}; it is tried again in 2 s")
    assert not aggregates_unchanged(view(cluster(), of, NOW_S + WAIT_S), HOST)
    assert not aggregates_unchanged(view(cluster(), of), OTHER)
    assert not aggregates_unchanged(view(cluster(), ended(of, topic)), HOST)


def test_of_changes_that_may_hang_the_one_tried_longest_ago_has_the_turn() -> None:
    """Each of the others waits as often, so that one that nobody wants any more stops no one."""
    other, third = replace(ours(), host=OTHER), replace(ours(), host=ComputeHost("compute-3"))
    of = SERVES
    for number, one in enumerate((other, third, ours())):
        of, _ = unheard(of, topic_of_change(ForceDown(one)), WHY, NOW_S + number)
    of = hung(of, 30.0, NOW_S + 2)
    free_s = NOW_S + 2 + HANG_SHARE * 30.0

    def free(at_s: float) -> list[ComputeHost]:
        seen = view(cluster(), of, at_s)
        hosts = (one.host for one in (ours(), other, third))
        return [host for host in hosts if not service_may_hang(seen, host)]

    assert free(free_s - 1) == []
    assert free(free_s) == [OTHER]
    assert free(free_s + TURN_S) == [OTHER, third.host]
    assert free(free_s + 2 * TURN_S) == [HOST, OTHER, third.host]


def test_what_got_no_answer_is_asked_last_in_the_order_it_had() -> None:
    asked = (AskMigrations(HOST), AskServers(HOST), AskServices(), AskMigrations(OTHER))
    turned = [AskServices(), AskMigrations(OTHER), AskMigrations(HOST), AskServers(HOST)]
    assert in_turn(silent(), asked) == turned


def test_a_nova_that_answers_nothing_is_left_alone_and_asked_as_often_as_ever() -> None:
    known = memory()
    for _ in range(5):
        known, alone = unheard(known, TOPIC, WHY, NOW_S, since_s=NOW_S)
        assert alone
    assert (known.trouble, known.trouble_until_s) == (WHY, NOW_S + WAIT_S)
    assert known.silences[TOPIC].until_s == NOW_S + WAIT_S


@pytest.mark.parametrize(
    ("times", "wait_s"), [(1, 2.0), (2, 2.0), (3, 4.0), (4, 8.0), (9, LONGEST_WAIT_S)]
)
def test_one_that_answers_others_is_asked_for_it_ever_more_rarely(
    times: int, wait_s: float
) -> None:
    assert silent(times).silences[TOPIC].until_s == NOW_S + wait_s


def test_an_answer_ends_the_silence_and_nothing_of_what_others_are_asked_does() -> None:
    assert heard(silent(), AskServers(HOST), NOW_S).silences == {}
    assert heard(silent(), AskServers(OTHER), NOW_S).silences.keys() == {TOPIC}
    assert heard(memory(), AskRoom(), NOW_S).heard_s < 0, "Placement is not Nova"


def test_only_its_questions_are_left_out_and_said() -> None:
    disable = Disable(ours(), "why")
    asked = (AskMigrations(HOST), AskServers(HOST), AskMigrations(OTHER), disable, RELEASE)
    *rest, hold = kept(silent(), *asked)
    assert rest == [AskMigrations(OTHER), disable, RELEASE]
    assert isinstance(hold, Hold)
    assert (hold.subject, hold.reason) == (HOST, Reason.UNANSWERED)
    assert WHY in hold.text


def test_once_it_is_due_it_is_asked_beside_the_services_and_still_said() -> None:
    first, question, hold = kept(silent(), AskServers(HOST), now_s=NOW_S + WAIT_S)
    assert (first, question) == (AskServices(), AskServers(HOST))
    assert isinstance(hold, Hold)


def test_nothing_is_said_of_a_silence_that_nobody_minds() -> None:
    assert kept(silent(), AskServers(OTHER)) == (AskServers(OTHER),)


def test_a_release_out_of_an_evacuation_waits_for_the_services() -> None:
    again = Release(recovery(phase="returning"), None)
    rest = kept(silent(topic=topic_of(AskServices())), RELEASE, again)
    assert rest[0] == again
    assert [each.subject for each in rest if isinstance(each, Hold)] == ["nova"]


def test_what_hangs_is_waited_for_at_most_a_third_of_the_time() -> None:
    known = hung(silent(), 30.0, NOW_S)
    assert AskServers(HOST) not in kept(known, AskServers(HOST), now_s=NOW_S + 59)
    assert AskServers(HOST) in kept(known, AskServers(HOST), now_s=NOW_S + 60)
    assert AskServers(OTHER) in kept(known, AskServers(OTHER))


def test_a_host_of_which_nothing_is_told_for_long_keeps_no_slots() -> None:
    known = silent()
    assert not long_silent(view(cluster(), known, NOW_S + GIVES_SLOTS_S - 1), HOST)
    assert long_silent(view(cluster(), known, NOW_S + GIVES_SLOTS_S), HOST)
    assert not long_silent(view(cluster(), known, NOW_S + GIVES_SLOTS_S), OTHER)


def test_why_something_is_not_known() -> None:
    assert unknown(memory()) is None
    assert unknown(silent()) == WHY
    assert unknown(left_alone(silent(), "no route", NOW_S)) == "no route"
