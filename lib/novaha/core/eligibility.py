"""Whether an instance may be evacuated at all, and if not, why."""

from dataclasses import dataclass

from novaha.core.details import Details
from novaha.core.reasons import Reason
from novaha.core.serverstates import Step, rule_of, told


@dataclass(frozen=True)
class Kept:
    """Why an instance is not evacuated; lets_go: its host may start nova-compute all the same."""

    reason: Reason
    text: str
    lets_go: bool = True


def kept(details: Details) -> Kept | None:
    """Return why an instance is not evacuated, None where it is."""
    rule = rule_of(details)
    if rule.step is Step.UNSAFE:
        return Kept(Reason.UNSAFE, f"is {told(details)}: {rule.ends}", lets_go=False)
    if rule.step is Step.STAY:
        return Kept(Reason.STAYS, f"is {told(details)}: {rule.ends}")
    return None


def needs_reset(details: Details) -> bool:
    """Tell whether Nova evacuates it only once its state was reset."""
    return rule_of(details).step is Step.RESET
