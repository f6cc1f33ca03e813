"""The cluster port on a real Pacemaker: one CIB query, and the fencing history when it matters."""

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from novaha.adapters import cib, drain
from novaha.adapters.brakestate import kept_of
from novaha.adapters.command import run
from novaha.adapters.disarm import disarms_of
from novaha.core import properties
from novaha.core.confirmation import failures_of
from novaha.core.drain import Withdrawn
from novaha.core.incarnation import Incarnation
from novaha.core.model import (
    HOLD_PREFIX,
    ClusterView,
    FencingEvent,
    HoldMark,
)
from novaha.core.names import NodeName
from novaha.core.proof import successes_of
from novaha.core.receipt import MalformedReceipt, Receipt, parse_receipt
from novaha.core.recovery import MalformedRecovery, Record, parse_record
from novaha.core.starts import MalformedStarts, Starts, parse_starts
from novaha.errors import ClusterUnavailable

HISTORY_TIMEOUT_S = 10.0
COUNT_TIMEOUT_S = 2.0
"""For fence_nova: it takes 15 ms, and a fencer that cannot tell must not hold up a fencing.

For what is only shown, too."""
DEGRADED = "190"
"""The exit code of a resource that runs and needs attention, as crm_mon prints it."""


class Pacemaker:
    """The cluster as the local controller's tools show it."""

    def observe(self) -> ClusterView:
        """Return the cluster now.

        The history is asked for only when a receipt needs proof, or a node is away without one.
        """
        root = cib.query()
        receipts, bad_receipts = _receipts(root)
        records, bad_records = records_of(root)
        starts, bad_starts = _starts(root)
        cited = {record.proof.receipt_id for record in records}
        need_proof = any(receipt.id not in cited for receipt in receipts)
        kept, now_s = kept_of(root), time.time()
        online, lives, braked = online_of(root), lives_of(root), kept.held(now_s)
        silent = lives.keys() - online - dict(braked).keys() - {r.node for r in receipts}
        # What is only shown must not hold up what is done.
        wait_s = HISTORY_TIMEOUT_S if need_proof else COUNT_TIMEOUT_S
        events = history(timeout_s=wait_s) if need_proof or silent else None
        return ClusterView(
            quorate=root.get("have-quorum") == "1",
            receipts=receipts,
            records=records,
            malformed=(*bad_receipts, *bad_records, *bad_starts),
            marks=tuple(_marks(root)),
            levels=tuple(cib.levels_of(root)),
            online=online,
            lives=lives,
            events=events,
            braked=braked,
            released=kept.released(now_s),
            disarmed=disarms_of(root).good(now_s),
            failing=tuple(_failing(silent, events or ())),
            starts=starts,
            drains=drain.drains_of(root),
            withdrawn=drain.withdrawn_of(root),
            health={node: health for node, health in drain.health_of_nodes(root) if node in lives},
            standby=drain.standby_of(root) & lives.keys(),
        )

    def write_record(self, record: Record) -> None:
        """Keep the record of a recovery."""
        cib.write_record(record)

    def delete_receipt(self, receipt: Receipt) -> None:
        """Delete exactly this receipt."""
        cib.delete_receipt(receipt)

    def delete_record(self, record: Record) -> None:
        """Delete exactly this record."""
        cib.delete_record(record)

    def delete_hold(self, mark: HoldMark) -> None:
        """Delete a hold."""
        cib.delete_hold(mark.id)

    def write_starts(self, starts: Starts) -> None:
        """Keep what has to be started."""
        cib.write_starts(starts)

    def delete_starts(self, starts: Starts) -> None:
        """Delete exactly this record of starts."""
        cib.delete_starts(starts)

    def write_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Keep what was taken of a node."""
        drain.write_withdrawn(withdrawn)

    def delete_withdrawn(self, withdrawn: Withdrawn) -> None:
        """Delete exactly this."""
        drain.delete_withdrawn(withdrawn)

    def set_standby(self, node: NodeName, *, on: bool) -> None:
        """Set a node in standby as `pcs node standby` does, or take that back."""
        drain.set_standby(node, on=on)


def clean_up(resource: str) -> frozenset[str]:
    """Have Pacemaker forget what it shows of a degraded resource, and look at that again.

    Returns the nodes where it showed that. A monitor that stays degraded is not reported again, so
    that its first reason would be shown for ever, even after its end or a restart (seen with
    2.1.5). The resource is not restarted by this. Raises ClusterUnavailable.
    """
    nodes = _degraded(resource)
    for node in sorted(nodes):
        argv = ["crm_resource", "--cleanup", "--resource", resource, "--node", node]
        run(argv, timeout_s=cib.TIMEOUT_S)
    return nodes


def _degraded(resource: str) -> frozenset[str]:
    """Return the nodes where a resource is shown as degraded; real failures are none of ours."""
    failures = _crm_mon("failures", cib.TIMEOUT_S).iterfind("failures/failure")
    return frozenset(
        failure.get("node", "")
        for failure in failures
        if failure.get("exitcode") == DEGRADED
        and failure.get("op_key", "").rsplit("_", 2)[0] == resource
    )


def _crm_mon(section: str, timeout_s: float) -> ET.Element:
    """Return one section of what `pcs status` shows."""
    argv = ["crm_mon", "--one-shot", "--output-as=xml", "--exclude=all", f"--include={section}"]
    return cib.parse(run(argv, timeout_s=timeout_s), argv[0])


def fencings_of(node: NodeName) -> int | None:
    """Return how many successful fencings of a node the history shows, if it answers at once."""
    events = history(node, COUNT_TIMEOUT_S)
    return None if events is None else len(successes_of(node, events))


def unclean_nodes(timeout_s: float = cib.TIMEOUT_S) -> dict[NodeName, bool]:
    """Return the nodes that Pacemaker's own rules want fenced, and whether each is remote."""
    nodes = _crm_mon("nodes", timeout_s).iterfind("nodes/node")
    return {
        NodeName(node.get("name", "")): node.get("type") == "remote"
        for node in nodes
        if node.get("unclean") == "true"
    }


