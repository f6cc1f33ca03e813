"""What the recovery process has Pacemaker show."""

import pytest
from novaha import daemon
from novaha.daemon import SHOWN_S, Shown
from novaha.errors import ClusterUnavailable

NONE: frozenset[str] = frozenset()
CLOUD = frozenset({"cloud-unavailable"})
BLOCKED = frozenset({"blocked"})


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the resources whose failures Pacemaker was told to forget."""
    resources: list[str] = []
    monkeypatch.setattr(daemon, "clean_up", resources.append)
    return resources


def test_a_first_trouble_is_left_to_the_monitor(cleaned: list[str]) -> None:
    Shown("evac").update(CLOUD, 0.0)
    assert cleaned == []


def test_a_trouble_that_ended_is_taken_off_the_display(cleaned: list[str]) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    shown.update(NONE, SHOWN_S)
    shown.update(NONE, 2 * SHOWN_S)
    assert cleaned == ["evac"]


def test_another_trouble_takes_the_place_of_the_first(cleaned: list[str]) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    shown.update(BLOCKED, SHOWN_S)
    shown.update(BLOCKED, 2 * SHOWN_S)
    assert cleaned == ["evac"]


def test_the_display_is_not_changed_before_the_monitor_could_fill_it(cleaned: list[str]) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    shown.update(NONE, SHOWN_S - 1.0)
    assert cleaned == []


def test_a_cluster_that_cannot_clean_up_now_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        msg = "crm_resource did not end"
        raise ClusterUnavailable(msg)

    monkeypatch.setattr(daemon, "clean_up", refuse)
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    shown.update(NONE, SHOWN_S)
    assert shown.codes == NONE
