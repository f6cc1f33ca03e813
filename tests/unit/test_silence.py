"""What counts as a node that nobody speaks of."""

from typing import Any

import pytest
from silence import Silences, concerned

CONFIG = (
    '<crm_config><cluster_property_set id="nova-ha-state">'
    '<nvpair id="nova-ha-receipt-c1" name="nova-ha-receipt-c1" value="v3"/>'
    "</cluster_property_set></crm_config>"
)
EMPTY = "<crm_config/>"


def status(progress_s: float, *subjects: str) -> dict[str, Any]:
    held = [{"subject": subject, "code": "x", "text": ""} for subject in subjects]
    instances = [{"id": "vm-1", "host": "c1"}, {"id": "vm-2", "host": "c2"}]
    return {
        "pid": 1,
        "progress_s": progress_s,
        "reason": "",
        "summary": "nothing to recover",
        "held": held,
        "instances": instances,
    }


def seen(*looks: tuple[float, str, dict[str, Any]]) -> list[tuple[float, str]]:
    silences = Silences()
    for at_s, config, said in looks:
        silences.look(at_s, config, {"controller-1": said})
    return silences.seen


def test_the_properties_tell_which_nodes_are_concerned() -> None:
    assert concerned(CONFIG) == {"c1"}
    assert concerned(EMPTY) == set()


def test_a_cycle_without_a_word_about_what_is_there_for_long_is_a_silence() -> None:
    assert seen((0.0, CONFIG, status(1.0)), (6.0, CONFIG, status(2.0))) == [(6.0, "c1")]


@pytest.mark.parametrize("subject", ["c1", "vm-1", "nova", "cluster"])
def test_a_word_about_it_is_none(subject: str) -> None:
    assert seen((0.0, CONFIG, status(1.0)), (6.0, CONFIG, status(2.0, subject))) == []


@pytest.mark.parametrize("subject", ["c2", "vm-2"])
def test_a_word_about_another_is_one(subject: str) -> None:
    assert seen((0.0, CONFIG, status(1.0)), (6.0, CONFIG, status(2.0, subject)))


def test_a_cluster_without_an_answer_is_a_word_about_all() -> None:
    said = {**status(2.0), "reason": "the cluster gave no answer"}
    assert seen((0.0, CONFIG, status(1.0)), (6.0, CONFIG, said)) == []


def test_what_is_young_or_gone_or_told_by_no_new_cycle_is_none() -> None:
    assert seen((0.0, CONFIG, status(1.0)), (4.0, CONFIG, status(2.0))) == []
    assert seen((0.0, CONFIG, status(1.0)), (6.0, EMPTY, status(2.0))) == []
    assert seen((0.0, CONFIG, status(1.0)), (6.0, CONFIG, status(1.0))) == []
