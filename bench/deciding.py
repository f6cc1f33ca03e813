#!/usr/bin/env python3
"""Print what one decision costs in large clouds: processor time, and memory of the process.

Usage: bench/deciding.py [--hosts 1000,10000] [--lost 0,1,10,100] [--instances 10] [--rounds 5].

Each size is measured in a process of its own. All hosts are services of Nova, have room in
Placement, and are members of an aggregate of their rack (40 hosts) and of one for all. The lost
ones are fenced, forced down, and in the middle of their recovery: one decision plans for all of
them together, as it does after each answer of Nova. "all" as a number of lost hosts: every second
one, for what is left must have room.
"""

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "lib")]

from novaha.core.actions import Evacuate  # noqa: E402  (the path comes first)
from novaha.core.capacity import Room  # noqa: E402
from novaha.core.decide import decide  # noqa: E402
from novaha.core.details import Details, Flavor  # noqa: E402
from novaha.core.model import (  # noqa: E402
    Answer,
    ClusterView,
    HoldMark,
    Memory,
    Server,
    Service,
    View,
)
from novaha.core.names import ComputeHost, NodeName, ServerId  # noqa: E402
from novaha.core.policy import Policy  # noqa: E402
from novaha.core.receipt import Receipt  # noqa: E402
from novaha.core.recovery import Found, Proof, Recovery  # noqa: E402
from novaha.core.rules import Rules  # noqa: E402
from novaha.core.segments import Aggregate  # noqa: E402

RACK = 40
NOW_S = 1000.0
FLAVOR = Flavor("m1.small", 1, 2048, 10)


def main(argv: Sequence[str]) -> int:
    """Measure each size in a process of its own; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--hosts", default="1000,10000")
    parser.add_argument("--lost", default="0,1,10,100,all")
    parser.add_argument("--instances", type=int, default=10, help="on each lost host")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    print(" hosts  lost  instances  decision, ms of processor (median, most)  peak memory, MiB")
    for hosts in map(int, arguments.hosts.split(",")):
        for word in arguments.lost.split(","):
            lost = hosts // 2 if word == "all" else int(word)
            size = (hosts, lost, arguments.instances, arguments.rounds)
            measured = multiprocessing.Process(target=measure, args=size)
            measured.start()
            measured.join()
            if measured.exitcode != 0:
                return 1
    return 0


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Shows the docstring as it is."""


def measure(hosts: int, lost: int, instances: int, rounds: int) -> None:
    """Decide several times on the same view, and print what that took."""
    view = view_of(hosts, lost, instances)
    policy = Policy(max_recoveries=max(lost, 1))
    took_ms = []
    for _ in range(rounds):
        begun_s = time.process_time()
        decisions = decide(view, policy)
        took_ms.append((time.process_time() - begun_s) * 1000)
    sent = sum(isinstance(decision, Evacuate) for decision in decisions)
    if sent != min(policy.max_in_flight, lost * instances):
        msg = f"{sent} evacuations were decided: something else was measured"
        raise SystemExit(msg)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{hosts:6d} {lost:5d} {lost * instances:10d}"
        f"  {statistics.median(took_ms):10.1f} {max(took_ms):10.1f} {peak_mib:42.1f}",
        flush=True,
    )


def view_of(hosts: int, lost: int, instances: int) -> View:
    """Return a cloud in which so many hosts are lost and nothing of them was sent yet."""
    names = [ComputeHost(f"compute-{number}") for number in range(hosts)]
    gone = names[:lost]
    recoveries = tuple(map(_recovery, gone))
    # What is known of an instance is the very thing that its host's list has shown.
    listed = {host: tuple(_servers(host, instances)) for host in gone}
    memory = Memory(
        0.0,
        services=Answer(tuple(_services(names, lost)), NOW_S),
        rules=Answer(Rules(tuple(_aggregates(names))), NOW_S),
        room=Answer(tuple(Room(name, 64, 262_144, 2000) for name in names[lost:]), NOW_S),
        servers={host: Answer(servers, NOW_S) for host, servers in listed.items()},
        known={host: {s.id: s for s in servers} for host, servers in listed.items()},
        detailed_s=dict.fromkeys(gone, NOW_S),
        migrations={host: Answer((), NOW_S) for host in gone},
        begun={recovery.receipt_id: 0 for recovery in recoveries},
    )
    cluster = ClusterView(
        quorate=True,
        receipts=tuple(map(_receipt, recoveries)),
        records=recoveries,
        marks=tuple(HoldMark.of(r.node, r.receipt_id) for r in recoveries),
    )
    return View(NOW_S, cluster, memory, NOW_S)


def _recovery(host: ComputeHost) -> Recovery:
    id_ = f"{int(host.rpartition('-')[2]):012x}"
    proof = Proof(id_, "reboot", 1_700_000_000, "controller-1", ("ipmi",), None)
    found = Found(enabled=True, forced_down=False)
    return Recovery(NodeName(host), proof, host, "evacuating", found, 0)


def _receipt(recovery: Recovery) -> Receipt:
    writer = NodeName("controller-1")
    return Receipt(recovery.receipt_id, recovery.node, 1_700_000_000, writer, "fenced", 0, None, ())


def _services(names: Sequence[ComputeHost], lost: int) -> Iterator[Service]:
    for number, name in enumerate(names):
        down = number < lost
        reason = "nova-ha: fenced" if down else ""
        yield Service(name, name, not down, reason, down, "2026-11-28", not down)


def _aggregates(names: Sequence[ComputeHost]) -> Iterator[Aggregate]:
    for first in range(0, len(names), RACK):
        yield Aggregate(first, f"rack-{first}", frozenset(names[first : first + RACK]), {})
    yield Aggregate(-1, "all", frozenset(names), {"nova_ha:priority": "5"})


def _servers(host: ComputeHost, instances: int) -> Iterator[Server]:
    for number in range(instances):
        id_ = ServerId(f"{host}-{number}")
        yield Server(id_, f"vm-{number}", details=Details(image="image", flavor=FLAVOR))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
