"""Options of the tests, and the container cluster: brought up once, calm before each test."""

from collections.abc import Iterator

import pytest
from rehearsal.calm import make_calm
from rehearsal.configure import configure
from testcloud import lifecycle
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import Driver
from testcloud.settings import Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ours."""
    parser.addoption(
        "--update-scenarios",
        action="store_true",
        help="write the trace of every scenario anew; commit only changes that you understand",
    )
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write anew what Pacemaker does in every CIB scenario; same warning",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have tests with real guests come last: their cluster takes the place of the other one."""
    items.sort(key=lambda item: "libvirt_cluster" in getattr(item, "fixturenames", ()))


def _brought_up(driver: Driver) -> Cluster:
    settings = Settings(driver=driver)
    lifecycle.up(settings)
    cluster = Cluster(settings)
    configure(cluster)
    return cluster


def _calm(cluster: Cluster) -> Iterator[Cluster]:
    make_calm(cluster, CloudCtl(cluster.settings))
    yield cluster
    cluster.undo_faults()


@pytest.fixture(scope="session")
def fake_cluster() -> Cluster:
    """Return a running, configured cluster with Nova's fake driver."""
    return _brought_up(Driver.FAKE)


@pytest.fixture(scope="session")
def libvirt_cluster() -> Cluster:
    """Return a running, configured cluster with real guests; it takes the place of the other."""
    return _brought_up(Driver.LIBVIRT)


@pytest.fixture
def calm_libvirt_cluster(libvirt_cluster: Cluster) -> Iterator[Cluster]:
    """Give the libvirt cluster, with nothing broken and nothing left of the test before."""
    yield from _calm(libvirt_cluster)


@pytest.fixture
def cluster(fake_cluster: Cluster) -> Iterator[Cluster]:
    """Give a cluster in which nothing is broken and nothing is left of the test before."""
    yield from _calm(fake_cluster)


@pytest.fixture
def cloud(cluster: Cluster) -> CloudCtl:
    """Return the cloud of the cluster."""
    return CloudCtl(cluster.settings)
