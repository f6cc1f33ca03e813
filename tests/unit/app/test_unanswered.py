"""L7: what Nova answers nothing to, of one host or one thing, holds up nobody else."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import fakeports
import pytest
from fakeports import FakeCloud, Fault, Process
from fakeworld import World
from novaha.app.apply import apply
from novaha.core.actions import AggregateChange, ForceDown, ServiceChange, SetUse
from novaha.core.model import Migration, Server, Service
from novaha.core.names import ComputeHost
from novaha.core.reasons import Reason
from novaha.core.segments import Aggregate
from novaha.core.silence import LONGEST_WAIT_S, WAIT_S, topic_of_change, unheard
from novaha.errors import CloudRefused, CloudUnavailable
from recoveries import host, left_on, left_on_is_empty, process, reasons, world

SICK, OTHER = "compute-0", "compute-1"
LISTS = ("servers", "migrations")
ERRORS = (
    partial(CloudUnavailable, "Nova answered 500"),
    partial(CloudRefused, "no such filter (400)", 400),
)
TIMEOUT_S = 10.0


@dataclass
class Deaf:
    """What Nova does not answer, of some hosts, while `on`; asked: when it was asked for."""

    world: World
    at: frozenset[ComputeHost]
    error: Callable[[], Exception] = ERRORS[0]
    takes_s: float = 0.0
    on: bool = True
    asked_s: list[float] = field(default_factory=list)

    def fail(self, of: ComputeHost) -> None:
        if self.on and of in self.at:
            self.asked_s.append(self.world.now_s)
            self.world.advance(self.takes_s)
            raise self.error()


def deafen(patch: pytest.MonkeyPatch, deaf: Deaf, *calls: str) -> None:
    """Have these calls about its hosts fail: lists after they were asked for, changes before."""
    servers, records = FakeCloud.servers, FakeCloud.migrations

    def listed(cloud: FakeCloud, at: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        found = servers(cloud, at, details=details)
        deaf.fail(at)
        return found

    def moved(cloud: FakeCloud, at: ComputeHost) -> tuple[Migration, ...]:
        found = records(cloud, at)
        deaf.fail(at)
        return found

    def changed(call: str) -> Callable[..., Service]:
        effect = getattr(FakeCloud, call)

        def change(cloud: FakeCloud, of: Service, **how: object) -> Service:
            deaf.fail(of.host)
            return effect(cloud, of, **how)  # type: ignore[no-any-return]

        return change

    lists = {"servers": listed, "migrations": moved}
    for call in calls:
        patch.setattr(FakeCloud, call, lists.get(call) or changed(call))


def hosts(*names: str) -> frozenset[ComputeHost]:
    return frozenset(map(host, names))


def lost(it: World, *faults: Fault) -> Process:
    """Lose both hosts."""
    for name in (SICK, OTHER):
        it.fence(name)
    return process(it, *faults)


def assert_all_moved(run: Process) -> None:
    """Each instance was moved, some of them to a host that was back by then."""
    assert run.at_rest(), run.journal.held
    assert run.world.violations == []
    assert all(instance.posts for instance in run.world.instances.values())


def assert_all_moved_once_told(run: Process, deaf: Deaf) -> None:
    """Have Nova answer what it did not, and wait for the good end."""
    deaf.on = False
    run.run_to_rest()
    assert_all_moved(run)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("what", [("servers",), ("migrations",), LISTS])
@pytest.mark.parametrize("takes_s", [0.0, TIMEOUT_S])
def test_a_host_that_nova_tells_nothing_of_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    what: tuple[str, ...],
    takes_s: float,
) -> None:
    it = world(3, 3)
    deaf = Deaf(it, hosts(SICK), error, takes_s)
    deafen(monkeypatch, deaf, *what)
    run = lost(it)
    run.run(180, lambda: left_on_is_empty(it, OTHER))
    assert left_on_is_empty(it, OTHER)
    run.run(120)
    assert len(left_on(it, SICK)) == 3
    assert it.violations == []
    (hold,) = (each for each in run.journal.held if each.reason is Reason.UNANSWERED)
    assert hold.subject == host(SICK)
    assert str(error()) in hold.text
    deaf.on = False
    run.run_to_rest(600.0)
    assert_all_moved(run)


@pytest.mark.parametrize("at_s", [0.5, 1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("sick", [SICK, OTHER])
def test_recoveries_under_way_go_on_when_the_lists_of_one_host_begin_to_fail(
    monkeypatch: pytest.MonkeyPatch, at_s: float, sick: str
) -> None:
    it = world(20, 3, limit=2)
    deaf = Deaf(it, hosts(sick), on=False)
    deafen(monkeypatch, deaf, *LISTS)
    it.later(at_s, lambda: setattr(deaf, "on", True))
    run, well = lost(it), OTHER if sick == SICK else SICK
    run.run(1500, lambda: left_on_is_empty(it, well))
    assert left_on_is_empty(it, well), run.journal.held
    assert it.violations == []
    assert_all_moved_once_told(run, deaf)


def test_what_gets_no_answer_is_asked_for_ever_more_rarely_while_others_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = world(1, 200, limit=1)
    deaf = Deaf(it, hosts(SICK))
    deafen(monkeypatch, deaf, "migrations")
    run = lost(it)
    run.run(300)
    pauses = [b - a for a, b in zip(deaf.asked_s, deaf.asked_s[1:], strict=False)]
    assert pauses[-1] == pytest.approx(LONGEST_WAIT_S, abs=6.0)
    assert len(deaf.asked_s) < 20


def test_many_hosts_whose_lists_hang_hold_up_no_other_and_the_process_shows_that_it_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pacemaker restarts a process whose cycle takes longer than stall_timeout, 120 s."""
    it = world(*[1] * 9, 20, limit=4)
    sick = [f"compute-{number}" for number in range(9)]
    deaf = Deaf(it, hosts(*sick), takes_s=30.0)
    deafen(monkeypatch, deaf, *LISTS)
    run, longest_s = process(it), 0.0
    for name in (*sick, "compute-9"):
        it.fence(name)
    while it.now_s < 1500.0 and not left_on_is_empty(it, "compute-9"):
        began_s = it.now_s
        wait_s = run.step()
        longest_s = max(longest_s, it.now_s - began_s)
        it.advance(min(wait_s, 0.5))
    assert left_on_is_empty(it, "compute-9"), run.journal.held
    assert longest_s < 60.0
    assert it.violations == []
    print(f"its 20 instances were moved by {it.now_s - 500:.0f} s")  # noqa: T201
    assert_all_moved_once_told(run, deaf)


