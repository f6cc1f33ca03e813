"""What proves a fencing on a real Pacemaker, and what proves it no more."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from losses import RECOVERED_S, SERVING_S, VICTIM, WITNESS, seeded
from novaha.core.names import NodeName
from novaha.core.proof import HISTORY_KEPT
from novaha.core.receipt import Receipt, parse_receipt
from observing import Observer
from rehearsal.configure import wait_ready
from rehearsal.copies import CopyCount
from rehearsal.follow import wait_for
from rehearsal.pacemaker import Snapshot, look
from rehearsal.story import Story
from rehearsal.verdict import assert_each_moved_once, changes
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import PACEMAKER_LOG, Cluster
from testcloud.referee import fake_guests

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]

RECEIPT = f"nova-ha-receipt-{VICTIM}"
RECORD = f"nova-ha-recovery-{VICTIM}"
HOME = "controller-1"
LONGER_THAN_PATIENCE_S = 120.0
HISTORY_FULL = 500
"""With more lines than these the fencer cuts its history back to HISTORY_KEPT."""


@pytest.fixture(autouse=True)
def laws(cluster: Cluster) -> Iterator[None]:
    """Have the laws judge each test here from its beginning to its end."""
    with Observer(cluster).watching():
        yield


def recovery_runs(cluster: Cluster, *, runs: bool) -> None:
    """Have an operator enable or disable NovaEvacuate, and wait until it is so."""
    word = "enable" if runs else "disable"
    cluster.exec(HOME, ("pcs", "resource", word, "nova-evacuate"))
    wait_for(
        f"nova-evacuate to be {word}d",
        lambda: (look(cluster).where("NovaEvacuate") is not None) == runs,
        60.0,
    )


def fenced_and_back(cluster: Cluster) -> Receipt:
    """Crash the host, wait until it is fenced and has joined again, and return its receipt."""
    cluster.kill(VICTIM)

    def back(seen: Snapshot) -> bool:
        fenced = RECEIPT in seen.properties and seen.fenced(VICTIM) != ""
        return fenced and seen.nodes.get(VICTIM) == "online"

    wait_for("the host to be fenced and back", lambda: back(look(cluster)), 90.0)
    return parse_receipt(NodeName(VICTIM), look(cluster).properties[RECEIPT])


def put_receipt(cluster: Cluster, receipt: Receipt) -> None:
    """Write a receipt over the one in the CIB, as nobody ever should."""
    pair = f'<nvpair id="{RECEIPT}" name="{RECEIPT}" value="{receipt.to_value()}"/>'
    state = f'<cluster_property_set id="nova-ha-state">{pair}</cluster_property_set>'
    xml = f"<crm_config>{state}</crm_config>"
    modify = ("cibadmin", "--modify", "--allow-create", "--scope", "crm_config", "--xml-text", xml)
    cluster.exec(HOME, modify)


def shown(cluster: Cluster, words: str) -> Callable[[], bool]:
    """Return a question: does pcs status show these words as the trouble of nova-evacuate?"""
    return lambda: any(words in reason for reason in look(cluster).failures)


def assert_nothing_moves(cluster: Cluster, cloud: CloudCtl, story: Story, words: str) -> None:
    """Wait until the reason is shown; until then Nova must not have been changed."""
    wait_for(f"pcs status to show {words!r}", shown(cluster, words), LONGER_THAN_PATIENCE_S)
    assert not changes(cluster, story.crash_s)
    assert {server.host for server in cloud.servers()} == {VICTIM}


def assert_recovers(cluster: Cluster, cloud: CloudCtl, story: Story) -> None:
    """Wait until every instance runs elsewhere, moved once, and the host serves again."""

    def moved() -> bool:
        homes = {(server.status, server.host) for server in cloud.servers()}
        return all(status == "ACTIVE" and host != VICTIM for status, host in homes)

    def serves() -> bool:
        service = cloud.service(VICTIM)
        gone = not look(cluster).properties
        return gone and service.status == "enabled" and not service.forced_down

    wait_for("every instance to run elsewhere", moved, RECOVERED_S)
    wait_for("the host to serve again", serves, SERVING_S)
    assert_each_moved_once(cloud, story)


def fence_again(cluster: Cluster) -> None:
    """Do what the shown reason tells the operator to do."""
    cluster.exec(HOME, ("pcs", "stonith", "fence", VICTIM), timeout_s=90.0)


def test_a_kept_proof_outlives_a_restart_of_the_whole_cluster_and_its_history(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 4)
    with CopyCount(lambda: fake_guests(cluster.settings)) as count:
        cluster.api_stop("nova-api")
        cluster.kill(VICTIM)
        wait_for(
            "the proof to be kept",
            lambda: "phase=proven" in look(cluster).properties.get(RECORD, ""),
            60.0,
        )
        restart_controllers(cluster)
        wait_for("Pacemaker to be back", lambda: RECORD in look(cluster).properties, 60.0)
        assert not look(cluster).fencings, "the history was expected to be lost"
        cluster.api_start("nova-api")
        assert_recovers(cluster, cloud, story)
    wait_ready(cluster)
    assert not count.doubles


def restart_controllers(cluster: Cluster) -> None:
    """Switch the whole cluster off and on again, the computes excepted."""
    for node in cluster.controllers():
        cluster.kill(node)
    for node in cluster.controllers():
        cluster.start(node)
    cluster.wait_quorate()


@pytest.mark.long
def test_a_restart_of_the_whole_cluster_before_the_proof_starts_nothing_until_fenced_again(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    recovery_runs(cluster, runs=False)
    fenced_and_back(cluster)
    restart_controllers(cluster)
    assert not look(cluster).fenced(VICTIM)
    recovery_runs(cluster, runs=True)
    assert_nothing_moves(cluster, cloud, story, f"pcs stonith fence {VICTIM}")
    fence_again(cluster)
    assert_recovers(cluster, cloud, story)


def fail_fencings(cluster: Cluster, count: int) -> None:
    """Fill the history with fencings of nodes for which there is no device."""
    fence = f"seq {count} | xargs -P 4 -I{{}} stonith_admin --fence ghost-{{}} --timeout 5"
    cluster.exec(HOME, ("sh", "-c", fence), check=False, timeout_s=180.0)


def history_lines(cluster: Cluster) -> int:
    """Return how long Pacemaker's history is."""
    return len(look(cluster).fencings)


