"""The laws as far as they are about drains, judged by plain facts (core/invariants.py).

L4  nothing is asked for twice while its live migration is in flight; no more of them at once
    than allowed; none begins beside evacuations, which must not have to compete
L6  a host that a person wants emptied takes no instances in the end, unless a person has
    enabled it since
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import Any

from novaha.core import facts
from novaha.core.facts import Fact
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import Policy

RACE_S = 3.0
"""What began so shortly before a request was sent could not be known."""

UNSEEN_S = 20.0
"""What a person did may be so young, and not be read yet."""


@dataclass
class DrainJudge:
    """Sees facts in the order in which they happened. broken: called for each law that breaks.

    limit: live migrations that may be in flight; what is older than stuck_s is left out.
    """

    limit: int
    broken: Callable[[str, float, str], None]
    stuck_s: float = Policy.stuck_s
    _lives: dict[int, facts.LiveAccepted] = field(default_factory=dict)
    _evacuations: dict[int, facts.Accepted] = field(default_factory=dict)
    _sent_s: dict[ServerId, float] = field(default_factory=dict)
    _wanted_s: dict[NodeName, float] = field(default_factory=dict)
    _enabled_s: dict[NodeName, float] = field(default_factory=dict)

    def see(self, fact: Fact) -> None:
        """Take in a fact and tell of each law that it breaks."""
        rule = self._rules().get(type(fact))
        if rule is not None:
            rule(self, fact)

    def _asked(self, fact: facts.LiveAsked) -> None:
        if fact.sent_s < self._sent_s.get(fact.server, -inf):
            text = f"a request to live-migrate {fact.server} arrives after the next one was sent"
            self.broken("L4", fact.at_s, text)
        if fact.by != "process":
            return
        self._sent_s[fact.server] = fact.sent_s
        for live in (each for each in self._lives.values() if each.server == fact.server):
            if live.by != "person" or fact.sent_s - live.at_s > UNSEEN_S:
                text = f"{fact.server} is to be live-migrated twice at once (live {live.record})"
                self.broken("L4", fact.at_s, text)
        for other in self._evacuations.values():
            young = fact.sent_s - other.at_s
            if other.by == "process" and RACE_S < young < self.stuck_s:
                text = f"a live migration of {fact.server} begins beside evacuation {other.record}"
                self.broken("L4", fact.at_s, text)

    def _live_accepted(self, fact: facts.LiveAccepted) -> None:
        self._lives[fact.record] = fact
        young = [each for each in self._lives.values() if fact.at_s - each.at_s < self.stuck_s]
        ours = sum(each.by == "process" for each in young)
        if fact.by == "process" and ours > self.limit:
            text = f"more than {self.limit} live migrations are in flight"
            self.broken("L4", fact.at_s, text)

    def _live_ended(self, fact: facts.LiveEnded) -> None:
        self._lives.pop(fact.record, None)

    def _powered_off(self, fact: facts.PoweredOff) -> None:
        """Forget what nothing will end: its source is gone."""
        self._lives = {key: x for key, x in self._lives.items() if x.node != fact.node}

    def _accepted(self, fact: facts.Accepted) -> None:
        self._evacuations[fact.record] = fact

    def _record_ended(self, fact: facts.RecordEnded) -> None:
        self._evacuations.pop(fact.record, None)

    def _deleted(self, fact: facts.Deleted) -> None:
        kept = {key: x for key, x in self._evacuations.items() if x.server != fact.server}
        self._evacuations = kept

    def _drain_wanted(self, fact: facts.DrainWanted) -> None:
        self._wanted_s.pop(fact.node, None)
        if fact.wanted:
            self._wanted_s[fact.node] = fact.at_s

    def _service_set(self, fact: facts.ServiceSet) -> None:
        if fact.enabled:
            self._enabled_s[fact.node] = fact.at_s

    def _drain_left(self, fact: facts.DrainLeft) -> None:
        wanted_s = self._wanted_s.get(fact.node)
        theirs = self._enabled_s.get(fact.node, -inf) >= (wanted_s or 0.0) - RACE_S
        if wanted_s is not None and fact.enabled and not theirs:
            text = f"{fact.node} is to be emptied, and its service is left enabled"
            self.broken("L6", fact.at_s, text)

    @classmethod
    @cache
    def _rules(cls) -> dict[type, Callable[["DrainJudge", Any], None]]:
        return {
            facts.LiveAsked: cls._asked,
            facts.LiveAccepted: cls._live_accepted,
            facts.LiveEnded: cls._live_ended,
            facts.PoweredOff: cls._powered_off,
            facts.Accepted: cls._accepted,
            facts.RecordEnded: cls._record_ended,
            facts.Deleted: cls._deleted,
            facts.DrainWanted: cls._drain_wanted,
            facts.ServiceSet: cls._service_set,
            facts.DrainLeft: cls._drain_left,
        }
