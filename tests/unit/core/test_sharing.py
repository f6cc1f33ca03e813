"""Which evacuations of all hosts get the free slots, and what the others are told."""

from dataclasses import replace
from typing import Any

from novaha.core import memory as remember
from novaha.core import startmemory as starts
from novaha.core.actions import AskPorts, AskServices, Evacuate, Hold
from novaha.core.capacity import Room
from novaha.core.decide import decide
from novaha.core.details import Details, Flavor
from novaha.core.flow import EARLY
from novaha.core.model import Answer, Memory, Migration, Server, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.order import AFTER, PRIORITY, READY, Target
from novaha.core.pace import records_due_s
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import Rules, ServerGroup
from worlds import HOST, NOW_S, evacuating, mark, memory, ours, receipt, recovery, view

POLICY = Policy()
OTHER = ComputeHost("compute-2")


def server(name: str, ram_mib: int = 1, **metadata: str) -> Server:
    keys = {"priority": PRIORITY, "after": AFTER, "ready": READY}
    said = {keys[key]: value for key, value in metadata.items()}
    details = Details(metadata=said, flavor=Flavor(ram_mib=ram_mib), addresses=("192.0.2.1",))
    return Server(ServerId(name), name, "", details)


def known(*servers: Server, records: tuple[Migration, ...] = (), **changes: Any) -> Memory:  # noqa: ANN401
    """Return what is known right after both lists were read."""
    told = memory(services=(ours(),), migrations=(), **changes)
    told = remember.saw_servers(told, HOST, servers, NOW_S, details=True)
    return remember.saw_migrations(told, HOST, records, NOW_S)


def decided(
    of: Memory, policy: Policy = POLICY, now_s: float = NOW_S
) -> tuple[list[str], set[Reason]]:
    decisions = decide(view(evacuating(), of, now_s), policy)
    sent = [str(d.server) for d in decisions if isinstance(d, Evacuate)]
    return sent, {d.reason for d in decisions if isinstance(d, Hold)}


def moving(id_: int, name: str, to: str | None, status: str = "running") -> Migration:
    return Migration(id_, ServerId(name), HOST, ComputeHost(to) if to else None, status)


def test_the_important_go_first_and_then_the_largest() -> None:
    servers = (server("small"), server("large", 8), server("first", priority="1"))
    assert decided(known(*servers)) == (["first", "large", "small"], set())
    sent, reasons = decided(known(*servers), Policy(max_in_flight=1))
    assert (sent, reasons) == (["first"], {Reason.QUEUED})


def test_one_that_waits_for_another_is_sent_when_that_is_up_and_not_before() -> None:
    web, db = server("web", after="db"), server("db")
    assert decided(known(web, db)) == (["db"], {Reason.AFTER})
    flying = known(web, db, records=(moving(1, "db", "compute-2"),))
    assert decided(flying) == ([], {Reason.AFTER, Reason.IN_FLIGHT})
    arrived = known(web, db, records=(moving(1, "db", "compute-2", "done"),))
    assert decided(arrived)[0] == ["web"]
    gone = remember.saw_servers(arrived, HOST, (Server(ServerId("web"), "web"),), NOW_S)
    assert decided(gone)[0] == ["web"]


def arrived(*names: str, ready: str) -> Memory:
    """Return what is known when others wait for those of these names, which have arrived."""
    others = (server(name, ready=ready) for name in names)
    records = tuple(moving(n, name, "compute-2", "done") for n, name in enumerate(names, 1))
    return known(server("web", after=" ".join(names)), *others, records=records)


def tried(of: Memory, now_s: float = NOW_S) -> list[str]:
    """Return the instances whose port is tried."""
    asked = [d for d in decide(view(evacuating(), of, now_s), POLICY) if isinstance(d, AskPorts)]
    return [target.server for question in asked for target in question.targets]


