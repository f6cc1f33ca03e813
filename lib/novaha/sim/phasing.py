"""Two phases in random worlds: who waits for whom, who is stopped, and what strikes the starts."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from novaha.core.order import AFTER, PRIORITY, READY
from novaha.core.phases import Phases
from novaha.sim.draw import FIRST_LOSS_S, LONGEST_S, Draw
from novaha.sim.spec import WorldSpec

TWO = 0.15
"""So many worlds have two phases."""
ACTS = 0.5
"""In so many of those an owner stops or starts something, or a start fails."""

_SAID: tuple[dict[str, str], ...] = (
    {},
    {},
    {READY: "tcp:80"},
    {READY: "delay:20"},
    {PRIORITY: "5"},
)


def with_phases(rng: Random, spec: WorldSpec) -> WorldSpec:
    """Return a world in which, now and then, all are placed stopped, and some wait for others.

    Drawn apart from the rest, so that what happens in other worlds does not depend on it.
    """
    if rng.random() >= TWO:
        return spec
    names = [instance.id for instance in spec.instances]
    said = [{**rng.choice(_SAID), **_after(rng, names)} for _ in names]
    pairs = zip(spec.instances, said, strict=True)
    instances = tuple(replace(i, metadata={**i.metadata, **its}) for i, its in pairs)
    policy = replace(spec.policy, phases=Phases.TWO)
    return replace(spec, instances=instances, policy=policy)


def _after(rng: Random, names: Sequence[str]) -> dict[str, str]:
    return {AFTER: rng.choice(names)} if rng.random() < ACTS else {}


def strike_starts(rng: Random, draw: Draw) -> None:
    """Let things happen to what is placed stopped."""
    if draw.spec.policy.phases is not Phases.TWO:
        return
    server = rng.choice(draw.spec.instances).id
    if rng.random() < ACTS:
        draw.add(rng.uniform(1.0, FIRST_LOSS_S - 5.0), "stop", server)
    server, at_s = rng.choice(draw.spec.instances).id, rng.uniform(FIRST_LOSS_S, LONGEST_S)
    rows = (
        ("start", server),
        ("start-fails", server, rng.choice((1, 1, 3))),
        ("kill", rng.choice(("before", "after")), rng.choice(("start", "write-starts"))),
        ("fault", rng.choice(("unanswered", "reply-lost", "late", "conflict")), "start", 1),
        ("fault", rng.choice(("unanswered", "reply-lost")), "write-starts", 1),
        ("fault", "reply-lost", "delete-starts", 1),
        ("nova", "old"),
    )
    row = rng.choice(rows)
    if row[0] in ("kill", "fault"):
        at_s = 1.0
    if rng.random() < ACTS:
        draw.add(at_s, *row)
        if row[0] == "start" and rng.random() < ACTS:
            draw.add(at_s + rng.uniform(1.5, 10.0), "stop", server)
