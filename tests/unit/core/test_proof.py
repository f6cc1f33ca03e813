"""L1: what proves a fencing, and what does not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.actions import (
    BeginRecovery,
    Disable,
    Evacuate,
    ForceDown,
    Hold,
)
from novaha.core.decide import decide
from novaha.core.incarnation import Incarnation
from novaha.core.model import ClusterView, FencingEvent, HoldMark, Level, Service
from novaha.core.names import ComputeHost, NodeName
from novaha.core.policy import NOT_REAL, Policy
from novaha.core.proof import HISTORY_KEPT, is_void, prove, real_devices
from novaha.core.reasons import Reason
from novaha.core.recovery import Proof
from worlds import (
    LIFE,
    NEXT_LIFE,
    NODE,
    NOW_S,
    RECEIPT_ID,
    WRITTEN_S,
    cluster,
    event,
    level,
    mark,
    memory,
    proven,
    receipt,
    recovery,
    server,
    service,
    view,
)

POLICY = Policy()
OTHER = NodeName("compute-2")


def reason_of(seen: ClusterView, now_s: float = NOW_S, **known: Any) -> Reason | None:  # noqa: ANN401
    proof = prove(seen.receipts[0], view(seen, memory(**known), now_s), POLICY)
    return proof.reason if isinstance(proof, Hold) else None


def fenced_with(*levels: Level) -> ClusterView:
    """Return a cluster whose receipt was written while the topology had these levels."""
    return cluster(receipts=(receipt(devices=real_devices(NODE, levels)),), levels=levels)


def levels(*agents: str | None) -> ClusterView:
    return fenced_with(level(NODE, *agents))


def test_a_receipt_of_a_real_level_with_a_success_in_the_history_is_proven() -> None:
    assert reason_of(cluster()) is None


def test_a_receipt_written_by_hand_proves_nothing() -> None:
    assert reason_of(cluster(receipts=(receipt(by="hand"),))) is Reason.BY_HAND


@pytest.mark.parametrize("agent", sorted(NOT_REAL))
def test_a_level_without_power_or_storage_proves_nothing(agent: str) -> None:
    assert reason_of(levels(agent, "fence_nova")) is Reason.NO_REAL_DEVICE


@pytest.mark.parametrize(
    "agents",
    [
        ("fence_nova",),
        ("fence_nova", "fence_ipmilan"),
        (None, "fence_nova"),
        ("fence_ipmilan",),
    ],
    ids=["receipt alone", "receipt first", "device not defined", "no receipt"],
)
def test_a_level_that_would_write_a_receipt_without_a_real_fencing_proves_nothing(
    agents: tuple[str | None, ...],
) -> None:
    assert reason_of(levels(*agents)) is Reason.NO_REAL_DEVICE


def test_one_bad_level_spoils_the_good_ones_for_none_says_which_was_used() -> None:
    bad = level(NODE, "fence_kdump", "fence_nova", index=2)
    seen = fenced_with(level(), bad)
    assert reason_of(seen) is Reason.NO_REAL_DEVICE
    hold = prove(seen.receipts[0], view(seen), POLICY)
    assert isinstance(hold, Hold)
    assert "no real device before fence_nova when it was fenced" in hold.text


def test_a_level_that_leaves_no_receipt_may_stand_beside() -> None:
    assert reason_of(fenced_with(level(), level(NODE, "fence_sbd", index=2))) is None


def test_a_topology_that_is_mended_afterwards_proves_nothing() -> None:
    seen = cluster(receipts=(receipt(devices=()),), levels=(level(),))
    assert reason_of(seen) is Reason.NO_REAL_DEVICE


def test_a_level_that_could_not_be_read_proves_nothing() -> None:
    assert reason_of(cluster(receipts=(receipt(devices=None),))) is Reason.NO_REAL_DEVICE


def test_a_topology_that_is_changed_afterwards_takes_no_proof_away() -> None:
    assert reason_of(cluster(levels=())) is None


def test_the_levels_of_another_node_prove_nothing() -> None:
    assert reason_of(fenced_with(level(OTHER))) is Reason.NO_REAL_DEVICE


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("^compute-[0-9]+$", None),
        ("compute", None),
        ("^controller", Reason.NO_REAL_DEVICE),
    ],
)
def test_a_pattern_covers_the_nodes_it_matches(pattern: str, reason: Reason | None) -> None:
    assert reason_of(fenced_with(level(NodeName(pattern), pattern=True))) is reason


def test_a_pattern_that_cannot_be_read_covers_every_node() -> None:
    bad = Level("*[", 2, level(NODE, "fence_kdump", "fence_nova").devices, pattern=True)
    assert reason_of(fenced_with(level(), bad)) is Reason.NO_REAL_DEVICE


def test_a_history_without_an_answer_is_not_an_empty_one() -> None:
    assert reason_of(cluster(events=None)) is Reason.HISTORY_UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed"},
        {"status": "pending"},
        {"action": "on"},
        {"completed_s": None},
    ],
    ids=["failed", "pending", "on", "no time"],
)
def test_no_other_line_of_the_history_is_a_proof(changes: dict[str, Any]) -> None:
    assert reason_of(cluster(events=(event(**changes),))) is Reason.FENCE_PENDING


OLD = event(completed_s=WRITTEN_S - 1.0)
NEW = event(completed_s=WRITTEN_S + 3.0)


def counted(before: int | None, *events: FencingEvent, others: int = 0) -> Reason | None:
    lines = (*events, *[event(OTHER)] * others)
    return reason_of(cluster(receipts=(receipt(before=before),), events=lines))


def test_an_older_fencing_never_pays_for_a_newer_loss_however_new_it_is() -> None:
    assert counted(1, OLD) is Reason.FENCE_PENDING
    assert counted(1, NEW) is Reason.FENCE_PENDING
    assert counted(1, OLD, NEW) is None


def test_a_second_line_of_one_fencing_for_another_who_asked_for_it_counts_nothing() -> None:
    first = (event(completed_s=WRITTEN_S - 60.0), event(completed_s=WRITTEN_S - 59.0))
    assert counted(1, *first) is Reason.FENCE_PENDING
    assert counted(1, *first, NEW) is None
    assert counted(1, *first, NEW, NEW) is None
    assert counted(2, *first, NEW, NEW) is Reason.FENCE_PENDING


@pytest.mark.parametrize("skew_s", [-86_400.0, -600.0, 600.0, 86_400.0])
def test_clocks_that_differ_by_any_time_change_nothing(skew_s: float) -> None:
    old = event(completed_s=WRITTEN_S - 1.0 + skew_s)
    new = event(completed_s=WRITTEN_S + 3.0 + skew_s)
    assert counted(0, new) is None
    assert counted(1, old, new) is None
    assert counted(1, old) is Reason.FENCE_PENDING


def test_a_history_that_was_cut_is_judged_by_time_with_room_for_skewed_clocks() -> None:
    assert counted(7, NEW, others=HISTORY_KEPT - 2) is Reason.FENCE_PENDING
    assert counted(7, NEW, others=HISTORY_KEPT - 1) is None
    within = event(completed_s=WRITTEN_S - POLICY.skew_s)
    beyond = event(completed_s=WRITTEN_S - POLICY.skew_s - 1)
    assert counted(7, within, others=HISTORY_KEPT) is None
    assert counted(7, beyond, others=HISTORY_KEPT) is Reason.FENCE_PENDING


def test_a_receipt_that_could_not_count_is_judged_by_time() -> None:
    assert counted(None, NEW) is None
    beyond = event(completed_s=WRITTEN_S - POLICY.skew_s - 1)
    assert counted(None, beyond) is Reason.FENCE_PENDING


def test_a_history_lost_with_a_restart_of_the_cluster_proves_nothing() -> None:
    assert counted(0) is Reason.FENCE_PENDING
    assert counted(3) is Reason.FENCE_PENDING


JOINED = {"lives": {NODE: NEXT_LIFE}, "online": frozenset({NODE})}


def test_a_receipt_is_void_once_its_hold_is_gone_whether_the_node_joined_or_not() -> None:
    assert reason_of(cluster(marks=())) is Reason.RECEIPT_VOID
    assert reason_of(cluster(**JOINED, marks=())) is Reason.RECEIPT_VOID
    other_hold = HoldMark.of(NODE, "f" * 12)
    assert reason_of(cluster(**JOINED, marks=(other_hold,))) is Reason.RECEIPT_VOID


def test_a_node_that_joined_again_and_was_held_all_the_time_is_still_dead_for_nova() -> None:
    assert reason_of(cluster(**JOINED)) is None


def voids(life: Incarnation | None, **seen: Any) -> str:  # noqa: ANN401
    """Return what is said of a receipt without its hold, that cites so much of the node's life."""
    hold = prove(receipt(life=life), view(cluster(marks=(), **seen)), POLICY)
    assert isinstance(hold, Hold)
    return hold.text


