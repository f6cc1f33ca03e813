"""What hosts need that a person, or their health, wants to serve less: the drains of all nodes.

A host with an open recovery is left to that. Live migrations begin only while nothing evacuates.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from novaha.core.actions import (
    AskLiveMigrations,
    AskRules,
    AskServers,
    AskServices,
    Decision,
    Hold,
    Question,
)
from novaha.core.drain import Phase, Wanted, Withdrawn
from novaha.core.drainsharing import HostDrain, share_drains
from novaha.core.hostplan import HostPlan
from novaha.core.leaving import Leaver, Reading, Way
from novaha.core.model import Server, Service, View
from novaha.core.names import NodeName, some_of
from novaha.core.pace import QUIET_SHARE
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.standing import Standing
from novaha.core.states import RecoveryState as State
from novaha.core.withdrawing import close, fresh_s, give_back, in_standby, park, service_of, unpark

TOLD = 3
"""So many of those that stay are told in one line."""


def draining(
    view: View, policy: Policy, found: Sequence[Standing], plans: Sequence[HostPlan]
) -> tuple[Decision, ...]:
    """Return what all hosts need that are to serve less, or did; plans: of the recoveries."""
    nodes = drained_nodes(view)
    if not nodes:
        return ()
    open_ = {standing.node for standing in found}
    drains = [_of_node(view, policy, node, recovers=node in open_) for node in nodes]
    return share_drains(view, policy, drains, evacuates=_evacuate(found, plans))


def drained_nodes(view: View) -> list[NodeName]:
    """Return the nodes that are to serve less, those of which we hold something, and in standby."""
    cluster = view.cluster
    if not (cluster.drains or cluster.withdrawn or cluster.health or cluster.standby):
        return []
    mine = {drain.node for drain in cluster.drains} | {taken.node for taken in cluster.withdrawn}
    return sorted(mine | cluster.health.keys() | cluster.standby)


def _evacuate(found: Sequence[Standing], plans: Sequence[HostPlan]) -> bool:
    """Tell whether a recovery evacuates, or is about to; not of one that waits for a person."""
    ahead = (State.FENCED, State.PROVEN)
    begins = any(s.state is State.FENCING or (s.state in ahead and not s.hold) for s in found)
    return begins or any(map(_is_busy, plans))


def _is_busy(plan: HostPlan) -> bool:
    held = {decision.reason for decision in plan.decisions if isinstance(decision, Hold)}
    asks = bool(plan.decisions) and all(isinstance(d, Question) for d in plan.decisions)
    return bool(plan.busy or plan.ready or asks or held & {Reason.SETTLING, Reason.ASKING})


def _of_node(view: View, policy: Policy, node: NodeName, *, recovers: bool) -> HostDrain:
    wanted, withdrawn = view.cluster.wanted(node), view.cluster.withdrawn_of(node)
    if recovers:
        return HostDrain(node, _recovers(view, node, wanted, withdrawn))
    if wanted is not None:
        # What nobody can read is written over.
        known = withdrawn if withdrawn and not withdrawn.raw else None
        return _withdrawn(view, policy, wanted, known)
    if withdrawn is not None:
        return HostDrain(node, give_back(view, policy, withdrawn))
    return HostDrain(node, in_standby(view, policy, node))


def _recovers(
    view: View, node: NodeName, wanted: Wanted | None, withdrawn: Withdrawn | None
) -> tuple[Decision, ...]:
    """Return what is done of a drain while its host is recovered itself.

    Standby that is no longer wanted would keep it from ever coming back; the hold acts beside it.
    """
    if wanted is not None:
        return (Hold(node, Reason.DRAIN_WAITS, f"{wanted.said}; its recovery goes first"),)
    return unpark(view, withdrawn) if withdrawn else ()


def _withdrawn(
    view: View, policy: Policy, wanted: Wanted, withdrawn: Withdrawn | None
) -> HostDrain:
    node = wanted.node
    service = service_of(view, policy, node, withdrawn)
    if not isinstance(service, Service):
        return HostDrain(node, service)
    if withdrawn is None or withdrawn.phase is Phase.CLOSING:
        return HostDrain(node, close(view, policy, wanted, withdrawn, service))
    if not wanted.empty:
        ask = _services_again(view, policy)
        return HostDrain(node, (*ask, Hold(node, Reason.CLOSED, _closed(wanted, service))))
    return _emptied(view, policy, wanted, withdrawn, service)


def _services_again(view: View, policy: Policy) -> tuple[AskServices, ...]:
    services = view.memory.services
    old = services is None or view.now_s - services.asked_s >= policy.look_again_s
    return (AskServices(),) if old else ()


def _closed(wanted: Wanted, service: Service) -> str:
    theirs = "; a person has enabled it again" if service.enabled else ""
    return f"gets no new instances: {wanted.said}{theirs}"


def _emptied(
    view: View, policy: Policy, wanted: Wanted, withdrawn: Withdrawn, service: Service
) -> HostDrain:
    host = withdrawn.host
    servers, records = view.memory.servers.get(host), view.memory.drain.records.get(host)
    if servers is None or records is None or _without_details(servers.value):
        ask = (AskServers(host, details=True), AskLiveMigrations(host))
        hold = Hold(withdrawn.node, Reason.DRAINING, f"{wanted.said}; Nova is asked who is on it")
        return HostDrain(withdrawn.node, (*ask, hold))
    reading = Reading(view, policy, withdrawn, servers, records)
    return _Emptying(view, policy, wanted, withdrawn, service, reading).plan()


def _without_details(servers: Sequence[Server]) -> bool:
    return any(server.details is None for server in servers)


@dataclass(frozen=True)
class _Emptying:
    view: View
    policy: Policy
    wanted: Wanted
    withdrawn: Withdrawn
    service: Service
    reading: Reading

    def plan(self) -> HostDrain:
        """Return what a host needs until it is empty, and then."""
        bar, moving = self.bar(), self.those(Way.MOVING)
        fresh = self.reading.read_since(fresh_s(self.view)) and self.view.memory.rules is not None
        ready = self.those(Way.READY)
        decisions = (
            *self.asks(),
            *self.holds(bar),
            *(park(self.view, self.withdrawn) if self.may_park(bar, fresh=fresh) else ()),
        )
        starts = () if bar or not fresh else ready
        return HostDrain(self.withdrawn.node, decisions, starts, moving)

    def those(self, *ways: Way) -> tuple[Leaver, ...]:
        return tuple(leaver for leaver in self.reading.leavers if leaver.way in ways)

    def bar(self) -> Hold | None:
        """Return why nothing can leave now."""
        node, cluster = self.withdrawn.node, self.view.cluster
        left = len(self.those(Way.READY, Way.WAITING, Way.LATER))
        if not left:
            return None
        if node in cluster.standby:
            why = f"nova-compute is stopped, the node is in standby: pcs node unstandby {node}"
        elif node not in cluster.online:
            why = "the node is not in the cluster"
        elif not self.service.up:
            why = "its nova-compute is down for Nova, which then live-migrates nothing"
        elif self.settles():
            wait_s = max(self._settled_s() - self.view.now_s, 0.0)
            text = f"{left} instances wait up to {wait_s:.0f} s for requests of before"
            return Hold(node, Reason.SETTLING, text)
        else:
            return None
        return Hold(node, Reason.DRAIN_BLOCKED, f"{left} instances cannot leave: {why}")

    def settles(self) -> bool:
        """Tell whether requests of an earlier process may still arrive, for all we have read."""
        adopted = self.withdrawn.node not in self.view.memory.drain.begun
        return adopted and not self.reading.read_since(self._settled_s())

    def _settled_s(self) -> float:
        return self.view.memory.started_s + self.policy.settle_s

    def asks(self) -> tuple[Question, ...]:
        """Return what has to be read again: records while something moves, then the instances."""
        host, now_s = self.withdrawn.host, self.view.now_s
        servers_s, records_s = self.reading.servers.asked_s, self.reading.records.asked_s
        changed_s = self.view.memory.drain.changed_s.get(host, 0.0)
        pause_s = max(self.policy.return_poll_s, (records_s - changed_s) * QUIET_SHARE)
        due = now_s - records_s >= min(pause_s, self.policy.poll_last_s)
        moving = bool(self.those(Way.MOVING))
        late = servers_s < changed_s and now_s - servers_s >= self.policy.return_poll_s
        starts = bool(self.those(Way.READY)) and not self.reading.read_since(fresh_s(self.view))
        settled = self.settles() and now_s >= self._settled_s()
        old = now_s - servers_s >= self.policy.look_again_s
        again = late or starts or settled or old
        return (
            *((AskLiveMigrations(host),) if again or (moving and due) else ()),
            *((AskServers(host, details=True),) if again else ()),
            *self._ask_rules(),
            *_services_again(self.view, self.policy),
        )

    def _ask_rules(self) -> tuple[AskRules, ...]:
        rules = self.view.memory.rules
        old = rules is None or self.view.now_s - rules.asked_s >= self.policy.look_again_s
        return (AskRules(),) if old and self.those(Way.READY, Way.WAITING) else ()

    def may_park(self, bar: Hold | None, *, fresh: bool) -> bool:
        """Tell whether all that can leave has left, so that the node may be set in standby."""
        waits = self.those(Way.MOVING, Way.READY, Way.WAITING, Way.LATER)
        done = not waits and bar is None and not self.settles()
        return (
            self.wanted.standby and done and (fresh or self.reading.read_since(fresh_s(self.view)))
        )

    def holds(self, bar: Hold | None) -> tuple[Hold, ...]:
        """Return how far it is, what bars it, and which instances need a person."""
        failed = (x for x in self.those(Way.READY, Way.WAITING) if x.failures)
        slow = (x for x in self.those(Way.MOVING) if x.slow)
        return (
            self.progress(),
            *((bar,) if bar else ()),
            *map(self._failed, failed),
            *map(self._slow, slow),
        )

    def progress(self) -> Hold:
        node, gone = self.withdrawn.node, self.reading.gone
        total = gone + len(self.reading.leavers)
        parts = [f"{self.wanted.said}: {gone} of {total} instances have left", *self._left()]
        text = ", ".join(parts)
        if self.service.enabled:
            text += "; a person has enabled its service again"
        if self.those(Way.MOVING, Way.READY):
            return Hold(node, Reason.DRAINING, text)
        return Hold(node, Reason.DRAIN_STAYS if self.reading.leavers else Reason.DRAINED, text)

    def _left(self) -> Iterator[str]:
        """Yield how many are left of each kind."""
        if moving := self.those(Way.MOVING):
            yield f"{len(moving)} on their way"
        if waiting := self.those(Way.READY, Way.WAITING):
            yield f"{len(waiting)} wait"
        for kind, word in ((Way.LATER, "busy"), (Way.STAYS, "stay")):
            if those := self.those(kind):
                told = [f"{leaver.server.name} ({leaver.text})" for leaver in those]
                yield f"{len(told)} {word}: {some_of(told, TOLD)}"

    def _failed(self, leaver: Leaver) -> Hold:
        wait_s = max(leaver.due_s - self.view.now_s, 0.0)
        text = (
            f"({leaver.server.name}) is still on {self.withdrawn.host}: {leaver.text};"
            f" {leaver.failures} tries, next in {wait_s:.0f} s"
        )
        return Hold(leaver.server.id, Reason.BLOCKED, text)

    def _slow(self, leaver: Leaver) -> Hold:
        record = leaver.record
        told = f"{record.id} to {record.destination or '?'} is {record.status}" if record else ""
        name = leaver.server.name
        return Hold(leaver.server.id, Reason.DRAIN_SLOW, f"({name}) its live migration {told}")
