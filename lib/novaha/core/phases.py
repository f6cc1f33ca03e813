"""Whether instances are evacuated and started in one, or placed first and started afterwards.

A parameter of the agent, and its words. Nothing else is imported here, because a `monitor` reads
this.
"""

from enum import StrEnum


class Phases(StrEnum):
    """In how many phases the instances of a host are recovered."""

    ONE = "one"
    TWO = "two"


PHASES = {
    Phases.ONE: "each instance runs as soon as it is evacuated; one that has to wait for others is"
    " evacuated after them",
    Phases.TWO: "all are placed and left stopped, and started in their order once all of a host are"
    " there; Nova has to be 27 or newer, its computes too, else it is one",
}
