"""Stand-in for the recovery process: it keeps its side of novaha.rundir and does nothing else.

STANDIN says how it behaves: ok, degraded, child (leaves a child that ignores TERM), deaf (ignores
TERM), silent (takes the lock, reports nothing), stuck (reports once), or exit:<code>:<text>.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

from novaha.rundir import RunDir, Status, wait_for_wake

CHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def main() -> int:
    """Behave as told until TERM."""
    behaviour = os.environ.get("STANDIN", "ok")
    if behaviour.startswith("exit:"):
        _, code, text = behaviour.split(":", 2)
        sys.stderr.write(f"{text}\n")
        return int(code)
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir")
    run_dir = RunDir(parser.parse_known_args()[0].run_dir)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "deaf" else stop)
    with run_dir.hold_lock():
        serve(run_dir, behaviour)
    return 0


def stop(*_: object) -> None:
    """End at once and in order."""
    sys.exit(0)


def serve(run_dir: RunDir, behaviour: str) -> None:
    """Report, and report again when woken."""
    if behaviour == "child":
        subprocess.Popen([sys.executable, "-c", CHILD])
    if behaviour == "silent":
        time.sleep(60)
    wake = run_dir.bind_wake()
    wakes = 0
    while True:
        run_dir.write_status(status(behaviour, f"woken {wakes} times"))
        if behaviour == "stuck":
            time.sleep(60)
        wakes += wait_for_wake(wake, 1.0)


def status(behaviour: str, summary: str) -> Status:
    """Return a report in good or bad health."""
    if behaviour == "degraded":
        reason = "vm-1 blocked: no valid host"
        return Status(os.getpid(), time.monotonic(), "degraded", reason, summary)
    return Status(os.getpid(), time.monotonic(), "ok", "", summary)


if __name__ == "__main__":
    sys.exit(main())
