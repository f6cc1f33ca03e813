"""One heat: boot, get ready, kill, judge, clean up."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from testcloud.errors import ClusterError, WaitTimedOut
from testcloud.steps import say
from testcloud.waiting import until

from . import counting, load, procs
from .contender import Contender
from .judge import Judge
from .masakari import MASAKARI
from .plan import Heat
from .results import Result
from .stage import Stage

_SETTLE_S = 5.0
_OVER_S = 180.0
_CLOUD = "cloud"


def timeout_s(instances: int) -> float:
    """Return after how long a contender is given up."""
    return 600.0 + 6.0 * instances


def run(stage: Stage, heat: Heat, contender: Contender) -> Result:
    """Run one heat; a contender that cannot be started, or does not finish, is a result too."""
    began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    servers = stage.seed(heat.instances)
    try:
        contender.ready(servers)
    except ClusterError as error:
        contender.leave()
        return Result(heat.instances, heat.round, heat.contender, began, problem=f"{error}")
    try:
        time.sleep(_SETTLE_S)
        with Judge(stage.cluster.container(_CLOUD), stage.victim) as judge:
            return _Race(stage, heat, contender, judge).run(began)
    finally:
        contender.leave()


class _Race:
    """What is known from the kill on."""

    def __init__(self, stage: Stage, heat: Heat, contender: Contender, judge: Judge) -> None:
        self._stage, self._heat, self._contender, self._judge = stage, heat, contender, judge
        self._problem = ""

    def run(self, began: str) -> Result:
        before, load_before = procs.snapshot(), load.look(self._containers())
        self._killed_s = time.time()
        self._stage.cluster.kill(self._stage.victim)
        self._contender.lost()
        self._wait("every instance to be ACTIVE elsewhere", self._all_back, self._limit_s(), 0.2)
        last, load_last = procs.snapshot(), load.look(self._containers())
        last_s = max(self._judge.back().values(), default=time.time())
        self._wait(f"{self._heat.contender} to be over", self._contender.over, _OVER_S, 1.0)
        over_s = time.time()
        after = procs.snapshot()
        cloud_cpu_s = procs.cpu_by_name(before, last, _CLOUD, *self._stage.cluster.computes())
        return replace(
            self._counted(began, last_s, over_s),
            cost=self._contender.cost(before, after),
            cloud_cpu_s=cloud_cpu_s,
            elsewhere_cpu_s=load.elsewhere_s(load_before, load_last),
        )

    def _counted(self, began: str, last_s: float, over_s: float) -> Result:
        asked = counting.requests(self._stage.cluster, self._contender.clients, self._killed_s)
        marks = {
            **self._contender.marks(self._killed_s),
            **counting.marks(asked["nova"], self._killed_s),
        }
        return Result(
            self._heat.instances,
            self._heat.round,
            self._heat.contender,
            began,
            active_s=self._active(),
            over_s=None if self._problem else round(over_s - self._killed_s, 2),
            marks=dict(sorted(marks.items(), key=lambda mark: mark[1])),
            requests=counting.count(asked, last_s),
            requests_over=counting.count(asked, over_s),
            kinds=counting.kinds(asked["nova"], over_s),
            records=self._stage.records(),
            settings=self._contender.settings(),
            problem=self._problem,
        )

    def _active(self) -> tuple[float, ...]:
        back = self._judge.back().values()
        return tuple(sorted(round(at_s - self._killed_s, 2) for at_s in back))

    def _containers(self) -> list[str]:
        names = (*(machine.name for machine in self._stage.settings.machines()), MASAKARI)
        return [self._stage.settings.container(name) for name in names]

    def _all_back(self) -> bool:
        return len(self._judge.back()) == self._heat.instances

    def _limit_s(self) -> float:
        return timeout_s(self._heat.instances)

    def _wait(
        self, what: str, probe: Callable[[], bool], limit_s: float, interval_s: float
    ) -> None:
        """Wait for something unless something before it failed; what fails is noted."""
        if self._problem:
            return
        try:
            until(what, probe, limit_s, interval_s)
        except WaitTimedOut as error:
            self._problem = f"{error}; {len(self._judge.back())} instances were back"
            say(f"  {self._problem}")
