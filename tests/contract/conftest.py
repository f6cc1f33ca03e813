"""Every test of the contract is played twice: in the simulated world, and on the real cluster."""

from collections.abc import Iterator

import pytest
from realstage import RealStage
from rehearsal.calm import make_calm
from simstage import SimStage
from stage import Stage
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

REAL = pytest.param("real", marks=[pytest.mark.cluster, pytest.mark.timeout(480)])


@pytest.fixture(scope="module")
def real_stage(fake_cluster: Cluster) -> Iterator[RealStage]:
    """Return the container cluster with the recovery disabled, and enable it in the end."""
    make_calm(fake_cluster, CloudCtl(fake_cluster.settings))
    stage = RealStage(fake_cluster)
    yield stage
    stage.close()


@pytest.fixture(params=["sim", REAL])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Give a calm world."""
    if request.param == "sim":
        yield SimStage()
        return
    real: RealStage = request.getfixturevalue("real_stage")
    real.tidy()
    yield real