def _failing(
    nodes: Iterable[NodeName], events: tuple[FencingEvent, ...]
) -> Iterator[tuple[NodeName, str]]:
    """Yield those of the nodes whose fencing fails; Pacemaker is asked who is lost if any does."""
    failures = {node: failed for node in sorted(nodes) if (failed := failures_of(node, events))}
    lost: Collection[NodeName] = ()
    if failures:
        with suppress(ClusterUnavailable):
            lost = unclean_nodes(COUNT_TIMEOUT_S)
    yield from ((node, failed[-1].reason) for node, failed in failures.items() if node in lost)


def _receipts(root: ET.Element) -> tuple[tuple[Receipt, ...], list[tuple[NodeName, str]]]:
    good, bad = [], []
    for node, value in cib.properties_of(root, properties.RECEIPT_PREFIX):
        try:
            good.append(parse_receipt(node, value))
        except MalformedReceipt as error:
            bad.append((node, _mend(str(error), properties.RECEIPT_PREFIX, node)))
    return tuple(good), bad


def records_of(root: ET.Element) -> tuple[tuple[Record, ...], list[tuple[NodeName, str]]]:
    """Return the records of a CIB, and what stands there as one and cannot be read."""
    good: list[Record] = []
    bad: list[tuple[NodeName, str]] = []
    for node, value in cib.properties_of(root, properties.RECOVERY_PREFIX):
        try:
            good.append(parse_record(node, value))
        except MalformedRecovery as error:
            bad.append((node, _mend(str(error), properties.RECOVERY_PREFIX, node)))
    return tuple(good), bad


def _starts(root: ET.Element) -> tuple[tuple[Starts, ...], list[tuple[NodeName, str]]]:
    good: list[Starts] = []
    bad: list[tuple[NodeName, str]] = []
    for node, value in cib.properties_of(root, properties.STARTS_PREFIX):
        try:
            good.append(parse_starts(node, value))
        except MalformedStarts as error:
            bad.append((node, _mend(str(error), properties.STARTS_PREFIX, node)))
    return tuple(good), bad


def _mend(text: str, prefix: str, node: NodeName) -> str:
    # What to do comes first: pcs status shows some 127 characters.
    return f"malformed, delete: cibadmin -D -X '<nvpair id=\"{prefix}{node}\"/>'; {text}"


def _marks(root: ET.Element) -> Iterable[HoldMark]:
    for constraint in root.iterfind("./configuration/constraints/rsc_location"):
        id_, node = constraint.get("id", ""), constraint.get("node", "")
        if id_.startswith(HOLD_PREFIX) and "." in id_:
            yield HoldMark(id_, NodeName(node), id_.rsplit(".", 1)[1])


def online_of(root: ET.Element) -> frozenset[NodeName]:
    """Return the members; `in_ccm` is "true" up to Pacemaker 2.1.6, later the time of joining."""
    states = root.iterfind("./status/node_state")
    joined = (state for state in states if state.get("in_ccm", "false") not in ("false", "0"))
    return frozenset(NodeName(state.get("uname", "")) for state in joined)


def lives_of(root: ET.Element) -> dict[NodeName, Incarnation]:
    """Return the incarnation of every remote node."""
    connections = root.iterfind("./configuration/resources//primitive[@type='remote']")
    names = {connection.get("id", "") for connection in connections}
    keys: dict[str, set[str]] = {name: set() for name in names}
    for resource in root.iterfind("./status/node_state/lrm/lrm_resources/lrm_resource"):
        name = resource.get("id", "")
        if name in names:
            keys[name] |= cib.successful_starts(resource)
    return {NodeName(name): Incarnation.of(frozenset(found)) for name, found in keys.items()}


def history(
    node: NodeName | None = None, timeout_s: float = HISTORY_TIMEOUT_S
) -> tuple[FencingEvent, ...] | None:
    """Return the fencing history, of one node or all, or None when the fencer gives no answer.

    Without --verbose only the newest success of the whole answer is printed, so that a fencing of
    one node would hide that of another (stonith_admin 2.1.5 and 3.0.2, pcmk__fence_history).
    """
    argv = ["stonith_admin", "--history", node or "*", "--verbose", "--output-as=xml"]
    try:
        root = cib.parse(run(argv, timeout_s=timeout_s), argv[0])
    except ClusterUnavailable:
        return None
    return tuple(map(_event, root.iter("fence_event")))


def _event(element: ET.Element) -> FencingEvent:
    return FencingEvent(
        NodeName(element.get("target", "")),
        element.get("action", ""),
        element.get("status", ""),
        _epoch_s(element.get("completed")),
        element.get("exit-reason", ""),
        element.get("origin", ""),
        element.get("delegate", ""),
        element.get("client", ""),
    )


def _epoch_s(text: str | None) -> float | None:
    """Read a time as stonith_admin prints it; one that cannot be read counts as not completed."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
