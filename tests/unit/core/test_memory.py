"""What the process remembers of its requests, its lists and Nova's refusals."""

from dataclasses import replace

import pytest
from novaha.core import memory as remember
from novaha.core.model import Answer, Memory, Post
from novaha.core.names import ComputeHost, ServerId
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.silence import left_alone
from worlds import HOST, NOW_S, RECEIPT_ID, memory, migration, ours, recovery, server, service

VM = ServerId("server-1")
ELSEWHERE = ComputeHost("compute-2")


def posted(state: str = "sent", after: int = 0) -> Memory:
    known = memory(services=(ours(),), servers=(server(),), migrations=(migration(after, 1),))
    known = remember.posting(known, VM, HOST, NOW_S)
    if state == "accepted":
        known = remember.accepted(known, VM, NOW_S)
    if state == "lost":
        known = remember.lost(known, VM, NOW_S, "no answer")
    return known


@pytest.mark.parametrize("state", ["sent", "accepted", "lost"])
def test_a_request_is_forgotten_once_its_record_is_seen(state: str) -> None:
    known = posted(state, after=4)
    known = remember.saw_migrations(known, HOST, (migration(5, 1, "accepted"),), NOW_S + 1)
    assert known.posts == {}


def test_a_request_is_kept_while_only_records_of_before_are_seen() -> None:
    known = posted("lost", after=4)
    known = remember.saw_migrations(known, HOST, (migration(4, 1, "failed"),), NOW_S + 1)
    assert known.posts[VM].state == "lost"


def test_the_records_of_another_host_say_nothing_of_a_request() -> None:
    """Else the record that brought a server here counts as the one that takes it away."""
    known = posted("sent")
    came_here = migration(7, 1, "completed", source=ELSEWHERE)
    known = remember.saw_migrations(known, ELSEWHERE, (came_here,), NOW_S + 1)
    assert known.posts[VM] == Post("sent", NOW_S, HOST, 0)


@pytest.mark.parametrize("late", ["accepted", "lost"])
def test_an_answer_that_comes_after_the_record_changes_nothing(late: str) -> None:
    known = posted("sent")
    known = remember.saw_migrations(known, HOST, (migration(1, 1, "accepted"),), NOW_S + 1)
    after = (
        remember.accepted(known, VM, NOW_S + 2)
        if late == "accepted"
        else remember.lost(known, VM, NOW_S + 2, "timeout")
    )
    assert after.posts == {}
    assert after.refusals == {}


def test_a_request_notes_the_newest_record_of_its_server_and_no_other() -> None:
    records = (migration(9, 2), migration(3, 1, "failed"), migration(5, 1, "error"))
    known = remember.posting(memory(migrations=records), VM, HOST, NOW_S)
    assert known.posts[VM].after == 5


def test_a_refusal_is_counted_and_has_the_services_read_again() -> None:
    known = posted("sent")
    known = remember.refused(known, VM, NOW_S + 1, "locked")
    known = remember.refused(known, VM, NOW_S + 2, "still locked")
    assert known.posts == {}
    assert known.services is None
    assert (known.refusals[VM].count, known.refusals[VM].text) == (2, "still locked")


def test_an_acceptance_ends_the_count_of_refusals() -> None:
    known = remember.refused(posted("sent"), VM, NOW_S, "no")
    known = remember.accepted(remember.posting(known, VM, HOST, NOW_S + 1), VM, NOW_S + 2)
    assert known.refusals == {}


def test_lost_answers_are_counted_until_a_record_shows_that_one_arrived() -> None:
    known = posted("lost")
    known = remember.lost(remember.posting(known, VM, HOST, NOW_S + 40), VM, NOW_S + 41, "timeout")
    assert (known.refusals[VM].count, known.refusals[VM].lost) == (2, True)
    known = remember.saw_migrations(known, HOST, (migration(1, 1, "accepted"),), NOW_S + 42)
    assert known.refusals == {}


def test_the_first_sight_of_a_receipt_stays_and_goes_with_the_receipt() -> None:
    known = remember.saw_receipts(memory(first_seen={}), ["a", "b"], 10.0)
    known = remember.saw_receipts(known, ["b", "c"], 20.0)
    assert known.first_seen == {"b": 10.0, "c": 20.0}


def test_a_failure_keeps_the_time_it_was_first_seen() -> None:
    failed = (migration(3, 1, "failed"), migration(4, 2, "done"), migration(5, 3, "running"))
    known = remember.saw_migrations(memory(), HOST, failed, 10.0)
    known = remember.saw_migrations(known, HOST, failed, 20.0)
    assert known.failed_at == {3: 10.0}


