"""What the recovery process refuses, what wakes it, and what it has Pacemaker show."""

from pathlib import Path

import pytest
from novaha import daemon
from novaha.core.policy import Policy
from novaha.daemon import BEAT_S, SHOWN_S, Pulse, Shown, Waker, check_clouds
from novaha.errors import ClusterUnavailable, ConfigError
from novaha.rundir import RunDir, Status
from novaha.saidpolicy import arguments_of, policy_of

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


def test_a_secret_that_others_can_read_is_refused_with_the_next_step(tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {test: {}}\n")
    path.chmod(0o600)
    check_clouds(str(path), "test")
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"mode 0640.*chmod 600"):
        check_clouds(str(path), "test")
    with pytest.raises(ConfigError, match="copy it"):
        check_clouds(str(tmp_path / "missing.yaml"), "test")


def test_the_policy_has_the_numbers_of_the_command_line() -> None:
    words = ["--run-dir=x", "--cloud=x", "--clouds-yaml=/x", "--storage=shared"]
    given = arguments_of([*words, "--max-in-flight=3", "--max-recoveries=2"])
    policy = policy_of(given)
    assert (policy.max_in_flight, policy.max_recoveries) == (3, 2)
    assert policy_of(arguments_of(words)) == Policy()


def test_many_alerts_at_once_make_one_cycle(tmp_path: Path) -> None:
    run_dir = RunDir(str(tmp_path / "evac"))
    run_dir.create()
    with run_dir.bind_wake() as hook:
        waker = Waker(hook)
        for _ in range(5):
            run_dir.wake()
        assert waker.wait(0.0)
        assert not waker.wait(0.0)
        waker.notify()
        assert not waker.wait(0.0)


def test_a_sign_of_life_is_the_last_status_as_of_now_and_seldom_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = RunDir(str(tmp_path / "run" / "evac"))
    run_dir.create()
    pulse, now_s = Pulse(run_dir), 100.0
    monkeypatch.setattr("novaha.daemon.time.monotonic", lambda: now_s)
    pulse.beat()
    assert run_dir.read_status() is None, "nothing was said yet"
    pulse.say(Status(1, now_s, "degraded", "why", "what"))
    now_s += BEAT_S - 1
    pulse.beat()
    assert run_dir.read_status() == Status(1, 100.0, "degraded", "why", "what")
    now_s += 1
    pulse.beat()
    assert run_dir.read_status() == Status(1, 100.0 + BEAT_S, "degraded", "why", "what")
