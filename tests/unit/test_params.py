"""Parameters: what is accepted, and what the operator reads when it is not."""

from enum import StrEnum

import pytest
from novaha.params import (
    MAX_TEXT,
    BadParameter,
    Param,
    Values,
    as_text,
    boolean,
    choice,
    escaped,
    integer,
    second,
    string,
)


def _no_x(text: str) -> None:
    if "x" in text:
        msg = "must not contain an x"
        raise ValueError(msg)


class Fruit(StrEnum):
    APPLE = "apple"
    PEAR = "pear"


NAME = string("name", "A name", "A longer name", check=_no_x)
LIMIT = integer("limit", "A limit", "A longer limit", default=8, between=(1, 64))
WAIT = second("wait", "A time", "A longer time", default=5, between=(1, 60))
SWITCH = boolean("switch", "A switch", "A longer switch", default=False)
FRUIT = choice("fruit", "A fruit", "A longer fruit", Fruit)


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (NAME, "a", "a"),
        (LIMIT, None, 8),
        (LIMIT, "", 8),
        (LIMIT, "1", 1),
        (LIMIT, "64", 64),
        (LIMIT, "+7", 7),
        (WAIT, "60", 60),
        (WAIT, "5s", 5),
        (WAIT, "5 sec", 5),
        (SWITCH, "Yes", True),
        (SWITCH, "0", False),
        (SWITCH, None, False),
        (FRUIT, "pear", Fruit.PEAR),
    ],
)
def test_a_good_value_is_converted(param: Param[object], text: str | None, value: object) -> None:
    assert param.parse(text) == value


@pytest.mark.parametrize(
    ("param", "text", "complaint"),
    [
        (NAME, None, "name is missing: A name"),
        (NAME, "", "name is missing: A name"),
        (NAME, "axe", "name='axe': must not contain an x"),
        (NAME, "a\nb", r"name='a\nb': must not contain line ends"),
        (NAME, "a\x00b", "control characters"),
        (NAME, "a\udcff", "control characters"),
        (NAME, "a" * (MAX_TEXT + 1), "4097 characters long, at most 4096"),
        (LIMIT, "0", "limit='0': must be a whole number from 1 to 64"),
        (LIMIT, "65", "from 1 to 64"),
        (LIMIT, "eight", "limit='eight': must be a whole number"),
        (LIMIT, "8.0", "must be a whole number"),
        (LIMIT, "1" * 5000, "must be a whole number"),
        (LIMIT, "٣", "must be a whole number"),
        (WAIT, "5min", "wait='5min': must be a whole number of seconds from 1 to 60"),
        (WAIT, "-5", "whole number of seconds"),
        (SWITCH, "perhaps", "switch='perhaps': must be true or false"),
        (FRUIT, None, "fruit is missing: A fruit"),
        (FRUIT, "", "fruit is missing: A fruit"),
        (FRUIT, "Pear", "fruit='Pear': must be apple or pear"),
        (FRUIT, "pear ", "must be apple or pear"),
    ],
)
def test_a_bad_value_is_refused_with_what_is_accepted(
    param: Param[object], text: str | None, complaint: str
) -> None:
    with pytest.raises(BadParameter) as caught:
        param.parse(text)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_values_are_converted_when_read_and_not_before() -> None:
    values = Values((NAME, LIMIT), {"name": "good", "limit": "bad", "unknown": "ignored"})
    assert values[NAME] == "good"
    with pytest.raises(BadParameter):
        values[LIMIT]


def test_all_problems_are_told_at_once() -> None:
    problems = Values((NAME, LIMIT, WAIT), {"limit": "bad"}).problems()
    assert [problem.split("=")[0] for problem in problems] == ["name is missing: A name", "limit"]


def test_a_parameter_without_default_is_required() -> None:
    assert NAME.required
    assert not LIMIT.required
    assert not SWITCH.required


def test_what_is_required_and_not_given_is_missing() -> None:
    assert Values((NAME, LIMIT, FRUIT), {"name": "", "fruit": "plum"}).missing() == (NAME,)
    assert Values((NAME, LIMIT, FRUIT), {"name": "n"}).missing() == (FRUIT,)


def test_text_is_safe_inside_xml() -> None:
    assert escaped('a<b>&"c"') == "a&lt;b&gt;&amp;&quot;c&quot;"


def test_defaults_are_shown_as_people_write_them() -> None:
    assert [as_text(each) for each in (False, 5, "x")] == ["false", "5", "x"]
