"""A compute waits until nothing holds it; what is unknown holds it too."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from novaha import hold
from novaha.errors import ClusterUnavailable
from novaha.ocf.codes import OK, Rc


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> hold.Clock:
        return hold.Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _answers(*answers: str | Exception | None) -> Callable[[], str | None]:
    """Give these answers in turn, the last for ever."""
    rest = itertools.chain(answers, itertools.repeat(answers[-1]))

    def why() -> str | None:
        answer = next(rest)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return why


def test_a_node_that_nothing_holds_goes_on_at_once() -> None:
    time = FakeClock()
    assert hold.wait_for_release(_answers(None), 2, 120, time.clock()) == OK
    assert time.now == 100.0


def test_a_held_node_goes_on_when_it_is_let_go() -> None:
    time = FakeClock()
    why = _answers("open receipt", None)
    assert hold.wait_for_release(why, 1, 20, time.clock()) == OK
    assert time.now == 101.0


def test_an_unreachable_cluster_holds() -> None:
    time = FakeClock()
    why = _answers(ClusterUnavailable("cibadmin did not end"), None)
    assert hold.wait_for_release(why, 2, 120, time.clock()) == OK
    assert time.now == 102.0


@pytest.mark.parametrize(
    ("answer", "reason", "waited_s"),
    [
        ("receipt of c1 is malformed: 'x'", "still held: receipt of c1 is malformed: 'x'", 1),
        (ClusterUnavailable("no CIB"), "still held: the cluster gives no answer (no CIB)", 15),
    ],
)
def test_a_node_that_stays_held_fails_in_time_and_says_where_to_look(
    answer: str | Exception, reason: str, waited_s: int
) -> None:
    """Pacemaker fences nothing while a start is in flight, so a held one must not last."""
    time = FakeClock()
    outcome = hold.wait_for_release(_answers(answer), 1, 20, time.clock())
    assert outcome.rc == Rc.GENERIC
    assert reason in outcome.reason
    assert f"after {waited_s} s" in outcome.reason
    assert "pcs property config" in outcome.reason
    assert time.now == 100 + waited_s


def test_a_poll_longer_than_the_timeout_does_not_overrun_it() -> None:
    time = FakeClock()
    assert hold.wait_for_release(_answers("held"), 30, 20, time.clock()).rc == Rc.GENERIC
    assert time.now == 100.0


def test_the_marker_is_there_until_it_is_cleared(tmp_path: Path) -> None:
    marker = hold.Marker(str(tmp_path / "unfence/c1"))
    assert not marker.is_set()
    marker.set()
    marker.set()
    assert marker.is_set()
    marker.clear()
    marker.clear()
    assert not marker.is_set()


def test_the_marker_of_an_earlier_boot_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = hold.Marker(str(tmp_path / "c1"))
    marker.set()
    monkeypatch.setattr(hold, "boot_identity", lambda: "another boot")
    assert not marker.is_set()


def test_the_boot_identity_stays_the_same_within_a_boot() -> None:
    assert hold.boot_identity() == hold.boot_identity()
