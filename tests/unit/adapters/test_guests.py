"""Guests are read from the kernel and from libvirt's folder; who is not Nova's does not count."""

import re
from pathlib import Path

import pytest
from novaha.adapters import guests
from novaha.specs.nova_compute_unfence import GUEST_NAMES, NOVA_NAMES

NAMES = re.compile(NOVA_NAMES)


class Host:
    """A folder that looks like /proc, and one like libvirt's."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.autostart = folder / "proc", folder / "autostart"
        self.proc.mkdir()
        (self.proc / "self").mkdir()
        (self.proc / "meminfo").write_text("")

    def process(self, pid: int, *argv: str) -> None:
        (self.proc / str(pid)).mkdir()
        (self.proc / str(pid) / "cmdline").write_bytes(b"\0".join(a.encode() for a in argv))

    def guest(self, pid: int, name: str) -> None:
        self.process(pid, "/usr/bin/qemu-system-x86_64", "-name", f"guest={name},debug-threads=on")

    def mark(self, name: str) -> None:
        self.autostart.mkdir(exist_ok=True)
        (self.autostart / name).write_text("")

    def former_life(self, names: re.Pattern[str] = NAMES) -> str | None:
        return guests.former_life(names, str(self.proc), str(self.autostart))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_node_without_libvirt_and_without_guests_has_no_former_life(host: Host) -> None:
    assert host.former_life() is None
    host.process(7, "")
    host.process(8, "ssh", "-name")
    host.process(9, "nova-compute", "-name", "instance-00000001")
    (host.proc / "10").mkdir()  # ended between two looks
    assert host.former_life() is None


def test_what_runs_and_what_would_is_named_with_what_mends_it(host: Host) -> None:
    host.guest(12, "instance-0000000b")
    host.guest(11, "instance-0000000a")
    host.mark("instance-0000000c.xml")
    text = str(host.former_life())
    assert "did not start: instance-0000000a, instance-0000000b;" in text
    assert "virsh destroy NAME" in text
    assert "by itself after a boot: instance-0000000c; virsh autostart --disable NAME" in text


def test_guests_that_are_not_nova_s_are_left_alone(host: Host) -> None:
    host.guest(11, "router-1")
    host.guest(12, "instance-0000000a-copy")
    host.mark("router-1.xml")
    host.mark("instance-0000000a")
    assert host.former_life() is None
    assert "router-1" in str(host.former_life(re.compile("router-.*")))


def test_a_whole_host_of_guests_still_fits_a_line(host: Host) -> None:
    for number in range(40):
        host.guest(100 + number, f"instance-000000{number:02x}")
    text = str(host.former_life())
    assert "instance-00000004 and 35 more;" in text
    assert len(text) < 250


@pytest.mark.parametrize("text", ["(", "instance-[", "a\nb"])
def test_names_must_be_an_expression(text: str) -> None:
    with pytest.raises(ValueError, match="guest_names="):
        GUEST_NAMES.parse(text)
