"""What Nova tells about instances that were evacuated and left stopped, read from its answers."""

from collections.abc import Iterable, Mapping
from typing import Any

BAD_REQUEST, NOT_FOUND, CONFLICT = 400, 404, 409

ACTIONS = 20
"""So many of an instance's newest actions are looked at."""

STOP, EVACUATE = "stop", "evacuate"
"""Nova's own switching off in an evacuation is no action, but an event of that evacuation; a guest
that switches itself off is a `stop` by Nova. Source: nova/compute/instance_actions.py, 34.0.
"""


def action_of(raw: Mapping[str, Any]) -> str:
    """Return the name of an action. Source: Compute API "List Actions For Server"."""
    return str(raw["action"])


def stopped_since(actions: Iterable[str]) -> bool:
    """Tell whether an instance was stopped after its newest evacuation.

    actions: the newest first, as Nova lists them.
    """
    newest = next((action for action in actions if action in (STOP, EVACUATE)), EVACUATE)
    return newest == STOP


def is_too_old(text: str) -> bool:
    """Tell whether Nova refuses because a part of it cannot leave an instance stopped.

    Source: nova/exception.py, NotSupportedComputeForEvacuateV295 (400) and UnsupportedRPCVersion
    (409), 27.0 to 34.0.
    """
    return "microversion 2.95" in text or "Unsupported RPC version" in text


def is_active(text: str) -> bool:
    """Tell whether Nova refuses a start because the instance runs."""
    return "vm_state active" in text
