"""The laws as one judge of plain facts, for unit tests, the simulator and the real cluster.

    L1  an accepted evacuation follows a real power-off of what ran on the host last, and a fencing
        that Pacemaker reported as a success
    L2  at most one writer of a disk: two copies without a power-off of the first host between them
    L3  a protected instance of a fenced host runs in the end, or is shown, or a person took it on,
        and none waits for room that has been there for minutes; no evacuation loses its data
        without consent, or asks a scheduler that can choose no host
    L4  no request is accepted while an evacuation of that instance is in flight; in flight at once
        are no more than allowed
    L5  a fencing whose devices work takes what detection and devices take, whatever Nova does
    L6  a service stands in the end as a person set it last; what is not protected is not evacuated;
        what its owner stopped stands stopped;
        one reserved host is used for a lost host until that is back, and no other where its segment
        says so; members of an affinity group are sent to one host
    L7  what is left to recover is acted on or shown in every cycle

L8 is about files and argv: tests of the adapters and the agents judge it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import Any

from novaha.core import facts
from novaha.core.draininvariants import DrainJudge
from novaha.core.facts import Fact
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import Policy
from novaha.core.seen import SeenFlight, SeenNode

FENCING_SLACK_S = 2.0
"""Within this a fencing may be late, for the cluster's own work."""

RACE_S = 3.0
"""What a person sets so shortly before or after us is overwritten: Nova has no compare and set."""

UNSEEN_S = 20.0
"""What a person did may be so young when we do the same: nobody can tell the two apart."""

UNREAD_S = 90.0
"""What is said of an instance may be so young and not yet be read: Nova is asked once a minute."""


@dataclass(frozen=True)
class Violation:
    """A broken law: which one (L1…L7), when, and what was seen.

    What no recovery could prevent has a law of its own, with who broke it: "L2-bmc-lie" (the power
    device lied), "L2-autostart" (the system starts nova-compute), "L2-operator" (a person
    evacuated beside us); the same with L1 and L4. "L6-operator": a person set the service in the
    very moment in which we did, or forced it down in the seconds in which we did, too, so that
    nothing tells that it was wanted; with L3, too, what was said of an instance so shortly before
    its evacuation that it was not read, or after its host was fenced, and may have been released.
    """

    law: str
    at_s: float
    text: str

    @property
    def excused(self) -> bool:
        """Tell whether somebody else broke it."""
        return "-" in self.law


