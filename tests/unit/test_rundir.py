"""The run directory: the lock tells the truth, the status is whole, a wake never waits."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from novaha.rundir import AlreadyRunning, RunDir, Status, wait_for_wake

HOLD = """
import sys, time
from novaha.rundir import RunDir
with RunDir(sys.argv[1]).hold_lock():
    print("held", flush=True)
    time.sleep(60)
"""
FORK = """
import os, sys, time
from novaha.rundir import RunDir
with RunDir(sys.argv[1]).hold_lock():
    print("held", flush=True)
    if (child := os.fork()) != 0:
        print(child, flush=True)
    os.close(1)
    time.sleep(60)
"""
ENVIRON = {"PYTHONPATH": str(Path(__file__).parents[2] / "lib")}
STATUS = Status(7, 12.5, "degraded", "vm-1 blocked", "1 of 2 evacuated")


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return RunDir(str(tmp_path / "evac"))


@pytest.fixture
def start_holder(run_dir: RunDir) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Return what starts a program that prints a line when it holds the lock."""
    with ExitStack() as stack:

        def start(program: str) -> subprocess.Popen[str]:
            argv = [sys.executable, "-c", program, run_dir.path]
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=ENVIRON)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            return process

        yield start


@pytest.fixture
def holder(start_holder: Callable[[str], subprocess.Popen[str]]) -> subprocess.Popen[str]:
    return start_holder(HOLD)


def test_nobody_runs_where_nothing_is(run_dir: RunDir) -> None:
    assert run_dir.holder() is None
    assert not run_dir.is_running()
    assert run_dir.read_status() is None


def test_the_kernel_tells_who_holds_the_lock(
    run_dir: RunDir, holder: subprocess.Popen[str]
) -> None:
    assert run_dir.holder() == holder.pid


def test_the_lock_ends_with_kill_9(run_dir: RunDir, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not run_dir.is_running()


def test_looking_at_the_lock_does_not_take_it(
    run_dir: RunDir, holder: subprocess.Popen[str]
) -> None:
    assert [run_dir.holder() for _ in range(3)] == [holder.pid] * 3


def test_a_second_process_is_refused(run_dir: RunDir, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(AlreadyRunning, match="locked by another process"), run_dir.hold_lock():
        pass
    assert run_dir.holder() == holder.pid


def test_the_holder_may_look_without_losing_its_lock(run_dir: RunDir) -> None:
    ask = "import sys; from novaha.rundir import RunDir; print(RunDir(sys.argv[1]).holder())"
    with run_dir.hold_lock():
        assert run_dir.holder() == os.getpid()
        assert RunDir(run_dir.path).is_running()
        argv = [sys.executable, "-c", ask, run_dir.path]
        assert subprocess.check_output(argv, text=True, env=ENVIRON).strip() == str(os.getpid())
    assert not run_dir.is_running()


def test_a_child_does_not_inherit_the_lock(
    run_dir: RunDir, start_holder: Callable[[str], subprocess.Popen[str]]
) -> None:
    process = start_holder(FORK)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert run_dir.holder() == process.pid
    process.kill()
    process.wait()
    os.kill(child, 0)  # it lives on
    assert not run_dir.is_running()
    os.kill(child, signal.SIGKILL)


def test_a_status_comes_back_as_it_was(run_dir: RunDir) -> None:
    run_dir.create()
    run_dir.write_status(STATUS)
    assert run_dir.read_status() == STATUS


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}', '{"pid": "x"}', "\x00"])
def test_a_status_that_cannot_be_read_is_none(run_dir: RunDir, text: str) -> None:
    run_dir.create()
    Path(run_dir.status_path).write_text(text)
    assert run_dir.read_status() is None


def test_a_reader_never_sees_half_a_status(run_dir: RunDir) -> None:
    run_dir.create()
    run_dir.write_status(STATUS)
    done = threading.Event()

    def write() -> None:
        for length in range(300):
            run_dir.write_status(STATUS._replace(summary="x" * length * 100))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        seen.append(run_dir.read_status())
    writer.join()
    assert None not in seen


def test_a_wake_arrives(run_dir: RunDir) -> None:
    run_dir.create()
    with run_dir.bind_wake() as wake:
        assert not wait_for_wake(wake, 0)
        run_dir.wake()
        run_dir.wake()
        assert wait_for_wake(wake, 0)
        assert not wait_for_wake(wake, 0), "one wait takes all wakes"


def test_waking_nobody_is_no_error(run_dir: RunDir) -> None:
    run_dir.wake()
    run_dir.create()
    run_dir.bind_wake().close()
    run_dir.wake()


def test_waking_never_waits_for_a_sleeper(run_dir: RunDir) -> None:
    run_dir.create()
    with run_dir.bind_wake():
        begin = time.monotonic()
        for _ in range(2000):
            run_dir.wake()
        assert time.monotonic() - begin < 5


def test_a_socket_left_by_a_killed_process_is_replaced(run_dir: RunDir) -> None:
    run_dir.create()
    run_dir.bind_wake().close()
    with run_dir.bind_wake() as wake:
        run_dir.wake()
        assert wait_for_wake(wake, 0)


def test_others_may_reach_the_socket_but_not_use_it(run_dir: RunDir) -> None:
    run_dir.create()
    with run_dir.bind_wake():
        assert stat.S_IMODE(Path(run_dir.path).stat().st_mode) == 0o755
        assert stat.S_IMODE(Path(run_dir.wake_path).stat().st_mode) == 0o660


def test_clearing_leaves_only_the_lock(run_dir: RunDir) -> None:
    with run_dir.hold_lock():
        run_dir.write_status(STATUS)
        run_dir.bind_wake().close()
        run_dir.clear()
        run_dir.clear()
        assert [path.name for path in Path(run_dir.path).iterdir()] == ["lock"]


def test_clearing_what_is_not_there_is_no_error(run_dir: RunDir) -> None:
    run_dir.clear()
    assert not Path(run_dir.path).exists()


def test_the_wake_socket_is_a_datagram_socket(run_dir: RunDir) -> None:
    run_dir.create()
    with run_dir.bind_wake() as wake:
        assert wake.type == socket.SOCK_DGRAM