def test_a_nova_that_takes_its_time_for_each_of_many_questions_is_no_process_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cycle may then take longer than stall_timeout, 120 s: it gives signs of life."""
    it = world(*[1] * 9)
    monkeypatch.setattr(fakeports, "CALL_S", 20.0)
    for number in range(9):
        it.fence(f"compute-{number}")
    run, alive_s, began_s = process(it), [it.now_s], it.now_s
    reconciler = run.reconciler
    reconciler.ports = replace(reconciler.ports, alive=lambda: alive_s.append(it.now_s))
    reconciler.cycle()
    assert it.now_s - began_s > 240.0
    gaps_s = [b - a for a, b in zip(alive_s, [*alive_s[1:], it.now_s], strict=True)]
    assert max(gaps_s) < 120.0


def test_a_nova_that_answers_nothing_is_asked_again_as_soon_as_ever() -> None:
    it = world(3, 3)
    it.nova_down = True
    run = lost(it)
    run.run(300)
    assert Reason.CLOUD in reasons(run)
    it.nova_down = False
    up_s = it.now_s
    run.run(60, lambda: any(i.posts for i in it.instances.values()))
    assert it.now_s - up_s < 5.0
    run.run_to_rest()
    assert_all_moved(run)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("change", ["set_forced_down", "set_enabled"])
def test_a_service_that_nova_cannot_change_holds_up_no_other_host(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], change: str
) -> None:
    it = world(3, 3)
    deaf = Deaf(it, hosts(SICK), error)
    deafen(monkeypatch, deaf, change)
    run = lost(it)
    run.run(60, lambda: Reason.BLOCKED in reasons(run))
    (told,) = {hold.text for hold in run.journal.held if hold.reason is Reason.BLOCKED}
    how = (
        "refuses to change" if isinstance(error(), CloudRefused) else "does not answer a change of"
    )
    assert told == f"Nova {how} its service: {error()}"
    run.run(120, lambda: left_on_is_empty(it, OTHER))
    assert left_on_is_empty(it, OTHER), run.journal.held
    assert_all_moved_once_told(run, deaf)


def test_one_change_that_never_gets_an_answer_stops_all_others_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = world(3, 3)
    deaf = Deaf(it, hosts(SICK))
    deafen(monkeypatch, deaf, "set_forced_down")
    run = lost(it)
    run.run(120)
    assert len(deaf.asked_s) > 3
    until_s = run.reconciler.memory.trouble_until_s
    assert until_s == pytest.approx(deaf.asked_s[0] + WAIT_S, abs=0.1)
    assert_all_moved_once_told(run, deaf)


def test_changes_that_hang_take_at_most_a_third_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = world(2, 2, 20, limit=4)
    deaf = Deaf(it, hosts(SICK, OTHER), takes_s=30.0)
    deafen(monkeypatch, deaf, "set_forced_down")
    run = lost(it)
    it.fence("compute-2")
    run.run(600)
    assert left_on_is_empty(it, "compute-2"), run.journal.held
    pauses = [b - a for a, b in zip(deaf.asked_s[3:], deaf.asked_s[4:], strict=False)]
    assert len(pauses) > 2
    assert min(pauses) >= 3 * 30.0
    assert_all_moved_once_told(run, deaf)


@pytest.mark.parametrize("what", [*LISTS, "set_forced_down"])
def test_what_hangs_for_ever_takes_no_other_its_turn(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    it = world(2, 2)
    deaf = Deaf(it, hosts(SICK, OTHER), takes_s=30.0)
    deafen(monkeypatch, deaf, what)
    run = lost(it)
    run.run(400)
    assert len(left_on(it, SICK)) == len(left_on(it, OTHER)) == 2
    deaf.at = hosts(SICK)
    run.run(400, lambda: left_on_is_empty(it, OTHER))
    assert left_on_is_empty(it, OTHER), run.journal.held
    assert_all_moved_once_told(run, deaf)


@pytest.mark.parametrize("name", ["aggregate", "service"])
def test_a_change_that_is_answered_in_the_end_is_silent_no_more(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    it = world(1)
    rack = Aggregate(3, "rack", frozenset())
    service = next(iter(it.services.values()))
    changes: dict[str, ServiceChange | AggregateChange] = {
        "aggregate": SetUse(rack, service.host, None),
        "service": ForceDown(service),
    }
    change, answered = changes[name], lambda *_: rack
    monkeypatch.setattr(FakeCloud, "set_aggregate_metadata", answered)
    reconciler = process(it).reconciler
    topic = topic_of_change(change)
    memory, _ = unheard(reconciler.memory, topic, "Nova answered 500", it.now_s)
    assert topic in memory.silences
    memory, done = apply(memory, change, reconciler.ports)
    assert done
    assert topic not in memory.silences


@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.REPLY_LOST])
@pytest.mark.parametrize("call", range(0, 50, 3))
def test_neither_a_kill_nor_a_lost_reply_beside_it_breaks_a_law(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, call: int
) -> None:
    it = world(6, 6, limit=3)
    deaf = Deaf(it, hosts(SICK), on=False)
    deafen(monkeypatch, deaf, *LISTS)
    it.later(1.5, lambda: setattr(deaf, "on", True))
    run = lost(it, *[Fault.NONE] * call, fault)
    run.run(1500, lambda: left_on_is_empty(it, OTHER))
    assert left_on_is_empty(it, OTHER), run.journal.held
    assert_all_moved_once_told(run, deaf)
