"""What is not protected stays on its host, which waits for it no longer than for nothing."""

from dataclasses import replace
from typing import Any

from novaha.cli.explain import Process
from novaha.cli.printing import Story, in_full
from novaha.core import memory as remember
from novaha.core.actions import (
    AskMigrations,
    AskRules,
    AskServers,
    Decision,
    Evacuate,
    Hold,
    Release,
)
from novaha.core.decide import decide
from novaha.core.details import Flavor
from novaha.core.explain import explain
from novaha.core.instances import instances_of
from novaha.core.model import Memory, Server, View
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.protection import PROTECT
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.segments import Aggregate
from novaha.core.standing import stand
from novaha.core.states import InstanceState
from worlds import HOST, NODE, NOW_S, evacuating, memory, migration, ours, recovery, server, view

FALSE = {PROTECT: "false"}
POLICY = Policy()


def unprotected(number: int, **details: Any) -> Server:  # noqa: ANN401
    return server(number, metadata=FALSE, **details)


def known(*servers: Server, **changes: Any) -> Memory:  # noqa: ANN401
    facts: dict[str, Any] = {"migrations": (), "detailed_s": {HOST: NOW_S}, **changes}
    return memory(services=(ours(),), servers=servers, **facts)


def decided(
    of: Memory, now_s: float = NOW_S, online: frozenset[NodeName] = frozenset()
) -> tuple[Decision, ...]:
    return decide(view(evacuating(online=online), of, now_s), POLICY)


def releases(decisions: tuple[Decision, ...]) -> bool:
    return any(isinstance(d, Release) for d in decisions)


def holds(decisions: tuple[Decision, ...]) -> list[tuple[str, Reason]]:
    return [(d.subject, d.reason) for d in decisions if isinstance(d, Hold)]


def test_the_others_are_evacuated_and_one_line_tells_how_many_stay() -> None:
    many = [unprotected(number) for number in range(2, 1002)]
    decisions = decided(known(server(1), *many))
    assert [d.server for d in decisions if isinstance(d, Evacuate)] == ["server-1"]
    (hold,) = [d for d in decisions if isinstance(d, Hold)]
    assert (hold.subject, hold.reason) == (HOST, Reason.UNPROTECTED)
    assert hold.text.startswith("1000 instances")
    assert not hold.reason.trouble


def test_a_host_is_released_as_soon_as_nothing_protected_is_left_though_it_is_off() -> None:
    assert releases(decided(known(unprotected(1), unprotected(2))))
    moving = known(unprotected(1), server(2), migrations=(migration(7, 2, "running"),))
    assert not releases(decided(moving))
    assert not releases(decided(known(unprotected(1), server(2, vm_state="resized"))))


def test_it_waits_for_no_state_either_but_for_what_may_run_elsewhere() -> None:
    assert releases(decided(known(unprotected(1, vm_state="resized"))))
    unsafe = known(unprotected(1, task_state="migrating"))
    assert (HOST, Reason.UNPROTECTED) not in holds(decided(unsafe))
    assert not releases(decided(unsafe, online=frozenset({NODE})))


def test_a_host_that_is_back_goes_with_what_is_not_protected_and_what_only_it_has() -> None:
    both = known(unprotected(1), server(2, vm_state="resized"))
    assert releases(decided(both, online=frozenset({NODE})))


def test_it_is_not_released_on_a_list_that_is_older_than_the_records() -> None:
    older = known(unprotected(1))
    older = remember.saw_migrations(older, HOST, (migration(7, 1, "done"),), NOW_S + 1)
    decisions = decided(older, NOW_S + 1)
    assert AskServers(HOST) in decisions
    assert not releases(decisions)


def test_it_is_not_released_beside_an_evacuation_that_a_person_began() -> None:
    late_s = NOW_S + POLICY.poll_s + 0.5
    decisions = decided(known(unprotected(1)), late_s)
    assert AskMigrations(HOST) in decisions
    assert not releases(decisions)
    flying = known(unprotected(1), migrations=(migration(7, 1, "running"),))
    assert not releases(decided(flying))
    assert holds(decided(flying)) == [(HOST, Reason.IN_FLIGHT)]


