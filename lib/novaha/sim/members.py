"""The controllers: which are alive, whether they are quorate, how wrong their clocks are."""

from novaha.core.names import NodeName
from novaha.sim.engine import EPOCH_S, Engine

LONG_AGO_S = 1e6
"""So old is a cluster when its simulation begins."""


class Members:
    """Corosync's membership. down: the whole cluster is off. split: our partition lost quorum.

    began_s: when the cluster began, on the virtual clock. joined_s: when a controller that was away
    came back.
    """

    __slots__ = (
        "_all",
        "_engine",
        "alive",
        "began_s",
        "down",
        "joined_s",
        "skew_s",
        "split",
        "version",
    )

    def __init__(self, engine: Engine, controllers: tuple[NodeName, ...]) -> None:
        """Begin with all of them, their clocks right."""
        self._engine = engine
        self._all = controllers
        self.alive = list(controllers)
        self.joined_s: dict[NodeName, float] = {}
        self.skew_s = dict.fromkeys(controllers, 0.0)
        self.down = False
        self.began_s = -LONG_AGO_S
        self.split = False
        self.version = 0

    @property
    def quorate(self) -> bool:
        """Tell whether the members may act."""
        return not self.down and not self.split and len(self.alive) * 2 > len(self._all)

    @property
    def first(self) -> NodeName | None:
        """Return the controller that asks for fencings, None when there is none."""
        return self.alive[0] if self.alive and not self.down else None

    def leave(self, controller: NodeName) -> None:
        """Take a controller away."""
        if controller in self.alive:
            self.alive.remove(controller)
            self.version += 1

    def join(self, controller: NodeName) -> None:
        """Give a controller back, the last in the order."""
        if controller not in self.alive:
            self.alive.append(controller)
            self.joined_s[controller] = self._engine.now_s
            self.version += 1

    def joined_since(self, since_s: float) -> frozenset[NodeName]:
        """Return the controllers that came back at a moment or later."""
        return frozenset(name for name, at_s in self.joined_s.items() if at_s >= since_s)

    def stamps(self) -> tuple[tuple[NodeName, float], ...]:
        """Return the present second on each living controller's clock, without the epoch."""
        now_s = self._engine.now_s
        return tuple((name, now_s + self.skew_s[name]) for name in self.alive)

    def wall_s(self, controller: NodeName) -> int:
        """Return the epoch second on a controller's clock."""
        return int(EPOCH_S + self._engine.now_s + self.skew_s[controller])
