"""What a drained host is given back, standby of it, and what a person does meanwhile."""

from dataclasses import replace

from drains import CLOSED, DRAIN, OURS, SPARE, decided, drained, held, known
from novaha.core.actions import (
    AskServers,
    Disable,
    DropWithdrawn,
    Enable,
    Hold,
    KeepWithdrawn,
    SetStandby,
)
from novaha.core.drain import Phase, Withdrawn
from novaha.core.model import (
    Answer,
)
from novaha.core.names import ComputeHost
from novaha.core.reasons import Reason
from worlds import HOST, NODE, NOW_S, recovery, server, service


def test_a_person_who_enables_a_drained_host_is_not_contradicted() -> None:
    decisions = decided(drained(), known(of=service()))
    assert not any(isinstance(d, Disable) for d in decisions)
    assert "a person has enabled" in held(decisions)[Reason.DRAINED]


def test_the_last_who_leaves_lets_the_node_into_standby() -> None:
    drain = replace(DRAIN, standby=True)
    of = drained(drains=(drain,))
    steps = [d for d in decided(of, known()) if not isinstance(d, Hold)]
    assert steps == [
        KeepWithdrawn(replace(CLOSED, phase=Phase.PARKING)),
        SetStandby(NODE, on=True),
        KeepWithdrawn(replace(CLOSED, phase=Phase.PARKED)),
    ]
    assert not any(isinstance(d, SetStandby) for d in decided(of, known(server(1))))
    stays = decided(of, known(server(1, vm_state="stopped")))
    assert SetStandby(NODE, on=True) in stays


def test_standby_of_a_person_stays_theirs() -> None:
    of = drained(drains=(replace(DRAIN, standby=True),), standby=frozenset({NODE}))
    assert not any(isinstance(d, KeepWithdrawn | SetStandby) for d in decided(of, known()))
    back = decided(drained(drains=(), standby=frozenset({NODE})), known())
    assert back == (Enable(service(**OURS)), DropWithdrawn(CLOSED))


def test_what_a_person_has_undone_is_not_done_again() -> None:
    parked = replace(CLOSED, phase=Phase.PARKED)
    of = drained(drains=(replace(DRAIN, standby=True),), withdrawn=(parked,))
    assert not any(isinstance(d, SetStandby) for d in decided(of, known()))


def test_all_is_given_back_standby_first() -> None:
    parked = replace(CLOSED, phase=Phase.PARKED)
    of = drained(drains=(), withdrawn=(parked,), standby=frozenset({NODE}))
    assert decided(of, known()) == (SetStandby(NODE, on=False),)
    awake = replace(of, standby=frozenset())
    waits = decided(awake, known(of=service(**OURS, up=False)))
    assert Reason.GIVING_BACK in held(waits)
    assert decided(awake, known()) == (Enable(service(**OURS)), DropWithdrawn(parked))


def test_standby_is_taken_back_although_the_host_is_recovered() -> None:
    parked = replace(CLOSED, phase=Phase.PARKED)
    of = drained(
        drains=(),
        withdrawn=(parked,),
        standby=frozenset({NODE}),
        records=(recovery(phase="returning", heartbeat="x"),),
    )
    assert SetStandby(NODE, on=False) in decided(of, known())


def test_a_host_that_is_off_is_given_back_once_nova_knows_it() -> None:
    off = drained(drains=(), online=frozenset())
    assert Reason.GIVING_BACK in held(decided(off, known()))
    down = service(**OURS, up=False)
    assert decided(off, known(of=down)) == (Enable(down), DropWithdrawn(CLOSED))


def test_nothing_is_given_back_or_taken_while_the_cell_of_the_host_is_down() -> None:
    unseen = replace(known(of=service(SPARE)), hidden=frozenset({HOST}))
    for of in (drained(), drained(drains=())):
        assert held(decided(of, unseen)).keys() == {Reason.CELL_DOWN}
        assert all(isinstance(d, Hold) for d in decided(of, unseen))


def test_what_nobody_can_read_is_given_back_too_and_written_over() -> None:
    garbled = Withdrawn(NODE, ComputeHost(""), Phase.PARKED, raw="garbled")
    unseen = replace(known(of=service(SPARE)), hidden=frozenset({HOST}))
    waits = decided(drained(drains=(), withdrawn=(garbled,)), unseen)
    assert held(waits).keys() == {Reason.CELL_DOWN}, "its cell is down, not its service gone"
    given = decided(drained(drains=(), withdrawn=(garbled,)), known())
    assert given == (Enable(service(**OURS)), DropWithdrawn(garbled))
    again = decided(drained(withdrawn=(garbled,)), known())
    assert [d.withdrawn.raw for d in again if isinstance(d, KeepWithdrawn)] == ["", ""]


def test_a_host_that_is_gone_from_nova_is_forgotten() -> None:
    what = replace(known(), services=Answer((service(SPARE),), NOW_S))
    assert decided(drained(drains=()), what) == (DropWithdrawn(CLOSED),)


def test_standby_without_a_drain_is_told_while_instances_are_there() -> None:
    of = drained(drains=(), withdrawn=(), standby=frozenset({NODE}))
    assert "with 2 instances" in held(decided(of, known(server(1), server(2))))[Reason.STANDBY]
    assert decided(of, known()) == ()
    unknown = replace(known(), servers={})
    assert decided(of, unknown) == (AskServers(HOST, details=True),)


def test_a_recovery_leaves_a_drained_host_closed_and_has_it_written_down() -> None:
    back = recovery(phase="returning", heartbeat="2024-01-01T00:00:00")
    decisions = decided(drained(records=(back,), withdrawn=()), known())
    assert not any(isinstance(d, Enable) for d in decisions)
    assert KeepWithdrawn(Withdrawn(NODE, HOST, Phase.CLOSING)) in decisions
