"""Which hosts a person may release: from the storm brake, the limits, or their probation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from novaha.core.brakestate import COLD_START, Brake, Kept, Release
from novaha.core.names import NodeName

Stage = Literal["waits", "returning"]
"""The fencing is proven and the recovery has not begun, for a limit or for Nova; or the host is
back after it, and does not serve yet: that may be its probation."""

NOBODY: Mapping[NodeName, Stage] = MappingProxyType({})


class NotHeld(LookupError):
    """A host that is to be released is not held; the text says which are."""


@dataclass(frozen=True)
class HostStanding:
    """A host that is held, lost, waiting, on its way back or released.

    brake: the one that holds it. lost: Pacemaker wants it fenced. release: the one that stands.
    recovery: how far its recovery has come, where a person may say something to that.
    """

    node: NodeName
    lost: bool
    groups: tuple[str, ...] = ()
    brake: Brake | None = None
    release: Release | None = None
    recovery: Stage | None = None

    @property
    def held(self) -> bool:
        """Tell whether it is not fenced, though it may be dead.

        While Pacemaker tries to connect to a host that never came it does not take it for lost.
        """
        cold = self.brake is not None and self.brake.scope == COLD_START
        return cold or (self.lost and self.brake is not None)


def standings(
    lost: frozenset[NodeName],
    groups: Mapping[NodeName, frozenset[str]],
    kept: Kept,
    now_s: float,
    recoveries: Mapping[NodeName, Stage] = NOBODY,
) -> tuple[HostStanding, ...]:
    """Return every host that is held, lost, waiting, on its way back or released, by name."""
    held = dict(kept.held(now_s))
    released = {release.node: release for release in kept.releases if release.holds(now_s)}
    return tuple(
        HostStanding(
            node,
            node in lost,
            tuple(sorted(groups.get(node, ()))),
            held.get(node),
            released.get(node),
            recoveries.get(node),
        )
        for node in sorted({*lost, *held, *released, *recoveries})
    )


def chosen(
    hosts: Sequence[HostStanding], names: Sequence[str], group: str | None
) -> tuple[NodeName, ...]:
    """Return the hosts to release: those that were named, or all that are lost and held, or wait.

    A host on its way back has to be named: most of them need nobody. Raises NotHeld for a name that
    is none of these, and for a group without one that is held.
    """
    known = {host.node for host in hosts if host.lost or host.brake or host.recovery}
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        msg = f"not lost, held or on its way back: {', '.join(unknown)}; that are: {listed}"
        raise NotHeld(msg)
    held = [h for h in hosts if (h.held or h.recovery == "waits") and not h.release]
    if group is not None:
        held = [host for host in held if group in host.groups]
        if not held:
            msg = f"no host of the group {group} is held"
            raise NotHeld(msg)
    if names:
        return tuple(dict.fromkeys(map(NodeName, names)))
    return tuple(host.node for host in held)
