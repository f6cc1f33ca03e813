"""The beginning of a cluster: whom it has not seen since, and for how long that means nothing.

After a power cut the controllers are there before the last compute has booted. Pacemaker wants a
host fenced as soon as the first try to connect to it has failed, and then perhaps never again: the
stop of the connection that follows makes it a host that Pacemaker has seen (seen with 2.1.5;
lib/pengine, handle_startup_fencing and unpack_handle_remote_attrs). So within the grace the gate
refuses; and after it, somebody has to have Pacemaker ask again, or a host that died with the site
may never be recovered.

What proves a beginning is Pacemaker's own memory: the status section of the CIB lives in the memory
of the controllers. It outlives each of them, and not all: where it shows nothing older, no
controller remembers anything older. A controller that restarts alone is given it by the others.
"""

from collections.abc import Collection
from dataclasses import dataclass

from novaha.core.names import NodeName


@dataclass(frozen=True)
class Beginning:
    """When the cluster began, None where nobody can tell, and the hosts not seen since.

    at_s: on the clock of the controllers, seconds since the epoch.
    """

    at_s: float | None = None
    unseen: frozenset[NodeName] = frozenset()

    def late(self, grace_s: float, now_s: float) -> frozenset[NodeName]:
        """Return the hosts that may still boot; none where the beginning is long ago, or unknown.

        Counted in both directions, for a clock that was wrong must not keep a grace on for years.
        """
        young = self.at_s is not None and abs(now_s - self.at_s) < grace_s
        return self.unseen if young else frozenset()

    def overdue(
        self,
        grace_s: float,
        now_s: float,
        wanted: Collection[NodeName],
        released: Collection[NodeName],
    ) -> tuple[NodeName, ...]:
        """Return the hosts for which Pacemaker has to be asked to fence them, by name.

        Those not seen since the beginning that nobody is at work to fence (wanted), once the grace
        is over, or a person has released them. None where nobody can tell when the cluster began.
        """
        if self.at_s is None:
            return ()
        waiting = self.late(grace_s, now_s) - frozenset(released)
        return tuple(sorted(self.unseen - waiting - frozenset(wanted)))
