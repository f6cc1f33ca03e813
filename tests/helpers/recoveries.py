"""Recoveries in the fake world: a few hosts, a process, and what is looked at in the end."""

from fakeports import Fault, Process
from fakeworld import World
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason

TOUCH_NOVA = {"force_down", "force_up", "disable", "enable", "send"}


def world(*instances: int, limit: int = 8) -> World:
    """Return a world with so many instances on compute-0, compute-1, … and two empty hosts."""
    out = World(limit=limit)
    for number, count in enumerate((*instances, 0, 0)):
        out.add_compute(f"compute-{number}", count)
    return out


def process(of: World, *faults: Fault) -> Process:
    return Process(of, faults, Policy(max_in_flight=of.limit))


def touched(of: Process) -> list[str]:
    return [call for call in of.wire.calls if call in TOUCH_NOVA]


def left_on(of: World, name: str) -> list[ServerId]:
    return [i.id for i in of.instances.values() if of.services[i.host].id == f"id-{host(name)}"]


def host(name: str) -> ComputeHost:
    return ComputeHost(f"{name}.example.org")


def assert_recovered(of: Process) -> None:
    assert of.at_rest(), of.journal.held
    assert of.world.violations == []
    assert left_on(of.world, "compute-0") == []


def reasons(of: Process) -> set[Reason]:
    return {hold.reason for hold in of.journal.held}


def left_on_is_empty(of: World, name: str) -> bool:
    return all(i.host != host(name) for i in of.instances.values())
