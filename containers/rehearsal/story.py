"""The story of one lost host, from what Pacemaker and Nova showed at each look."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from testcloud.cloudctl import Migration, Server, Service
from testcloud.names import ServerId

from .pacemaker import Snapshot

ENDED = frozenset({"done", "completed"})


@dataclass(frozen=True)
class Event:
    """Something that was first seen at a moment (seconds since the epoch)."""

    at_s: float
    what: str
    detail: str = ""


@dataclass
class Story:
    """Collects the first sight of each milestone; every feed may come from another thread.

    victims: ids of the instances that were on the host. fenced_before: when the last successful
    fencing of the host ended, as Pacemaker's history showed it before the crash.
    """

    host: str
    victims: dict[ServerId, str]
    crash_s: float
    fenced_before: str = ""
    events: dict[str, Event] = field(default_factory=dict)
    snapshot: Snapshot = field(default_factory=Snapshot)
    homes: dict[ServerId, str] = field(default_factory=dict)

    def note(self, at_s: float, what: str, detail: str = "") -> None:
        """Keep a milestone the first time it is seen."""
        if what not in self.events:
            self.events[what] = Event(at_s, what, detail)

    def saw_pacemaker(self, at_s: float, seen: Snapshot) -> None:
        """Take in a look at Pacemaker."""
        self.snapshot = seen
        state = seen.nodes.get(self.host, "unknown")
        if state == "unclean":
            self.note(at_s, "unclean")
        if f"nova-ha-receipt-{self.host}" in seen.properties:
            self.note(at_s, "receipt")
        if seen.fenced(self.host) > self.fenced_before:
            self.note(at_s, "fenced")
        if "fenced" in self.events:
            self._saw_return(at_s, seen, state)

    def _saw_return(self, at_s: float, seen: Snapshot, state: str) -> None:
        if state != "online":
            return
        self.note(at_s, "node back")
        if seen.runs("NovaComputeUnfence", self.host):
            self.note(at_s, "released")
        else:
            self.note(at_s, "held")
        if seen.runs("nova-compute", self.host) and "released" in self.events:
            self.note(at_s, "nova-compute started")

    def saw_service(self, at_s: float, service: Service) -> None:
        """Take in how Nova shows the host's service."""
        if service.forced_down:
            self.note(at_s, "forced down")
        elif "forced down" in self.events:
            self.note(at_s, "forced up")
        if service.status == "disabled":
            self.note(at_s, "disabled", service.disabled_reason or "")
        elif "disabled" in self.events:
            self.note(at_s, "enabled")

    def saw_migrations(self, at_s: float, migrations: Iterable[Migration]) -> None:
        """Take in the host's evacuation records of this story."""
        statuses = [m.status for m in migrations if m.server in self.victims]
        if statuses:
            self.note(at_s, "first evacuation accepted")
        if len(statuses) >= len(self.victims) and all(s == "completed" for s in statuses):
            self.note(at_s, "records completed")

    def saw_servers(self, at_s: float, servers: Iterable[Server]) -> None:
        """Take in where the instances are."""
        for server in servers:
            name = self.victims.get(server.id)
            if name and server.status == "ACTIVE" and server.host not in (None, self.host):
                self.homes[server.id] = str(server.host)
                self.note(at_s, f"{name} ACTIVE", str(server.host))
        if self.victims and len(self.homes) == len(self.victims):
            self.note(at_s, "all ACTIVE")

    def crash(self) -> None:
        """Say that the host is lost from now on."""
        self.crash_s = time.time()

    def recovered(self) -> bool:
        """Tell whether every instance of the host was seen ACTIVE elsewhere."""
        return "all ACTIVE" in self.events

    def serving(self) -> bool:
        """Tell whether the host is back in service after its recovery."""
        return {"forced up", "enabled"} <= self.events.keys()

    def progress(self) -> str:
        """Return one line about now."""
        state = self.snapshot.nodes.get(self.host, "?")
        last = max(self.events.values(), key=lambda e: e.at_s).what if self.events else "running"
        done = f"{len(self.homes)}/{len(self.victims)} instances ACTIVE elsewhere"
        return f"{self.host} is {state}; {done}; last: {last}"

    def timeline(self) -> str:
        """Return the events in order, with the seconds since the crash."""
        ordered = sorted(self.events.values(), key=lambda event: event.at_s)
        lines = [f"  {0.0:7.1f}  crash of {self.host}"]
        lines += [
            f"  {event.at_s - self.crash_s:7.1f}  {event.what}"
            + (f"  ({event.detail})" if event.detail else "")
            for event in ordered
        ]
        return "\n".join(lines)