def test_a_port_that_is_waited_for_is_tried_again_and_again_until_it_answers() -> None:
    there = arrived("db", ready="tcp:5432")
    assert (decided(there)[0], tried(there)) == ([], ["db"])
    target = Target(ServerId("db"), 5432, ("192.0.2.1",))
    asked = starts.saw_ports(there, (target,), frozenset(), NOW_S)
    assert tried(asked) == [], "not in each cycle"
    assert tried(asked, NOW_S + POLICY.return_poll_s) == ["db"]
    up = starts.saw_ports(asked, (target,), frozenset({target.server}), NOW_S)
    assert (decided(up)[0], tried(up, NOW_S + 60.0)) == (["web"], [])


def test_no_port_is_tried_that_nobody_waits_for() -> None:
    alone = known(server("db", ready="tcp:5432"), records=(moving(1, "db", "compute-2", "done"),))
    assert tried(alone) == []
    late_s = NOW_S + POLICY.order_wait_s
    there = arrived("db", ready="tcp:5432")
    assert decided(there, now_s=late_s)[0] == ["web"], "not for ever"
    assert tried(there, late_s) == []


def test_a_bounded_number_of_ports_is_tried_at_once_and_those_that_waited_longest_first() -> None:
    names = [f"db-{n:02}" for n in range(20)]
    there = arrived(*names, ready="tcp:5432")
    first = tried(there)
    assert first == names[:16]
    targets = tuple(Target(ServerId(name), 5432, ()) for name in first)
    later = starts.saw_ports(there, targets, frozenset(), NOW_S)
    assert tried(later, NOW_S + 60.0)[:4] == names[16:]


def test_an_answer_of_before_counts_no_more_when_a_recovery_begins() -> None:
    target = Target(ServerId("db"), 5432, ("192.0.2.1",))
    up = starts.saw_ports(memory(), (target,), frozenset({target.server}), NOW_S)
    assert remember.began(up, recovery()).answered == frozenset()


def test_one_waits_for_another_that_fails_but_not_for_ever() -> None:
    failed = known(
        server("web", after="db"), server("db"), records=(moving(1, "db", None, "error"),)
    )
    late_s = NOW_S - 1.0 + POLICY.order_wait_s
    assert decided(failed, now_s=NOW_S + 1) == ([], {Reason.AFTER, Reason.BLOCKED})
    assert decided(failed, now_s=late_s)[0] == ["web"]


def test_a_circle_is_told_and_holds_nobody() -> None:
    servers = (server("a", after="b"), server("b", after="a"))
    assert decided(known(*servers)) == (["a", "b"], {Reason.CYCLE})


GROUPS = Rules(
    (), (ServerGroup("g", "web", "anti-affinity", 1, frozenset({ServerId("a"), ServerId("b")})),)
)


def test_members_of_a_strict_group_are_never_in_flight_together() -> None:
    both = known(server("a"), server("b"), server("c"), rules=Answer(GROUPS, NOW_S))
    assert decided(both) == (["a", "c"], {Reason.APART})
    flying = known(
        server("a"),
        server("b"),
        records=(moving(1, "a", None, "accepted"),),
        rules=Answer(GROUPS, NOW_S),
    )
    assert decided(flying)[0] == []
    posted = remember.posting(both, ServerId("a"), HOST, NOW_S)
    assert decided(posted)[0] == ["c"]


def test_a_member_that_is_stuck_keeps_no_other_waiting() -> None:
    stuck = known(
        server("a"),
        server("b"),
        records=(moving(1, "a", None, "accepted"),),
        rules=Answer(GROUPS, NOW_S),
    )
    later_s = NOW_S + POLICY.stuck_s
    assert decided(stuck, now_s=later_s)[0] == ["b"]


def test_soft_groups_keep_nobody_waiting() -> None:
    soft = ServerGroup("g", "web", "soft-anti-affinity", 1, frozenset(map(ServerId, "ab")))
    both = known(server("a"), server("b"), rules=Answer(Rules((), (soft,)), NOW_S))
    assert decided(both) == (["a", "b"], set())


