"""The pcs commands that configure a cluster, run against a `pcs` that only notes its arguments."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "crm-config/pcs-setup"
NODES = """
# name     address    BMC
controller ctl-1 -          10.0.9.1  623 admin secret
compute    cmp-1 10.0.0.101 10.0.9.11 623 admin secret
compute    cmp-2 10.0.0.102 10.0.9.12 623 admin secret
"""
PCS = """#!/bin/bash
echo "$*" >> "$CALLS"
if [ "$1 $2" = "cluster cib" ]; then echo '<cib/>' > "$3"; fi
"""


@dataclass(frozen=True)
class Outcome:
    """What a run left: its exit code, both outputs, and the pcs commands without their CIB file."""

    code: int
    out: str
    err: str
    calls: tuple[str, ...]

    def index(self, beginning: str) -> int:
        """Return the place of the only command that begins so."""
        found = [i for i, call in enumerate(self.calls) if call.startswith(beginning)]
        assert len(found) == 1, f"{beginning}: {found} in {self.calls}"
        return found[0]


def run(folder: Path, *arguments: str, nodes: str = NODES, **environ: str) -> Outcome:
    pcs = folder / "pcs"
    pcs.write_text(PCS)
    pcs.chmod(0o755)
    calls = folder / "calls"
    calls.touch()
    path = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls)}
    done = subprocess.run(
        ("bash", str(SCRIPT), *arguments),
        input=nodes,
        capture_output=True,
        text=True,
        check=False,
        env={**path, **environ},
    )
    lines = calls.read_text().splitlines()
    words = (line.split(" ", 2)[2] if line.startswith("-f ") else line for line in lines)
    return Outcome(done.returncode, done.stdout, done.stderr, tuple(words))


def test_the_real_device_stands_before_the_receipt_in_every_level(tmp_path: Path) -> None:
    outcome = run(tmp_path, "cloud")
    assert outcome.code == 0, outcome.err
    levels = [call for call in outcome.calls if call.startswith("stonith level add")]
    assert levels == [
        "stonith level add 1 cmp-1 fence-cmp-1 fence-nova",
        "stonith level add 1 cmp-2 fence-cmp-2 fence-nova",
    ]


def test_the_receipt_device_is_for_computes_only(tmp_path: Path) -> None:
    outcome = run(tmp_path, "cloud")
    created = outcome.calls[outcome.index("stonith create fence-nova ")]
    assert "pcmk_host_list=cmp-1 cmp-2 pcmk_host_check=static-list" in created


def test_everything_is_pushed_at_once_and_last(tmp_path: Path) -> None:
    outcome = run(tmp_path, "cloud")
    assert outcome.index("cluster cib-push") == len(outcome.calls) - 1
    assert outcome.out == "configured: 1 controllers, 2 computes\n"


def test_nova_compute_comes_after_the_hold_and_where_it_runs(tmp_path: Path) -> None:
    outcome = run(tmp_path, "cloud", NOVA_COMPUTE="systemd:openstack-nova-compute")
    assert outcome.index(
        "constraint order start nova-compute-unfence-clone then start nova-compute-clone"
    )
    assert outcome.index(
        "constraint colocation add nova-compute-clone with nova-compute-unfence-clone"
    )
    assert outcome.index("resource create nova-compute systemd:openstack-nova-compute ")


def test_a_dry_run_shows_the_cib_and_pushes_nothing(tmp_path: Path) -> None:
    outcome = run(tmp_path, "cloud", DRY_RUN="1")
    assert (outcome.code, outcome.out) == (0, "<cib/>\n")
    assert not [call for call in outcome.calls if "cib-push" in call]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("", "no compute given on standard input"),
        ("controller ctl-1 - 10.0.9.1 623 admin secret\n", "no compute given"),
        ("computer cmp-1 10.0.0.1 10.0.9.1 623 admin secret\n", "'computer'"),
        ("compute cmp-1 10.0.0.1 10.0.9.1\n", "compute cmp-1: expected 6 words after the kind"),
        ("compute c;id 10.0.0.1 10.0.9.1 623 a b\n", "'c;id' is no node name"),
    ],
)
def test_bad_lines_are_named_and_nothing_is_pushed(tmp_path: Path, nodes: str, said: str) -> None:
    outcome = run(tmp_path, "cloud", nodes=nodes)
    assert outcome.code == 2
    assert said in outcome.err
    assert not [call for call in outcome.calls if "cib-push" in call]


def test_without_a_cloud_it_says_how_it_is_called(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    assert outcome.code != 0
    assert "usage: pcs-setup CLOUD < nodes" in outcome.err
    assert not outcome.calls
