"""What is kept in the CIB as text, and read back from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from novaha.core.incarnation import Incarnation
from novaha.core.names import ComputeHost, NodeName
from novaha.core.receipt import MalformedReceipt, Receipt, parse_receipt
from novaha.core.recovery import (
    Found,
    MalformedRecovery,
    Proof,
    Proven,
    Record,
    Recovery,
    parse_record,
)
from worlds import HOST, NODE, proven, receipt, recovery

IDS = st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
WORDS = st.from_regex(r"[A-Za-z0-9._-]{1,30}", fullmatch=True)
# What the CIB knows by an id is a name of XML: "-" alone, which stands for no device, is none.
DEVICES = st.from_regex(r"[A-Za-z_][A-Za-z0-9._-]{0,29}", fullmatch=True)
BEATS = st.text(st.characters(whitelist_categories=["Nd"], whitelist_characters="-T: ."))

LIVES = st.none() | st.builds(
    Incarnation, st.frozensets(st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
)

RECEIPTS = st.builds(
    Receipt,
    id=IDS,
    node=WORDS.map(NodeName),
    written_s=st.integers(0, 10**12 - 1),
    writer=WORDS.map(NodeName),
    by=st.sampled_from(["fenced", "hand"]),
    before=st.none() | st.integers(0, 999_999),
    life=LIVES,
    devices=st.none() | st.lists(DEVICES, max_size=3).map(tuple),
)
PROOFS = st.builds(
    Proof,
    receipt_id=IDS,
    action=st.sampled_from(["off", "reboot"]),
    ended_s=st.integers(0, 10**12 - 1),
    origin=WORDS,
    devices=st.lists(DEVICES, min_size=1, max_size=3).map(tuple),
    life=LIVES,
)
FOUND = st.builds(Found, st.booleans(), st.booleans())
PROVEN = st.builds(Proven, WORDS.map(NodeName), PROOFS, st.none() | FOUND)
RECOVERIES = st.builds(
    Recovery,
    node=WORDS.map(NodeName),
    proof=PROOFS,
    host=WORDS.map(ComputeHost),
    phase=st.just("evacuating"),
    found=FOUND,
    after_migration=st.integers(0),
    raised=st.booleans(),
)


@given(RECEIPTS)
def test_a_receipt_is_read_back_as_it_was_written(of: Receipt) -> None:
    assert parse_receipt(of.node, of.to_value()) == of


@given(RECOVERIES | PROVEN)
def test_a_record_is_read_back_as_it_was_written(of: Record) -> None:
    assert parse_record(of.node, of.to_value()) == of


@given(RECOVERIES, BEATS)
def test_a_released_recovery_is_read_back_whatever_nova_printed(of: Recovery, beat: str) -> None:
    released = of.released(beat)
    assert parse_record(of.node, released.to_value()) == released
    assert not released.beats_since(beat)


GOOD_RECEIPT = receipt().to_value()
GOOD_RECOVERY = recovery().to_value()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v2" + GOOD_RECEIPT[2:],
        GOOD_RECEIPT + " more=1",
        GOOD_RECEIPT + "\n",
        GOOD_RECEIPT.replace("by=fenced", "by=me"),
        GOOD_RECEIPT.replace("id=0", "id=Z"),
        GOOD_RECEIPT.replace("time=", "time=-"),
        GOOD_RECEIPT.replace("before=0", "before=-1"),
        GOOD_RECEIPT.replace("life=-", "life=xyz"),
        GOOD_RECEIPT.replace("life=-", "life=0badcafe,"),
        GOOD_RECEIPT.replace("devices=", "devices= "),
        "x" * 10_000,
    ],
)
def test_a_malformed_receipt_is_an_error_that_quotes_it_in_short(text: str) -> None:
    with pytest.raises(MalformedReceipt, match=f"receipt of {NODE}") as caught:
        parse_receipt(NODE, text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD_RECEIPT,
        GOOD_RECOVERY + " ",
        GOOD_RECOVERY.replace("phase=evacuating", "phase=done"),
        GOOD_RECOVERY.replace("phase=evacuating", "phase=proven"),
        GOOD_RECOVERY.replace("life=-", "life=xyz"),
        GOOD_RECOVERY.replace("fencing=reboot@", "fencing=@"),
        proven().to_value().replace("found=-", "found=?"),
        GOOD_RECOVERY.replace("found=enabled,free", "found=enabled"),
        GOOD_RECOVERY.replace("after=0", "after="),
        GOOD_RECOVERY.replace(f"host={HOST}", "host="),
    ],
)
def test_a_malformed_recovery_is_an_error(text: str) -> None:
    with pytest.raises(MalformedRecovery, match=f"record of {NODE}"):
        parse_record(NODE, text)


def test_a_host_that_never_beat_has_to_beat_before_it_counts_as_started() -> None:
    released = recovery().released("")
    assert not released.beats_since("")
    assert released.beats_since("2024-05-03 12:00:00")


def test_both_spellings_of_a_time_are_the_same_heartbeat() -> None:
    released = recovery().released("2024-05-03 12:00:00")
    assert not released.beats_since("2024-05-03T12:00:00")
