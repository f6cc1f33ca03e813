"""Which hosts classic InstanceHA is evacuating, as Pacemaker 2.1.5 answers."""

import time

import pytest
from novaha.adapters import classic
from novaha.errors import ClusterUnavailable

HEAD = '<pacemaker-result api-version="2.25">'
OK = '<status code="0" message="OK"/></pacemaker-result>'
NONE = (
    f'{HEAD}<status code="78" message="Invalid configuration"><errors><error>attrd_updater: Could'
    " not query value of evacuate: attribute does not exist</error></errors></status>"
    "</pacemaker-result>"
)
DOWN = (
    f'{HEAD}<status code="102" message="Not connected"><errors><error>attrd_updater: Could not'
    " connect to attrd: Connection refused</error></errors></status></pacemaker-result>"
)


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(classic, "run", lambda *_, **__: text)


@pytest.mark.parametrize(
    ("values", "hosts"),
    [
        ({"c1": "yes", "c2": "no", "c3": "", "c4": "controller-0@1700000000"}, ("c1", "c4")),
        ({"c1": "no"}, ()),
        ({}, ()),
    ],
)
def test_hosts_that_are_not_over(
    values: dict[str, str], hosts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(
        f'<attribute name="evacuate" host="{host}" value="{value}"/>'
        for host, value in values.items()
    )
    answer(monkeypatch, HEAD + rows + OK)
    assert classic.evacuating() == hosts


def test_an_attribute_that_nobody_set_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, NONE)
    assert classic.evacuating() == ()


@pytest.mark.parametrize("text", [DOWN, "", "no XML", f"{HEAD}</pacemaker-result>"])
def test_no_answer_is_not_taken_for_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, text)
    with pytest.raises(ClusterUnavailable):
        classic.evacuating()


def resources(*active: str) -> str:
    rows = "".join(
        f'<resource id="{id_}" active="true"><node name="c1"/></resource>' for id_ in active
    )
    return f'{HEAD}<resources>{rows}<resource id="nova" active="false"/></resources>{OK}'


def test_only_what_goes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [resources("nova:0", "vip"), resources("vip")]
    slept: list[float] = []
    monkeypatch.setattr(classic, "run", lambda *_, **__: texts.pop(0))
    monkeypatch.setattr(time, "sleep", slept.append)
    classic.wait_stopped(frozenset({"nova"}))
    assert (texts, len(slept)) == ([], 1)


def test_what_does_not_stop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, resources("nova"))
    monkeypatch.setattr(classic, "STOPPED_WITHIN_S", -1)
    with pytest.raises(ClusterUnavailable, match="still running: nova on c1"):
        classic.wait_stopped(frozenset({"nova"}))
