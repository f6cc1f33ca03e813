"""What is said of an instance comes to: worked out once, for as long as nothing of it is read anew.

A decision is made several times a second, for thousands of instances of which nothing has changed.
"""

from typing import NamedTuple

from novaha.core.details import Details
from novaha.core.eligibility import Kept, kept, misunderstood, needs_reset
from novaha.core.model import Server
from novaha.core.order import Wish, wish_of
from novaha.core.policy import Policy
from novaha.core.rules import Rules


class Verdict(NamedTuple):
    """Why it is not evacuated, what nobody understands, whether its state is reset, its order."""

    kept: Kept | None
    note: str
    reset: bool
    wish: Wish


class _Known(NamedTuple):
    """A verdict, and what it was made of beside the rules that keep it."""

    name: str
    details: Details
    policy: Policy
    verdict: Verdict

    def of(self, name: str, details: Details, policy: Policy) -> bool:
        """Tell whether it was made of these: of the same objects, for what is read anew is new."""
        return self.name == name and self.details is details and self.policy is policy


def verdict(server: Server, details: Details, rules: Rules, policy: Policy) -> Verdict:
    """Return what is said of an instance; rules: those of its host."""
    known = rules.worked_out.get(server.id)
    if isinstance(known, _Known) and known.of(server.name, details, policy):
        return known.verdict
    about = (server, details, rules, policy)
    found = Verdict(
        kept(*about), misunderstood(*about), needs_reset(details), wish_of(details, rules)
    )
    rules.worked_out[server.id] = _Known(server.name, details, policy, found)
    return found
