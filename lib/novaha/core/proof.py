"""L1: what must be true before a receipt starts a recovery, and what voids it again."""

from collections.abc import Iterable, Mapping
from itertools import takewhile

from novaha.core.actions import Hold
from novaha.core.incarnation import Incarnation
from novaha.core.model import Device, FencingEvent, HoldMark, Level, View
from novaha.core.names import NodeName
from novaha.core.policy import NOT_REAL, Policy
from novaha.core.reasons import Reason
from novaha.core.receipt import Receipt
from novaha.core.recovery import Proof, Record

RECEIPT_AGENT = "fence_nova"
_ENDED = frozenset({"success", "failed"})
POWER_ACTIONS = frozenset({"off", "reboot"})

SECOND_HALF = "on"
THE_CLUSTER = "pacemaker-controld"
"""A reboot that Pacemaker does as off and on: a controller whose fencer starts in its second half
takes over its line as it stands then, and shows that fencing as "on" for ever, with its success.
Source: stonith_local_history_diff_and_merge (fenced_history.c) copies the action of the half that
runs; with 2.1.5 a line of the first half, "off", of such a reboot was seen, and a host that stayed
without proof on a controller that had just joined. A person's own "on" (stonith_admin --unfence) is
none.
"""

A_HUMAN = "a human"
"""Who did a fencing that a person confirmed. Source: stonith_manual_ack, fenced_remote.c, 2.1.5."""

HISTORY_KEPT = 250
"""To so many lines Pacemaker cuts its history back when it has 500. A shorter one is whole.

Source: MAX_STONITH_HISTORY in daemons/fenced/fenced_history.c, 2.1.5.
"""


MERGED_S = 1.0
"""Lines of one fencing are not further apart, in whole seconds; no node is fenced twice so fast."""


def prove(receipt: Receipt, view: View, policy: Policy) -> Proof | Hold:
    """Return what the receipt proves, or why it proves no fencing (yet).

    Four things must hold: Pacemaker's fencer wrote the receipt; every level of the node with
    `fence_nova` had a real device before it then; the fencing history has a success of this
    fencing; and its hold has kept nova-compute off the node since. In place of the first two
    a person may stand who confirmed that it is off, and then the success must be of a person, too.
    """
    if receipt.by == "hand":
        text = "its receipt was written by hand; fence it: pcs stonith fence " + receipt.node
        return Hold(receipt.node, Reason.BY_HAND, text)
    devices = _devices(receipt)
    if isinstance(devices, Hold):
        return devices
    event = _success(receipt, view, policy)
    if isinstance(event, Hold):
        return event
    if not _held(view, receipt.node, receipt.id):
        return void(view, receipt.node, receipt.id, receipt.life)
    ended_s, origin = int(event.completed_s or 0), event.origin or "-"
    fencings = _fencings(receipt.node, view, ended_s - policy.flap_window_s)
    return Proof(receipt.id, event.action, ended_s, origin, devices, receipt.life, fencings)


def _fencings(node: NodeName, view: View, since_s: float) -> int:
    """Return how often a node was fenced since a moment, the last time included."""
    successes = successes_of(node, view.cluster.events or ())
    return max(sum((event.completed_s or 0.0) > since_s for event in successes), 1)


def is_void(record: Record, view: View) -> bool:
    """Tell whether nova-compute may have run on the node since the fencing its record cites."""
    return not _held(view, record.node, record.proof.receipt_id)


def is_off(record: Record, lives: Mapping[NodeName, Incarnation]) -> bool:
    """Tell whether a node's last life is proven to be over and it has surely not joined since."""
    before, now = record.proof.life, lives.get(record.node)
    return before is not None and now is not None and not now.joined_since(before)


def void(view: View, node: NodeName, receipt_id: str, life: Incarnation | None) -> Hold:
    """Return the hold for a fencing that proves nothing about what runs on the node now."""
    now, online = view.cluster.lives.get(node), node in view.cluster.online
    joined = online if now is None or life is None else now.joined_since(life)
    happened = (
        f"has joined again without the hold of receipt {receipt_id}: what runs there now was not"
        " fenced"
        if joined
        else f"the hold of receipt {receipt_id} was deleted: nothing keeps nova-compute off it"
    )
    text = (
        f"{happened}; if it serves, delete its nova-ha-receipt and -recovery properties, else"
        f" pcs stonith fence {node}"
    )
    return Hold(node, Reason.RECEIPT_VOID, text)


