"""Where single instances stand, with the evacuation records that say so."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from novaha.core.eligibility import kept, misunderstood
from novaha.core.fates import Fate, fates
from novaha.core.model import Migration, Server, View
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import Policy
from novaha.core.recovery import Recovery
from novaha.core.standing import Standing
from novaha.core.states import InstanceState


@dataclass(frozen=True)
class InstanceStanding:
    """An instance and where it stands.

    name: "" where only its records tell of it. host: where Nova lists it; the lost host once it is
    GONE from there. state: None when no recovery concerns it. tries: those that came to nothing.
    due_in_s: until the next one, None when none is waited for. text: Nova's words to the last one,
    or why it is not evacuated, or would not be. note: what is said of it in Nova that nobody can
    understand. records: its evacuations that are known, the newest one last.
    """

    id: ServerId
    name: str
    host: ComputeHost
    state: InstanceState | None
    tries: int = 0
    due_in_s: float | None = None
    text: str = ""
    note: str = ""
    records: tuple[Migration, ...] = ()


def instances_of(view: View, policy: Policy, standing: Standing) -> tuple[InstanceStanding, ...]:
    """Return the instances of a recovery, as far as Nova's lists are known: those gone, too."""
    recovery = standing.record
    if not isinstance(recovery, Recovery):
        return ()
    listed = tuple(_standing(view, recovery, fate) for fate in fates(view, policy, recovery))
    return (*listed, *_gone(view, recovery))


def listed(view: View, policy: Policy) -> Iterator[InstanceStanding]:
    """Yield every instance on the lists that are known, of whatever host.

    text: why it would not be evacuated, were its host lost now.
    """
    for host, answer in view.memory.servers.items():
        for server in answer.value:
            text, note = _would(server, host, view, policy)
            instance = InstanceStanding(server.id, server.name, host, None, text=text, note=note)
            yield with_records(instance, view)


def _would(server: Server, host: ComputeHost, view: View, policy: Policy) -> tuple[str, str]:
    if server.details is None or view.memory.rules is None:
        return "", ""
    about = (server, server.details, view.memory.rules.value.of(host), policy)
    why = kept(*about)
    return why.text if why else "", misunderstood(*about)


def recorded(view: View) -> Iterator[InstanceStanding]:
    """Yield every instance that the known records name, on the host the newest one tells."""
    for answer in view.memory.migrations.values():
        for m in answer.value:
            instance = with_records(InstanceStanding(m.server, "", m.source, None), view)
            last = instance.records[-1]
            yield replace(instance, host=last.destination or last.source)


def with_records(instance: InstanceStanding, view: View) -> InstanceStanding:
    """Return an instance with all of its records that are known."""
    records = [
        migration
        for answer in view.memory.migrations.values()
        for migration in answer.value
        if migration.server == instance.id
    ]
    return replace(instance, records=tuple(sorted(records, key=lambda m: m.id)))


def _standing(view: View, recovery: Recovery, fate: Fate) -> InstanceStanding:
    later = fate.state in (InstanceState.WAITING, InstanceState.CHECKING)
    due_in_s = max(fate.due_s - view.now_s, 0.0) if later else None
    server = fate.server
    instance = InstanceStanding(
        server.id,
        server.name,
        recovery.host,
        fate.state,
        fate.failures,
        due_in_s,
        fate.text,
        fate.note,
    )
    return with_records(instance, view)


def _gone(view: View, recovery: Recovery) -> Iterator[InstanceStanding]:
    """Yield those that this recovery evacuated and that Nova does not list on the host any more."""
    servers = view.memory.servers.get(recovery.host)
    migrations = view.memory.migrations.get(recovery.host)
    here = {server.id for server in servers.value} if servers else None
    if here is None or migrations is None:
        return
    ours = {m.server: m for m in migrations.value if m.id > recovery.after_migration}
    for server in ours:
        if server not in here:
            gone = InstanceStanding(server, "", recovery.host, InstanceState.GONE)
            yield with_records(gone, view)
