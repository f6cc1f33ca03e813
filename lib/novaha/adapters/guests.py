"""libvirt's guests on this very node: which run, and which it would start by itself.

Read from the kernel and from libvirt's folder, not through virsh: that may be missing, or hang, or
sit in a container with libvirt, and the processes of its guests are seen all the same.
"""

import os
import re
from collections.abc import Iterator

PROC, AUTOSTART = "/proc", "/etc/libvirt/qemu/autostart"
SHOWN = 5
"""So many guests are named; an operator does not see more than a line."""

_GUEST, _SUFFIX = "guest=", ".xml"


def former_life(names: re.Pattern[str], proc: str = PROC, folder: str = AUTOSTART) -> str | None:
    """Say which guests run, or would, on a node whose nova-compute has not started any."""
    found = running(names, proc)
    text = (
        f"guests run that nova-compute did not start: {_listed(found)}; those that Nova does not"
        " have on this host: virsh destroy NAME"
    )
    return "; ".join(filter(None, (text if found else None, marked(names, folder)))) or None


def marked(names: re.Pattern[str], folder: str = AUTOSTART) -> str | None:
    """Say which guests libvirt would start by itself."""
    found = autostarted(names, folder)
    if not found:
        return None
    text = f"libvirt starts guests by itself after a boot: {_listed(found)}"
    return f"{text}; virsh autostart --disable NAME"


def running(names: re.Pattern[str], proc: str = PROC) -> list[str]:
    """Return the guests with such a name that run now.

    Source: qemuBuildNameCommandLine of libvirt, which has written `-name guest=NAME,...` since 2.1.
    """
    return sorted(name for name in _guests(proc) if names.fullmatch(name))


def autostarted(names: re.Pattern[str], folder: str = AUTOSTART) -> list[str]:
    """Return the guests with such a name that libvirt starts when it starts itself."""
    try:
        found = os.listdir(folder)
    except OSError:
        return []
    marked = (entry.removesuffix(_SUFFIX) for entry in found if entry.endswith(_SUFFIX))
    return sorted(name for name in marked if names.fullmatch(name))


def _guests(proc: str) -> Iterator[str]:
    for pid in os.listdir(proc):
        if not pid.isdigit():
            continue
        try:
            with open(f"{proc}/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                argv = file.read().split("\0")
        except OSError:  # it has ended
            continue
        after = argv.index("-name") + 1 if "-name" in argv else len(argv)
        if after < len(argv) and argv[after].startswith(_GUEST):
            yield argv[after].removeprefix(_GUEST).split(",", 1)[0]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
