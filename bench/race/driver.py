"""A script of `inside/`, run in a container: it says when it is ready, and is told when to go."""

import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from testcloud.errors import ClusterError

_FOLDER = Path(__file__).parent / "inside"
_READY_TIMEOUT_S = 60.0
Event = dict[str, Any]


class Driver:
    """One run of a script; `events` has what it said, each a JSON object with a key `event`."""

    def __init__(self, container: str, script: str, told: Mapping[str, object]) -> None:
        """Start it, and return when it is ready; raises ClusterError if it never is."""
        source = (_FOLDER / f"{script}.py").read_text()
        argv = ("docker", "exec", "-i", container, "python3", "-c", source, json.dumps(told))
        self.events: list[Event] = []
        self._ready: queue.Queue[bool] = queue.Queue()
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            ready = self._ready.get(timeout=_READY_TIMEOUT_S)
        except queue.Empty:
            ready = False
        if not ready:
            msg = f"{script}.py in {container} was not ready: {self.close()}"
            raise ClusterError(msg)

    def go(self) -> None:
        """Say that it is time."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"go\n")
            self._process.stdin.flush()

    def last(self, event: str) -> Event | None:
        """Return the last event of this kind, None if there was none yet."""
        return next((e for e in reversed(self.events) if e["event"] == event), None)

    def ended(self) -> bool:
        """Tell whether the script has ended, well or not."""
        return self._process.poll() is not None

    def close(self) -> str:
        """End it, if it has not ended; returns the last it said on standard error."""
        self._process.kill()
        _, errors = self._process.communicate()
        return errors.decode(errors="replace")[-500:]

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it with the block."""
        self.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            event: Event = json.loads(line)
            self.events.append(event)
            if event["event"] == "ready":
                self._ready.put(item=True)
        self._ready.put(item=False)
