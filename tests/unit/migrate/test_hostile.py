"""Whatever a CIB or Masakari say: an inventory, a plan, or one clear error."""

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migrating import classic_cib, inventory_of
from novaha.adapters import masakari
from novaha.cib import inventory
from novaha.cib.xml import Element
from novaha.errors import CloudUnavailable, ConfigError
from novaha.migrate import draft, leave

GOOD = inventory_of(classic_cib())
VALUES = [
    "",
    "no",
    "nova-evacuate",
    "compute-0",
    "1",
    "-1",
    "1h",
    ";:=",
    "a b",
    "é\u2028",
    "0" * 300,
]


def elements(cib: Element) -> list[Element]:
    return [each for each in cib.iter("*") if each.attrib]


SIZE = len(elements(classic_cib()))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    spoilt=st.lists(
        st.tuples(
            st.integers(0, SIZE - 1),
            st.integers(0, 9),
            st.sampled_from([None, "remove", *VALUES]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_cib_with_anything_in_it_is_read_or_refused(
    spoilt: list[tuple[int, int, str | None]],
) -> None:
    cib = classic_cib()
    everything = elements(cib)
    for index, which, value in spoilt:
        element = everything[index]
        names = sorted(map(str, element.attrib))
        parent = element.getparent()
        if value == "remove" and parent is not None:
            parent.remove(element)
        elif not names:
            continue
        elif value is None:
            element.attrib.pop(names[which % len(names)])
        else:
            element.set(names[which % len(names)], value)
    with contextlib.suppress(ConfigError):
        inventory.parse(draft.of_classic(cib, "overcloud").text)
    with contextlib.suppress(ConfigError):
        leave.plan(cib, GOOD)


def source(monkeypatch: pytest.MonkeyPatch, segment: Any, host: Any) -> masakari.Source:  # noqa: ANN401
    def once(found: Any) -> Any:  # noqa: ANN401
        return lambda *_, **query: [] if "marker" in query else [SimpleNamespace(id=1, **found)]

    made = masakari.Source.__new__(masakari.Source)
    instance_ha = SimpleNamespace(segments=once(segment), hosts=once(host))
    monkeypatch.setattr(made, "_cloud", "c", raising=False)
    connection = SimpleNamespace(instance_ha=instance_ha)
    monkeypatch.setattr(made, "_connection", connection, raising=False)
    return made


SEGMENT = {"uuid": "u", "name": "s", "recovery_method": "auto", "is_enabled": None}
HOST = {"name": "c1", "reserved": False, "on_maintenance": False}


def test_a_segment_without_the_flag_is_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = source(monkeypatch, SEGMENT, HOST).segments()
    assert found.enabled


@pytest.mark.parametrize(
    ("segment", "host"),
    [
        ({**SEGMENT, "name": None}, HOST),
        ({**SEGMENT, "recovery_method": 7}, HOST),
        ({**SEGMENT, "is_enabled": "yes"}, HOST),
        (SEGMENT, {**HOST, "name": ["c1"]}),
        (SEGMENT, {**HOST, "reserved": "false"}),
        (SEGMENT, {**HOST, "on_maintenance": None}),
        ({"name": "s"}, HOST),
    ],
)
def test_an_answer_of_another_shape_is_no_answer(
    segment: Any,  # noqa: ANN401
    host: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CloudUnavailable, match="Masakari's answer is not as expected"):
        source(monkeypatch, segment, host).segments()