@pytest.mark.parametrize("life", [LIFE, None])
def test_a_void_receipt_says_whether_its_node_was_seen_to_join(life: Incarnation | None) -> None:
    assert "has joined again without" in voids(life, **JOINED)
    assert "was deleted" in voids(life, lives={NODE: Incarnation()})
    assert "was deleted" in voids(life, lives={})
    assert "was deleted" in voids(NEXT_LIFE, **JOINED)


def test_what_is_written_down_is_void_by_the_same_rule() -> None:
    for record in (proven(), recovery()):
        joined = cluster(records=(record,), **JOINED)
        assert not is_void(record, view(joined))
        assert is_void(record, view(replace(joined, marks=())))
        assert is_void(record, view(cluster(records=(record,), marks=())))


def test_the_proof_cites_the_fencing_its_devices_and_the_life_it_ended() -> None:
    two = (level(), level(NODE, "fence_kdump", "fence_sbd", "fence_nova", index=2))
    seen = fenced_with(*two)
    proof = prove(seen.receipts[0], view(seen), POLICY)
    assert proof == Proof(
        RECEIPT_ID,
        "reboot",
        WRITTEN_S + 3,
        "controller-1",
        ("device-1-fence_ipmilan", "device-1-fence_sbd"),
        LIFE,
    )


