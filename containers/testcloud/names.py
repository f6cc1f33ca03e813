"""The words for things: nodes, where they live, how their BMC is reached."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

NodeName = NewType("NodeName", str)
"""A Pacemaker node (uname), `controller-1` or `compute-1`; Nova's host has the same text."""

ServerId = NewType("ServerId", str)
"""Nova's uuid of an instance."""


class Role(StrEnum):
    """What a container is."""

    CONTROLLER = "controller"
    COMPUTE = "compute"
    CLOUD = "cloud"
    BMC = "bmc"


class Driver(StrEnum):
    """Which virt driver the computes run."""

    FAKE = "fake"
    LIBVIRT = "libvirt"


@dataclass(frozen=True)
class Bmc:
    """Where the BMC of one node answers IPMI (lanplus)."""

    ip: str
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class Machine:
    """One container of the cluster."""

    name: NodeName
    role: Role
    ip: str