@pytest.mark.long
def test_a_history_that_was_cut_since_the_receipt_proves_by_the_time_of_the_last_success(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    """The receipt counts one success before it, which is cut away: counting tells nothing."""
    story = seeded(cluster, cloud, 2)
    recovery_runs(cluster, runs=False)
    fenced_and_back(cluster)
    fail_fencings(cluster, HISTORY_FULL - HISTORY_KEPT + 10)
    fence_again(cluster)
    receipt = parse_receipt(NodeName(VICTIM), look(cluster).properties[RECEIPT])
    assert receipt.before == 1
    long = history_lines(cluster)
    fail_fencings(cluster, HISTORY_FULL - long + 10)
    assert HISTORY_KEPT <= history_lines(cluster) < long
    seen = {(status, ended) for node, status, ended in look(cluster).fencings if node == VICTIM}
    assert [status for status, _ in seen] == ["success"], "one fencing; it may have two lines"
    recovery_runs(cluster, runs=True)
    assert_recovers(cluster, cloud, story)


def test_an_older_fencing_does_not_pay_for_a_newer_receipt(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    """One success is in the history; the receipt says that it was there already."""
    story = seeded(cluster, cloud, 2)
    recovery_runs(cluster, runs=False)
    first = fenced_and_back(cluster)
    assert first.before == 0
    put_receipt(cluster, replace(first, written_s=int(time.time()), before=1))
    recovery_runs(cluster, runs=True)
    assert_nothing_moves(cluster, cloud, story, "no successful fencing")
    fence_again(cluster)
    assert_recovers(cluster, cloud, story)


@pytest.mark.long
def test_clocks_of_controllers_that_are_hours_apart_change_nothing(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    for node, offset_s in (("controller-1", -7200), ("controller-2", 7200)):
        cluster.set_clock(node, offset_s)
    cluster.wait_quorate()
    wait_ready(cluster)
    shown = {node: cluster_time_s(cluster, node) - time.time() for node in cluster.controllers()}
    assert {node: round(off_s, -2) for node, off_s in shown.items()} == {
        "controller-1": -7200.0,
        "controller-2": 7200.0,
        "controller-3": 0.0,
    }
    story = seeded(cluster, cloud, 2)
    cluster.kill(VICTIM)
    wait_for("the receipt", lambda: RECEIPT in look(cluster, WITNESS).properties, 60.0)
    assert_recovers(cluster, cloud, story)


def cluster_time_s(cluster: Cluster, node: str) -> float:
    """Return the time on the last line that the Pacemaker of a controller has logged."""
    line = cluster.exec(node, ("tail", "-n", "1", PACEMAKER_LOG)).out
    year = datetime.now(UTC).year
    return datetime.strptime(f"{year} {line[:15]} +0000", "%Y %b %d %H:%M:%S %z").timestamp()


def test_a_receipt_is_void_once_the_node_joined_without_its_hold(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    recovery_runs(cluster, runs=False)
    receipt = fenced_and_back(cluster)
    hold = f'<rsc_location id="nova-ha-hold-{VICTIM}.{receipt.id}"/>'
    cluster.exec(HOME, ("cibadmin", "--delete", "--scope", "constraints", "--xml-text", hold))
    recovery_runs(cluster, runs=True)
    assert_nothing_moves(cluster, cloud, story, "has joined again without the hold")
    # A node must not be fenced while a start is in flight there: see README, "Why the hold is".
    wait_for("the start of the hold to have failed", shown(cluster, "still held"), 60.0)
    fence_again(cluster)
    assert_recovers(cluster, cloud, story)


def test_a_level_without_a_real_device_starts_nothing_and_is_shown(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    level = ("pcs", "stonith", "level")
    cluster.exec(HOME, (*level, "remove", "1", "target", VICTIM))
    cluster.exec(HOME, (*level, "add", "1", VICTIM, "fence-nova"))
    try:
        cluster.kill(VICTIM)
        assert_nothing_moves(cluster, cloud, story, "no real device before fence_nova")
    finally:
        cluster.exec(HOME, (*level, "remove", "1", "target", VICTIM))
        cluster.exec(HOME, (*level, "add", "1", VICTIM, f"fence-ipmi-{VICTIM}", "fence-nova"))
    fence_again(cluster)
    assert_recovers(cluster, cloud, story)