def test_the_success_of_another_node_is_no_proof() -> None:
    assert reason_of(cluster(events=(event(OTHER),))) is Reason.FENCE_PENDING


def test_an_off_proves_as_much_as_a_reboot() -> None:
    assert reason_of(cluster(events=(event(action="off"),))) is None


def test_a_reboot_that_a_controller_met_in_its_second_half_counts_as_one_there_too() -> None:
    half = event(action="on", client="pacemaker-controld.37")
    assert reason_of(cluster(events=(half,))) is None
    earlier = replace(half, completed_s=WRITTEN_S - 60.0)
    assert counted(1, earlier) is Reason.FENCE_PENDING
    assert counted(1, earlier, NEW) is None
    by_person = event(action="on", client="stonith_admin.4711")
    assert reason_of(cluster(events=(by_person,))) is Reason.FENCE_PENDING


def test_a_fencing_that_never_shows_in_the_history_becomes_trouble() -> None:
    late_s = NOW_S + POLICY.patience_s
    assert reason_of(cluster(events=()), late_s) is Reason.FENCE_UNPROVEN
    hold = prove(receipt(), view(cluster(events=()), memory(), late_s), POLICY)
    assert isinstance(hold, Hold)
    assert "pcs stonith fence compute-1" in hold.text


EVENTS = st.builds(
    event,
    st.sampled_from([NODE, OTHER]),
    status=st.sampled_from(["success", "failed", "pending"]),
    action=st.sampled_from(["off", "reboot", "on"]),
    completed_s=st.sampled_from([None, 0.0, WRITTEN_S + 1.0]),
)
LEVELS = st.builds(
    lambda target, agents, index: level(target, *agents, index=index),
    st.sampled_from([NODE, OTHER]),
    st.lists(
        st.sampled_from(["fence_ipmilan", "fence_kdump", "fence_nova", None]),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 3),
)
CLUSTERS = st.builds(
    cluster,
    receipts=st.sampled_from(
        [(receipt(),), (receipt(by="hand"),), (receipt(before=1),), (receipt(life=NEXT_LIFE),)]
    ),
    marks=st.sampled_from([(), (mark(),)]),
    lives=st.sampled_from([{NODE: LIFE}, {NODE: NEXT_LIFE}]),
    records=st.sampled_from(
        [
            (),
            (recovery(id_="f" * 12, phase="returning"),),
        ]
    ),
    levels=st.lists(LEVELS, max_size=3).map(tuple),
    events=st.none() | st.lists(EVENTS, max_size=3).map(tuple),
    online=st.sampled_from([frozenset(), frozenset({NODE})]),
)
SERVICES = st.builds(
    service,
    st.just(ComputeHost("compute-1")),
    enabled=st.booleans(),
    forced_down=st.booleans(),
    disabled_reason=st.sampled_from(["", "nova-ha: fenced", "mine"]),
)


def proves(seen: ClusterView) -> bool:
    """Say it once more, in other words than the code."""
    mine = [x for x in seen.levels if x.target == NODE]
    agents = [[d.agent for d in x.devices] for x in mine]
    writing = [a for a in agents if "fence_nova" in a]
    real = all("fence_ipmilan" in a[: a.index("fence_nova")] for a in writing)
    shown = [
        e
        for e in seen.events or ()
        if (e.target, e.status) == (NODE, "success")
        and e.action != "on"
        and e.completed_s is not None
    ]
    of = seen.receipts[0]
    held = of.id in {m.receipt_id for m in seen.marks}
    newer = len(shown) > (of.before or 0)
    return bool(of.by == "fenced" and writing and real and newer and held)


@given(CLUSTERS, SERVICES, st.sampled_from([NOW_S, NOW_S + 999]))
def test_nothing_of_nova_is_touched_for_a_host_whose_fencing_is_not_proven(
    seen: ClusterView,
    of: Service,
    now_s: float,
) -> None:
    known = memory(services=(of,), servers=(server(),), migrations=(), asked_s=now_s)
    then = real_devices(NODE, seen.levels)
    written = replace(seen, receipts=(replace(seen.receipts[0], devices=then),), levels=())
    decisions = decide(view(written, known, now_s), POLICY)
    begins = [d for d in decisions if isinstance(d, BeginRecovery)]
    assert bool(begins) == proves(seen)
    if not begins:
        changes = (Evacuate, ForceDown, Disable)
        assert not [d for d in decisions if isinstance(d, changes)]
        assert [d for d in decisions if isinstance(d, Hold)]
