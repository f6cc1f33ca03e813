"""L1: what must be true before a receipt starts a recovery."""

from novaha.core.actions import Hold, Reason
from novaha.core.model import Device, FencingEvent, Level, View
from novaha.core.policy import NOT_REAL, Policy
from novaha.core.receipt import Receipt

RECEIPT_AGENT = "fence_nova"
_ENDED = frozenset({"success", "failed"})
_POWER_ACTIONS = frozenset({"off", "reboot"})


def unproven(receipt: Receipt, view: View, policy: Policy) -> Hold | None:
    """Return why the receipt proves no fencing yet, or None when it does.

    Three things must hold: Pacemaker's fencer wrote the receipt; every level of the node that ends
    with `fence_nova` has a real device before it; the fencing history has a success as new as
    the receipt. The history's times and the receipt's come from two controllers' clocks.
    """
    if receipt.by != "fenced":
        text = "its receipt was written by hand; fence it: pcs stonith fence " + receipt.node
        return Hold(receipt.node, Reason.BY_HAND, text)
    return _level_hold(receipt, view) or _history_hold(receipt, view, policy)


def _level_hold(receipt: Receipt, view: View) -> Hold | None:
    levels = [level for level in view.cluster.levels if level.covers(receipt.node)]
    with_receipt = [level for level in levels if any(map(_writes_receipt, level.devices))]
    bad = [level for level in with_receipt if not _has_real_device(level)]
    if with_receipt and not bad:
        return None
    which = f"level {bad[0].index}" if bad else "no level"
    what = "has no real device before fence_nova" if bad else "of it has fence_nova"
    text = f"{which} {what}, so its fencing proves nothing; see: pcs stonith level"
    return Hold(receipt.node, Reason.NO_REAL_DEVICE, text)


def _writes_receipt(device: Device) -> bool:
    return device.agent == RECEIPT_AGENT


def _has_real_device(level: Level) -> bool:
    for device in level.devices:
        if _writes_receipt(device):
            return False
        if device.agent is not None and device.agent not in NOT_REAL:
            return True
    return False


def _history_hold(receipt: Receipt, view: View, policy: Policy) -> Hold | None:
    events = view.cluster.events
    if events is None:
        text = "Pacemaker's fencing history gave no answer; see: stonith_admin --history '*'"
        return Hold(receipt.node, Reason.HISTORY_UNKNOWN, text)
    if any(_answers(event, receipt, policy) for event in events):
        return None
    waited_s = view.now_s - view.memory.first_seen.get(receipt.id, view.now_s)
    if waited_s < policy.patience_s or any(_pending(event, receipt) for event in events):
        return Hold(receipt.node, Reason.FENCE_PENDING, "its fencing has not ended yet")
    text = (
        f"has a receipt but for {waited_s:.0f} s no successful fencing in Pacemaker's history;"
        f" fence it again: pcs stonith fence {receipt.node}"
    )
    return Hold(receipt.node, Reason.FENCE_UNPROVEN, text)


def _pending(event: FencingEvent, receipt: Receipt) -> bool:
    return event.target == receipt.node and event.status not in _ENDED


def _answers(event: FencingEvent, receipt: Receipt, policy: Policy) -> bool:
    return (
        event.target == receipt.node
        and event.action in _POWER_ACTIONS
        and event.status == "success"
        and event.completed_s is not None
        and event.completed_s >= receipt.written_s - policy.skew_s
    )
