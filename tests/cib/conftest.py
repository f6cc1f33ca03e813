"""A container with the tools that people configure Pacemaker with; it belongs to no cluster."""

import os
from collections.abc import Iterator

import pytest
from cibtools import Tools
from testcloud import docker, engine, shell
from testcloud.images import Images
from testcloud.settings import Settings
from testcloud.topology import stages


def _box(stage: str) -> Iterator[Tools]:
    settings = Settings()
    engine.ensure(settings.state)
    image = Images(settings, stages()).ensure(stage)
    name = f"nova-ha-{stage}-{os.getpid()}"
    shell.run(("docker", "run", "-d", "--name", name, "--network=none", image, "sleep", "1h"))
    yield Tools(name)
    docker.remove((name,))


@pytest.fixture(scope="session")
def tools() -> Iterator[Tools]:
    """Give a container of Debian 12's tools: Pacemaker 2.1.5, pcs and crmsh."""
    yield from _box("cibtools")


@pytest.fixture(scope="session")
def next_tools() -> Iterator[Tools]:
    """Give a container of Debian 13's Pacemaker, 3.0.0, without shells."""
    yield from _box("cibtools-next")
