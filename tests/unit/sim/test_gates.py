"""The simulator notices each safety gate that is taken out of the shipped core."""

from pathlib import Path

import pytest
from simgates import GATES, Gate, broken

TABLE = Path(__file__).parents[3] / "docs" / "gates.md"


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.attribute)
def test_without_a_gate_a_law_breaks(gate: Gate) -> None:
    assert gate.law in {violation.law for violation in gate.noticed()}


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.attribute)
def test_with_all_gates_the_same_simulation_breaks_none(gate: Gate) -> None:
    assert broken(gate.witness) == ()


def test_the_table_of_gates_has_each_row() -> None:
    assert {gate.row for gate in GATES} <= set(TABLE.read_text(encoding="utf-8").splitlines())
