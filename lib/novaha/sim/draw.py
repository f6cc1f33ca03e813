"""A random schedule in the making: its world, its losses, and the moments worth disturbing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeVar

from novaha.core.canary import Recipe
from novaha.core.disks import MAY_LOSE, Loss
from novaha.core.names import NodeName, ServerId
from novaha.core.order import HA_ENABLED
from novaha.core.policy import Policy
from novaha.core.protection import PROTECT
from novaha.core.segments import ENABLED, SEGMENT, STORAGE
from novaha.core.selection import Mode
from novaha.core.storage import Storage
from novaha.sim.script import seconds
from novaha.sim.spec import AggregateSpec, Event, Instance, WorldSpec

T = TypeVar("T")

MENDED_S = 240.0
"""By then whatever was broken is mended."""

LONGEST_S = 90.0
"""No mishap lasts longer."""

FIRST_LOSS_S = 15.0
RECONNECT_S = 10.0
SPEAKS_UP = 0.6
"""So many owners who have said something say something else later."""

POLICIES = (
    Policy(max_in_flight=8),
    Policy(max_in_flight=8, max_recoveries=1),
    Policy(max_in_flight=2, canary=Recipe("image", "flavor")),
    Policy(max_in_flight=1, max_recoveries=2),
)
GROUPED = 0.1
"""So many worlds have an anti-affinity group."""


def weighted(rng: Random, rows: Sequence[tuple[int, T]]) -> T:
    """Return one of the values, each as likely as its weight says."""
    return rng.choices([value for _, value in rows], [weight for weight, _ in rows])[0]


def random_world(rng: Random) -> WorldSpec:
    """Return a small world; its first compute, which is lost first, has an instance at least."""
    nodes = rng.choice((3, 4, 4, 4, 5))
    computes = tuple(NodeName(f"compute-{n}") for n in range(1, nodes + 1))
    places = sorted([computes[0], *rng.choices(computes, k=rng.choice((0, 1, 1, 2, 3, 4)))])
    group = "web" if rng.random() < GROUPED and len(places) > 1 else ""
    instances = [Instance(ServerId(f"vm-{n}"), at, group) for n, at in enumerate(places, 1)]
    return WorldSpec(
        computes,
        instances=tuple(instances),
        boot_s=rng.choice((12.0, 12.0, 3.0, 40.0)),
        move_s=rng.choice((4.0, 4.0, 1.0, 12.0)),
        detect_s=rng.choice((3.0, 3.0, 0.5, 8.0)),
        policy=rng.choice(POLICIES),
    )


def with_wishes(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Return a world in which, now and then, owners and operators have said something.

    Drawn apart from the rest, so that what happens in a world does not depend on it.
    """
    return weighted(rng, ((84, _silent), (6, _unprotected), (6, _local), (4, _racks)))(rng, spec)


def say_more(rng: Random, draw: "Draw") -> None:
    """Let an owner speak up for an instance at some time, where owners have said something.

    Only what lets more be done: who forbids it later than its request is made comes too late.
    """
    spoken = any(i.metadata or i.image for i in draw.spec.instances)
    if spoken and rng.random() < SPEAKS_UP:
        said = rng.choice((f"{PROTECT}=true", f"{HA_ENABLED}=yes", f"{MAY_LOSE}={Loss.ROOT}"))
        server = rng.choice(draw.spec.instances).id
        draw.add(rng.uniform(FIRST_LOSS_S, LONGEST_S * 2), "say", server, said)


def _silent(_: Random, spec: WorldSpec) -> WorldSpec:
    return spec


