"""How many hosts may be in recovery at once: who waits, who goes first, who is let through."""

from dataclasses import replace

import pytest
from novaha.core.actions import (
    AskRules,
    AskServices,
    BeginRecovery,
    Decision,
    ForceDown,
    Hold,
    KeepProof,
)
from novaha.core.decide import decide
from novaha.core.explain import explain_node
from novaha.core.limits import limit_of
from novaha.core.model import Answer, ClusterView, HoldMark, Memory
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Found, Proven, Record, Recovery
from novaha.core.rules import Rules
from novaha.core.segments import MAX_FAILURES, Aggregate
from novaha.core.states import RecoveryState
from worlds import NOW_S, WRITTEN_S, event, ours, proof, receipt, service, view

ONE = Policy(max_recoveries=1)
A, B, C = (NodeName(f"compute-{number}") for number in (1, 2, 3))


def receipt_id(node: NodeName) -> str:
    return f"{int(node[-1]):012x}"


def waiting(node: NodeName, late_s: int = 0, found: Found | None = None) -> Proven:
    """Return a node whose fencing is proven, so many seconds later than others."""
    cited = replace(proof(receipt_id(node)), ended_s=WRITTEN_S + late_s)
    return Proven(node, cited, found)


def going(node: NodeName) -> Recovery:
    found = Found(enabled=True, forced_down=False)
    return Recovery(node, proof(receipt_id(node)), ComputeHost(node), "evacuating", found, 0)


def seen(*records: Record, released: frozenset[NodeName] = frozenset()) -> ClusterView:
    marks = tuple(HoldMark.of(record.node, record.proof.receipt_id) for record in records)
    return ClusterView(quorate=True, records=records, marks=marks, released=released)


def known(*aggregates: Aggregate, asked_s: float = NOW_S) -> Memory:
    """Return what a process knows that has just asked everything about three hosts."""
    hosts = [ComputeHost(node) for node in (A, B, C)]
    return Memory(
        started_s=0.0,
        services=Answer(tuple(map(service, hosts)), asked_s),
        servers={host: Answer((), asked_s) for host in hosts},
        migrations={host: Answer((), asked_s) for host in hosts},
        rules=Answer(Rules(aggregates), asked_s),
    )


def aggregate(limit: str, *hosts: NodeName) -> Aggregate:
    return Aggregate(1, "rack-1", frozenset(map(ComputeHost, hosts)), {MAX_FAILURES: limit})


def begun(decisions: tuple[Decision, ...]) -> list[NodeName]:
    return [d.recovery.node for d in decisions if isinstance(d, BeginRecovery)]


def held(decisions: tuple[Decision, ...]) -> dict[str, str]:
    limit = (d for d in decisions if isinstance(d, Hold) and d.reason is Reason.RECOVERY_LIMIT)
    return {hold.subject: hold.text for hold in limit}


def test_below_the_limit_all_begin() -> None:
    decisions = decide(view(seen(waiting(A), waiting(B)), known()), Policy(max_recoveries=2))
    assert begun(decisions) == [A, B]
    assert held(decisions) == {}


def test_over_the_limit_those_that_were_proven_later_wait_and_are_shown() -> None:
    decisions = decide(view(seen(waiting(A, 9), waiting(B), waiting(C, 5)), known()), ONE)
    assert begun(decisions) == [B]
    assert held(decisions).keys() == {A, C}
    text = held(decisions)[A]
    assert "nova-ha release compute-1; hosts in recovery: 1, max_recoveries is 1" in text


def test_the_same_second_is_decided_by_the_name() -> None:
    assert begun(decide(view(seen(waiting(B), waiting(A)), known()), ONE)) == [A]


def test_a_recovery_that_goes_on_counts_until_its_host_is_released() -> None:
    assert begun(decide(view(seen(going(A), waiting(B)), known()), ONE)) == []
    back = going(A).released("2024")
    assert begun(decide(view(seen(back, waiting(B)), known()), ONE)) == [B]


def test_a_recovery_that_the_cluster_does_not_show_yet_counts() -> None:
    """A CIB that is read late shows the recovery that was begun a moment ago as a proof only."""
    late = replace(known(), begun={receipt_id(B): 0})
    assert begun(decide(view(seen(waiting(A), waiting(B)), late), ONE)) == [B]


def test_one_that_a_person_releases_begins_over_the_limit_and_counts() -> None:
    cluster = seen(going(A), waiting(B), waiting(C), released=frozenset({C}))
    decisions = decide(view(cluster, known()), Policy(max_recoveries=2))
    assert begun(decisions) == [B, C]
    assert begun(decide(view(cluster, known()), ONE)) == [C]


def test_a_node_of_which_nova_knows_no_host_keeps_no_other_waiting() -> None:
    stranger = NodeName("compute-0")
    cluster = seen(Proven(stranger, proof(receipt_id(stranger))), waiting(A))
    assert begun(decide(view(cluster, known()), ONE)) == [A]


def about(node: NodeName, decisions: tuple[Decision, ...]) -> list[Decision]:
    """Return what is decided of a node, its host and its proof."""
    return [d for d in decisions if _subject(d) == node]