def test_no_destination_gets_more_than_its_share_wherever_nova_sends_them() -> None:
    policy = Policy(max_per_destination=2)
    servers = tuple(server(name) for name in "abcdef")
    assert decided(known(*servers), policy) == (["a", "b"], {Reason.QUEUED})
    unscheduled = known(*servers, records=(moving(1, "a", None, "accepted"),))
    assert decided(unscheduled, policy)[0] == ["b"]
    spread = known(*servers, records=(moving(1, "a", "x"), moving(2, "b", "y")))
    assert decided(spread, policy)[0] == ["c"]
    full = known(*servers, records=(moving(1, "a", "x"), moving(2, "b", "x")))
    assert decided(full, policy)[0] == []


def test_the_older_of_two_evacuations_of_one_instance_keeps_its_slot_while_it_is_in_flight() -> (
    None
):
    """A person may evacuate beside us."""
    records = (moving(1, "a", "compute-2"), moving(2, "a", "compute-3", "done"))
    both = known(server("a"), server("b"), records=records)
    assert decided(both, Policy(max_in_flight=1))[0] == []
    assert decided(both)[0] == ["b"]
    over = known(server("a"), server("b"), records=(records[1], moving(1, "a", "x", "failed")))
    assert decided(over, Policy(max_in_flight=1))[0] == ["b"]


def test_fewer_are_in_flight_while_nova_is_overloaded_and_never_none() -> None:
    servers = tuple(server(name) for name in "abcdefgh")
    strained = remember.strained(known(*servers), NOW_S)
    assert decided(strained, Policy(max_in_flight=6))[0] == ["a", "b", "c"]
    assert remember.strained(strained, NOW_S + 1).strain == strained.strain, "one overload"
    for n in range(20):
        strained = remember.strained(strained, NOW_S + 10.0 * n)
    assert decided(strained, Policy(max_in_flight=6))[0] == ["a"]


def test_more_are_sent_again_when_nova_has_accepted_for_a_while() -> None:
    vm = ServerId("a")
    strained = remember.strained(known(server("a")), NOW_S)
    soon = remember.accepted(strained, vm, NOW_S + 5)
    assert soon.strain.halvings == 1
    assert remember.accepted(soon, vm, NOW_S + 31).strain.halvings == 0
    assert remember.accepted(known(server("a")), vm, NOW_S + 31).strain.halvings == 0


def test_what_failed_is_tried_again_as_soon_as_a_host_takes_instances_again() -> None:
    records = (moving(1, "a", None, "error"), moving(2, "b", "compute-2"))
    off = replace(ours(OTHER), enabled=False, forced_down=False)
    failed = remember.saw_services(known(server("a"), records=records), (ours(), off), NOW_S)
    assert decided(failed, now_s=NOW_S + 1)[0] == []
    open_ = replace(off, enabled=True, disabled_reason="")
    woken = remember.saw_services(failed, (ours(), open_), NOW_S + 1)
    assert decided(woken, now_s=NOW_S + 1)[0] == [], "a person may have moved it meanwhile"
    read = remember.saw_servers(woken, HOST, (server("a"),), NOW_S + 1, details=True)
    read = remember.saw_migrations(read, HOST, records, NOW_S + 1)
    assert decided(read, now_s=NOW_S + 1)[0] == ["a"]
    same = remember.saw_services(woken, (ours(), open_), NOW_S + 2)
    assert same.failed_at == woken.failed_at


def test_while_something_waits_the_services_are_looked_at_twice_a_minute() -> None:
    failed = known(server("a"), records=(moving(1, "a", None, "error"),))
    due_s = NOW_S + POLICY.look_again_s / 2
    policy = replace(POLICY, retry_first_s=600.0)
    for now_s, asked in ((due_s - 1, False), (due_s, True)):
        decisions = decide(view(evacuating(), failed, now_s), policy)
        assert any(isinstance(d, AskServices) for d in decisions) is asked


