"""Classic InstanceHA's agents, called as Pacemaker and the agent NovaEvacuate call them.

Runs inside a controller. argv[1] is JSON: agent (options of both fence agents), power (the command
that switches the host off), host, phase_s, interval_s. Says "ready" and waits for a line, which is
the loss of the host. Then two things run beside each other, as in a cluster: the level of the host
(power off, then fence_compute, which sets the attribute), and the monitor of NovaEvacuate, first
after phase_s and then each interval_s after it ended. Over when that has set the attribute to no.

The agents are the files of the package. They call inspect.getargspec, which Python 3.11 no longer
has: it is given back to them, or they end at once.
"""

import json
import re
import resource
import subprocess
import sys
import threading
import time
from typing import Any

WITH_GETARGSPEC = """
import inspect, runpy, sys
inspect.getargspec = inspect.getfullargspec
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
TAKEN_OVER_S = 60


def main() -> None:
    """Wait for the loss, then fence and evacuate."""
    told = json.loads(sys.argv[1])
    driver = Driver(told)
    driver.forget()
    say({"event": "ready"})
    sys.stdin.readline()
    began_s = time.monotonic()
    fencing = threading.Thread(target=driver.fence)
    fencing.start()
    time.sleep(told["phase_s"])
    while not driver.monitor():
        time.sleep(told["interval_s"])
    fencing.join()
    own, children = (
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu_s = sum(u.ru_utime + u.ru_stime for u in (own, children))
    took_s = time.monotonic() - began_s
    peak_mb = children.ru_maxrss / 1024
    say({"event": "over", "cpu_s": cpu_s, "peak_mb": peak_mb, "took_s": took_s})


def say(what: dict[str, Any]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Driver:
    """What calls the agents."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Know the host."""
        self._host: str = told["host"]
        self._power: list[str] = told["power"]
        self._options: list[str] = told["agent"]

    def forget(self) -> None:
        """Forget the attribute of an earlier loss."""
        self._attribute("-N", self._host, "-D")

    def fence(self) -> None:
        """Do what the level of the host does, until it succeeds, as Pacemaker would."""
        while not (self._run("power off", *self._power) and self._compute("off")):
            time.sleep(1)

    def monitor(self) -> bool:
        """Do one monitor of NovaEvacuate; True once the host has been evacuated."""
        state = self._state()
        who, _, since = state.partition("@")
        late = since.isdigit() and time.time() - int(since) > TAKEN_OVER_S
        if state != "yes" and not late:
            say({"event": "monitor", "state": state or who})
            return False
        if not self._evacuate("status"):
            return False
        self._set(f"race@{time.time():.0f}")
        moved = self._evacuate("off")
        self._set("no" if moved else "yes")
        return moved

    def _state(self) -> str:
        shown = self._attribute("-A")
        found = re.search(rf'host="{re.escape(self._host)}" value="([^"]*)"', shown)
        return found[1] if found else ""

    def _set(self, value: str) -> None:
        self._attribute("-N", self._host, "-U", value)

    def _attribute(self, *words: str) -> str:
        argv = ("attrd_updater", "-p", "-n", "evacuate", *words)
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout

    def _compute(self, action: str) -> bool:
        return self._agent("fence_compute", action) == 0

    def _evacuate(self, action: str) -> bool:
        """Call fence_evacuate; its status is 2 where the host is off, which is no failure."""
        code = self._agent("fence_evacuate", action)
        return code != 1 if action == "status" else code == 0

    def _agent(self, name: str, action: str) -> int:
        call = ("-c", WITH_GETARGSPEC, f"/usr/sbin/{name}", *self._options)
        argv = ("/usr/bin/python3", "-W", "ignore", *call, "-n", self._host, "-o", action)
        return self._called(f"{name} {action}", argv)

    def _run(self, name: str, *argv: str) -> bool:
        return self._called(name, argv) == 0

    @staticmethod
    def _called(name: str, argv: tuple[str, ...]) -> int:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        failed = done.stderr.strip()[-500:] if done.returncode == 1 else ""
        say({"event": name, "at_s": time.time(), "code": done.returncode, "failed": failed})
        return done.returncode


if __name__ == "__main__":
    main()
