"""What the operator says for all instances: which of them are protected, and which never by name.

Parameters of the agent, and their words. Nothing else is imported here, because a `monitor` reads
this.
"""

from enum import StrEnum


class Mode(StrEnum):
    """Which instances are protected where nothing is said of them."""

    ALL = "all"
    TAGGED = "tagged"


MODES = {
    Mode.ALL: "every instance, unless something says that it is not",
    Mode.TAGGED: "only those of which something says that they are",
}

EXCLUDED = "amphora-*"
"""Octavia's load balancers: it builds a lost one anew by itself, and names them all so.

One that is evacuated beside that gets in its way, and ends in ERROR there.
Source: octavia/controller/worker/v2/tasks/compute_tasks.py.
"""

NO_NAMES = "none"
"""Instead of patterns: no name is excluded."""


def parse_names(text: str) -> tuple[str, ...]:
    """Return the patterns of a text; raises ValueError with what is accepted.

    A pattern that every name matches would leave nothing protected, which nobody means.
    """
    patterns = tuple(text.split())
    if not patterns or (NO_NAMES in patterns and len(patterns) > 1):
        msg = f"must be patterns of names, separated by blanks, or {NO_NAMES} alone"
        raise ValueError(msg)
    if any("," in pattern for pattern in patterns):
        msg = "must be separated by blanks, without commas (? stands for one in a name)"
        raise ValueError(msg)
    if any("*" in pattern and not pattern.strip("*?") for pattern in patterns):
        msg = f"must not exclude every name; for that, say protect={Mode.TAGGED}"
        raise ValueError(msg)
    return () if patterns == (NO_NAMES,) else patterns