def test_a_changed_service_takes_its_place_in_the_list_without_making_it_newer() -> None:
    other = service(ELSEWHERE)
    known = memory(services=(service(), other), asked_s=5.0)
    known = remember.saw_service(known, ours())
    assert known.services is not None
    assert known.services.value == (ours(), other)
    assert known.services.asked_s == 5.0


def test_a_changed_service_is_not_made_into_a_list() -> None:
    assert remember.saw_service(memory(), ours()).services is None


def test_any_answer_ends_the_trouble_with_nova() -> None:
    troubled = left_alone(posted("sent"), "503", NOW_S)
    assert troubled.trouble == "503"
    assert remember.saw_services(troubled, (), NOW_S).trouble is None
    assert remember.saw_servers(troubled, HOST, (), NOW_S).trouble is None
    assert remember.saw_migrations(troubled, HOST, (), NOW_S).trouble is None
    assert remember.accepted(troubled, VM, NOW_S).trouble is None


def test_forgetting_a_host_forgets_its_lists_and_what_nova_refused_of_it() -> None:
    known = memory(servers=(server(),), migrations=(migration(1),))
    known = remember.saw_servers(known, ELSEWHERE, (server(2),), NOW_S)
    known = remember.refused(known, VM, NOW_S, "no")
    known = remember.refused(known, ServerId("server-2"), NOW_S, "no")
    known = remember.forget_host(known, HOST)
    assert set(known.servers) == {ELSEWHERE}
    assert known.migrations == {}
    assert set(known.refusals) == {"server-2"}


def test_a_begun_recovery_is_remembered_beside_the_others() -> None:
    other = replace(recovery(after=7), proof=replace(recovery().proof, receipt_id="fff"))
    assert remember.began(memory(), other).begun == {RECEIPT_ID: 0, "fff": 7}


@pytest.mark.parametrize("status", ["accepted", "running", "done", "failed"])
def test_a_record_that_vanishes_counts_as_a_lost_request(status: str) -> None:
    known = memory(servers=(server(1),), migrations=(migration(7, 1, status),))
    known = remember.saw_migrations(known, HOST, (), NOW_S + 1)
    post = known.posts[ServerId("server-1")]
    assert (post.state, post.at_s) == ("lost", NOW_S + 1)
    assert known.refusals[ServerId("server-1")].lost
    back = remember.saw_migrations(known, HOST, (migration(7, 1, status),), NOW_S + 2)
    assert back.posts == {}


def test_a_record_that_vanishes_with_its_server_costs_nothing() -> None:
    known = memory(servers=(), migrations=(migration(7, 1, "done"),))
    assert remember.saw_migrations(known, HOST, (), NOW_S + 1).posts == {}


RACK, OTHER = Aggregate(3, "rack-1", frozenset({HOST})), Aggregate(4, "rack-2")
SPARE = ComputeHost("spare-1")


def ruled() -> Memory:
    return replace(memory(), rules=Answer(Rules((RACK, OTHER)), NOW_S))


def test_an_aggregate_that_was_changed_is_put_where_it_was_and_as_old_as_the_others() -> None:
    changed = replace(RACK, hosts=frozenset({HOST, SPARE}))
    known = remember.saw_aggregate(ruled(), changed, SPARE)
    assert known.rules == Answer(Rules((changed, OTHER)), NOW_S)
    assert known.rules_since_s == ruled().rules_since_s
    assert remember.saw_aggregate(memory(rules=None), changed, SPARE).rules is None


def test_a_refused_change_of_an_aggregate_is_kept_until_it_succeeds_or_the_host_is_free() -> None:
    known = ruled()
    for at_s in (NOW_S, NOW_S + 5.0):
        known = remember.aggregate_refused(known, RACK, SPARE, at_s, "no (409)")
    (refused,) = known.aggregate_refused.values()
    assert (refused.since_s, refused.last_s, refused.text) == (NOW_S, NOW_S + 5.0, "no (409)")
    assert remember.saw_aggregate(known, RACK, SPARE).aggregate_refused == {}
    assert remember.saw_aggregate(known, OTHER, SPARE).aggregate_refused != {}
    assert remember.freed(known, SPARE).aggregate_refused == {}
    assert remember.freed(known, HOST).aggregate_refused != {}


def test_after_a_change_that_came_to_nothing_the_aggregates_count_as_old() -> None:
    doubted = remember.doubt_rules(ruled())
    assert doubted.rules is not None
    assert doubted.rules.asked_s < 0.0
    assert doubted.rules.value == Rules((RACK, OTHER))
    assert remember.doubt_rules(memory(rules=None)).rules is None
