"""Which instances can be live-migrated off a host that serves: the one table of it.

Nova takes what is active or paused and has no task; a lock does not stop an administrator.
docs/drain.md is drawn from this table.
Source: nova/compute/api.py (live_migrate, check_instance_state, check_instance_lock), 34.0.
"""

from enum import Enum
from typing import NamedTuple

from novaha.core.details import Details


class Leave(Enum):
    """How an instance leaves a host that is drained; the value says it in words."""

    MOVING = "is on its way"
    MOVE = "live-migrated"
    LATER = "live-migrated as soon as that is over"
    STAY = "stays"


class LiveRule(NamedTuple):
    """What becomes of instances in some states; any where empty. helps: what a person can do."""

    vm_states: tuple[str, ...]
    task_states: tuple[str, ...]
    leave: Leave
    helps: str


_COLD = "openstack server migrate moves it, down"

LIVE_RULES: tuple[LiveRule, ...] = (
    LiveRule((), ("migrating",), Leave.MOVING, "whoever asked for it; it counts as one of ours"),
    LiveRule((), ("deleting", "soft-deleting"), Leave.LATER, "its user is deleting it"),
    LiveRule(("building",), (), Leave.LATER, "it is being built; where that hangs, delete it"),
    LiveRule(("active", "paused"), (), Leave.MOVE, "it stays active, or paused; a lock stays, too"),
    LiveRule(("stopped",), (), Leave.STAY, f"it is down: {_COLD}; or start it"),
    LiveRule(("suspended",), (), Leave.STAY, "openstack server resume, and it follows"),
    LiveRule(("rescued",), (), Leave.STAY, "openstack server unrescue, and it follows"),
    LiveRule(("error",), (), Leave.STAY, "openstack server set --state active, if it runs well"),
    LiveRule(
        ("resized",), (), Leave.STAY, "openstack server resize confirm, or revert, and it follows"
    ),
    LiveRule(("shelved",), (), Leave.STAY, "openstack server unshelve, once the host is drained"),
    LiveRule(("soft-delete",), (), Leave.STAY, "it is deleted and can be restored"),
)
"""The first rule that fits counts; of those after the first two, none fits while a task runs."""

BUSY = LiveRule((), ("any other",), Leave.LATER, "Nova refuses while a task runs")
UNKNOWN = LiveRule((), (), Leave.STAY, "Nova does not live-migrate it in this state")
"""For a state that a Nova newer than this knows."""

_WITH_A_TASK = 3
"""So many of the rules count whatever task runs."""


def live_rule_of(details: Details) -> LiveRule:
    """Return whether and how an instance leaves."""
    known = LIVE_RULES if not details.task_state else LIVE_RULES[:_WITH_A_TASK]
    found = (rule for rule in known if _fits(rule, details))
    return next(found, BUSY if details.task_state else UNKNOWN)


def _fits(rule: LiveRule, details: Details) -> bool:
    if rule.vm_states and details.vm_state not in rule.vm_states:
        return False
    return not rule.task_states or details.task_state in rule.task_states
