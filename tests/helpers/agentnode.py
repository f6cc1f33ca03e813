"""Runs the real executables, with fakes of Pacemaker's tools and a stand-in of the recovery."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from novaha.adapters.cib import PROPERTY_SET

ROOT = Path(__file__).parents[2]

EMPTY_CIB = f"""
<cib have-quorum="1"><configuration>
  <crm_config><cluster_property_set id="{PROPERTY_SET}"/></crm_config>
  <nodes/>
  <resources><clone id="unfence-clone">
    <primitive id="unfence" class="ocf" provider="novaha" type="NovaComputeUnfence"/></clone>
    <primitive id="ipmi-1" class="stonith" type="fence_ipmilan"/>
    <primitive id="receipt" class="stonith" type="fence_nova"/>
  </resources>
  <constraints/>
  <fencing-topology>
    <fencing-level id="l1" target="compute-1" index="1" devices="ipmi-1,receipt"/>
    <fencing-level id="l2" target-pattern="^zone-" index="1" devices="ipmi-1,receipt"/>
    <fencing-level id="l3" target="alone-1" index="1" devices="receipt"/>
    <fencing-level id="l4" target="other-1" index="1" devices="ipmi-1"/>
  </fencing-topology>
</configuration><status>
  <node_state uname="zone-7" in_ccm="true"/><node_state uname="controller-1" in_ccm="true"/>
</status></cib>
"""


class Result:
    """What one call of an agent did, as the cluster sees it."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert "Traceback" not in done.stderr
        self.rc = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        prefix = "ocf-exit-reason:"
        lines = [line for line in done.stderr.splitlines() if line.startswith(prefix)]
        self.reason = lines[-1].removeprefix(prefix) if lines else ""


class Node:
    """A node with our agents, a fake CIB and folders of its own."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder = folder
        self.run_root = folder / "run"
        self.cib = folder / "cib.xml"
        self.cib.write_text(EMPTY_CIB)
        self.clouds = folder / "clouds.yaml"
        self.clouds.write_text("clouds: {prod: {auth: {password: hunter2}}}\n")
        self.clouds.chmod(0o600)
        self.environ = {
            "PATH": f"{ROOT / 'tests/bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(library),
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE": "sample",
            "FAKE_CIB": str(self.cib),
            "NOVA_HA_RUN_ROOT": str(self.run_root),
            "NOVA_HA_LOG_ROOT": str(folder / "log"),
        }

    def run(
        self, agent: str, *argv: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> Result:
        """Run an agent of the checkout to its end; it has 30 seconds."""
        program = [sys.executable, str(ROOT / agent), *argv]
        return self._run(program, stdin, environ or {})

    def run_by_path(self, agent: str, *argv: str, environ: Mapping[str, str]) -> Result:
        """Run an agent as Pacemaker does: by its first line."""
        return self._run([str(ROOT / agent), *argv], "", environ)

    def _run(self, program: list[str], stdin: str, environ: Mapping[str, str]) -> Result:
        done = subprocess.run(
            program,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**self.environ, **environ},
        )
        return Result(done)

    def calls(self) -> list[str]:
        """Return how cibadmin was called."""
        path = Path(f"{self.cib}.calls")
        return path.read_text().splitlines() if path.exists() else []
