"""Where an agent's log lines go: what Pacemaker set up through HA_LOGFACILITY and HA_LOGFILE."""

import os
import sys
import syslog
import time
from collections.abc import Mapping

_PRIORITIES = {"info": syslog.LOG_INFO, "warning": syslog.LOG_WARNING, "error": syslog.LOG_ERR}


def log(environ: Mapping[str, str], tag: str, level: str, message: str) -> None:
    """Write one line; level is info, warning or error.

    Without a facility and a file, as when a person runs the agent, the line goes to stderr. A log
    that cannot be written is no reason to fail an operation.
    """
    line = " ".join(message.split())
    facility = environ.get("HA_LOGFACILITY", "none")
    path = environ.get("HA_LOGFILE", "none")
    if facility in {"", "none"} and path in {"", "none"}:
        sys.stderr.write(f"{level}: {line}\n")
        return
    if facility not in {"", "none"}:
        number = getattr(syslog, f"LOG_{facility.upper()}", syslog.LOG_DAEMON)
        syslog.openlog(tag, syslog.LOG_PID, number)
        syslog.syslog(_PRIORITIES[level], line)
    if path not in {"", "none"}:
        _append(path, f"{time.strftime('%b %d %T')} {tag}[{os.getpid()}]: {level}: {line}\n")


def _append(path: str, line: str) -> None:
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        sys.stderr.write(f"warning: cannot write {path}: {error.strerror}\n{line}")
