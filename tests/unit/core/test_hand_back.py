"""A reserved host is handed back once the host that it took over for serves again."""

from dataclasses import replace

import pytest
from novaha.core import memory as remember
from novaha.core.actions import (
    Decision,
    Disable,
    EndRecovery,
    RemoveFromAggregate,
    SetUse,
)
from novaha.core.decide import decide
from novaha.core.model import Answer, Memory, Service
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery
from novaha.core.segments import Aggregate, Use
from reserves import (
    FREE,
    R1,
    RACK,
    READY,
    held,
    known,
    segment,
)
from worlds import (
    HOST,
    NODE,
    NOW_S,
    RECEIPT_ID,
    cluster,
    ours,
    proof,
    recovery,
    service,
    view,
)

BACK = recovery(phase="returning", heartbeat="before")


def returned(*aggregates: Aggregate, services: tuple[Service, ...]) -> tuple[Decision, ...]:
    return decided(known(*aggregates, services=services))


def decided(of: Memory, *others: Recovery) -> tuple[Decision, ...]:
    """Return what is decided while the host returns, and others are recovered."""
    records = (BACK, *others)
    seen = cluster(records=records, receipts=(), marks=(), online=frozenset({NODE}), events=None)
    return decide(view(seen, of), Policy())


def test_it_is_handed_back_before_the_recovery_ends() -> None:
    rack = replace(RACK, hosts=frozenset({HOST, R1}))
    seg = segment(reserved_1=replace(READY, added=(3,)).to_value())
    assert returned(seg, rack, services=(service(), service(R1))) == (
        Disable(service(R1), "nova-ha: reserved"),
        RemoveFromAggregate(rack, R1),
        SetUse(seg, R1, None),
    )
    assert returned(segment(), RACK, services=(service(), service(R1, **FREE))) == (
        EndRecovery(BACK),
    )


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (READY, {"enabled": False, "disabled_reason": "repair"}),
        (READY, FREE),
        (replace(READY, enabled=False), {}),
    ],
)
def test_what_a_person_set_of_it_is_left_so(value: Use, state: dict[str, object]) -> None:
    seg = segment(reserved_1=value.to_value())
    decisions = returned(seg, services=(service(), service(R1, **state)))
    assert decisions == (SetUse(seg, R1, None),)


def test_one_that_was_lost_itself_is_handed_back_after_its_own_recovery() -> None:
    seg, node = segment(reserved_1=READY.to_value()), NodeName(R1)
    decisions = decided(
        known(seg, services=(service(), ours(R1))), recovery(node, "f" * 12, host=R1)
    )
    assert Reason.HAND_BACK in held(decisions)
    assert not any(isinstance(d, Disable | SetUse | EndRecovery) for d in decisions)


def test_aggregates_that_a_person_took_it_out_of_are_left_so() -> None:
    seg = segment(reserved_1=replace(READY, enabled=False, added=(3,)).to_value())
    assert returned(seg, RACK, services=(service(), service(R1))) == (SetUse(seg, R1, None),)


def test_while_nova_refuses_the_recovery_does_not_end_and_that_is_shown() -> None:
    rack = replace(RACK, hosts=frozenset({HOST, R1}))
    seg = segment(reserved_1=replace(READY, enabled=False, added=(3,)).to_value())
    of = known(seg, rack, services=(service(), service(R1)))
    of = remember.aggregate_refused(of, rack, R1, NOW_S, "instances in the zone (409)")
    of = replace(of, rules=Answer(of.rules.value, NOW_S)) if of.rules else of
    decisions = decided(of)
    assert "instances in the zone (409)" in held(decisions)[Reason.BLOCKED]
    assert not any(isinstance(d, EndRecovery | SetUse) for d in decisions)


def test_a_reserved_host_that_failed_itself_is_found_as_it_was_and_stays_disabled() -> None:
    found = decide(
        view(
            cluster(), replace(known(services=(service(**FREE),)), first_seen={RECEIPT_ID: NOW_S})
        ),
        Policy(),
    )
    assert recovery(enabled=False) in [getattr(d, "recovery", None) for d in found]
    assert proof() == recovery(enabled=False).proof
    assert returned(services=(service(**FREE),)) == (EndRecovery(BACK),)
