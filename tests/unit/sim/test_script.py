"""Scripts: what is read, and what is said about one that cannot be read."""

from pathlib import Path

import pytest
from novaha.core.names import NodeName, ServerId
from novaha.sim.script import LONGEST_S, Script, ScriptError, describe, parse, render
from novaha.sim.spec import Event, Instance, WorldSpec
from novaha.sim.words import WORDS

WORLD = WorldSpec(
    computes=(NodeName("compute-1"), NodeName("compute-2")),
    instances=(Instance(ServerId("vm-1"), NodeName("compute-1")),),
)


def complaints(text: str) -> list[str]:
    with pytest.raises(ScriptError) as error:
        parse(text, WORLD)
    return str(error.value).splitlines()


def test_a_script_is_read_in_order_with_its_lines() -> None:
    script = parse(
        "# what happens\n\n10s crash compute-1  # at once\n+2.5s kill after evacuate\nuntil 300s\n",
        WORLD,
    )
    assert script == Script(
        (
            Event(10.0, "crash", ("compute-1",), 3),
            Event(12.5, "kill", ("after", "evacuate"), 4),
        ),
        300.0,
    )


def test_relative_times_count_from_the_event_before() -> None:
    script = parse("1s kill-now\n+0s kill-now\n+1.25s kill-now\n", WORLD)
    assert [event.at_s for event in script.events] == [1.0, 1.0, 2.25]


def test_numbers_reach_the_world_without_unit_and_spare_digits() -> None:
    script = parse("1s pause 20.50s\n2s skew ctl-1 -090\n3s refuse vm-1 003\n", WORLD)
    assert [event.arguments[-1] for event in script.events] == ["20.5", "-90", "3"]


def test_what_was_rendered_is_read_back() -> None:
    text = "seed 17\n10s crash compute-1\n12.125s fault stale services 2\nuntil 60s\n"
    script = parse(text, WORLD)
    assert render(script) == text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10s crahs compute-1", "unknown word 'crahs'; did you mean crash?"),
        ("10s zzz", "unknown word 'zzz'"),
        ("10s", "a time alone"),
        ("crash 10s compute-1", "found 'crash', expected a time such as 10s or +2.5s"),
        ("10 crash compute-1", "expected a time such as 10s"),
        ("nans crash compute-1", "found 'nan', expected a time from 0 to 86400"),
        ("infs crash compute-1", "found 'inf', expected a time"),
        ("-3s crash compute-1", "found '-3', expected a time from 0"),
        ("1e3s crash compute-1", "found '1e3', expected a time"),
        ("99999999999s kill-now", "found '99999999999', expected a time"),
        ("1.0001s kill-now", "at most 3 decimals"),
        ("++1s kill-now", "expected a time"),
        ("1s crash", "found nothing after crash, expected a compute node of the world"),
        ("1s kill-now please", "found 'please' after kill-now, expected nothing"),
        ("1s crash compute-9", "expected a compute node of the world: compute-1 compute-2"),
        ("1s crash compute-9", "did you mean"),
        ("1s crash ctl-1", "found 'ctl-1', expected a compute node"),
        ("1s lose compute-1", "expected a controller of the world: ctl-1 ctl-2 ctl-3"),
        ("1s delete vm-2", "expected an instance of the world: vm-1; did you mean vm-1?"),
        ("1s power compute-1 up", "found 'up', expected one of on off"),
        ("1s pause soon", "pause: a number of seconds"),
        ("1s pause -2", "expected pause: a number of seconds, such as 2.5 from 0 to 86400"),
        ("1s pause nan", "found 'nan'"),
        ("1s refuse vm-1 0", "expected a whole number, 1 or more"),
        ("1s refuse vm-1 1.5", "expected a whole number"),
        ("1s refuse vm-1 99999999999999999999", "at most 1000"),
        ("1s kill after lunch", "expected an external call of ours"),
        ("1s fault late observe 1", "late strikes evacuate start live-migrate only"),
        ("1s fault unauthorized write-record 1", "unauthorized strikes services"),
        ("seed", "found nothing after seed, expected one whole number from 1"),
        ("seed -1", "found '-1' after seed"),
        ("seed 0", "found '0' after seed"),
        ("seed 1 2", "found '1 2' after seed"),
        ("until soon", "expected a time such as 10s"),
        ("until +3s", "expected one time such as 300s"),
        ("until", "found nothing after until"),
        ("until 0s", "is not after the last event"),
    ],
)
def test_a_line_that_is_wrong_is_quoted_with_what_was_expected(line: str, expected: str) -> None:
    (complaint,) = complaints(f"\n{line}\n")
    assert complaint.startswith("script:2: ")
    assert expected in complaint


def test_time_must_not_go_backwards() -> None:
    assert complaints("5s kill-now\n4.9s kill-now\n") == [
        "script:2: time goes backwards: 4.9s after 5s"
    ]


def test_relative_times_cannot_leave_the_longest_simulation() -> None:
    (complaint,) = complaints(f"{LONGEST_S:.0f}s kill-now\n+1s kill-now\n")
    assert "86401s, expected at most 86400s" in complaint


@pytest.mark.parametrize("text", ["1s kill-now\nseed 3\n", "seed 2\nseed 3\n"])
def test_a_seed_stands_first_and_once(text: str) -> None:
    assert complaints(text)[0].startswith("script:2: found '3' after seed")


def test_nothing_may_follow_the_end() -> None:
    assert complaints("until 10s\n1s kill-now\n") == [
        "script:2: found a line after `until` of line 1"
    ]


def test_an_event_beyond_the_end_that_nobody_gave_is_refused() -> None:
    assert "say `until` a later time" in complaints("4000s kill-now\n")[0]


def test_all_problems_are_told_at_once() -> None:
    lines = complaints("1s crahs compute-1\n2s crash\n3s kill-now\nx\n")
    assert [line.split(":")[1] for line in lines] == ["1", "2", "4"]


def test_the_description_has_a_line_for_every_word() -> None:
    described = dict(describe())
    assert len(described) == len(WORDS)
    assert described["power COMPUTE on|off"] == "somebody uses the server's own button"


def test_the_documentation_has_every_word_with_its_meaning() -> None:
    text = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text()
    rows = [
        f"| `{usage.replace('|', chr(92) + '|')}` | {meaning} |" for usage, meaning in describe()
    ]
    assert [row for row in rows if row not in text] == []
