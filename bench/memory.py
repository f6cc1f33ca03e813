#!/usr/bin/env python3
"""Print what the recovery of one host with many instances costs the recovery process.

Usage: bench/memory.py [--instances 20,200,2000] [--move 2.0]. A Nova that is simulated over HTTP
answers; it is another process. The process that is measured has the shipped loop with the shipped
Nova adapter and senders; only the cluster is a fixed view of one host whose fencing is proven.
Printed: the requests by kind, its peak resident memory, its processor time.
"""

import argparse
import json
import multiprocessing
import resource
import select
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "bench")]

from fakenova import FakeNova, serve  # noqa: E402  (the path comes first)

NODE = "compute-1"
GOAL_MIB = 80.0


def main(argv: Sequence[str]) -> int:
    """Measure each size in processes of its own; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--instances", default="20,200,2000")
    parser.add_argument("--move", type=float, default=2.0, help="seconds an evacuation takes")
    arguments = parser.parse_args(argv)
    for number in map(int, arguments.instances.split(",")):
        asking, serving = multiprocessing.Pipe()
        cloud = FakeNova(NODE, number, arguments.move)
        server = multiprocessing.Process(target=serve, args=(cloud, serving), daemon=True)
        server.start()
        url = asking.recv()
        measured = multiprocessing.Process(target=recover, args=(url, number))
        measured.start()
        measured.join()
        asking.send("stop")
        counts: Counter[str] = asking.recv()
        server.join()
        posts = counts["POST /action"]
        print(f"{number:5d} instances  requests to Nova {sum(counts.values())}, of them {posts} "
              f"evacuate; goal {2 * number + 20}: {json.dumps(counts)}")  # fmt: skip
        if measured.exitcode != 0:
            return 1
    return 0


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Shows the docstring as it is."""


def recover(url: str, number: int) -> None:
    """Recover the host, and print what that cost this process."""
    from novaha.adapters.clock import MonotonicClock
    from novaha.adapters.nova import Nova
    from novaha.adapters.posts import ThreadedPosts
    from novaha.app.cycle import Reconciler
    from novaha.core.memory import began
    from novaha.core.policy import Policy
    from novaha.ports import Ports

    policy = Policy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clouds.yaml")
        path.write_text(CLOUDS.format(url=url), encoding="utf-8")
        nova = Nova("fake", str(path), 30.0)
        readable, writable = multiprocessing.Pipe(duplex=False)
        posts = ThreadedPosts(nova.post, lambda: writable.send_bytes(b"."), 8)
        cluster, recovery = _cluster()
        ports = Ports(cluster, nova, posts, MonotonicClock(), _Quiet())
        loop, begun_s = Reconciler(ports, policy), time.monotonic()
        loop.memory = began(loop.memory, recovery)
        nova.warm_up()
        idle = _peak_mib()
        while not cluster.released:
            holds = loop.cycle()
            select.select([readable], [], [], loop.wait_s(holds, 5.0))
            while readable.poll():
                readable.recv_bytes()
    cpu_s = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    took_s = time.monotonic() - begun_s
    print(
        f"{number:5d} instances  peak memory {_peak_mib():.1f} MiB (before the first question"
        f" {idle:.1f}), goal {GOAL_MIB}; processor {cpu_s:.1f} s in {took_s:.1f} s",
        flush=True,
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cluster() -> Any:  # noqa: ANN401
    from novaha.core.model import ClusterView, HoldMark
    from novaha.core.names import ComputeHost, NodeName
    from novaha.core.receipt import Receipt
    from novaha.core.recovery import Found, Proof, Recovery

    node, id_ = NodeName(NODE), "0" * 12
    proof = Proof(id_, "reboot", 1_700_000_000, "controller-1", ("ipmi",), None)
    found = Found(enabled=True, forced_down=False)
    recovery = Recovery(node, proof, ComputeHost(NODE), "evacuating", found, 0)
    receipt = Receipt(id_, node, 1_700_000_000, NodeName("controller-1"), "fenced", 0, None, ())

    class Cluster:
        """One host that is held until its record says that it returns."""

        released = False

        def observe(self) -> ClusterView:
            if self.released:
                return ClusterView(quorate=True)
            mark = HoldMark.of(node, id_)
            return ClusterView(
                quorate=True, receipts=(receipt,), records=(recovery,), marks=(mark,)
            )

        def write_record(self, record: object) -> None:
            self.released = getattr(record, "phase", "") == "returning"

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401
            return lambda *_: None

    return Cluster(), recovery


class _Quiet:
    """A journal that nobody reads."""

    def action(self, *_: object) -> None:
        """Note nothing."""

    def holds(self, *_: object) -> None:
        """Note nothing."""


CLOUDS = """
clouds:
  fake:
    region_name: R1
    auth: {{auth_url: "{url}/v3", username: u, password: p, project_name: p,
            user_domain_name: Default, project_domain_name: Default}}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
