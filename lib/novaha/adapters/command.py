"""The only place that runs another program."""

import subprocess
from collections.abc import Sequence

from novaha.errors import ClusterUnavailable


def run(argv: Sequence[str], *, timeout_s: float, stdin: str | None = None) -> str:
    """Run a tool of the cluster and return its standard output.

    timeout_s: seconds until it is killed. Raises ClusterUnavailable when it cannot be started,
    does not end in time or exits with anything but 0; the text carries its last line of stderr.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        msg = f"{argv[0]} is not installed on this node"
        raise ClusterUnavailable(msg) from error
    except OSError as error:
        msg = f"{argv[0]} cannot be started: {error.strerror}"
        raise ClusterUnavailable(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = f"{argv[0]} did not end within {timeout_s:g} s"
        raise ClusterUnavailable(msg) from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["no message"]
        msg = f"{argv[0]} failed ({done.returncode}): {last[0][:200]}"
        raise ClusterUnavailable(msg)
    return done.stdout
