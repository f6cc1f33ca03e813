"""Random schedules with a storm brake, and a power cut of the whole site."""

from dataclasses import replace
from random import Random

from novaha.sim.draw import FIRST_LOSS_S, Draw
from novaha.sim.spec import GateSpec, WorldSpec

SHARE = 0.03
"""So many worlds have one."""

MANY = 1000
"""Limits that nothing reaches: a storm would wait for a person, who is not part of it."""


def with_gate(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Return a world that has a storm brake, now and then."""
    if rng.random() >= SHARE:
        return spec
    grace_s = rng.choice((30.0, 120.0, 300.0))
    gate = GateSpec(cluster_limit=MANY, group_limit=MANY, wait_s=2.0, grace_s=grace_s)
    return replace(spec, gate=gate)


def cut_power(rng: Random, draw: Draw) -> None:
    """Take the power from a site with a storm brake, near its first loss; some hosts boot late."""
    if draw.spec.gate is None:
        return
    for node in draw.spec.computes:
        draw.add(1.0, "boot-time", node, round(rng.choice((5.0, 20.0, 60.0, 200.0)), 1))
    at_s = FIRST_LOSS_S + rng.uniform(-5.0, 60.0)
    draw.add(at_s, "power-cut", rng.choice((5.0, 30.0, 90.0)))
