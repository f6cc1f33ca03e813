"""Random walks through the small world with more faults than can be explored, and a way home."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from explore import recovered
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from novaha.core import fates, flights
from smallprocess import Automaton
from smallspace import Space, Step
from smallworld import ACCEPTED, FAULT, SPAWNED, Left, Service, World, first_world, two_copies

BUDGET = Left(losses=2, crashes=3, replies=3, failures=3, levels=2)
"""Two losses of three hosts: there is always one that takes what is evacuated."""

HOME_STEPS = 2000
"""A fair world is back home in fewer steps than this, wherever a walk ended."""

EVERY = 10
"""On the way home time passes at least once in so many steps: who polls does not stop it."""

MOST_STEPS = 11
RARELY = 1 / 8

dice = st.integers(0, 2**32 - 1).map(Random)
"""Evenly thrown: lists that Hypothesis draws are short and full of zeros, and lead nowhere."""


def is_time(step: Step) -> bool:
    return step.label.startswith("(")


def is_ours(step: Step) -> bool:
    return step.label.startswith("recovery:")


class SmallWorld(RuleBasedStateMachine):
    """The small world with the shipped core in it; each rule takes one step of a kind."""

    space = Space(Automaton())  # what was decided once is known in all walks

    def __init__(self) -> None:
        super().__init__()
        self.first = first_world((0, 0), BUDGET)
        self.state = self.space.first(self.first)
        self.broken: list[str] = []

    @initialize(
        placed=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        forced=st.booleans(),
    )
    def begin(self, placed: tuple[int, int], *, forced: bool) -> None:
        left = BUDGET._replace(losses=1) if forced else BUDGET
        self.first = first_world(placed, left, (Service(forced=forced), Service(), Service()))
        self.state = self.space.first(self.first)

    @property
    def world(self) -> World:
        return self.space.world_of(self.state)

    def steps(self, wanted: Callable[[Step], bool]) -> list[Step]:
        return [step for step in self.space.steps(self.state) if wanted(step)]

    def take(self, steps: list[Step], dice: Random) -> None:
        if steps:
            step = dice.choice(steps)
            self.state = step.state
            self.broken += [step.broken] if step.broken else []

    @rule(dice=dice)
    def things_happen(self, dice: Random) -> None:
        """Take steps that are no faults, whichever; time passes more rarely than the rest."""
        for _ in range(dice.randint(1, MOST_STEPS)):
            steps = self.steps(lambda step: step.kind != FAULT)
            rare = [step for step in steps if is_time(step)]
            often = [step for step in steps if not is_time(step)]
            self.take(rare if rare and dice.random() < RARELY else often, dice)

    @rule(dice=dice)
    def all_goes_well(self, dice: Random) -> None:
        for _ in range(dice.randint(1, MOST_STEPS)):
            self.take(self.fair_steps(), dice)

    @precondition(lambda self: any(self.world.left))
    @rule(dice=dice)
    def something_goes_wrong(self, dice: Random) -> None:
        self.take(self.steps(lambda step: step.kind == FAULT), dice)

    @invariant()
    def no_step_broke_a_law(self) -> None:
        assert self.broken == []

    @invariant()
    def no_instance_runs_twice(self) -> None:
        assert two_copies(self.world) == ""

    @invariant()
    def no_instance_is_moved_twice_at_a_time(self) -> None:
        moving = (m.server for m in self.world.migrations if m.status in (ACCEPTED, SPAWNED))
        assert max(Counter(moving).values(), default=0) <= 1

    @invariant()
    def nothing_is_moved_off_a_host_on_which_it_may_run(self) -> None:
        moving = [m for m in self.world.migrations if m.status in (ACCEPTED, SPAWNED)]
        assert not any(self.world.nodes[m.source].dirty for m in moving)

    def teardown(self) -> None:
        """Let a fair world go on without further faults: all must be well in the end."""
        home, dice = recovered(self.first), Random(0)  # noqa: S311
        for turn in range(HOME_STEPS):
            if self.broken or home(self.world):
                break
            late = self.steps(is_time) if turn % EVERY == 0 else []
            self.take(late or self.fair_steps(), dice)
        assert self.broken == []
        assert home(self.world), self.world

    def fair_steps(self) -> list[Step]:
        """Return the steps of the world while there are any; then ours, and those of time."""
        steps = self.steps(lambda step: step.kind != FAULT)
        world = [s for s in steps if not is_ours(s) and not is_time(s)]
        ours = [s for s in steps if is_ours(s) and s.state != self.state]
        return world or ours or steps


SmallWorld.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestSmallWorld = SmallWorld.TestCase


def test_the_walks_notice_when_a_request_that_may_still_arrive_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (flights, fates):
        monkeypatch.setattr(module, "settled", lambda *_: True)

    class Forgetful(SmallWorld):
        space = Space(Automaton())

    # As many walks as it takes: which ones are drawn depends on the order of sets.
    many = settings(SmallWorld.TestCase.settings, phases=[Phase.generate], max_examples=2000)
    with pytest.raises(AssertionError, match="while it is being evacuated"):
        run_state_machine_as_test(Forgetful, settings=many)
