"""All hosts together: taking up a fencing, sharing slots, doing nothing for a reason."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core import memory as remember
from novaha.core.actions import (
    AskMigrations,
    AskRoom,
    AskRules,
    AskServers,
    AskServices,
    BeginRecovery,
    Decision,
    Disable,
    DropHold,
    Enable,
    EndRecovery,
    Evacuate,
    ForceDown,
    ForceUp,
    Hold,
    KeepProof,
    Release,
)
from novaha.core.decide import FRESH_S, decide, questions
from novaha.core.model import Answer, ClusterView, Memory, Post, Service
from novaha.core.names import ComputeHost, NodeName, ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Found, Record
from novaha.core.rules import Rules
from worlds import (
    HOST,
    NEXT_LIFE,
    NODE,
    NOW_S,
    cluster,
    evacuating,
    mark,
    memory,
    migration,
    ours,
    proven,
    receipt,
    recovery,
    server,
    service,
    view,
)

POLICY = Policy()
OTHER = NodeName("compute-2")
OTHER_HOST = ComputeHost("compute-2")
PROVEN = cluster(records=(proven(),), events=None)


def begun(decisions: tuple[Decision, ...]) -> BeginRecovery:
    (begin,) = [d for d in decisions if isinstance(d, BeginRecovery)]
    return begin


def begin(of: Service, seen: ClusterView | None = None) -> tuple[Decision, ...]:
    records = (migration(3), migration(5, 2))
    known = memory(services=(of,), servers=(), migrations=records, begun={})
    return decide(view(seen or cluster(), known), POLICY)


def test_without_quorum_nothing_is_asked_or_done() -> None:
    (hold,) = decide(view(cluster(quorate=False, marks=(mark(receipt(id_="e" * 12)),))), POLICY)
    assert isinstance(hold, Hold)
    assert hold.reason is Reason.NO_QUORUM


def test_a_quiet_cluster_needs_nothing_and_asks_nothing() -> None:
    assert decide(view(ClusterView(quorate=True)), POLICY) == ()


def test_a_proven_fencing_is_written_down_before_the_host_is_forced_down() -> None:
    decisions = begin(service())
    assert [type(d) for d in decisions] == [BeginRecovery, ForceDown]
    assert begun(decisions).recovery == recovery(after=5)


@pytest.mark.parametrize(
    "known",
    [memory(), memory(trouble="503", trouble_until_s=NOW_S + 1)],
    ids=["nothing of Nova read yet", "Nova gives no answer"],
)
def test_a_proof_is_kept_before_nova_is_asked_for_the_history_may_be_lost(known: Memory) -> None:
    assert decide(view(cluster(), known), POLICY) == (KeepProof(proven()),)


def test_a_recovery_that_is_begun_anew_counts_its_own_records_as_its_own() -> None:
    """A CIB that is read late shows a proof only, after evacuations were sent."""
    known = memory(services=(service(),), servers=(), migrations=(migration(5),), begun={})
    known = remember.began(known, recovery(after=5))
    known = remember.saw_migrations(known, HOST, (migration(5), migration(6, 1, "done")), NOW_S)
    assert begun(decide(view(PROVEN, known), POLICY)).recovery == recovery(after=5)


def test_a_kept_proof_needs_no_history_and_no_receipt() -> None:
    known = memory(services=(service(),), servers=(), migrations=(migration(5),), begun={})
    for seen in (PROVEN, replace(PROVEN, receipts=())):
        assert begun(decide(view(seen, known), POLICY)).recovery == recovery(after=5)


def test_a_newer_proof_takes_over_what_was_found_and_not_given_back_yet() -> None:
    found = Found(enabled=False, forced_down=True)
    first = recovery(id_="e" * 12, phase="returning", enabled=False, forced_down=True)
    seen = cluster(records=(first,))
    assert decide(view(seen), POLICY) == (KeepProof(proven(found=found)),)


LIVES_AGAIN = {"lives": {NODE: NEXT_LIFE}, "online": frozenset({NODE}), "marks": ()}


@pytest.mark.parametrize("record", [proven(), recovery()])
def test_a_host_that_lives_again_is_neither_begun_nor_evacuated_further(record: Record) -> None:
    known = memory(services=(ours(),), servers=(server(),), migrations=())
    seen = cluster(records=(record,), events=None, **LIVES_AGAIN)
    (hold,) = decide(view(seen, known), POLICY)
    assert isinstance(hold, Hold)
    assert hold.reason is Reason.RECEIPT_VOID


def test_a_new_fencing_takes_the_place_of_a_recovery_that_is_void() -> None:
    newer = receipt(id_="f" * 12, life=NEXT_LIFE)
    void = {**LIVES_AGAIN, "marks": (mark(newer),)}
    seen = cluster(records=(recovery(),), receipts=(newer,), **void)
    (keep,) = decide(view(seen), POLICY)
    assert isinstance(keep, KeepProof)
    assert keep.proven.proof.receipt_id == newer.id
    assert keep.proven.found == recovery().found


def test_a_service_that_is_down_already_is_not_forced_down_again() -> None:
    assert [type(d) for d in begin(service(forced_down=True))] == [BeginRecovery]


def test_only_what_was_read_after_the_receipt_came_is_used() -> None:
    old = memory(services=(service(),), servers=(), migrations=(), asked_s=NOW_S - 2)
    assert decide(view(PROVEN, old), POLICY) == (AskServices(),)
    half = memory(services=(service(),))
    assert decide(view(PROVEN, half), POLICY) == (
        AskMigrations(HOST),
        AskServers(HOST, details=True),
        AskRules(),
        AskRoom(),
    )


def test_while_the_fencing_runs_nova_is_asked_ahead_and_not_touched() -> None:
    pending = cluster(events=())
    decisions = decide(view(pending), POLICY)
    assert decisions[0] == AskServices()
    assert [d.reason for d in decisions[1:] if isinstance(d, Hold)] == [Reason.FENCE_PENDING]
    known = memory(services=(service(),), servers=(), migrations=())
    assert [type(d) for d in decide(view(pending, known), POLICY)] == [Hold]


def test_what_was_asked_ahead_long_ago_is_asked_again_before_it_is_written_down() -> None:
    ahead = memory(services=(service(),), servers=(), migrations=())
    assert decide(view(PROVEN, ahead, NOW_S + FRESH_S + 1), POLICY) == (AskServices(),)


def test_what_was_asked_in_this_cycle_is_fresh_however_long_nova_took() -> None:
    """Else nothing ever begins where many hosts or a slow Nova make a cycle long."""
    known = memory(services=(service(),), servers=(), migrations=())
    slow = replace(view(cluster(), known, NOW_S + 60), cycle_s=NOW_S)
    assert isinstance(decide(slow, POLICY)[0], BeginRecovery)


@pytest.mark.parametrize("lists", [{"servers": ()}, {"migrations": ()}])
def test_a_recovery_begins_only_when_both_lists_are_known(lists: dict[str, Any]) -> None:
    known = memory(services=(service(),), **lists)
    assert decide(view(PROVEN, known), POLICY) == (
        AskMigrations(HOST),
        AskServers(HOST, details=True),
        AskRules(),
        AskRoom(),
    )


@pytest.mark.parametrize(
    ("of", "found"),
    [
        (service(), Found(enabled=True, forced_down=False)),
        (service(enabled=False, disabled_reason="mine"), Found(enabled=False, forced_down=False)),
        (service(forced_down=True), Found(enabled=True, forced_down=True)),
        (ours(), Found(enabled=True, forced_down=False)),
    ],
    ids=["as usual", "disabled by a person", "forced down by a person", "left over from us"],
)
def test_what_a_person_had_set_is_written_down(of: Service, found: Found) -> None:
    assert begun(begin(of)).recovery.found == found


@pytest.mark.parametrize(
    ("before", "of", "found"),
    [
        ((True, False), ours(), Found(enabled=True, forced_down=False)),
        ((False, True), service(enabled=False, forced_down=True), Found(False, True)),  # noqa: FBT003
        ((True, False), ours(disabled_reason="mine"), Found(False, False)),  # noqa: FBT003
        ((False, True), service(), Found(enabled=True, forced_down=False)),
    ],
    ids=["ours all of it", "theirs all of it", "disabled meanwhile", "given back meanwhile"],
)
def test_a_second_fencing_finds_what_the_first_had_found_and_what_a_person_did_since(
    before: tuple[bool, bool], of: Service, found: Found
) -> None:
    first = recovery(id_="e" * 12, phase="returning", enabled=before[0], forced_down=before[1])
    assert begun(begin(of, cluster(records=(first,)))).recovery.found == found


def test_a_newer_receipt_waits_for_the_end_of_the_evacuation_it_came_into() -> None:
    newer = evacuating(receipts=(receipt(id_="f" * 12),))
    known = memory(services=(ours(),), servers=(server(),), migrations=())
    decisions = decide(view(newer, known), POLICY)
    assert [type(d) for d in decisions] == [Evacuate]


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        (["compute-9"], Reason.HOST_UNKNOWN),
        (["compute-1.a", "compute-1.b"], Reason.HOST_AMBIGUOUS),
    ],
)
def test_a_node_without_exactly_one_host_is_held_and_looked_for_again(
    hosts: list[str], reason: Reason
) -> None:
    services = tuple(service(ComputeHost(host)) for host in hosts)
    known = memory(services=services)
    (hold,) = decide(view(PROVEN, known), POLICY)
    assert isinstance(hold, Hold)
    assert hold.reason is reason
    assert "host_map" in hold.text
    assert AskServices() in decide(view(PROVEN, known, NOW_S + 5), POLICY)


def test_a_malformed_record_stops_its_node_and_no_other() -> None:
    seen = evacuating(malformed=((NODE, "bad"), (OTHER, "worse")), marks=(mark(),))
    decisions = decide(view(seen), POLICY)
    assert [d.reason for d in decisions if isinstance(d, Hold)] == [Reason.MALFORMED] * 2
    others = [d for d in decisions if not isinstance(d, Hold)]
    assert others == [AskMigrations(HOST), AskServers(HOST)]
    seen = evacuating(malformed=((OTHER, "worse"),))
    assert AskServices() in decide(view(seen), POLICY)


def two_hosts(first: int, second: int, moving: int = 0) -> Memory:
    """Return a memory with so many servers on two hosts, some of the first in flight."""
    here = tuple(server(i) for i in range(first))
    there = tuple(server(100 + i) for i in range(second))
    records = tuple(migration(1 + i, i, "running") for i in range(moving))
    return Memory(
        started_s=0.0,
        services=Answer((ours(), ours(OTHER_HOST)), NOW_S),
        servers={HOST: Answer(here, NOW_S), OTHER_HOST: Answer(there, NOW_S)},
        migrations={HOST: Answer(records, NOW_S), OTHER_HOST: Answer((), NOW_S)},
        rules=Answer(Rules(), NOW_S),
        begun={"0123456789ab": 0, "f" * 12: 0},
    )


BOTH = cluster(
    receipts=(receipt(), receipt(OTHER, "f" * 12)),
    records=(recovery(), recovery(OTHER, "f" * 12, host=OTHER_HOST)),
    marks=(mark(), mark(receipt(OTHER, "f" * 12))),
)


def test_free_slots_go_round_the_hosts() -> None:
    decisions = decide(view(BOTH, two_hosts(5, 5)), Policy(max_in_flight=3))
    hosts = [d.host for d in decisions if isinstance(d, Evacuate)]
    assert hosts == [HOST, OTHER_HOST, HOST]
    assert [d.reason for d in decisions if isinstance(d, Hold)] == [Reason.QUEUED]


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(1, 9))
def test_never_more_than_the_limit_is_in_flight(
    first: int, second: int, moving: int, limit: int
) -> None:
    known = two_hosts(first, second, min(moving, first))
    decisions = decide(view(BOTH, known), Policy(max_in_flight=limit))
    posts = [d for d in decisions if isinstance(d, Evacuate)]
    assert len(posts) == max(
        min(limit - min(moving, first), first + second - min(moving, first)), 0
    )


def test_evacuations_of_a_host_that_must_be_forced_down_again_keep_their_slots() -> None:
    known = two_hosts(3, 5, moving=3)
    mixed: tuple[Service, ...] = (ours(forced_down=False), ours(OTHER_HOST))
    known = replace(known, services=Answer(mixed, NOW_S))
    decisions = decide(view(BOTH, known), Policy(max_in_flight=4))
    assert len([d for d in decisions if isinstance(d, Evacuate)]) == 1


def test_unsure_requests_keep_their_slots() -> None:
    known = two_hosts(3, 3)
    posts = {ServerId("server-0"): Post("lost", NOW_S, HOST, 0)}
    known = replace(known, posts=posts)
    decisions = decide(view(BOTH, known), Policy(max_in_flight=1))
    assert not [d for d in decisions if isinstance(d, Evacuate)]


def troubled(**facts: Any) -> Memory:  # noqa: ANN401
    return memory(trouble="503 from Nova", trouble_until_s=NOW_S + 1, **facts)


@pytest.mark.parametrize("facts", [{}, {"services": (ours(),), "servers": (), "migrations": ()}])
def test_while_nova_gives_no_answer_it_is_left_alone_and_that_is_shown(
    facts: dict[str, Any],
) -> None:
    (hold,) = decide(view(evacuating(), troubled(**facts)), POLICY)
    assert isinstance(hold, Hold)
    assert (hold.reason, hold.text) == (Reason.CLOUD, "503 from Nova")
    assert len(decide(view(evacuating(), troubled(**facts), NOW_S + 1), POLICY)) > 0


def test_a_release_that_was_broken_off_needs_no_answer_of_nova() -> None:
    released = cluster(records=(recovery(phase="returning"),), events=None)
    assert decide(view(released, troubled()), POLICY) == (
        Release(recovery(phase="returning"), receipt()),
    )


def test_nobodys_hold_is_dropped_without_an_answer_of_nova() -> None:
    seen = cluster(receipts=())
    assert decide(view(seen, troubled()), POLICY) == (DropHold(mark()),)


def test_each_question_is_put_once() -> None:
    asked = (AskServices(), AskServers(HOST), AskServices(), Hold("x", Reason.CLOUD, ""))
    assert questions(asked) == (AskServices(), AskServers(HOST))


def test_an_operators_force_down_without_a_fencing_is_nobodys_business() -> None:
    down = memory(services=(service(forced_down=True, enabled=False),), servers=(server(),))
    assert decide(view(ClusterView(quorate=True), down), POLICY) == ()


CHANGES = (Evacuate, ForceDown, Disable, ForceUp, Enable, EndRecovery)


@given(
    phase=st.sampled_from(["evacuating", "returning"]),
    same=st.booleans(),
    of=st.sampled_from([None, service(), ours(), ours(enabled=True), ours(heartbeat="new")]),
    servers=st.sampled_from([None, (), (server(),)]),
    status=st.sampled_from([None, "running", "done", "failed"]),
    back=st.booleans(),
    late_s=st.sampled_from([0.0, 1.5, 40.0]),
)
def test_no_recovery_is_ever_left_without_a_decision(  # noqa: PLR0913
    *,
    phase: Any,  # noqa: ANN401
    same: bool,
    of: Service | None,
    servers: Any,  # noqa: ANN401
    status: str | None,
    back: bool,
    late_s: float,
) -> None:
    """L7."""
    seen = cluster(
        receipts=(receipt(id_="0123456789ab" if same else "e" * 12),),
        records=(recovery(phase=phase),),
        online=frozenset({NODE}) if back else frozenset(),
    )
    known = memory(
        services=None if of is None else (of,),
        servers=servers,
        migrations=None if servers is None else (migration(1, 1, status),) if status else (),
        begun={},
    )
    assert decide(view(seen, known, NOW_S + late_s), POLICY) != ()
