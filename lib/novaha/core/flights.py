"""Which evacuations of a host are in flight, which of them are stuck, and which take a slot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from novaha.core.model import Answer, Migration, Post, View
from novaha.core.names import ComputeHost, ServerId
from novaha.core.policy import ENDED_WELL, Policy, in_flight
from novaha.core.records import newest_by_server
from novaha.core.silence import long_silent

CLAIMED = "completed"
"""The word of a starting nova-compute on the source: it sets it on what is in flight, too (34.0).

Only the list of servers tells whether such an evacuation moved anything.
"""


@dataclass(frozen=True)
class Flights:
    """The servers of a host that Nova moves, or may move once a request arrives.

    claimed: those of which only the source says that it is over. stuck: the newest records that
    have not changed for long: in flight, or over without that the list of servers shows it.
    newest: the record of each server that tells where it is. unseen: Nova has told nothing of them
    for so long that they must stop no other.
    """

    moving: frozenset[ServerId]
    claimed: frozenset[ServerId]
    stuck: Mapping[ServerId, Migration]
    newest: Mapping[ServerId, Migration]
    unseen: bool = False

    @property
    def busy(self) -> int:
        """Return how many have a slot; a stuck one costs Nova nothing and must stop no other."""
        return 0 if self.unseen else len(self.moving - self.stuck.keys())


def flights_of(view: View, policy: Policy, host: ComputeHost, after_migration: int) -> Flights:
    """Return what is in flight off a host; records up to that number are of before its recovery.

    Servers that left the list count while their record is open; a record that never comes to its
    end, of before this recovery or stuck, does not, once its server is gone.
    """
    memory = view.memory
    servers, migrations = memory.servers.get(host), memory.migrations.get(host)
    listed = {server.id for server in servers.value} if servers else set()
    newest = telling(migrations.value if migrations else (), after_migration)
    here = {s: m for s, m in newest.items() if s in listed and m.id > after_migration}
    open_ = {s: m for s, m in newest.items() if in_flight(m.status)}
    over = {s: m for s, m in here.items() if m.status in ENDED_WELL}
    stuck = {s: m for s, m in {**open_, **over}.items() if _unchanged(view, policy, m)}
    claimed = frozenset(s for s, m in over.items() if m.status == CLAIMED)
    moving = {
        s for s, m in open_.items() if s in listed or (m.id > after_migration and s not in stuck)
    }
    posted = {
        s
        for s, post in memory.posts.items()
        if (post.host == host or s in listed) and not _spent(post, policy, migrations)
    }
    unseen = long_silent(view, host)
    return Flights(claimed.union(moving, posted), claimed, stuck, newest, unseen)


def telling(migrations: Iterable[Migration], after_migration: int) -> dict[ServerId, Migration]:
    """Return the record of each server that tells where it is: the newest, or one still in flight.

    A person may evacuate beside us: then the older of two evacuations of this recovery goes on when
    the newer has ended.
    """
    migrations = tuple(migrations)
    flying = (m for m in migrations if in_flight(m.status) and m.id > after_migration)
    return {**newest_by_server(migrations), **newest_by_server(flying)}


def _unchanged(view: View, policy: Policy, m: Migration) -> bool:
    known = view.memory.moving.get(m.id)
    return known is not None and view.now_s - known.since_s >= policy.stuck_s


def _spent(post: Post, policy: Policy, migrations: Answer[tuple[Migration, ...]] | None) -> bool:
    return post.state != "sent" and settled(policy, migrations, post.at_s)


def settled(
    policy: Policy, migrations: Answer[tuple[Migration, ...]] | None, since_s: float
) -> bool:
    """Tell whether a request of that moment cannot take effect any more, as Nova shows it."""
    return migrations is not None and migrations.asked_s >= since_s + policy.settle_s
