"""What there is in the cluster and where: for controllers, tests and people."""

import dataclasses
import json

from .docker import File
from .settings import Settings


def text(settings: Settings) -> str:
    """Return the inventory as JSON: every node with its role, address and BMC."""
    bmcs = settings.bmcs()
    nodes = {
        machine.name: {
            "role": machine.role,
            "ip": machine.ip,
            "container": settings.container(machine.name),
            "bmc": dataclasses.asdict(bmcs[machine.name]),
        }
        for machine in settings.nodes()
    }
    content = {"cloud": settings.cloud_machine().ip, "driver": settings.driver, "nodes": nodes}
    return json.dumps(content, indent=2) + "\n"


def file(settings: Settings) -> File:
    """Return the inventory as a file of a controller; it holds BMC passwords, so root only."""
    return File("/etc/nova-ha/inventory.json", text(settings).encode(), 0o600)
