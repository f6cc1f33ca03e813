"""What a person's word proves, when it is refused, and how a node that nobody fences is shown."""

from dataclasses import replace

import pytest
from novaha.core.actions import BeginRecovery, Hold
from novaha.core.confirmation import Confirmed, Sight, failures_of, refusal
from novaha.core.decide import decide
from novaha.core.explain import overview
from novaha.core.model import ClusterView, FencingEvent
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.proof import A_HUMAN, prove
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt, parse_receipt
from novaha.core.recovery import Proof
from worlds import NODE, RECEIPT_ID, WRITTEN_S, cluster, event, mark, memory, receipt, service, view

POLICY = Policy()
WORD = ("word-of-alice",)
HUMAN = replace(event(action="off"), delegate=A_HUMAN)
FAILED = replace(event(status="failed"), reason="no answer", completed_s=WRITTEN_S - 5.0)
LATE = replace(FAILED, completed_s=WRITTEN_S + 9.0)
"""The end of an attempt that was at work when a person confirmed."""


def word(**changes: object) -> Receipt:
    """Return the receipt of a confirmation."""
    return replace(receipt(by="person", devices=WORD), **changes)  # type: ignore[arg-type]


def proven(of: Receipt, *events: FencingEvent, held: bool = True) -> Proof | Hold:
    marks = (mark(of),) if held else ()
    seen = cluster(receipts=(of,), events=events, marks=marks)
    return prove(of, view(seen, memory(begun={}), now_s=1e6), POLICY)


def test_a_person_s_receipt_and_pacemaker_s_confirmation_prove_that_it_is_off() -> None:
    found = proven(word(), FAILED, HUMAN, LATE)
    expected = (RECEIPT_ID, "off", WRITTEN_S + 3, "controller-1", WORD, word().life)
    assert found == Proof(*expected)


def test_the_recovery_follows() -> None:
    known = memory(services=(service(),), servers=(), migrations=(), begun={})
    seen = cluster(receipts=(word(),), events=(HUMAN,))
    assert any(isinstance(d, BeginRecovery) for d in decide(view(seen, known), POLICY))


@pytest.mark.parametrize(
    ("of", "events"),
    [
        (word(), ()),
        (word(), (FAILED,)),
        (word(), (event(),)),
        (word(before=1), (HUMAN,)),
        (word(), (HUMAN, replace(event(), completed_s=WRITTEN_S + 60.0))),
        (receipt(by="hand", devices=WORD), (HUMAN,)),
        (word(devices=()), (HUMAN,)),
        (word(devices=None), (HUMAN,)),
    ],
    ids=[
        "the receipt alone, its writer died before the confirmation",
        "a fencing that failed",
        "a fencing by a device, which has its own receipt",
        "a confirmation of before",
        "fenced again since, by a level without a receipt",
        "a receipt by hand",
        "nobody's word",
        "nothing known",
    ],
)
def test_less_proves_nothing(of: Receipt, events: tuple[FencingEvent, ...]) -> None:
    assert isinstance(proven(of, *events), Hold)


def test_a_confirmation_without_its_hold_proves_nothing() -> None:
    found = proven(word(), HUMAN, held=False)
    assert isinstance(found, Hold)
    assert found.reason is Reason.RECEIPT_VOID


def test_pacemaker_s_confirmation_alone_starts_nothing() -> None:
    seen = cluster(receipts=(), marks=(), events=(HUMAN,))
    assert decide(view(seen, memory(begun={})), POLICY) == ()


def test_a_person_s_receipt_is_read_back() -> None:
    assert parse_receipt(NODE, word().to_value()) == word()


LOST = Sight(
    NODE,
    known=True,
    online=False,
    unclean=True,
    fenced=False,
    braked=False,
    open=False,
    events=(FAILED,),
)
BY_TOOL = replace(LOST, unclean=False, fenced=True, events=(HUMAN,))


@pytest.mark.parametrize("sight", [LOST, BY_TOOL, replace(LOST, events=(HUMAN, LATE), open=True)])
def test_a_lost_node_whose_fencing_fails_may_be_confirmed(sight: Sight) -> None:
    assert refusal(sight, anyway=False) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"known": False}, "no compute node"),
        ({"online": True}, "is online: it runs"),
        ({"events": None}, "no answer"),
        ({"unclean": False}, "is not lost"),
        ({"unclean": False, "fenced": True, "events": (event(),)}, "is not lost"),
        ({"unclean": False, "fenced": False, "events": (HUMAN,)}, "is not lost"),
        ({"unclean": False, "fenced": True, "events": (HUMAN,), "open": True}, "is not lost"),
    ],
)
def test_one_that_may_run_is_never_confirmed(changes: dict[str, object], words: str) -> None:
    sight = replace(LOST, **changes)  # type: ignore[arg-type]
    for anyway in (False, True):
        assert words in (refusal(sight, anyway=anyway) or "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events": ()}, "no fencing of compute-1 has failed yet"),
        ({"events": (FAILED, HUMAN)}, "no fencing of compute-1 has failed yet"),
        ({"braked": True}, "storm brake"),
    ],
)
def test_one_whose_devices_were_not_tried_is_confirmed_only_anyway(
    changes: dict[str, object], words: str
) -> None:
    sight = replace(LOST, **changes)  # type: ignore[arg-type]
    assert words in (refusal(sight, anyway=False) or "")
    assert refusal(sight, anyway=True) is None


def test_failures_count_since_the_last_success_and_of_that_node_only() -> None:
    other = replace(LATE, target=NodeName("compute-2"))
    unfence = replace(LATE, action="on")
    pending = event(status="pending", completed_s=None)
    assert failures_of(NODE, (FAILED, HUMAN, LATE, other, unfence, pending)) == (LATE,)


def test_a_lost_node_that_nobody_fences_is_shown_with_the_reason_and_what_to_do() -> None:
    seen = ClusterView(quorate=True, failing=((NODE, "no answer"),))
    (hold,) = decide(view(seen), POLICY)
    assert isinstance(hold, Hold)
    assert (hold.subject, hold.reason) == (NODE, Reason.FENCE_FAILED)
    assert "nova-ha confirm-off compute-1; no answer" in hold.text
    (told,) = overview(view(seen), POLICY)
    assert told.waits == (hold,)


def test_who_confirmed_what_is_kept_in_one_line() -> None:
    text = Confirmed(NODE, WRITTEN_S, "alice", RECEIPT_ID, "no LEDs, plug in my hand").to_value()
    assert text == (
        f"v1 time={WRITTEN_S} by=alice receipt={RECEIPT_ID} saw=no LEDs, plug in my hand"
    )
