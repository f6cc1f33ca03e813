"""The drop-in under a real systemd, in a container of its own, with a fake of cibadmin."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from agentnode import EMPTY_CIB
from novaha.adapters.cib import PROPERTY_SET
from testcloud import docker, engine, install, shell
from testcloud.docker import ContainerSpec, File
from testcloud.images import Images
from testcloud.settings import Settings
from testcloud.topology import stages
from testcloud.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SYSTEMD = "/lib/systemd/systemd"
UNITS = "/etc/systemd/system"
UNIT = """\
[Service]
Type=notify
NotifyAccess=all
User=nobody
ExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep infinity'
Restart=on-failure
Environment=FAKE_CIB=/cib.xml
"""
"""As Debian's unit of nova-compute: another user, and restarted when it fails."""
RECEIPT = (
    "v3 id=0123456789ab time=1700000000 writer=controller-1 by=fenced before=0 life=-"
    " devices=ipmi-1"
)
OPTIONS = (
    *("--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined", "--cgroupns=private"),
    *("--security-opt=apparmor=unconfined", "--network=none", "--env=container=docker"),
    *("--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp"),
)


class Machine:
    """A container in which systemd runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *argv: str) -> shell.Result:
        return docker.execute(self.name, argv, check=False, timeout_s=60.0)

    def is_up(self) -> bool:
        """Tell whether systemd has booted."""
        shown = self.run("systemctl", "is-system-running").out.strip()
        return shown in {"running", "degraded"}

    def decided(self) -> bool:
        """Tell whether systemd has booted, or given up."""
        return self.is_up() or docker.pid_of(self.name) == 0

    def cib(self, *properties: tuple[str, str]) -> None:
        """Have the cluster hold these properties."""
        root = ET.fromstring(EMPTY_CIB)  # noqa: S314
        (kept,) = root.iter("cluster_property_set")
        assert kept.get("id") == PROPERTY_SET
        for name, value in properties:
            ET.SubElement(kept, "nvpair", id=name, name=name, value=value)
        docker.copy_in(self.name, (File("/cib.xml", ET.tostring(root)),))

    def unit(self, name: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", name, "nova-compute").out.strip()

    def journal(self) -> str:
        return self.run("journalctl", "-u", "nova-compute", "--no-pager").out


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    settings = Settings()
    engine.ensure(settings.state)
    image = Images(settings, stages()).ensure("compute")
    name = f"{settings.prefix}-systemd-{os.getpid()}"
    tools = ("cibadmin", "crm_node")
    files = [
        File(f"/usr/local/sbin/{t}", (ROOT / "tests/bin" / t).read_bytes(), 0o755) for t in tools
    ]
    files.append(File(f"{UNITS}/nova-compute.service", UNIT.encode()))
    docker.create(ContainerSpec(name, image, (SYSTEMD,), OPTIONS, {}, tuple(files)))
    try:
        docker.copy_tar_in(name, install.archive(tmp_path))
        docker.start(name)
        machine = Machine(name)
        until("systemd to be up", machine.decided, 60.0, 0.5)
        if not machine.is_up():
            pytest.skip("systemd does not live in a container of this machine")
        put_drop_in(machine)
        yield machine
    finally:
        docker.remove((name,))


def put_drop_in(machine: Machine) -> None:
    """Do as docs/return.md says."""
    name = "40-nova-ha.conf"
    to = f"{UNITS}/nova-compute.service.d/{name}"
    put = machine.run("install", "-D", "-m", "0644", f"/usr/share/nova-ha/systemd/{name}", to)
    assert put.code == 0, put.err
    machine.run("systemctl", "daemon-reload")


def test_a_held_nova_compute_is_tried_until_it_is_let_go(machine: Machine) -> None:
    machine.cib(("nova-ha-receipt-compute-1", RECEIPT))
    assert machine.run("systemctl", "start", "nova-compute").code != 0
    until("a second try", lambda: machine.journal().count("still held") >= 2, 30.0, 0.5)
    assert "fenced and not yet recovered (receipt 0123456789ab" in machine.journal()
    assert machine.unit("ActiveState") == "activating"
    machine.cib()
    until("nova-compute", lambda: machine.unit("ActiveState") == "active", 30.0, 0.5)


@pytest.mark.long
def test_a_cluster_that_is_stopped_holds_it_until_a_person_lets_it_go(machine: Machine) -> None:
    machine.run("rm", "/usr/local/sbin/cibadmin")
    began_s = time.monotonic()
    assert machine.run("systemctl", "start", "nova-compute").code != 0
    took_s = time.monotonic() - began_s
    print(f"a start without a cluster failed after {took_s:.1f} s")  # noqa: T201
    assert 15 < took_s < 40
    assert "the cluster gives no answer" in machine.journal()
    assert machine.run("nova-ha", "hold", "--let-go", "upgrade").code == 0
    assert machine.run("systemctl", "restart", "nova-compute").code == 0
    assert "let go by root: upgrade" in machine.journal()


@pytest.mark.long
def test_pacemaker_has_the_last_word_about_restarts(machine: Machine) -> None:
    """Its drop-in is there while it runs the unit; source: lib/services/systemd.c, 2.1.5."""
    assert machine.unit("Restart") == "always"
    own = "/run/systemd/system/nova-compute.service.d"
    machine.run("mkdir", "-p", own)
    docker.execute(
        machine.name, ("tee", f"{own}/50-pacemaker.conf"), stdin=b"[Service]\nRestart=no\n"
    )
    machine.run("systemctl", "daemon-reload")
    assert machine.unit("Restart") == "no"
