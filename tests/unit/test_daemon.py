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


class Display:
    """What Pacemaker shows of the monitor's reports, and how often it was told to forget that."""

    def __init__(self) -> None:
        self.shows, self.forgot, self.answers = False, 0, True

    def clean_up(self, resource: str) -> frozenset[str]:
        assert resource == "evac"
        if not self.answers:
            msg = "crm_resource did not end"
            raise ClusterUnavailable(msg)
        was, self.shows = self.shows, False
        self.forgot += was
        return frozenset({"controller-1"} if was else ())


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Display:
    """Return a display that shows nothing yet."""
    display = Display()
    monkeypatch.setattr(daemon, "clean_up", display.clean_up)
    return display


def test_a_first_trouble_is_left_to_the_monitor(display: Display) -> None:
    display.shows = True
    Shown("evac").update(CLOUD, 0.0)
    assert display.forgot == 0


def test_a_trouble_that_ended_is_taken_off_the_display_once(display: Display) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    display.shows = True
    for now_s in (SHOWN_S, 2 * SHOWN_S, 3 * SHOWN_S):
        shown.update(NONE, now_s)
        assert not display.shows
    assert display.forgot == 1


def test_another_trouble_takes_the_place_of_the_first(display: Display) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    display.shows = True
    shown.update(BLOCKED, SHOWN_S)
    assert not display.shows
    display.shows = True
    shown.update(BLOCKED, 2 * SHOWN_S)
    assert display.shows


def test_the_display_is_not_changed_before_the_monitor_could_fill_it(display: Display) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    display.shows = True
    shown.update(NONE, SHOWN_S - 1.0)
    assert display.shows


def test_a_trouble_that_came_just_after_another_ended_is_taken_off_as_well(
    display: Display,
) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    shown.update(NONE, SHOWN_S)
    shown.update(BLOCKED, SHOWN_S + 1.0)
    display.shows = True
    shown.update(NONE, SHOWN_S + 20.0)
    shown.update(NONE, 2 * SHOWN_S + 1.0)
    assert not display.shows


def test_a_report_that_came_in_the_moment_of_the_end_is_taken_off(display: Display) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    shown.update(NONE, SHOWN_S)
    display.shows = True
    shown.update(NONE, SHOWN_S + 1.0)
    assert display.shows
    shown.update(NONE, 2 * SHOWN_S)
    assert not display.shows


def test_what_a_process_before_this_one_left_on_the_display_is_taken_off(
    display: Display,
) -> None:
    display.shows = True
    Shown("evac").update(NONE, 0.0)
    assert not display.shows


def test_a_cluster_that_cannot_clean_up_now_is_told_again(display: Display) -> None:
    shown = Shown("evac")
    shown.update(CLOUD, 0.0)
    display.shows, display.answers = True, False
    shown.update(NONE, SHOWN_S)
    display.answers = True
    shown.update(NONE, SHOWN_S + 1.0)
    assert display.shows
    shown.update(NONE, 2 * SHOWN_S)
    assert not display.shows


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
