"""From a schedule that breaks a law to a small one that breaks the same law.

First events are left out (delta debugging), then times and arguments are made plain, each as long
as the law is still broken.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from novaha.sim.script import seconds
from novaha.sim.spec import Event
from novaha.sim.words import BY_NAME, Kind

MOST_RUNS = 400
"""More simulations than that are not spent on one schedule."""

Events = tuple[Event, ...]


@dataclass
class _Budget:
    """Asks whether a schedule still fails, as long as that may cost something."""

    fails: Callable[[Events], bool]
    left: int

    def holds(self, events: Events) -> bool:
        """Tell whether a schedule fails; one that nobody may try any more does not."""
        if self.left <= 0:
            return False
        self.left -= 1
        return self.fails(events)


def shrink(events: Events, fails: Callable[[Events], bool], most_runs: int = MOST_RUNS) -> Events:
    """Return a small schedule for which `fails` still holds; it must hold for the given one.

    The result is never larger; with a budget of most_runs calls of `fails` it may not be the least.
    """
    budget = _Budget(fails, most_runs)
    events = _fewer(events, budget)
    events = _plainer(events, budget)
    return _fewer(events, budget)


def _fewer(events: Events, budget: _Budget) -> Events:
    """Leave out ever smaller pieces, until no single event can be left out."""
    pieces = 2
    while events:
        size = max(-(-len(events) // pieces), 1)
        smaller = next(filter(budget.holds, _without_one(events, size)), None)
        if smaller is not None:
            events, pieces = smaller, max(pieces - 1, 2)
        elif size == 1:
            break
        else:
            pieces = min(pieces * 2, len(events))
    return events


def _without_one(events: Events, size: int) -> Iterator[Events]:
    for start in range(0, len(events), size):
        yield events[:start] + events[start + size :]


def _plainer(events: Events, budget: _Budget) -> Events:
    """Make each event plainer, as long as the failure stays."""
    for index in range(len(events)):
        plainer: Events | None = events
        while plainer is not None:
            events = plainer
            plainer = next(filter(budget.holds, _with_one_plainer(events, index)), None)
    return events


def _with_one_plainer(events: Events, index: int) -> Iterator[Events]:
    for event in _plain(events[index]):
        changed = (*events[:index], event, *events[index + 1 :])
        if all(before.at_s <= after.at_s for before, after in pairwise(changed)):
            yield changed


def _plain(event: Event) -> Iterator[Event]:
    """Yield an event with one thing of it made plainer, its time first."""
    for at_s in (float(round(event.at_s)), round(event.at_s, 1)):
        if at_s != event.at_s:
            yield replace(event, at_s=at_s)
    kinds = BY_NAME[event.word].arguments
    for index, (kind, text) in enumerate(zip(kinds, event.arguments, strict=True)):
        for plain in _plain_argument(kind, text):
            arguments = (*event.arguments[:index], plain, *event.arguments[index + 1 :])
            yield replace(event, arguments=arguments)


def _plain_argument(kind: object, text: str) -> Iterator[str]:
    if kind is Kind.COUNT and text != "1":
        yield "1"
    if kind in (Kind.SECONDS, Kind.OFFSET):
        plain = seconds(round(float(text)))
        if plain not in (text, "0"):
            yield plain