def test_what_finds_no_room_is_told_at_once_and_tried_all_the_same() -> None:
    servers = (server("a", 4), server("b", 4), server("c", 4, priority="1"))
    rooms = Answer((Room("compute-2", 9, 8),), NOW_S)
    full = known(*servers, room=rooms)
    sent, reasons = decided(full)
    assert (sent, reasons) == (["c", "a", "b"], {Reason.NO_ROOM})
    hold = next(d for d in decide(view(evacuating(), full), POLICY) if isinstance(d, Hold))
    assert hold.text == "1 of 3 instances find no room: b"
    silent = known(*servers, room=Answer(None, NOW_S))
    assert decided(silent) == (sent, set())


def test_room_that_instances_of_this_recovery_have_taken_since_is_not_counted_twice() -> None:
    servers, rooms = (server("a", 4), server("b", 4)), Answer((Room("compute-2", 9, 4),), NOW_S)
    before = known(*servers, room=rooms, records=(moving(1, "a", "compute-2"),))
    assert Reason.NO_ROOM not in decided(before)[1], "what had its place when Placement was asked"
    told = memory(services=(ours(),), migrations=(), room=rooms)
    told = remember.saw_servers(told, HOST, servers, NOW_S, details=True)
    after = remember.saw_migrations(told, HOST, (moving(1, "a", "compute-2"),), NOW_S + 1)
    assert Reason.NO_ROOM in decided(after)[1], "b, for a takes the place now"


def test_records_are_looked_at_when_the_next_should_have_ended_as_the_last_ones_did() -> None:
    """So a recovery of N instances costs hardly more looks than N, however fast Nova is."""
    flying = tuple(moving(n, name, "x") for n, name in enumerate("abcd", 1))
    sent = known(*map(server, "abcd"))
    for name in "abcd":
        at_s = NOW_S if name == "a" else NOW_S + 2.0
        sent = remember.posting(sent, ServerId(name), HOST, at_s)
    seen = remember.saw_migrations(sent, HOST, flying, NOW_S + 2.0)
    ended = (replace(flying[0], status="done"), *flying[1:])
    later = remember.saw_migrations(seen, HOST, ended, NOW_S + 3.0)
    due = [records_due_s(view(evacuating(), of, NOW_S), POLICY, HOST) for of in (seen, later)]
    assert due == [NOW_S + 2.0 + POLICY.poll_s, NOW_S + 2.0 + 2.0 * EARLY]
    gone = remember.forget_host(later, HOST)
    assert HOST not in gone.flows


def test_what_this_process_did_not_send_is_looked_at_now_and_then() -> None:
    found = known(server("a"), records=(moving(1, "a", "x"),))
    found = replace(found, changed_s={HOST: NOW_S - 20.0})
    assert records_due_s(view(evacuating(), found, NOW_S), POLICY, HOST) == NOW_S + 8.0


def test_one_waits_for_another_of_another_host_on_which_nobody_waits() -> None:
    id_, node = "feedfeedfeed", NodeName(OTHER)
    there = remember.saw_servers(
        known(server("web", after="db")), OTHER, (server("db"),), NOW_S, details=True
    )
    there = remember.saw_migrations(there, OTHER, (), NOW_S)
    begun = {**there.begun, id_: 0}
    services: Answer[tuple[Service, ...]] = Answer((ours(), ours(OTHER)), NOW_S)
    both = evacuating(
        receipts=(receipt(), receipt(node, id_)),
        records=(recovery(), recovery(node, id_, host=OTHER)),
        marks=(mark(), mark(receipt(node, id_))),
    )
    decisions = decide(view(both, replace(there, begun=begun, services=services)), POLICY)
    assert [d.server for d in decisions if isinstance(d, Evacuate)] == ["db"]