def _unprotected(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Take some instances out of the protection, or have only some protected."""
    mode = rng.choice((Mode.ALL, Mode.ALL, Mode.TAGGED))
    said = rng.choice(({PROTECT: "false"}, {PROTECT: "true"}, {HA_ENABLED: "True"}))
    chosen = rng.choices((True, False), k=len(spec.instances))
    pairs = zip(spec.instances, chosen, strict=True)
    instances = tuple(replace(i, metadata=said) if its else i for i, its in pairs)
    return replace(spec, instances=instances, policy=replace(spec.policy, protect=mode))


def _local(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Have local disks, and some instances on them, with or without consent to lose them."""
    kinds = (("", ""), ("cirros", ""), ("cirros", "ephemeral"), ("cirros", Loss.ROOT))
    drawn = rng.choices(kinds, k=len(spec.instances))
    instances = tuple(
        replace(i, image=image, metadata={MAY_LOSE: consent} if consent else {})
        for i, (image, consent) in zip(spec.instances, drawn, strict=True)
    )
    policy = replace(spec.policy, storage=Storage.LOCAL)
    return replace(spec, instances=instances, policy=policy)


def _racks(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Have an aggregate with half of the computes: no segment of ours any more, or local disks."""
    closed = {SEGMENT: "rack-1", ENABLED: "false"}
    said = rng.choice((closed, {PROTECT: "false"}, {STORAGE: Storage.LOCAL}))
    rack = AggregateSpec("rack-1", spec.computes[::2], said)
    instances = tuple(replace(i, image="cirros") for i in spec.instances)
    return replace(spec, instances=instances, aggregates=(rack,))


@dataclass
class Draw:
    """One schedule in the making."""

    rng: Random
    spec: WorldSpec
    events: list[Event] = field(default_factory=list)
    losses: list[tuple[float, NodeName]] = field(default_factory=list)

    def add(self, at_s: float, word: str, *arguments: object) -> float:
        """Add an event; return its second."""
        at_s = round(min(max(at_s, 0.0), MENDED_S), 2)
        texts = (seconds(a) if isinstance(a, float) else str(a) for a in arguments)
        self.events.append(Event(at_s, word, tuple(texts)))
        return at_s

    def lose_a_compute(self) -> None:
        """Lose the first compute, and later any, most often before the last loss is over."""
        node, at_s = self.spec.computes[0], FIRST_LOSS_S
        if self.losses:
            node = self.rng.choice(self.spec.computes)
            at_s = self.losses[-1][0] + self.rng.choice((0.0, 2.0, 8.0, 20.0, 45.0))
        at_s += self.jitter(2.0)
        word = weighted(self.rng, ((60, "crash"), (15, "isolate"), (20, "fence"), (5, "power")))
        if word == "power":
            at_s = self.lasting(at_s, (word, node), ("off", "on"))
        else:
            at_s = self.add(at_s, word, node)
        if word == "isolate":
            self.add(at_s + self.rng.uniform(1.0, LONGEST_S), "heal", node)
        self.losses.append((at_s, node))

    def lasting(self, at_s: float, what: tuple[str, ...], states: tuple[str, str]) -> float:
        """Break something, and mend it after a while with the same word; return the second."""
        word, *arguments = what
        at_s = self.add(at_s, word, *arguments, states[0])
        self.add(at_s + self.a_while(), word, *arguments, states[1])
        return at_s

    def node(self) -> NodeName:
        """Return a compute, most often one that is lost."""
        lost = [node for _, node in self.losses]
        return self.rng.choice([*lost * 3, *self.spec.computes])

    def instance(self) -> ServerId:
        """Return an instance, most often one of a compute that is lost."""
        lost = {node for _, node in self.losses}
        hit = [i.id for i in self.spec.instances if i.node in lost]
        return self.rng.choice([*hit * 3, *(i.id for i in self.spec.instances)])

    def controller(self) -> NodeName:
        """Return a controller, most often the first, where our process starts."""
        return self.rng.choice([self.spec.controllers[0], *self.spec.controllers])

    def moment(self) -> float:
        """Return a second near one at which something changes."""
        spec = self.spec
        start_s = self.rng.choice(self.losses)[0] if self.losses else FIRST_LOSS_S
        fenced_s = spec.detect_s + 2 * spec.fence_s
        back_s = fenced_s + max(RECONNECT_S, spec.boot_s)
        change_s = self.rng.choice(
            (-5.0, 0.0, spec.detect_s, spec.detect_s + spec.fence_s, fenced_s, fenced_s + 0.1,
             fenced_s + spec.move_s, fenced_s + 2 * spec.move_s, back_s, back_s + 10.0, 40.0)
        )  # fmt: skip
        return start_s + change_s + self.jitter(1.5)

    def ahead(self) -> float:
        """Return a second before all losses, or near a change."""
        return self.rng.choice((1.0, 5.0, self.moment()))

    def jitter(self, most_s: float) -> float:
        """Return a number of seconds between plus and minus the given one."""
        return self.rng.uniform(-most_s, most_s)

    def a_while(self) -> float:
        """Return how long something lasts."""
        return self.rng.choice((0.5, 2.0, 5.0, 10.0, 20.0, 40.0, LONGEST_S))
