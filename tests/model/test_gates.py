"""The checker can fail: without one gate of the core the exploration finds the law that breaks."""

import pytest
from explore import dead_ends, recovered
from gates import GATES, Gate


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.attribute)
def test_without_a_gate_of_the_core_the_exploration_finds_the_law_that_breaks(gate: Gate) -> None:
    found = gate.explored_without()
    if gate.broken != "L3":
        assert found.violation.startswith(gate.broken)
        return
    assert found.complete
    assert dead_ends(found, recovered(gate.first))
