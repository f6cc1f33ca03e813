"""What the process remembers of live migrations, from the request to the end of the drain."""

from novaha.core import drainmemory as remember
from novaha.core.memory import saw_servers
from novaha.core.model import Memory
from worlds import HOST, NODE, memory, migration, server

ID = server(1).id


def asked() -> Memory:
    known = remember.saw_live_migrations(memory(), HOST, (migration(3, 1, "completed"),), 1.0)
    return remember.asking_to_leave(known, ID, HOST, 2.0)


def test_a_request_is_forgotten_once_its_record_shows() -> None:
    known = remember.may_leave(asked(), ID, 3.0)
    assert known.drain.posts[ID].state == "accepted"
    old = remember.saw_live_migrations(known, HOST, (migration(3, 1, "completed"),), 4.0)
    assert ID in old.drain.posts, "that record is older than the request"
    new = (migration(4, 1, "running"), migration(3, 1, "completed"))
    assert remember.saw_live_migrations(old, HOST, new, 5.0).drain.posts == {}


def test_a_lost_answer_leaves_the_request_and_counts_as_a_failure() -> None:
    known = remember.unheard(asked(), ID, 3.0, "no answer")
    assert known.drain.posts[ID].state == "lost"
    assert (known.drain.refusals[ID].count, known.drain.refusals[ID].lost) == (1, True)
    assert remember.may_leave(known, ID, 4.0).drain.refusals == {}
    assert remember.unheard(memory(), ID, 3.0, "of nobody") == memory()


def test_a_refusal_had_no_effect() -> None:
    known = remember.may_not_leave(asked(), ID, 3.0, "409")
    again = remember.may_not_leave(known, ID, 4.0, "409")
    assert known.drain.posts == {}
    assert (again.drain.refusals[ID].count, again.drain.refusals[ID].text) == (2, "409")


def test_a_record_keeps_its_time_while_its_status_is_the_same() -> None:
    known = memory()
    for at_s, status in ((1.0, "queued"), (2.0, "queued"), (3.0, "running"), (4.0, "running")):
        known = remember.saw_live_migrations(known, HOST, (migration(4, 1, status),), at_s)
    assert known.drain.flying_s == {(4, "running"): 3.0}
    assert known.drain.changed_s[HOST] == 3.0
    failed = remember.saw_live_migrations(known, HOST, (migration(4, 1, "error"),), 5.0)
    again = remember.saw_live_migrations(failed, HOST, (migration(4, 1, "error"),), 6.0)
    assert (again.drain.flying_s, again.drain.failed_at) == ({}, {4: 5.0})


def test_what_a_drain_has_taught_is_forgotten_with_it() -> None:
    known = saw_servers(remember.withdrew(asked(), NODE), HOST, (server(1),), 2.0, details=True)
    known = remember.may_not_leave(known, ID, 3.0, "409")
    known = remember.saw_live_migrations(known, HOST, (migration(4, 1, "error"),), 5.0)
    assert known.drain.begun == {NODE}
    assert remember.gave_back(known, NODE, HOST).drain == memory().drain


def test_of_other_hosts_nothing_is_forgotten() -> None:
    known = remember.withdrew(asked(), NODE)
    elsewhere = remember.may_not_leave(known, server(9).id, 3.0, "409")
    assert server(9).id in remember.gave_back(elsewhere, NODE, HOST).drain.refusals
