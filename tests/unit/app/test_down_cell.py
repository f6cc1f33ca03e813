"""L2, L3, L7: while Nova's cell is down nothing that Nova leaves out is taken for gone."""

from dataclasses import replace

import fakeworld
import pytest
from fakeports import FakeCloud, Fault, Process
from fakeworld import World
from novaha.core.model import Migration, Server, Service
from novaha.core.names import ComputeHost, ServerId
from novaha.core.reasons import Reason
from novaha.core.recovery import Recovery
from novaha.errors import CloudUnavailable
from recoveries import assert_recovered, host, left_on_is_empty, process, reasons, world


class Cell:
    """The only cell of the cloud, as the adapter shows it."""

    def __init__(self, patch: pytest.MonkeyPatch, of: World) -> None:
        """Stand between the process and the world."""
        self.down = False
        services, servers, records = FakeCloud.services, FakeCloud.servers, FakeCloud.migrations
        evacuate = of.evacuate

        def hidden(cloud: FakeCloud) -> tuple[Service, ...]:
            shown = services(cloud)
            return tuple(replace(s, hidden=True) for s in shown) if self.down else shown

        def listed(
            cloud: FakeCloud, at: ComputeHost, *, details: bool = False
        ) -> tuple[Server, ...]:
            self.answer()
            return servers(cloud, at, details=details)

        def moved(cloud: FakeCloud, at: ComputeHost) -> tuple[Migration, ...]:
            self.answer()
            return records(cloud, at)

        def sent(server: ServerId) -> None:
            self.answer()
            evacuate(server)

        patch.setattr(FakeCloud, "services", hidden)
        patch.setattr(FakeCloud, "servers", listed)
        patch.setattr(FakeCloud, "migrations", moved)
        patch.setattr(of, "evacuate", sent)

    def answer(self) -> None:
        """Fail as long as the cell is down."""
        if self.down:
            msg = "the cell is down"
            raise CloudUnavailable(msg)

    def falls(self, run: Process, at_s: float, for_s: float) -> None:
        """Have the cell down for a while."""
        run.world.later(at_s, lambda: setattr(self, "down", True))
        run.world.later(at_s + for_s, lambda: setattr(self, "down", False))


def lose_beside(
    patch: pytest.MonkeyPatch,
    it: World,
    at_s: float,
    for_s: float,
    *faults: Fault,
    second_s: float | None = None,
) -> None:
    """Lose a host, and a second one later, while the cell is down; all are recovered lawfully."""
    cell, run = Cell(patch, it), process(it, *faults)
    it.fence("compute-0")
    cell.falls(run, at_s, for_s)
    if second_s is not None:
        it.later(second_s, lambda: it.fence("compute-1"))
    run.run(1000)
    assert it.violations == []
    assert left_on_is_empty(it, "compute-0")
    assert second_s is None or left_on_is_empty(it, "compute-1")


@pytest.mark.parametrize("for_s", [5, 20, 60, 120])
@pytest.mark.parametrize("at_s", [0.0, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0])
@pytest.mark.parametrize("back_s", [12.0, 1e9])
def test_a_cell_that_is_down_for_a_while_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, at_s: float, for_s: float, back_s: float
) -> None:
    it = world(20)
    it.back_s = back_s
    lose_beside(monkeypatch, it, at_s, for_s)


def test_no_host_starts_beside_evacuations_that_a_down_cell_hides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fakeworld, "MOVE_S", 120.0)
    lose_beside(monkeypatch, world(8), 20, 60)


@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.REPLY_LOST])
@pytest.mark.parametrize("call", range(0, 60, 4))
def test_neither_a_kill_nor_a_lost_reply_nor_a_second_loss_meanwhile_loses_anything(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, call: int
) -> None:
    none = [Fault.NONE] * call
    lose_beside(monkeypatch, world(10, 5), 1.0, 60, *none, fault, second_s=30.0)


def test_a_cell_that_falls_after_the_last_list_lets_no_host_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = world(2)
    cell, run = Cell(monkeypatch, it), process(it)
    it.fence("compute-0")
    run.run(120, lambda: left_on_is_empty(it, "compute-0"))
    lists = FakeCloud.servers

    def last(cloud: FakeCloud, at: ComputeHost, *, details: bool = False) -> tuple[Server, ...]:
        listed = lists(cloud, at, details=details)
        cell.down = True
        return listed

    with monkeypatch.context() as patch:
        patch.setattr(FakeCloud, "servers", last)
        run.run(60, lambda: cell.down)
        run.run(30)
    assert it.recoveries
    assert it.marks, "let go while its cell was down"
    assert all(r.phase == "evacuating" for r in it.recoveries.values() if isinstance(r, Recovery))
    cell.down = False
    run.run_to_rest()
    assert_recovered(run)


def test_a_host_that_is_lost_while_its_cell_is_down_is_shown_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = world(2)
    cell, run = Cell(monkeypatch, it), process(it)
    cell.down = True
    it.fence("compute-0")
    run.run(60)
    assert Reason.CELL_DOWN in reasons(run)
    assert not left_on_is_empty(it, "compute-0")
    cell.down = False
    run.run(300)
    assert left_on_is_empty(it, "compute-0")
    assert host("compute-0") in it.services
