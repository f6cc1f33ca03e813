"""When each instance was back, by Nova's own database.

The database and not the API: a look costs a millisecond and takes nothing from the API, which all
contenders need. What the API calls ACTIVE is a vm_state without a task_state.
"""

import subprocess
import threading
import time
from collections.abc import Iterable
from typing import IO, Self

from testcloud import docker

_INTERVAL_S = 0.2
_END = "-- end"
_MARIADB = ("mariadb", "--socket=/run/mysqld/mysqld.sock", "-N", "-B", "--unbuffered", "nova")
_BACK = """\
SELECT uuid FROM instances
WHERE deleted = 0 AND vm_state = 'active' AND task_state IS NULL AND host <> '{host}';
SELECT '-- end';
"""


class Judge:
    """Looks five times a second while a block runs."""

    def __init__(self, cloud_container: str, host: str) -> None:
        """Start nothing yet; every instance of the cloud is on the host that will be lost."""
        self._query = _BACK.format(host=host)
        self._argv = ("docker", "exec", "-i", cloud_container, *_MARIADB)
        self._stop = threading.Event()
        self._back: dict[str, float] = {}

    def back(self) -> dict[str, float]:
        """Return when each instance that is back now came back, in seconds since the epoch."""
        return dict(self._back)

    def saw(self, at_s: float, back: Iterable[str]) -> None:
        """Take in which instances are back; one that is gone again was not back for good."""
        self._back = {uuid: self._back.get(uuid, at_s) for uuid in back}

    def __enter__(self) -> Self:
        """Begin to look."""
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._look_again, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking; the client in the container ends with its input."""
        self._stop.set()
        self._thread.join()
        self._process.communicate(timeout=10)

    def _look_again(self) -> None:
        asking, answers = self._process.stdin, self._process.stdout
        while asking and answers and not self._stop.wait(_INTERVAL_S):
            asking.write(self._query)
            asking.flush()
            rows = _until_end(answers)
            self.saw(time.time(), rows)


def _until_end(answers: IO[str]) -> list[str]:
    rows = []
    for line in answers:
        if line.strip() == _END:
            break
        rows.append(line.strip())
    return rows


def sql(cloud_container: str, statements: str) -> str:
    """Run statements as the database's administrator."""
    argv = (*_MARIADB[:-1], "-e", statements)
    return docker.execute(cloud_container, argv, timeout_s=60.0).out
