"""Random schedules with an affinity group: who is in it, and what people do about it."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from novaha.core.names import NodeName, ServerId
from novaha.sim.draw import LONGEST_S, Draw
from novaha.sim.spec import WorldSpec

GROUP = "db"
SHARE = 0.06
"""So many worlds have an affinity group."""

UNCHECKED = 0.6
"""In so many of those the computes do not look at it, at first or ever."""

GIVEN_UP = 0.3
"""In so many a person deletes it."""


def with_affinity(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Return a world in which, now and then, the instances of the first compute belong together."""
    if rng.random() >= SHARE:
        return spec
    members = set(_some(rng, spec, spec.computes[0]))
    instances = (replace(i, together=GROUP) if i.id in members else i for i in spec.instances)
    return replace(spec, instances=tuple(instances))


def strike_group(rng: Random, draw: Draw) -> None:
    """Decide whether the computes look at the group, and whether a person gives it up."""
    if not any(instance.together for instance in draw.spec.instances):
        return
    if rng.random() < UNCHECKED:
        draw.add(1.0, "group-check", "off")
        if rng.random() < GIVEN_UP:
            draw.add(rng.uniform(0.0, LONGEST_S), "group-check", "on")
    if rng.random() < GIVEN_UP:
        draw.add(rng.uniform(0.0, LONGEST_S * 2), "delete-group", GROUP)


def _some(rng: Random, spec: WorldSpec, node: NodeName) -> Iterator[ServerId]:
    """Yield the instances of a compute that are in no other group: all of them, or all but one."""
    free = [i.id for i in spec.instances if i.node == node and not i.group]
    yield from free[: len(free) - rng.choice((0, 0, 1))] or free
