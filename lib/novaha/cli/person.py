"""Who sits before a command, why they do it, and where that is written down."""

import argparse
import getpass
import os
import re
import sys
import syslog

from novaha.cli.codes import BAD_INPUT
from novaha.core.brakestate import MAX_WHY
from novaha.errors import ConfigError


def who() -> str:
    """Return who sits before it, as one word."""
    name = os.environ.get("SUDO_USER") or getpass.getuser()
    return re.sub(r"[^A-Za-z0-9_.@-]", "_", name)[:64] or "unknown"


def must_be_root() -> None:
    """Refuse anybody else; raises ConfigError."""
    if os.geteuid() != 0:
        msg = "only root may ask the cluster: run it as root"
        raise ConfigError(msg)


def note(text: str) -> None:
    """Write what was done, and by whom, into the system's log."""
    syslog.openlog("nova-ha", syslog.LOG_PID, syslog.LOG_DAEMON)
    syslog.syslog(syslog.LOG_NOTICE, text)


def wrong(text: str) -> int:
    """Tell what makes no sense; returns the exit code."""
    sys.stderr.write(f"nova-ha: {text}\n")
    return BAD_INPUT


def words(text: str) -> str:
    """Read a reason: one line; raises ArgumentTypeError."""
    if not text.strip() or not text.isprintable() or len(text) > MAX_WHY:
        msg = f"must be one line of 1 to {MAX_WHY} printable characters"
        raise argparse.ArgumentTypeError(msg)
    return text.strip()
