"""A canary: a small instance that a returned host has to run before it serves again.

It is booted while the service is still disabled, by name of the host, so that nothing else comes
there; it is deleted as soon as it was seen to run, or not to. All of it is found again in Nova by
its name and its receipt, so another process goes on where one stopped.
"""

import re
from typing import NamedTuple

from novaha.core.names import ComputeHost, ServerId

NAME = "nova-ha-canary-"
"""So its name begins; the host's follows."""
KEY = "nova_ha:canary"
"""Its metadata: the receipt of the recovery that it belongs to. What lacks it is not ours."""

NO_NETWORK = "none"
DISABLED = "COMPUTE_STATUS_DISABLED"
"""The trait that keeps a host out of Placement's candidates while its service is disabled."""
RUNS = "ACTIVE"
FAILED = "ERROR"


_ID = re.compile(r"[A-Za-z0-9_.-]{1,255}")


class Recipe(NamedTuple):
    """What is booted: ids of an image and a flavor, and a network's or `none`."""

    image: str
    flavor: str
    network: str = NO_NETWORK

    def to_text(self) -> str:
        """Return it as parse_recipe() takes it."""
        return " ".join(f"{key}={value}" for key, value in self._asdict().items())


def parse_recipe(text: str) -> Recipe | None:
    """Read `image=ID flavor=ID network=ID`, the last one optional; nothing for an empty text.

    Raises ValueError with what is accepted.
    """
    words = text.split()
    if not words:
        return None
    pairs = [word.partition("=") for word in words]
    said = {key: value for key, _, value in pairs}
    known = {"image", "flavor"} <= said.keys() <= {"image", "flavor", "network"}
    if not known or len(said) != len(words) or not all(map(_ID.fullmatch, said.values())):
        msg = "must be image=ID flavor=ID, and network=ID where it is to have a port"
        raise ValueError(msg)
    return Recipe(**said)


class Canary(NamedTuple):
    """One that Nova lists. status, fault: as the Compute API names them."""

    server: ServerId
    receipt_id: str
    status: str
    fault: str = ""


class CanaryMemory(NamedTuple):
    """What this process knows of the canaries of one host, for one recovery.

    listed: None where Nova was not asked since the last change. booted_s, deleted_s: when that was
    last asked for. failures, failed_s, why: those in a row, the last one, and its reason. passed:
    one has run. Times are monotonic seconds.
    """

    receipt_id: str
    listed: tuple[Canary, ...] | None = None
    asked_s: float = 0.0
    booted_s: float | None = None
    deleted_s: float | None = None
    failures: int = 0
    failed_s: float = 0.0
    why: str = ""
    passed: bool = False


def name_of(host: ComputeHost) -> str:
    """Return the name of a canary of a host."""
    return f"{NAME}{host}"