@dataclass
class Judge:
    """Sees facts in the order in which they happened.

    limit: how many evacuations may be in flight; those older than stuck_s are left out. live_limit:
    of live migrations.
    """

    limit: int
    stuck_s: float = Policy.stuck_s
    live_limit: int = Policy.drain_in_flight
    violations: list[Violation] = field(default_factory=list)
    _nodes: dict[NodeName, SeenNode] = field(default_factory=dict)
    _flights: dict[int, SeenFlight] = field(default_factory=dict)
    _writers: dict[ServerId, list[NodeName]] = field(default_factory=dict)
    _beside: set[ServerId] = field(default_factory=set)
    _gone: set[ServerId] = field(default_factory=set)
    _wishes: dict[ServerId, facts.Wished] = field(default_factory=dict)
    _other_s: dict[ServerId, float] = field(default_factory=dict)
    _stopped: set[ServerId] = field(default_factory=set)
    _ours: set[ServerId] = field(default_factory=set)
    _wanted: dict[NodeName, facts.ServiceSet] = field(default_factory=dict)
    _used_for: dict[NodeName, facts.ReservedFor] = field(default_factory=dict)
    _used_last: dict[NodeName, tuple[NodeName | None, float]] = field(default_factory=dict)
    _reserved_only: set[NodeName] = field(default_factory=set)
    _groups: dict[ServerId, str] = field(default_factory=dict)
    _sent: dict[ServerId, NodeName] = field(default_factory=dict)
    _drains: DrainJudge = field(init=False)

    def __post_init__(self) -> None:
        """Have somebody else judge the drains."""
        self._drains = DrainJudge(self.live_limit, self._broken, self.stuck_s)

    def see(self, fact: Fact) -> None:
        """Take in a fact and note each law that it breaks."""
        self._drains.see(fact)
        self._rules().get(type(fact), _nothing)(self, fact)

    def _node(self, name: NodeName) -> SeenNode:
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = SeenNode()
        return node

    def _broken(self, law: str, at_s: float, text: str) -> None:
        self.violations.append(Violation(law, at_s, text))

    def _lived(self, fact: facts.Lived) -> None:
        node = self._node(fact.node)
        node.dirty, node.fenced_s, node.given_up_s = True, None, None
        node.unasked = node.stray = fact.unasked
        for flight in self._flights.values():
            mine = flight.accepted.node == fact.node and not (flight.dead or flight.done)
            if mine and flight.accepted.by == "person":
                self._beside.add(flight.accepted.server)

    def _powered_off(self, fact: facts.PoweredOff) -> None:
        node = self._node(fact.node)
        node.dirty = node.lied = node.unasked = False
        for flight in self._flights.values():
            flight.dead |= flight.to == fact.node
        for writers in self._writers.values():
            if fact.node in writers:
                writers.remove(fact.node)

    def _lied(self, fact: facts.Lied) -> None:
        self._node(fact.node).lied = True

    def _fenced(self, fact: facts.Fenced) -> None:
        node = self._node(fact.node)
        node.fenced_s = node.taken_s = fact.at_s
        node.stray = False
        if node.given_up_s is not None and fact.lost_s > node.given_up_s:
            node.given_up_s = None
        took_s = fact.at_s - fact.lost_s
        if fact.allowed_s is not None and took_s > fact.allowed_s + FENCING_SLACK_S:
            text = f"the fencing of {fact.node} took {took_s:.1f} s instead of {fact.allowed_s:.1f}"
            self._broken("L5", fact.at_s, text)

    def _accepted(self, fact: facts.Accepted) -> None:
        mine = [f for f in self._flights.values() if f.accepted.server == fact.server]
        beside = [f for f in mine if not f.dead and f.accepted.node == fact.node]
        self._flights[fact.record] = SeenFlight(fact)
        by_hand = fact.by == "person" and self._node(fact.node).dirty
        if by_hand or (beside and "person" in (fact.by, *(f.accepted.by for f in beside))):
            self._beside.add(fact.server)
        if fact.by == "person":
            return
        self._ours.add(fact.server)
        self._judge_fencing(fact)
        self._judge_wishes(fact)
        for flight in beside:
            young = fact.at_s - flight.accepted.at_s <= UNSEEN_S
            law = "L4-operator" if flight.accepted.by == "person" and young else "L4"
            text = f"{fact.server} is evacuated twice at once (records {flight.accepted.record} and"
            self._broken(law, fact.at_s, f"{text} {fact.record})")
        young_s = fact.at_s - self.stuck_s
        all_ = (f for f in self._flights.values() if f.accepted.at_s > young_s)
        flights = [f for f in all_ if not f.dead and not f.done]
        if fact.by == "process" and sum(f.accepted.by == "process" for f in flights) > self.limit:
            self._broken("L4", fact.at_s, f"more than {self.limit} evacuations are in flight")

    def _judge_fencing(self, fact: facts.Accepted) -> None:
        node = self._node(fact.node)
        unasked = node.unasked or node.stray
        law = "L1-bmc-lie" if node.lied else "L1-autostart" if unasked else "L1"
        if node.dirty:
            text = f"{fact.server} is evacuated off {fact.node}, which may run"
            self._broken(law, fact.at_s, text)
        elif node.fenced_s is None:
            text = f"{fact.server} is evacuated off {fact.node}, whose fencing never succeeded"
            self._broken(law, fact.at_s, text)

    def _judge_wishes(self, fact: facts.Accepted) -> None:
        wished = self._wishes.get(fact.server)
        if wished is None:
            return
        young = fact.at_s - self._other_s.get(fact.server, -inf) <= UNREAD_S
        unread = "-operator" if young else ""
        if not wished.protected:
            text = f"{fact.server} is evacuated, which is not protected"
            self._broken(f"L6{unread}", fact.at_s, text)
        elif wished.loses:
            text = f"the evacuation of {fact.server} loses data, and nobody has consented"
            self._broken(f"L3{unread}", fact.at_s, text)

    def _scheduled(self, fact: facts.Scheduled) -> None:
        flight = self._flights.get(fact.record)
        if flight is not None:
            flight.to = fact.node
            self._judge_place(flight.accepted, fact)
            self._judge_group(flight.accepted, fact)

    def _judge_group(self, accepted: facts.Accepted, fact: facts.Scheduled) -> None:
        """Note a member of an affinity group that goes where none of the others is or goes."""
        server, group = accepted.server, self._groups.get(accepted.server)
        others = {s for s, its in self._groups.items() if group and its == group and s != server}
        young_s = fact.at_s - self.stuck_s
        flights = [f for f in self._flights.values() if f.accepted.at_s > young_s and not f.dead]
        there = {f.to for f in flights if f.to and f.accepted.server in others}
        arrived = {s: n for s, n in self._sent.items() if n in self._writers.get(s, ())}
        there.update(node for other, node in arrived.items() if other in others)
        there.discard(accepted.node)
        self._sent[server] = fact.node
        if there and fact.node not in there and accepted.by != "person":
            text = f"{server} goes to {fact.node}, its affinity group {group} is on"
            self._broken("L6", fact.at_s, f"{text} {', '.join(sorted(map(str, there)))}")

    def _together(self, fact: facts.Together) -> None:
        self._groups[fact.server] = fact.group

    def _in_vain(self, fact: facts.InVain) -> None:
        flight = self._flights.get(fact.record)
        if flight is not None and flight.accepted.by != "person":
            text = f"the scheduler is asked for the first of its group: {flight.accepted.server}"
            self._broken("L3", fact.at_s, text)

    def _judge_place(self, accepted: facts.Accepted, fact: facts.Scheduled) -> None:
        bound = accepted.node in self._reserved_only and accepted.by != "person"
        if bound and accepted.node not in self._lost_of(fact.node, fact.at_s - UNREAD_S):
            text = f"{accepted.server} of {accepted.node} goes to {fact.node}, not reserved for it"
            self._broken("L6", fact.at_s, text)

    def _lost_of(self, node: NodeName, since_s: float) -> set[NodeName | None]:
        """Return for which nodes a reserved host is used, or was until a person said otherwise."""
        use, last = self._used_for.get(node), self._used_last.get(node)
        unread = last is not None and last[1] >= since_s
        return {use.lost if use else None, last[0] if last and unread else None}

    def _reserved_for(self, fact: facts.ReservedFor) -> None:
        before = self._used_for.pop(fact.node, None)
        if before is not None:
            self._used_last[fact.node] = before.lost, fact.at_s
        if fact.lost is None:
            return
        for other in (each for each in self._used_for.values() if each.lost == fact.lost):
            text = f"{fact.lost} has two reserved hosts, {other.node} and {fact.node}"
            self._broken("L6", fact.at_s, text)
        same = before is not None and before.lost == fact.lost
        self._used_for[fact.node] = before if before is not None and same else fact

    def _only_reserved(self, fact: facts.ReservedOnly) -> None:
        self._reserved_only.add(fact.node)

    def _record_ended(self, fact: facts.RecordEnded) -> None:
        self._flights.pop(fact.record, None)

    def _guest_started(self, fact: facts.GuestStarted) -> None:
        writers = self._writers.setdefault(fact.server, [])
        others = [node for node in writers if node != fact.node]
        for flight in self._flights.values():
            flight.done |= flight.accepted.server == fact.server and flight.to == fact.node
        if fact.node not in writers:
            writers.append(fact.node)
        if others:
            text = f"{fact.server} runs on {fact.node} and still on {', '.join(others)}"
            self._broken(self._law_of(fact.server, (*others, fact.node)), fact.at_s, text)

    def _law_of(self, server: ServerId, places: Iterable[NodeName]) -> str:
        nodes = [self._node(place) for place in places]
        if any(node.lied for node in nodes):
            return "L2-bmc-lie"
        if any(node.unasked for node in nodes):
            return "L2-autostart"
        return "L2-operator" if server in self._beside else "L2"

    def _guest_ended(self, fact: facts.GuestEnded) -> None:
        writers = self._writers.get(fact.server, [])
        if fact.node in writers:
            writers.remove(fact.node)

    def _deleted(self, fact: facts.Deleted) -> None:
        self._gone.add(fact.server)
        for flight in self._flights.values():
            flight.done |= flight.accepted.server == fact.server

    def _service_set(self, fact: facts.ServiceSet) -> None:
        self._wanted[fact.node] = fact

    def _service_taken(self, fact: facts.ServiceTaken) -> None:
        self._node(fact.node).changes_s.append(fact.at_s)

    def _wished(self, fact: facts.Wished) -> None:
        """Note a wish, and when it became another one."""
        before = self._wishes.get(fact.server)
        if before is not None and before[2:] != fact[2:]:
            self._other_s[fact.server] = fact.at_s
        self._wishes[fact.server] = fact

    def _power_wished(self, fact: facts.PowerWished) -> None:
        (self._stopped.discard if fact.runs else self._stopped.add)(fact.server)

    def _given_up(self, fact: facts.GivenUp) -> None:
        self._node(fact.node).given_up_s = fact.at_s

    def _silent(self, fact: facts.Silent) -> None:
        self._broken("L7", fact.at_s, f"nothing is done or said about {fact.node}")

    def _instance_left(self, fact: facts.InstanceLeft) -> None:
        node = self._node(fact.node)
        wished = self._wishes.get(fact.server)
        if fact.server in self._gone:
            return
        if fact.server in self._stopped:
            if fact.running:
                text = f"{fact.server} runs on {fact.node}, and its owner has stopped it"
                self._broken("L6", fact.at_s, text)
            return
        if fact.running or fact.shown:
            return
        if wished is not None and not wished.protected:
            return
        if node.given_up_s is None and node.fenced_s is None and fact.server in self._ours:
            text = f"{fact.server} was evacuated to {fact.node}, and neither runs nor is shown"
            self._broken("L3", fact.at_s, text)
        if node.fenced_s is not None and node.given_up_s is None:
            text = f"{fact.server} of {fact.node}, which was fenced, neither runs nor is shown"
            late = self._other_s.get(fact.server, -inf) > node.fenced_s
            self._broken("L3-operator" if late else "L3", fact.at_s, text)

    def _service_left(self, fact: facts.ServiceLeft) -> None:
        wanted, used = self._wanted.get(fact.node), self._used_for.get(fact.node)
        if wanted and used and wanted.at_s < used.at_s and fact.enabled:
            wanted = wanted._replace(enabled=True, reason="")
        if wanted is not None and wanted[2:] != fact[2:]:
            text = f"the service of {fact.node} is left {_setting(*fact[2:])}"
            law = "L6-operator" if self._unseen(wanted, fact) else "L6"
            self._broken(law, fact.at_s, f"{text}; a person wants it {_setting(*wanted[2:])}")
        for use in (use for use in self._used_for.values() if use.lost == fact.node):
            self._broken("L6", fact.at_s, f"{use.node} is used for {fact.node}, which is back")

    def _unseen(self, wanted: facts.ServiceSet, left: facts.ServiceLeft) -> bool:
        """Tell whether nobody could see what a person wanted, for what we did meanwhile."""
        node = self._node(wanted.node)
        if any(abs(wanted.at_s - change_s) <= RACE_S for change_s in node.changes_s):
            return True
        forced = wanted[2:4] == left[2:4]
        return forced and abs(wanted.at_s - node.taken_s) <= UNSEEN_S

    @classmethod
    @cache
    def _rules(cls) -> dict[type, Callable[["Judge", Any], None]]:
        return {
            facts.Lived: cls._lived,
            facts.PoweredOff: cls._powered_off,
            facts.Lied: cls._lied,
            facts.Fenced: cls._fenced,
            facts.Accepted: cls._accepted,
            facts.Scheduled: cls._scheduled,
            facts.Together: cls._together,
            facts.InVain: cls._in_vain,
            facts.RecordEnded: cls._record_ended,
            facts.GuestStarted: cls._guest_started,
            facts.GuestEnded: cls._guest_ended,
            facts.Deleted: cls._deleted,
            facts.ServiceSet: cls._service_set,
            facts.ServiceTaken: cls._service_taken,
            facts.Wished: cls._wished,
            facts.PowerWished: cls._power_wished,
            facts.ReservedFor: cls._reserved_for,
            facts.ReservedOnly: cls._only_reserved,
            facts.GivenUp: cls._given_up,
            facts.Silent: cls._silent,
            facts.InstanceLeft: cls._instance_left,
            facts.ServiceLeft: cls._service_left,
        }


def _nothing(_judge: Judge, _fact: Fact) -> None:
    """Judge nothing: it is about drains."""


def _setting(enabled: bool, reason: str, forced_down: bool) -> str:  # noqa: FBT001
    able = "enabled" if enabled else f"disabled ({reason})"
    return f"{able}, {'forced down' if forced_down else 'free'}"


def violations(history: Iterable[Fact], limit: int) -> tuple[Violation, ...]:
    """Return every law that a history breaks.

    limit: evacuations of one recovery process that may be in flight at once.
    """
    judge = Judge(limit)
    for fact in history:
        judge.see(fact)
    return tuple(judge.violations)
