"""A lost host that Nova does not list: when it is let go, and when it is kept."""

from dataclasses import replace
from typing import Any

from novaha.core.actions import AskMigrations, AskServers, Decision, Hold, Release
from novaha.core.decide import decide
from novaha.core.model import Memory
from novaha.core.names import ComputeHost
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Found
from worlds import (
    HOST,
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
    server,
    service,
    view,
)

POLICY = Policy()
GONE = (service(ComputeHost("compute-2")),)


def known(**changes: Any) -> Memory:  # noqa: ANN401
    """Return a memory that has just asked everything; one server, no records."""
    return memory(**{"services": (ours(),), "servers": (server(),), "migrations": (), **changes})


def decided(of: Memory, now_s: float = NOW_S) -> tuple[Decision, ...]:
    return decide(view(evacuating(), of, now_s), POLICY)


def reasons(decisions: tuple[Decision, ...]) -> set[Reason]:
    return {d.reason for d in decisions if isinstance(d, Hold)}


def test_a_host_without_service_and_without_instances_is_let_go() -> None:
    (release,) = decided(known(services=GONE, servers=()))
    assert isinstance(release, Release)


def test_a_host_without_service_is_kept_while_something_may_be_on_its_way() -> None:
    flying = known(services=GONE, servers=(), migrations=(migration(1, 1, "running"),))
    (hold,) = decided(flying)
    assert isinstance(hold, Hold)
    assert "has 1 instances on it" in hold.text


def test_a_host_behind_a_down_cell_is_not_let_go_for_what_nova_leaves_out() -> None:
    unseen = known(services=GONE, servers=(), hidden=frozenset({HOST}))
    (hold,) = decided(unseen)
    assert isinstance(hold, Hold)
    assert hold.reason is Reason.CELL_DOWN


def test_a_node_whose_host_is_behind_a_down_cell_is_not_let_go_when_it_is_back() -> None:
    unseen = memory(services=GONE, hidden=frozenset({HOST}))
    back = cluster(records=(proven(),), events=None, online=frozenset({NODE}))
    (hold,) = decide(view(back, unseen), POLICY)
    assert isinstance(hold, Hold)
    assert hold.reason is Reason.CELL_DOWN


def test_what_was_read_before_its_service_was_gone_is_read_again() -> None:
    old = known(services=GONE, servers=())
    newer = replace(old, services=replace(old.services, asked_s=NOW_S + 1))  # type: ignore[type-var]
    decisions = decided(newer, NOW_S + 1)
    assert {type(d) for d in decisions} == {AskMigrations, AskServers, Hold}
    assert reasons(decisions) == {Reason.HOST_UNKNOWN}


def test_a_node_that_nova_does_not_know_is_let_go_once_it_is_back() -> None:
    known = memory(services=(service(ComputeHost("compute-9")),))
    back = cluster(records=(proven(),), events=None, online=frozenset({NODE}))
    (release,) = decide(view(back, known), POLICY)
    assert isinstance(release, Release)
    assert (release.recovery.node, release.receipt) == (NODE, receipt())
    assert release.recovery.found == Found(enabled=True, forced_down=False)


def test_a_newer_receipt_is_not_deleted_with_a_node_that_nova_does_not_know() -> None:
    known = memory(services=(service(ComputeHost("compute-9")),))
    own, newer = receipt(), receipt(id_="f" * 12)
    for kept, deleted in ((own, own), (newer, None)):
        back = cluster(
            records=(proven(),), receipts=(kept,), marks=(mark(),), online=frozenset({NODE})
        )
        (release,) = (d for d in decide(view(back, known), POLICY) if isinstance(d, Release))
        assert release.receipt == deleted


def test_two_hosts_that_could_belong_to_a_node_are_never_a_reason_to_let_it_go() -> None:
    both = tuple(service(ComputeHost(f"compute-1.{domain}")) for domain in ("a", "b"))
    back = cluster(records=(proven(),), events=None, online=frozenset({NODE}))
    (hold,) = decide(view(back, memory(services=both)), POLICY)
    assert isinstance(hold, Hold)
    assert hold.reason is Reason.HOST_AMBIGUOUS