def _held(view: View, node: NodeName, receipt_id: str) -> bool:
    """Tell whether nova-compute was kept off a node all the time since a fencing.

    A node that joined again while its hold stood is still as dead for Nova as when it was off. The
    hold is written with the receipt and its name carries it, so one that was removed cannot be
    back. Whether the node joined meanwhile cannot be asked: Pacemaker forgets it with the
    connection, and all of it when the whole cluster restarts.
    """
    return HoldMark.of(node, receipt_id) in view.cluster.marks


def _devices(receipt: Receipt) -> tuple[str, ...] | Hold:
    """Return the real devices that stood before fence_nova when the receipt was written."""
    if receipt.devices:
        return receipt.devices
    had = "could not be read" if receipt.devices is None else "had no real device before fence_nova"
    text = (
        f"its level {had} when it was fenced, which proves nothing; see pcs stonith level, then:"
        f" pcs stonith fence {receipt.node}"
    )
    return Hold(receipt.node, Reason.NO_REAL_DEVICE, text)


def real_devices(node: NodeName, levels: Iterable[Level]) -> tuple[str, ...]:
    """Return the real devices before fence_nova in the node's levels that write receipts.

    None tells which level was used, so that one without a real device spoils the others: ().
    """
    mine = (level.devices for level in levels if level.covers(node))
    real = [_before_receipt(devices) for devices in mine if any(map(_writes_receipt, devices))]
    return tuple(dict.fromkeys(id_ for ids in real for id_ in ids)) if all(real) else ()


def _writes_receipt(device: Device) -> bool:
    return device.agent == RECEIPT_AGENT


def _before_receipt(devices: tuple[Device, ...]) -> list[str]:
    before = takewhile(lambda device: not _writes_receipt(device), devices)
    return [d.id for d in before if d.agent is not None and d.agent not in NOT_REAL]


def _success(receipt: Receipt, view: View, policy: Policy) -> FencingEvent | Hold:
    """Return the line of the history that says that this fencing succeeded."""
    events = view.cluster.events
    if events is None:
        text = "Pacemaker's fencing history gave no answer; see: stonith_admin --history '*'"
        return Hold(receipt.node, Reason.HISTORY_UNKNOWN, text)
    successes = successes_of(receipt.node, events)
    newer = successes and _is_newer(receipt, successes, len(events), policy)
    if newer and (receipt.by != "person" or successes[-1].delegate == A_HUMAN):
        return successes[-1]
    waited_s = view.now_s - view.memory.first_seen.get(receipt.id, view.now_s)
    if waited_s < policy.patience_s or any(_pending(event, receipt) for event in events):
        return Hold(receipt.node, Reason.FENCE_PENDING, "its fencing has not ended yet")
    text = (
        f"has a receipt but for {waited_s:.0f} s no successful fencing in Pacemaker's history;"
        f" fence it again: pcs stonith fence {receipt.node}"
    )
    return Hold(receipt.node, Reason.FENCE_UNPROVEN, text)


def successes_of(node: NodeName, events: tuple[FencingEvent, ...]) -> list[FencingEvent]:
    """Return the fencings of a node that succeeded, the newest one last.

    A fencing that several had asked for, a person and the cluster, has a line for each of them, but
    on one controller only: counted so, the controllers would not agree on how many there were.
    """
    mine = [event for event in events if event.target == node and _succeeded(event)]
    found: list[FencingEvent] = []
    for event in sorted(mine, key=lambda event: event.completed_s or 0.0):
        if found and (event.completed_s or 0.0) - (found[-1].completed_s or 0.0) <= MERGED_S:
            found.pop()
        found.append(event)
    return found


def _succeeded(event: FencingEvent) -> bool:
    ended = event.status == "success" and event.completed_s is not None
    half = event.action == SECOND_HALF and event.client.startswith(THE_CLUSTER)
    return ended and (half or event.action in POWER_ACTIONS)


def _is_newer(receipt: Receipt, successes: list[FencingEvent], lines: int, policy: Policy) -> bool:
    """Tell whether one of the successes ended after the receipt was written.

    One more success than there was then says so without any clock. Clocks of two controllers are
    compared only where counting cannot tell: the history was cut since, or fence_nova did not
    learn the number.
    """
    if receipt.before is not None and len(successes) > receipt.before:
        return True
    if receipt.before is not None and lines < HISTORY_KEPT:
        return False
    return (successes[-1].completed_s or 0.0) >= receipt.written_s - policy.skew_s


def _pending(event: FencingEvent, receipt: Receipt) -> bool:
    return event.target == receipt.node and event.status not in _ENDED
