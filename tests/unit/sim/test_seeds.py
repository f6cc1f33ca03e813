"""Random schedules: what a seed gives, and that it gives it always."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from novaha.core.actions import Hold
from novaha.core.reasons import Reason
from novaha.core.states import INSTANCE, RECOVERY
from novaha.sim import seeds
from novaha.sim.draw import MENDED_S
from novaha.sim.script import parse, render
from novaha.sim.seeds import Tally, play, run, schedule, violations
from novaha.sim.spec import Event, Outcome, Violation
from novaha.sim.words import BY_NAME
from novaha.sim.worldfile import parse_world, render_world

SEEDS = range(1, 2001)
CHECKED = range(1, 301)

MENDED_BY = {
    ("bmc", "dead"): ("bmc", "works"),
    ("nova", "down"): ("nova", "up"),
    ("nova", "slow"): ("nova", "fast"),
    ("nova", "unauthorized"): ("nova", "up"),
    ("quorum", "lost"): ("quorum", "back"),
    ("history", "silent"): ("history", "speaks"),
    ("stop-recovery", ""): ("start-recovery", ""),
    ("lose", ""): ("return", ""),
    ("full", ""): ("empty", ""),
    ("lists", "fail"): ("lists", "work"),
    ("isolate", ""): ("heal", ""),
    ("stay-off", ""): ("power", "on"),
    ("level", "kdump"): ("level", "real"),
}
"""(word, its choice) and what has to follow it."""


def choice(event: Event) -> tuple[str, str]:
    """Return a word with the state that it sets, "" where it sets none."""
    with_state = {"bmc", "nova", "lists", "quorum", "history", "power", "level"}
    return event.word, event.arguments[-1] if event.word in with_state else ""


def test_every_word_is_drawn_by_some_seed() -> None:
    drawn = Counter(event.word for seed in SEEDS for event in schedule(seed).script.events)
    assert BY_NAME.keys() == drawn.keys()


def test_a_schedule_is_one_that_a_person_could_have_written() -> None:
    for seed in SEEDS:
        drawn = schedule(seed)
        assert parse_world(render_world(drawn.spec)) == drawn.spec
        read = parse(render(drawn.script), drawn.spec)
        assert replace(read, events=tuple(replace(e, line=0) for e in read.events)) == drawn.script


@pytest.mark.parametrize("bad", sorted(MENDED_BY))
def test_what_a_mishap_breaks_is_mended_later(bad: tuple[str, str]) -> None:
    met = 0
    for seed in SEEDS:
        events = schedule(seed).script.events
        at = [n for n, event in enumerate(events) if choice(event) == bad]
        met += len(at)
        for n in at:
            assert MENDED_BY[bad] in map(choice, events[n + 1 :]), seed
    assert met > 0


def test_nothing_happens_after_the_last_mending() -> None:
    last_s = max(event.at_s for seed in SEEDS for event in schedule(seed).script.events)
    assert last_s <= MENDED_S


def test_most_schedules_lose_a_compute_and_some_lose_none() -> None:
    losses = Counter(
        sum(event.word in {"crash", "isolate"} for event in schedule(seed).script.events)
        for seed in SEEDS
    )
    assert losses[1] > len(SEEDS) / 3
    assert losses[0] > 0


def test_a_seed_gives_the_same_outcome_in_another_process() -> None:
    code = (
        "from novaha.sim.seeds import play, schedule\n"
        "from novaha.sim.report import report\n"
        "for seed in range(1, 31):\n"
        "    drawn = schedule(seed)\n"
        "    print(report(play(drawn.spec, drawn.script)))\n"
    )
    lib = str(Path(seeds.__file__).parents[2])
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": lib},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert "crash" in texts[0]


@pytest.fixture(scope="module")
def checked() -> Tally:
    return run(CHECKED)


def test_no_law_is_broken_by_some_hundreds_of_schedules(checked: Tally) -> None:
    assert [f"{seed}: {v.law} {v.text}" for seed, v in checked.broken] == []


def test_every_change_of_state_that_is_seen_stands_in_the_tables(checked: Tally) -> None:
    known = {(row.before.name, row.after.name) for row in (*RECOVERY, *INSTANCE)}
    assert checked.changes.keys() - known == set()


def test_the_sum_of_two_parts_is_the_sum_of_the_whole() -> None:
    parts = run(range(1, 6))
    parts.add(run(range(6, 11)))
    assert parts == run(range(1, 11))
    assert parts.schedules == 10


def test_a_lying_power_device_excuses_only_its_own_law() -> None:
    lie, other = Violation("L2-bmc-lie", 1.0, "two"), Violation("L2", 1.0, "two")
    assert violations(Outcome(violations=[lie, other], calm=True)) == (other,)


def test_a_world_without_rest_breaks_the_law_that_nothing_is_lost() -> None:
    shown = (Hold("compute-1", Reason.IN_FLIGHT, "1 instance moves"),)
    (violation,) = violations(Outcome(ended_s=60.0, holds=shown))
    assert violation.law == "L3"
    assert "compute-1 1 instance moves" in violation.text


def test_the_lowest_seed_that_broke_a_law_comes_first() -> None:
    broken = Violation("L1", 1.0, "no fence")
    tally = Tally(broken=[(7, broken)])
    tally.add(Tally(broken=[(3, broken)]))
    assert [seed for seed, _ in tally.broken] == [3, 7]


def test_a_schedule_can_be_played_again() -> None:
    drawn = schedule(5)
    assert play(drawn.spec, drawn.script) == play(drawn.spec, drawn.script)
