"""Start, stop and monitor of the recovery process, with a stand-in that misbehaves on demand."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from novaha import supervise
from novaha.ocf.codes import OK, Outcome, Rc
from novaha.rundir import RunDir, Status

ROOT = Path(__file__).parents[2]
STANDIN = ROOT / "tests/helpers/standin.py"


class Resource:
    """One resource in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.run_dir = RunDir(str(folder / "run/evac"))
        self.log = folder / "log/evac.log"

    def start(self, behaviour: str = "ok", timeout_s: float = 20.0) -> Outcome:
        argv = (sys.executable, str(STANDIN), f"--run-dir={self.run_dir.path}")
        environ = {"PYTHONPATH": str(ROOT / "lib"), "STANDIN": behaviour}
        launch = supervise.Launch(argv, environ, str(self.log))
        return supervise.start(self.run_dir, launch, timeout_s)

    def stop(self, timeout_s: float = 20.0) -> Outcome:
        return supervise.stop(self.run_dir, timeout_s)

    def monitor(self, stall_timeout_s: float = 120.0) -> Outcome:
        return supervise.monitor(self.run_dir, stall_timeout_s)


@pytest.fixture
def resource(tmp_path: Path) -> Iterator[Resource]:
    resource = Resource(tmp_path)
    yield resource
    assert resource.stop() == OK


def test_start_returns_when_the_process_has_reported(resource: Resource) -> None:
    assert resource.start() == OK
    status = resource.run_dir.read_status()
    assert status is not None
    assert status.pid == resource.run_dir.holder()
    assert resource.monitor() == OK


def test_starting_what_runs_starts_nothing(resource: Resource) -> None:
    resource.start()
    pid = resource.run_dir.holder()
    assert resource.start() == OK
    assert resource.run_dir.holder() == pid


def test_the_process_has_a_session_of_its_own_and_none_of_our_files(resource: Resource) -> None:
    here, there = os.pipe()
    os.set_inheritable(there, True)  # noqa: FBT003  (takes no keyword)
    resource.start()
    pid = resource.run_dir.holder()
    assert pid is not None
    assert os.getsid(pid) == pid
    targets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    assert f"pipe:[{os.fstat(there).st_ino}]" not in targets
    assert {"/dev/null", str(resource.log)} <= targets
    os.close(here)
    os.close(there)


@pytest.mark.parametrize(
    ("behaviour", "rc"),
    [
        ("exit:2:clouds.yaml has no cloud 'x'", Rc.ARGS),
        ("exit:5:openstacksdk is not installed", Rc.NOT_INSTALLED),
        ("exit:78:set another cloud", Rc.ARGS),
        ("exit:0:nothing to do", Rc.GENERIC),
        ("exit:7:odd", Rc.GENERIC),
        ("exit:99:odd", Rc.GENERIC),
    ],
)
def test_an_early_end_is_told_with_its_last_words(
    resource: Resource, behaviour: str, rc: Rc
) -> None:
    resource.log.parent.mkdir()
    resource.log.write_text("words of an earlier life\n")
    outcome = resource.start(behaviour)
    assert outcome.rc == rc
    assert behaviour.split(":", 2)[2] in outcome.reason
    assert str(resource.log) in outcome.reason
    assert "earlier" not in outcome.reason
    assert resource.monitor().rc == Rc.NOT_RUNNING


def test_words_of_an_earlier_life_are_not_repeated(resource: Resource) -> None:
    resource.log.parent.mkdir()
    resource.log.write_text("words of an earlier life\n")
    assert "words of" not in resource.start("exit:1:").reason


def test_start_gives_up_before_its_timeout_and_leaves_nothing(resource: Resource) -> None:
    begin = time.monotonic()
    outcome = resource.start("silent", timeout_s=4.0)
    assert time.monotonic() - begin < 4.0
    assert outcome.rc == Rc.GENERIC
    assert "did not report within 2 s" in outcome.reason
    assert not resource.run_dir.is_running()


def test_a_large_log_is_set_aside(resource: Resource) -> None:
    resource.log.parent.mkdir()
    with resource.log.open("w") as file:
        file.truncate(supervise.MAX_LOG_BYTES + 1)
    assert resource.start() == OK
    assert resource.log.stat().st_size < 1000
    assert Path(f"{resource.log}.1").stat().st_size > supervise.MAX_LOG_BYTES


@pytest.mark.parametrize("behaviour", ["ok", "degraded", "deaf", "stuck", "child"])
def test_stop_ends_the_whole_session(resource: Resource, behaviour: str) -> None:
    resource.start(behaviour)
    pid = resource.run_dir.holder()
    assert pid is not None
    assert resource.stop(timeout_s=6.0) == OK
    assert not resource.run_dir.is_running()
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-s", str(pid)], capture_output=True, text=True, check=False
    )
    assert [line for line in found.stdout.splitlines() if " Z" not in line] == []
    assert resource.monitor().rc == Rc.NOT_RUNNING


def test_stop_of_a_deaf_process_ends_before_its_timeout(resource: Resource) -> None:
    resource.start("deaf")
    begin = time.monotonic()
    assert resource.stop(timeout_s=4.0) == OK
    assert time.monotonic() - begin < 4.0


def test_stop_without_a_run_directory_succeeds(resource: Resource) -> None:
    assert resource.stop() == OK
    assert not Path(resource.run_dir.path).exists()


def test_stop_is_not_fooled_by_a_stale_status(resource: Resource) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        resource.run_dir.create()
        resource.run_dir.write_status(Status(bystander.pid, time.monotonic(), "ok", "", ""))
        assert resource.monitor().rc == Rc.NOT_RUNNING
        assert resource.stop() == OK
        assert bystander.poll() is None
        bystander.kill()


def test_a_killed_process_is_not_running(resource: Resource) -> None:
    resource.start()
    pid = resource.run_dir.holder()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert resource.monitor() == Outcome(Rc.NOT_RUNNING)
    assert resource.start() == OK


def test_a_process_without_progress_fails_the_monitor(resource: Resource) -> None:
    resource.start("stuck")
    time.sleep(0.1)
    outcome = resource.monitor(stall_timeout_s=0.05)
    assert outcome.rc == Rc.GENERIC
    assert outcome.reason.startswith("no progress for 0 s")
    assert resource.monitor(stall_timeout_s=60.0) == OK


def test_a_stopped_process_stalls(resource: Resource) -> None:
    resource.start()
    pid = resource.run_dir.holder()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1.2)
    assert "no progress for 1 s" in resource.monitor(stall_timeout_s=1.0).reason
    assert resource.stop(timeout_s=4.0) == OK


def test_trouble_shows_as_degraded_with_its_reason(resource: Resource) -> None:
    assert resource.start("degraded") == OK
    assert resource.monitor() == Outcome(Rc.DEGRADED, "vm-1 blocked: no valid host")


def test_a_lock_without_a_report_fails_the_monitor(resource: Resource) -> None:
    resource.start()
    Path(resource.run_dir.status_path).write_text("{")
    outcome = resource.monitor()
    assert outcome.rc == Rc.GENERIC
    assert "has reported nothing" in outcome.reason
