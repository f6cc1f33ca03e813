import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from race import pictures, tables
from race.results import Result, Results

Make = Callable[..., Result]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - drawn by us


@pytest.fixture
def found(heat: Make) -> Results:
    broken = Result(4, 1, "classic", "", problem="fence_compute ended with 1")
    return Results(
        {"date": "2026-01-02", "machine": "two cores"},
        (heat("floor", 8.0), heat("nova-ha", 10.0), heat("nova-ha", 12.0, 2), broken),
    )


def test_the_table_has_a_line_for_each_contender_that_took_part(found: Results) -> None:
    text = tables.report(found)
    assert "| floor | 1 | 2.0 | 8.0 | 12 | 1 | 1.5 | 40 | 3.0 | 0.25 |" in text
    assert "| nova-ha | 2 | 2.8 (2.5 to 3.0) | 11.0 (10.0 to 12.0) | 12 |" in text
    assert "Masakari" not in text


def test_one_that_could_not_run_has_no_number_but_a_reason(found: Results) -> None:
    text = tables.report(found)
    assert "| classic InstanceHA | 0 of 1 | - | - | - | - | - | - | - | - |" in text
    assert "classic, round 1: fence_compute ended with 1" in text
    assert "faster than masakari | not measured |" in text


def test_the_report_says_what_each_side_includes(found: Results) -> None:
    text = tables.report(found)
    assert "- **floor**: " in text
    assert "Set: `in flight` = 4." in text
    assert "- machine: two cores" in text


def test_the_search_is_shown(heat: Make) -> None:
    found = Results({}, (heat("floor@4", 8.0), heat("floor@4", 9.0, number=2)))
    assert "| 4 | 4 | 2 | 8.0 (7.5 to 8.5) |" in tables.report(found)


def test_the_curve_has_a_line_for_each_heat(found: Results) -> None:
    root = drawn(pictures.curve(found, 4))
    assert len(root.findall(f"{SVG}path")) == 3
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert "nova-ha" in words
    assert "classic InstanceHA" not in words


def test_a_curve_rises_with_every_instance_and_stays_in_the_picture(found: Results) -> None:
    root = drawn(pictures.curve(found, 4))
    width, height = (float(root.get(name, "0")) for name in ("width", "height"))
    for path in root.findall(f"{SVG}path"):
        points = re.findall(r"H([\d.]+)V([\d.]+)", path.get("d", ""))
        xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
        assert len(points) == 4
        assert xs == sorted(xs)
        assert ys == sorted(ys, reverse=True)
        assert max(xs) < width
        assert max(ys) < height


def test_bars_show_medians_with_their_spread(found: Results) -> None:
    root = drawn(pictures.bars(found, 4))
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert "11.0 (10.0 to 12.0)" in words
    assert "crash to last ACTIVE, s" in words


def test_nothing_draws_nothing() -> None:
    for draw in (pictures.curve, pictures.bars):
        assert drawn(draw(Results({}), 4)).tag == f"{SVG}svg"