def test_it_waits_for_what_a_process_before_this_one_may_have_sent() -> None:
    fresh = known(unprotected(1), begun={}, started_s=NOW_S - 1)
    decisions = decided(fresh)
    assert not releases(decisions)
    assert holds(decisions) == [(HOST, Reason.UNPROTECTED), (HOST, Reason.SETTLING)]
    assert releases(decided(known(unprotected(1), begun={}, started_s=NOW_S - 100)))


def test_what_is_said_is_read_again_with_the_records_after_a_minute() -> None:
    waiting = known(unprotected(1), server(2, vm_state="resized"))
    soon, due = NOW_S + POLICY.look_again_s - 1, NOW_S + POLICY.look_again_s
    assert not {type(d) for d in decided(waiting, soon)} & {AskServers, AskRules}
    asked = {AskServers(HOST, details=True), AskMigrations(HOST), AskRules()}
    assert asked <= set(decided(waiting, due))


def test_one_that_an_aggregate_protects_now_waits_for_records_as_new_as_that() -> None:
    """A person may be evacuating it meanwhile; a second request would make a second copy."""
    closed = Rules((Aggregate(1, "rack-1", frozenset({HOST}), FALSE),))
    before = remember.saw_rules(known(server(1)), closed, NOW_S)
    assert (HOST, Reason.UNPROTECTED) in holds(decided(before)) or releases(decided(before))
    opened = remember.saw_rules(before, Rules(), NOW_S + 5)
    decisions = decided(opened, NOW_S + 5)
    assert AskMigrations(HOST) in decisions
    assert not [d for d in decisions if isinstance(d, Evacuate)]
    fresh = remember.saw_migrations(opened, HOST, (), NOW_S + 5)
    fresh = remember.saw_servers(fresh, HOST, (server(1),), NOW_S + 5, details=True)
    assert [d for d in decided(fresh, NOW_S + 5) if isinstance(d, Evacuate)]


def test_answers_that_are_missing_select_nothing() -> None:
    """A failed query neither widens nor narrows what is protected."""
    without_rules = replace(known(server(1), unprotected(2)), rules=None)
    for of in (without_rules, known(Server(server(1).id, "vm-1"))):
        decisions = decided(of)
        assert not [d for d in decisions if isinstance(d, Evacuate | Release)]
        assert [d for d in decisions if isinstance(d, AskServers | AskRules)]


def told(of: View, subject: str) -> str:
    story = Story((explain(of, POLICY, subject),), Process("nova-evacuate"), ())
    return in_full(story)


def test_explain_tells_of_one_why_it_is_left_whether_its_host_is_held_released_or_well() -> None:
    of = known(server(1), unprotected(2), server(3, metadata={PROTECT: "nope"}))
    why = "is not protected: its metadata says nova_ha:protect=false"
    released = (recovery(phase="returning"),)
    for cluster in (evacuating(), evacuating(records=released, receipts=(), marks=())):
        text = told(view(cluster, of), "vm-2")
        assert "vm-2 (server-2) on compute-1: UNPROTECTED" in text
        assert f"  it {why}" in text
    assert "nope, which is not true or false: it counts as protected" in told(
        view(evacuating(), of), "vm-3"
    )
    well = told(view(evacuating(records=(), receipts=(), marks=()), of), "vm-2")
    assert "no recovery concerns it" in well
    assert f"it would stay there: it {why}" in well


def test_explain_tells_of_each_who_says_so_and_what_nobody_understands() -> None:
    flavor = Flavor("m1.small", specs=FALSE)
    wrong = server(3, metadata={PROTECT: "nope"})
    of = view(evacuating(), known(server(1, flavor=flavor), server(2, vm_state="resized"), wrong))
    one, _, three = instances_of(of, POLICY, stand(of, POLICY, NODE))
    assert one.state is InstanceState.UNPROTECTED
    assert one.text == "is not protected: flavor m1.small says nova_ha:protect=false"
    assert three.state is InstanceState.READY
    assert "nova_ha:protect=nope, which is not true or false" in three.note
