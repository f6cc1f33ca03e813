"""Where the disks of image-booted instances lie: a fact that only people know.

Nova does not say it, and a guess that is wrong costs data: an instance whose disk stayed behind is
built again from its image, empty. The agent's parameter, the inventory and aggregates use these
words. Nothing else is imported here, because a `monitor` reads this.
"""

from enum import StrEnum


class Storage(StrEnum):
    """What storage a host has."""

    SHARED = "shared"
    LOCAL = "local"


MEANINGS = {
    Storage.SHARED: "on storage that every compute reaches, such as Ceph RBD or NFS",
    Storage.LOCAL: "on the compute's own disks",
}

WORDS = " or ".join(Storage)
"""All of them, as a sentence has them."""
