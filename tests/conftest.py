"""Options of the tests, and the container cluster: brought up once, calm before each test."""

import atexit
import sys
import time

import pytest
from rehearsal.calm import make_calm
from rehearsal.configure import configure
from testcloud import lifecycle
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster
from testcloud.names import Driver
from testcloud.settings import Settings

LINE_LENGTH = 600


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


class ToldAtOnce:
    """Tells how each test with the cluster went when it ends: a run cut off prints no summary.

    And once more in the very end, a line each, where only the tail of the output is kept.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Write where pytest writes."""
        self._config = config
        self._last_s = time.monotonic()
        self._failed: list[str] = []
        atexit.register(lambda: sys.stdout.write("\n".join(self._failed)))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the failure, or how long it took with all that came before it."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or "cluster" not in report.keywords:
            return
        if report.failed:
            captured = [f"--- {name}\n{text}" for name, text in report.sections]
            told = "\n".join([report.longreprtext, *captured])
            terminal.write_line(f"\n!! {report.nodeid}, {report.when}\n{told}")
            self._failed.append(_in_short(report))
        if report.when == "teardown":
            now_s = time.monotonic()
            terminal.write_line(f" {now_s - self._last_s:.0f} s  {report.nodeid}")
            self._last_s = now_s


def _in_short(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    why = report.longreprtext.splitlines()[-1] if crash is None else str(crash.message)
    return f"!! {report.nodeid}, {report.when}: {why[:LINE_LENGTH]}"


def pytest_configure(config: pytest.Config) -> None:
    """Have tests told at once."""
    config.pluginmanager.register(ToldAtOnce(config))


def _brought_up(driver: Driver) -> Cluster:
    settings = Settings(driver=driver)
    lifecycle.up(settings)
    cluster = Cluster(settings)
    configure(cluster)
    return cluster


@pytest.fixture(scope="session")
def fake_cluster() -> Cluster:
    """Return a running, configured cluster with Nova's fake driver."""
    return _brought_up(Driver.FAKE)


@pytest.fixture(scope="session")
def libvirt_cluster() -> Cluster:
    """Return a running, configured cluster with real guests; it takes the place of the other."""
    return _brought_up(Driver.LIBVIRT)


@pytest.fixture
def calm_libvirt_cluster(libvirt_cluster: Cluster) -> Cluster:
    """Return the libvirt cluster, with nothing broken and nothing left of the test before."""
    make_calm(libvirt_cluster, CloudCtl(libvirt_cluster.settings))
    return libvirt_cluster


@pytest.fixture
def cluster(fake_cluster: Cluster) -> Cluster:
    """Return a cluster in which nothing is broken and nothing is left of the test before."""
    make_calm(fake_cluster, CloudCtl(fake_cluster.settings))
    return fake_cluster


@pytest.fixture
def cloud(cluster: Cluster) -> CloudCtl:
    """Return the cloud of the cluster."""
    return CloudCtl(cluster.settings)
