"""What was done and what is waited for, one `key=value` line each."""

import logging

from novaha.core.actions import (
    Action,
    AddToAggregate,
    BeginRecovery,
    BootCanary,
    DeleteCanary,
    Disable,
    DropHold,
    DropWithdrawn,
    Enable,
    EndRecovery,
    EndStarts,
    Evacuate,
    ForceDown,
    ForceUp,
    Hold,
    KeepFound,
    KeepProof,
    KeepStarts,
    KeepWithdrawn,
    LiveMigrate,
    Release,
    RemoveFromAggregate,
    SetStandby,
    SetUse,
    Start,
)
from novaha.core.segments import TRUE

LOG = logging.getLogger("novaha")


class LogJournal:
    """Writes each action, and each hold when it is new or gone."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._held: dict[tuple[str, str], str] = {}

    def action(self, action: Action, outcome: str) -> None:
        """Note an action and how it ended."""
        good = outcome in ("done", "sent", "accepted")
        LOG.log(
            logging.INFO if good else logging.WARNING,
            "action=%s %s outcome=%s",
            type(action).__name__,
            describe(action),
            outcome,
        )

    def holds(self, holds: tuple[Hold, ...]) -> None:
        """Note each hold once, when it begins, and its end."""
        held = {(hold.subject, hold.reason.code): hold for hold in holds}
        for key, hold in held.items():
            if key not in self._held:
                level = logging.WARNING if hold.reason.trouble else logging.INFO
                LOG.log(level, "hold=%s subject=%s %s", hold.reason.code, hold.subject, hold.text)
        for subject, code in self._held.keys() - held.keys():
            LOG.info("hold=%s subject=%s over", code, subject)
        self._held = {key: hold.text for key, hold in held.items()}


def describe(action: Action) -> str:  # noqa: C901, PLR0911  (one line for each kind of action)
    """Return what an action is about."""
    match action:
        case Evacuate(server, host):
            to = f" to={action.to}" if action.to else ""
            forced = " forced=true" if action.forced else ""
            stopped = " stopped" if action.stopped else ""
            return f"server={server} host={host}{to}{forced}{stopped}"
        case KeepStarts(starts) | EndStarts(starts):
            return f"node={starts.node} servers={len(starts.servers)}"
        case Start(server, host) | LiveMigrate(server, host):
            return f"server={server} host={host}"
        case KeepWithdrawn(withdrawn) | DropWithdrawn(withdrawn):
            phase = withdrawn.phase.name.lower()
            return f"node={withdrawn.node} host={withdrawn.host} phase={phase}"
        case SetStandby(node, on):
            return f"node={node} on={'yes' if on else 'no'}"
        case SetUse(segment, reserved, use):
            value = use.to_value() if use else TRUE
            return f"host={reserved} segment={segment.name} value={value}"
        case AddToAggregate(aggregate, host) | RemoveFromAggregate(aggregate, host):
            return f"host={host} aggregate={aggregate.name}"
        case (
            BeginRecovery(recovery)
            | KeepFound(recovery)
            | EndRecovery(recovery)
            | Release(recovery)
        ):
            return f"node={recovery.node} host={recovery.host} receipt={recovery.receipt_id}"
        case KeepProof(proven):
            return f"node={proven.node} receipt={proven.proof.receipt_id}"
        case BootCanary() | DeleteCanary():
            return _canary(action)
        case DropHold(mark):
            return f"node={mark.node} receipt={mark.receipt_id}"
        case ForceDown(service) | Disable(service) | ForceUp(service) | Enable(service):
            return f"host={service.host}"


def _canary(action: BootCanary | DeleteCanary) -> str:
    about = f"host={action.host} receipt={action.receipt_id}"
    if isinstance(action, BootCanary):
        return about
    verdict = " passed" if action.passed else f" why={action.why}" if action.why else ""
    return f"{about} server={action.server}{verdict}"
