"""Print what Pacemaker's scheduler costs with many computes: a plain configuration beside ours.

Usage: bench/scale.py [--sizes 50,200,500] [--rounds 3] [--stage cibtools-next].

`crm_simulate -R` is timed in a container of its own, for the first start of a cluster and for the
loss of one compute in a running one. The wall clock grows with the load of the machine; the
processor time less so.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "containers")]
if TYPE_CHECKING:
    from novaha.cib.xml import Element

CONTROLLERS = ("controller-1", "controller-2", "controller-3")
GOALS_S = {("first", 200): 1.0, ("first", 500): 4.0, ("loss", 200): 0.5, ("loss", 500): 1.5}
TIMED = "TIMEFORMAT='%R %U'; time crm_simulate -R -x /tmp/cib.xml >/dev/null"
HEAD = """\
cloud = "cloud"
storage = "shared"
levels = [["ipmi"]]
[fence.ipmi]
agent = "fence_ipmilan"
options = { username = "fence", password_script = "/etc/nova-ha/bmc-password" }
"""


class Took(NamedTuple):
    """One run; seconds of the wall clock and of the processor in user mode."""

    real_s: float
    user_s: float


def main(argv: Sequence[str]) -> int:
    """Measure everything in turn, round by round, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", default="50,200,500", help="how many computes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stage", default="cibtools", help="cibtools-next for Debian 13")
    args = parser.parse_args(argv[1:])
    container = _start(args.stage)
    try:
        for size in map(int, args.sizes.split(",")):
            for line in _measured(container, size, args.rounds):
                print(line, flush=True)
    finally:
        subprocess.run(("docker", "rm", "-f", container), capture_output=True, check=False)
    return 0


def _start(stage: str) -> str:
    from testcloud import engine
    from testcloud.images import Images
    from testcloud.settings import Settings
    from testcloud.topology import stages

    settings = Settings()
    engine.ensure(settings.state)
    image = Images(settings, stages()).ensure(stage)
    name = f"nova-ha-scale-{os.getpid()}"
    argv = ("docker", "run", "-d", "--name", name, "--network=none", image, "sleep", "3h")
    subprocess.run(argv, capture_output=True, check=True)
    return name


def _measured(container: str, size: int, rounds: int) -> Iterator[str]:
    cibs = dict(_cibs(size))
    took: dict[tuple[str, str], list[Took]] = {key: [] for key in cibs}
    for _ in range(rounds):
        for key, cib in cibs.items():
            took[key].append(_run(container, cib))
    for (what, name), runs in took.items():
        goal = GOALS_S.get((what, size)) if name.startswith("ours") else None
        reals, users = zip(*runs, strict=True)
        yield (
            f"{size:4} computes  {what:5}  {name:23}"
            f"  wall min {min(reals):6.2f} median {statistics.median(reals):6.2f} s"
            f"  cpu min {min(users):6.2f} median {statistics.median(users):6.2f} s"
            + (f"  goal {goal}" if goal else "")
        )
    yield f"{rounds} rounds; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def _run(container: str, cib: bytes) -> Took:
    into = ("docker", "exec", "-i", container, "sh", "-c", "cat > /tmp/cib.xml")
    subprocess.run(into, input=cib, check=True)
    timed = ("docker", "exec", container, "bash", "-c", TIMED)
    done = subprocess.run(timed, capture_output=True, encoding="utf-8", check=True)
    real, user = done.stderr.split()[-2:]
    return Took(float(real), float(user))


def _cibs(size: int) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Yield a CIB for each (what happens, name of the configuration)."""
    from lxml import etree
    from novaha.cib import events, running

    for name, cib in _configurations(size):
        yield ("first", name), etree.tostring(running.booted(cib, CONTROLLERS))
        lost = running.running(cib, CONTROLLERS)
        events.happen(lost, events.Event("down", "compute-1"), 4_000_000_000)
        yield ("loss", name), etree.tostring(lost)


def _configurations(size: int) -> Iterator[tuple[str, "Element"]]:
    ours = _ours(_inventory(size))
    yield "plain", _plain(ours)
    yield "ours", ours
    yield "ours, fail_counts=false", _ours("fail_counts = false\n" + _inventory(size))


def _ours(text: str) -> "Element":
    from novaha.cib import generate, inventory, render_xml

    return render_xml.whole(generate.generate(inventory.parse(text)))


def _plain(ours: "Element") -> "Element":
    """Return a connection, a fence device and a level for each compute, and nothing else."""
    from novaha.cib.xml import find_all

    plain = deepcopy(ours)
    xpath = (
        "//resources/clone | //resources/primitive[@provider='novaha' or @type='fence_nova']"
        " | //primitive/meta_attributes | //constraints/* | //rsc_defaults/*"
    )
    for element in find_all(plain, xpath):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for level in find_all(plain, "//fencing-level"):
        level.set("devices", str(level.get("devices")).removesuffix(",fence-nova"))
    return plain


def _inventory(size: int) -> str:
    lines = [HEAD]
    for number, name in enumerate(CONTROLLERS, 1):
        lines.append(f'[[controller]]\nname = "{name}"\nfence.ipmi = {{ ip = "10.9.0.{number}" }}')
    for number in range(1, size + 1):
        net = f"{number // 250}.{number % 250 + 1}"
        lines.append(f'[[compute]]\nname = "compute-{number}"\naddress = "10.0.{net}"')
        lines.append(f'fence.ipmi = {{ ip = "10.8.{net}" }}')
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
