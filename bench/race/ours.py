"""nova-ha, end to end: Pacemaker fences, the recovery process evacuates, the host returns."""

from collections.abc import Mapping, Sequence

from rehearsal.calm import forget_fencings
from testcloud.cloudctl import Server

from . import procs
from .phases import phases
from .procs import Snapshot
from .results import Cost
from .stage import Stage

PROCESS = "novaha.daemon"
_CALLERS = ("pacemaker-execd", "pacemaker-fenced", "pacemaker-controld")


class Ours:
    """nova-ha as `nova-ha cib apply` configures it, with the profile of the test cluster."""

    def __init__(self, stage: Stage) -> None:
        """Know the stage."""
        self._stage = stage
        self.clients: tuple[str, ...] = tuple(m.ip for m in stage.settings.controller_machines())

    def ready(self, servers: Sequence[Server]) -> None:
        """Let Pacemaker work, and forget earlier heats: a host fenced three times has to wait."""
        del servers
        self._stage.stand_up()
        forget_fencings(self._stage.cluster)

    def lost(self) -> None:
        """Hear nothing: Pacemaker has to notice by itself."""

    def over(self) -> bool:
        """Tell whether the host serves again."""
        return self._stage.serving()

    def marks(self, since_s: float) -> Mapping[str, float]:
        """Return the parts of the fencing."""
        return phases(self._stage.cluster, self._stage.victim, since_s)

    def cost(self, before: Snapshot, after: Snapshot) -> Cost | None:
        """Return the recovery process, and all agents that Pacemaker called meanwhile."""
        own_s = procs.cpu_of(before, after, PROCESS)
        agents_s = procs.children_cpu_of(before, after, *_CALLERS)
        what = f"recovery process {own_s:.1f} s, agents {agents_s:.1f} s"
        return Cost(round(own_s + agents_s, 2), round(procs.peak_mb_of(after, PROCESS), 1), what)

    def settings(self) -> Mapping[str, object]:
        """Return what the configuration of the test cluster chooses."""
        return {"profile": "fast"}

    def leave(self) -> None:
        """Stay: the next heat stands Pacemaker down if it has to."""
