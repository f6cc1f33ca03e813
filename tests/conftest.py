"""Options of the tests, for all levels."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ours."""
    parser.addoption(
        "--update-scenarios",
        action="store_true",
        help="write the trace of every scenario anew; commit only changes that you understand",
    )