def _subject(decision: Decision) -> str:
    match decision:
        case KeepProof(proven):
            return proven.node
        case ForceDown(of):
            return of.host
        case Hold(subject):
            return subject
        case _:
            return ""


def fenced_over_the_limit() -> ClusterView:
    """Return a cluster in which B was fenced a moment ago while A is in recovery."""
    new = receipt(B, receipt_id(B))
    plain = seen(going(A))
    marks = (*plain.marks, HoldMark.of(B, new.id))
    return replace(plain, receipts=(new,), marks=marks, events=(event(B),))


FREE = Found(enabled=True, forced_down=False)


def test_a_fencing_over_the_limit_is_kept_with_how_its_host_stood_which_is_forced_down() -> None:
    """Nova would send it the instances of the hosts that are in recovery."""
    keep, force, hold = about(B, decide(view(fenced_over_the_limit(), known()), ONE))
    assert keep == KeepProof(waiting(B, 3, FREE))
    assert force == ForceDown(service(ComputeHost(B)))
    assert isinstance(hold, Hold)


@pytest.mark.parametrize("missing", [{"services": None}, {"rules": None}])
def test_the_proof_waits_for_no_answer_of_nova(missing: dict[str, None]) -> None:
    known_less = replace(known(), **missing)  # type: ignore[arg-type]
    keep, *_ = about(B, decide(view(fenced_over_the_limit(), known_less), ONE))
    assert isinstance(keep, KeepProof)


def test_a_host_that_waits_is_forced_down_once_its_service_was_read() -> None:
    cluster = seen(going(A), waiting(B))
    unread = decide(view(cluster, replace(known(), services=None)), ONE)
    assert AskServices() in unread
    assert about(B, unread)[:-1] == []
    old = decide(view(cluster, known(asked_s=NOW_S - 60), NOW_S), ONE)
    assert AskServices() in old, "what is written down as found must not be old"
    keep, force, _ = about(B, decide(view(cluster, known()), ONE))
    assert (keep, force) == (KeepProof(waiting(B, 0, FREE)), ForceDown(service(ComputeHost(B))))


def test_one_that_was_forced_down_needs_nothing_more_and_is_given_back_as_it_was_found() -> None:
    down = tuple(ours(ComputeHost(node)) for node in (A, B, C))
    aside = replace(known(), services=Answer(down, NOW_S))
    (hold,) = about(B, decide(view(seen(going(A), waiting(B, 0, FREE)), aside), ONE))
    assert isinstance(hold, Hold)
    (begin,) = [
        d
        for d in decide(view(seen(waiting(B, 0, FREE)), aside), ONE)
        if isinstance(d, BeginRecovery)
    ]
    assert begin.recovery.found == FREE


def test_an_aggregate_lets_fewer_of_its_hosts_recover_and_holds_up_no_other() -> None:
    rack = aggregate("1", A, B)
    decisions = decide(view(seen(waiting(A), waiting(B), waiting(C)), known(rack)), Policy())
    assert begun(decisions) == [A, C]
    assert held(decisions).keys() == {B}
    assert "aggregate rack-1 in recovery: 1, its nova_ha:max_failures is 1" in held(decisions)[B]


def test_an_aggregate_that_allows_none_has_a_person_release_each() -> None:
    rack = aggregate("0", A)
    assert begun(decide(view(seen(waiting(A)), known(rack)), Policy())) == []
    let = seen(waiting(A), released=frozenset({A}))
    assert begun(decide(view(let, known(rack)), Policy())) == [A]


def test_no_recovery_begins_before_the_aggregates_are_read_and_a_failed_question_widens_none() -> (
    None
):
    cluster = seen(waiting(A))
    unread = decide(view(cluster, replace(known(), rules=None)), Policy())
    assert begun(unread) == []
    assert AskRules() in unread
    older = replace(known(), rules=Answer(Rules(), NOW_S - 60))
    again = decide(view(cluster, older), Policy())
    assert begun(again) == []
    assert AskRules() in again


@pytest.mark.parametrize(("age_s", "asks"), [(0.0, False), (61.0, True)])
def test_a_limit_that_holds_is_read_again_from_time_to_time(age_s: float, *, asks: bool) -> None:
    rack = aggregate("0", A)
    aside = replace(known(rack), rules=Answer(Rules((rack,)), NOW_S - age_s))
    decisions = decide(view(seen(waiting(A, 0, FREE)), aside), Policy())
    assert (AskRules() in decisions) is asks


@pytest.mark.parametrize(
    ("text", "limit"),
    [("3", 3), ("0", 0), ("three", 1), ("-1", 1), ("", 1), ("\N{SUPERSCRIPT TWO}", 1)],
)
def test_a_limit_that_is_no_number_lets_one_recover(text: str, limit: int) -> None:
    found, said = limit_of(aggregate(text, A))
    assert found == limit
    assert ("no number" in said) is (text not in {"3", "0"})


def test_an_aggregate_without_a_limit_sets_none() -> None:
    assert limit_of(Aggregate(1, "plain"))[0] is None


def test_one_who_looks_on_reads_the_same_hold() -> None:
    told = explain_node(view(seen(going(A), waiting(B)), known()), ONE, B)
    assert told.state is RecoveryState.PROVEN
    assert [hold.reason for hold in told.waits] == [Reason.RECOVERY_LIMIT]
