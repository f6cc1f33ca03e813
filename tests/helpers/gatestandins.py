"""What stands in a gate's place when it is taken out of the shipped core (simgates.py)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from novaha.core import decide, evacuation, proof, sharing
from novaha.core.actions import Decision, DropWithdrawn, Hold, Release
from novaha.core.drain import Withdrawn
from novaha.core.drainsharing import HostDrain, share_drains
from novaha.core.evacuation import _Evacuation
from novaha.core.hostplan import HostPlan
from novaha.core.model import Service, View
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.receipt import Receipt
from novaha.core.recovery import Found
from novaha.core.starting import starting
from novaha.core.together import Target, first_or_any

SHARE, AHEAD = sharing.share, decide._ahead  # noqa: SLF001
FORCE_DOWN = evacuation._force_down  # noqa: SLF001
SUCCESS = proof._success  # noqa: SLF001
FIRST_OR_ANY = first_or_any


def changed(original: Callable[..., Any], **changes: Any) -> Callable[..., Any]:  # noqa: ANN401
    """Return a function of a receipt that sees some of its fields otherwise."""
    return lambda receipt, *rest: original(replace(receipt, **changes), *rest)


def unlimited(seen: View, policy: Policy, plans: list[HostPlan]) -> tuple[Decision, ...]:
    return SHARE(seen, replace(policy, max_in_flight=1000), plans)


def release_when_back(it: _Evacuation, *_: object) -> tuple[Release, ...]:
    back = it.recovery.node in it.view.cluster.online
    return (Release(it.recovery, it.receipt),) if back else ()


def found_free(service: Service, _before: Found | None) -> Found:
    return Found(enabled=service.enabled, forced_down=False)


def force_down_only(*arguments: Any) -> tuple[Decision, ...]:  # noqa: ANN401
    return FORCE_DOWN(*arguments)[-1:]


def mute(*arguments: Any) -> tuple[Decision, ...]:  # noqa: ANN401
    return tuple(d for d in AHEAD(*arguments) if not hasattr(d, "reason"))


def started_while_evacuating(
    seen: View, policy: Policy, plans: Mapping[NodeName, HostPlan]
) -> tuple[Decision, ...]:
    return starting(seen, policy, plans) if plans else ()


def unlimited_drains(
    seen: View, policy: Policy, drains: list[HostDrain], *, evacuates: bool
) -> tuple[Decision, ...]:
    return share_drains(seen, replace(policy, drain_in_flight=64), drains, evacuates=evacuates)


def mute_drains(*arguments: Any, **named: Any) -> tuple[Decision, ...]:  # noqa: ANN401
    return tuple(d for d in share_drains(*arguments, **named) if not isinstance(d, Hold))


def forget_withdrawn(
    _view: View, _policy: Policy, withdrawn: Withdrawn
) -> tuple[DropWithdrawn, ...]:
    return (DropWithdrawn(withdrawn),)


def ask_the_scheduler(*arguments: Any) -> Target:  # noqa: ANN401
    return FIRST_OR_ANY(*arguments)._replace(to=None, forced=False)


def beside_each_other(*arguments: Any) -> Target:  # noqa: ANN401
    return FIRST_OR_ANY(*arguments)._replace(alone=None)


def any_event(receipt: Receipt, view: View, policy: Policy) -> object:
    return view.cluster.events[-1] if view.cluster.events else SUCCESS(receipt, view, policy)
