from collections.abc import Callable

import pytest
from race.results import Cost, Result

Make = Callable[..., Result]


@pytest.fixture
def heat() -> Make:
    """Make a heat whose instances came back evenly until a moment."""

    def made(contender: str, last_s: float, number: int = 1, instances: int = 4) -> Result:
        active_s = tuple(last_s * (i + 1) / instances for i in range(instances))
        return Result(
            instances,
            number,
            contender,
            "2026-01-02T03:04:05Z",
            active_s=active_s,
            over_s=last_s + 1,
            marks={"service changed": 0.5, "fenced": 2.0},
            requests={"nova": 10, "keystone": 0},
            requests_over={"nova": 12, "keystone": 1},
            kinds={"POST /servers/ID/action": instances},
            cost=Cost(1.5, 40.0, "one process"),
            cloud_cpu_s={"nova-api": 1.0, "placement": 2.0},
            elsewhere_cpu_s=last_s / 4,
            records={"done": instances},
            settings={"in flight": 4},
        )

    return made
