"""The alert hook, run as Pacemaker runs it: by its first line, told by its environment."""

from collections.abc import Iterator
from contextlib import ExitStack
from socket import socket

import pytest
from agentnode import Node
from novaha.rundir import RunDir, wait_for_wake

HOOK = "fence/nova_ha_alert"
FENCING = {"CRM_alert_kind": "fencing", "CRM_alert_node": "compute-1", "CRM_alert_rc": "0"}


@pytest.fixture
def sleepers(node: Node) -> Iterator[tuple[socket, ...]]:
    """Return the wake sockets of two resources that wait."""
    with ExitStack() as stack:
        sockets = []
        for name in ("evac", "other"):
            run_dir = RunDir(str(node.run_root / name))
            run_dir.create()
            sockets.append(stack.enter_context(run_dir.bind_wake()))
        yield tuple(sockets)


@pytest.mark.parametrize(
    "alert",
    [
        FENCING,
        {"CRM_alert_kind": "node", "CRM_alert_desc": "lost"},
        {"CRM_alert_kind": "resource", "CRM_alert_rc": "1"},
    ],
)
def test_a_fencing_or_a_loss_wakes_every_recovery_process(
    node: Node, sleepers: tuple[socket, ...], alert: dict[str, str]
) -> None:
    assert node.run_by_path(HOOK, environ=alert).rc == 0
    assert [wait_for_wake(each, 0) for each in sleepers] == [True, True]


@pytest.mark.parametrize(
    "alert",
    [
        {"CRM_alert_kind": "resource", "CRM_alert_rc": "0"},
        {"CRM_alert_kind": "attribute"},
        {"CRM_alert_kind": "<fencing>"},
        {},
    ],
)
def test_nothing_else_wakes_it(
    node: Node, sleepers: tuple[socket, ...], alert: dict[str, str]
) -> None:
    assert node.run_by_path(HOOK, environ=alert).rc == 0
    assert [wait_for_wake(each, 0) for each in sleepers] == [False, False]


def test_it_succeeds_where_nothing_is(node: Node) -> None:
    result = node.run_by_path(HOOK, environ=FENCING)
    assert (result.rc, result.out, result.err) == (0, "", "")


def test_a_dead_neighbour_does_not_keep_others_asleep(
    node: Node, sleepers: tuple[socket, ...]
) -> None:
    sleepers[0].close()
    (node.run_root / "unfence").mkdir()
    (node.run_root / "file").write_text("in the way")
    assert node.run_by_path(HOOK, environ=FENCING).rc == 0
    assert wait_for_wake(sleepers[1], 0)


def test_a_sleeper_that_does_not_read_does_not_hold_it_up(
    node: Node, sleepers: tuple[socket, ...]
) -> None:
    run_dir = RunDir(str(node.run_root / "evac"))
    for _ in range(2000):
        run_dir.wake()
    assert node.run_by_path(HOOK, environ=FENCING).rc == 0
    assert wait_for_wake(sleepers[1], 0)
