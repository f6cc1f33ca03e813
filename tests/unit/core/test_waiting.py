"""Room that appears in Placement cuts the waiting of what failed for want of it short, once."""

from novaha.core import memory as remember
from novaha.core.actions import AskRoom, AskServers, Evacuate
from novaha.core.capacity import Room
from novaha.core.decide import decide
from novaha.core.details import Details, Flavor
from novaha.core.model import Answer, Memory, Migration, Server
from novaha.core.names import ComputeHost, ServerId
from novaha.core.order import PRIORITY
from novaha.core.policy import Policy
from novaha.core.waiting import without_a_place
from worlds import HOST, NOW_S, evacuating, memory, ours, service, view

POLICY = Policy(retry_first_s=600.0)
X, Y = ComputeHost("compute-2"), ComputeHost("compute-3")
NOTHING, SOME, MUCH = (Room(X, 8, 0),), (Room(X, 8, 10),), (Room(X, 8, 90),)


def server(name: str, ram_mib: int = 10, priority: int = 0) -> Server:
    flavor, said = Flavor(vcpus=1, ram_mib=ram_mib), {PRIORITY: str(priority)}
    return Server(ServerId(name), name, "", Details(flavor=flavor, metadata=said))


def failed(*servers: Server, room: Answer[tuple[Room, ...] | None] | None) -> Memory:
    """Return what is known when the evacuation of each of these has just failed."""
    told = memory(services=(ours(), service(X), service(Y)), migrations=(), room=room)
    told = remember.saw_servers(told, HOST, servers, NOW_S, details=True)
    records = (Migration(n, s.id, HOST, None, "error") for n, s in enumerate(servers, 1))
    return remember.saw_migrations(told, HOST, tuple(records), NOW_S)


def full(*servers: Server) -> Memory:
    """Return the same once Placement has told that there is no room."""
    return remember.saw_room(failed(*servers, room=Answer((), 0.0)), NOTHING, NOW_S)


def woken(of: Memory) -> set[str]:
    """Return which of what failed waits no longer."""
    records = of.migrations[HOST].value
    return {str(m.server) for m in records if of.failed_at[m.id] == remember.LONG_AGO_S}


def test_what_had_no_room_and_has_some_now_waits_no_longer() -> None:
    cramped = full(server("a"))
    assert (woken(cramped), set(cramped.cramped)) == (set(), {"a"})
    roomy = remember.saw_room(cramped, SOME, NOW_S + 60)
    assert (woken(roomy), roomy.cramped, roomy.woken_s) == ({"a"}, frozenset(), NOW_S + 60)


def test_before_it_is_tried_it_is_read_again_for_a_person_may_have_moved_it() -> None:
    later_s = NOW_S + 60
    roomy = remember.saw_room(full(server("a")), SOME, later_s)
    decisions = decide(view(evacuating(), roomy, later_s), POLICY)
    assert AskServers(HOST, details=True) in decisions
    assert not any(isinstance(d, Evacuate) for d in decisions)
    read = remember.saw_servers(roomy, HOST, (server("a"),), later_s, details=True)
    read = remember.saw_migrations(read, HOST, roomy.migrations[HOST].value, later_s)
    assert Evacuate(ServerId("a"), HOST) in decide(view(evacuating(), read, later_s), POLICY)


def test_room_that_stays_wakes_nothing_a_second_time() -> None:
    roomy = remember.saw_room(full(server("a")), SOME, NOW_S + 60)
    again = (*roomy.migrations[HOST].value, Migration(2, ServerId("a"), HOST, None, "error"))
    roomy = remember.saw_migrations(roomy, HOST, again, NOW_S + 70)
    still = remember.saw_room(roomy, MUCH, NOW_S + 130)
    assert still.failed_at[2] == NOW_S + 70
    gone = remember.saw_room(still, NOTHING, NOW_S + 190)
    assert gone.failed_at[2] == NOW_S + 70
    assert remember.saw_room(gone, SOME, NOW_S + 250).failed_at[2] == remember.LONG_AGO_S


def test_only_as_many_as_find_room_are_woken_the_most_important_first() -> None:
    cramped = full(server("a"), server("b", priority=1), server("c", 50))
    assert woken(remember.saw_room(cramped, SOME, NOW_S + 60)) == {"b"}
    assert woken(remember.saw_room(cramped, MUCH, NOW_S + 60)) == {"a", "b", "c"}


def test_room_on_a_host_that_takes_no_instances_is_none() -> None:
    cramped = full(server("a"))
    closed = remember.saw_services(
        cramped, (ours(), service(X, enabled=False), service(Y)), NOW_S + 30
    )
    assert woken(remember.saw_room(closed, SOME, NOW_S + 60)) == set()


def test_a_placement_that_gives_no_answer_changes_nothing() -> None:
    cramped = full(server("a"))
    silent = remember.saw_room(cramped, None, NOW_S + 60)
    assert (woken(silent), set(silent.cramped)) == (set(), {"a"})
    assert woken(remember.saw_room(silent, SOME, NOW_S + 120)) == {"a"}


def test_a_process_that_has_just_started_tries_once_what_finds_room() -> None:
    assert woken(remember.saw_room(failed(server("a"), room=None), SOME, NOW_S)) == {"a"}
    assert woken(remember.saw_room(failed(server("a"), room=None), NOTHING, NOW_S)) == set()


def test_placement_is_asked_once_a_minute_while_something_waits_and_by_a_new_process_at_once() -> (
    None
):
    def asked(of: Memory, now_s: float) -> bool:
        return AskRoom() in decide(view(evacuating(), of, now_s), POLICY)

    cramped = full(server("a"))
    assert [asked(cramped, NOW_S + s) for s in (59.0, 60.0)] == [False, True]
    assert asked(failed(server("a"), room=None), NOW_S + 1)


def test_what_is_being_evacuated_or_never_was_needs_no_waking() -> None:
    told = full(server("a"))
    flying = (*told.migrations[HOST].value, Migration(2, ServerId("a"), HOST, X, "running"))
    assert without_a_place(remember.saw_migrations(told, HOST, flying, NOW_S)) == frozenset()
    new = remember.saw_servers(told, HOST, (server("n"),), NOW_S, details=True)
    assert without_a_place(new) == frozenset()
    on_its_host = (Migration(1, ServerId("a"), HOST, X, "failed"),)
    assert without_a_place(remember.saw_migrations(told, HOST, on_its_host, NOW_S)) == frozenset()
