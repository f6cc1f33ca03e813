"""Shrinking a schedule that breaks a law."""

from novaha.sim.shrink import Events, shrink
from novaha.sim.spec import Event

NOISE = tuple(Event(float(n), "kill-now") for n in range(20))
CRASH = Event(7.283, "crash", ("compute-1",))
REFUSE = Event(9.519, "refuse", ("vm-1", "7"))
PAUSE = Event(9.7, "pause", ("12.75",))


def schedule(*events: Event) -> Events:
    return tuple(sorted((*NOISE, *events), key=lambda event: event.at_s))


def words(events: Events) -> list[str]:
    return [event.word for event in events]


def test_only_what_is_needed_to_break_the_law_is_left() -> None:
    def fails(events: Events) -> bool:
        return {"crash", "refuse"} <= set(words(events))

    assert words(shrink(schedule(CRASH, REFUSE, PAUSE), fails)) == ["crash", "refuse"]


def test_times_and_arguments_become_plain() -> None:
    def fails(events: Events) -> bool:
        return {"crash", "refuse", "pause"} <= set(words(events))

    small = shrink(schedule(CRASH, REFUSE, PAUSE), fails)
    assert small == (
        Event(7.0, "crash", ("compute-1",)),
        Event(9.5, "refuse", ("vm-1", "1")),
        Event(10.0, "pause", ("13",)),
    )


def test_what_the_failure_needs_stays_as_it_is() -> None:
    def fails(events: Events) -> bool:
        return REFUSE in events

    assert shrink(schedule(CRASH, REFUSE), fails) == (REFUSE,)


def test_a_failure_that_needs_nothing_shrinks_to_nothing() -> None:
    assert shrink(schedule(CRASH), lambda _: True) == ()


def test_no_more_simulations_are_spent_than_allowed() -> None:
    runs = 0

    def fails(events: Events) -> bool:
        nonlocal runs
        runs += 1
        return len(events) > 2

    small = shrink(schedule(CRASH, REFUSE, PAUSE), fails, most_runs=5)
    assert runs == 5
    assert len(small) <= 23


def test_the_order_of_events_is_kept() -> None:
    def fails(events: Events) -> bool:
        return words(events) == ["crash", "pause"]

    early, late = Event(7.6, "crash", ("compute-1",)), Event(7.61, "pause", ("1",))
    small = shrink((early, late), fails)
    assert [event.at_s for event in small] in ([7.6, 8.0], [7.6, 7.6], [7.6, 7.61])
