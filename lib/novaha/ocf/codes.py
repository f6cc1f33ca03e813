"""Exit codes of OCF 1.1, and how an operation says that it ended with one."""

from enum import IntEnum
from typing import NamedTuple


class Rc(IntEnum):
    """Exit codes; source: OCF Resource Agent API 1.1, "Exit Status Codes"."""

    SUCCESS = 0
    GENERIC = 1
    ARGS = 2
    """The parameters cannot work on this node."""
    UNIMPLEMENTED = 3
    PERMISSION = 4
    NOT_INSTALLED = 5
    """Something the agent needs is missing on this node."""
    CONFIGURED = 6
    """The parameters cannot work on any node."""
    NOT_RUNNING = 7
    DEGRADED = 190
    """Runs, and needs attention."""


class Outcome(NamedTuple):
    """How an operation ended. reason: for the operator, one line; empty when all is well."""

    rc: Rc
    reason: str = ""


OK = Outcome(Rc.SUCCESS)
