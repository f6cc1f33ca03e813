"""Nova's libvirt driver on disks that all hosts share; installed as nova/virt/sharedlibvirt.py.

libvirt 9.0 takes a folder for shared only on file systems whose kind it knows, such as NFS, and
refuses to live-migrate a guest with a disk anywhere else as unsafe. All computes have their disks
in one folder of this machine, which is one file system, with its page cache and QEMU's locks: safe.
"""
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN003, ANN202, INP001
# Nova ships no types, and is not installed where types are checked.

import functools

import libvirt
from nova.virt.libvirt import driver, guest

_migrate = guest.Guest.migrate


class SharedLibvirtDriver(driver.LibvirtDriver):
    """LibvirtDriver; what differs is done to the guests that it moves."""


@functools.wraps(_migrate)
def _migrate_though_unsafe(self, *arguments, flags=0, **keywords):
    return _migrate(self, *arguments, flags=flags | libvirt.VIR_MIGRATE_UNSAFE, **keywords)


guest.Guest.migrate = _migrate_though_unsafe
