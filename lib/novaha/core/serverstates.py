"""What becomes of an instance in each state that Nova knows: the one table of it.

Nova evacuates what is active, stopped or in error, and from 26.0 on whatever task runs: most tasks
died with their host. docs/instances.md is drawn from this table.
Source: nova/compute/vm_states.py, task_states.py and api.py (evacuate), 34.0.
"""

from enum import Enum
from typing import NamedTuple

from novaha.core.details import Details


class Step(Enum):
    """What is done with an instance; the value says it in words."""

    EVACUATE = "evacuated"
    RESET = "its state is reset to active, then evacuated"
    STAY = "not touched; it goes back to its host"
    UNSAFE = "not touched; its host is held"


class Rule(NamedTuple):
    """What becomes of the instances in some states.

    vm_states, task_states: any where empty. ends: what the instance is in the end, or what a person
    can do about it.
    """

    vm_states: tuple[str, ...]
    task_states: tuple[str, ...]
    step: Step
    ends: str


RESET_STATE = "openstack server set --state active"

RULES: tuple[Rule, ...] = (
    Rule(
        (),
        ("migrating",),
        Step.UNSAFE,
        "it was live-migrated when its host died and may run on the other host: where no guest of"
        f" it runs there (virsh list), {RESET_STATE}",
    ),
    Rule(
        (),
        ("deleting", "soft-deleting"),
        Step.STAY,
        "its user has deleted it: delete it once more, which Nova does at once while the host is"
        " down, or its host does it",
    ),
    Rule(
        ("soft-delete", "deleted"),
        (),
        Step.STAY,
        "it is deleted and can be restored once its host is back (openstack server restore)",
    ),
    Rule(
        ("building",),
        (),
        Step.STAY,
        "it was being built and was never there: delete it and create it anew",
    ),
    Rule(
        (),
        ("resize_migrated", "resize_finish", "resize_reverting", "resize_confirming"),
        Step.STAY,
        f"it was being resized to this host: {RESET_STATE} has it evacuated with what its new disk"
        " holds",
    ),
    Rule(
        ("resized",),
        (),
        Step.STAY,
        "its resize waits to be confirmed: confirm it (openstack server resize confirm) and it is"
        " evacuated; then it cannot be reverted any more",
    ),
    Rule(
        ("shelved", "shelved_offloaded"),
        (),
        Step.STAY,
        f"it is shelved, its snapshot is in Glance: {RESET_STATE} has it evacuated all the same",
    ),
    Rule(
        ("paused", "suspended", "rescued"),
        (),
        Step.RESET,
        "active, booted from its own disk; what its memory held was lost with its host",
    ),
    Rule(("active",), (), Step.EVACUATE, "active"),
    Rule(("stopped",), (), Step.EVACUATE, "stopped"),
    Rule(("error",), (), Step.EVACUATE, "active"),
)
"""The first rule that fits counts."""

UNKNOWN = Rule((), (), Step.STAY, f"Nova does not evacuate it in this state: {RESET_STATE} helps")
"""For a state that a Nova newer than this knows."""


def rule_of(details: Details) -> Rule:
    """Return what becomes of an instance."""
    return next((rule for rule in RULES if _fits(rule, details)), UNKNOWN)


def _fits(rule: Rule, details: Details) -> bool:
    if rule.vm_states and details.vm_state not in rule.vm_states:
        return False
    return not rule.task_states or details.task_state in rule.task_states


def told(details: Details) -> str:
    """Return the state in Nova's words."""
    task = f" ({details.task_state})" if details.task_state else ""
    return f"{details.vm_state}{task}"
