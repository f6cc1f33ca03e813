"""How the commands reach Nova: with what NovaEvacuate is configured with, and not for long."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from novaha.core.model import View
from novaha.core.policy import Policy
from novaha.errors import ConfigError
from novaha.params import BadParameter

if TYPE_CHECKING:
    from novaha.adapters.clock import MonotonicClock
    from novaha.adapters.nova import Nova

PATIENCE_S = 10
"""The longest that one request to Nova is waited for: a person sits before it."""


class Access(NamedTuple):
    """What the cloud adapter is made with."""

    cloud: str
    path: str
    timeout_s: float


def access_of(parameters: Mapping[str, str]) -> Access:
    """Return how Nova is reached; raises ConfigError where a person must change something first."""
    from novaha import clouds
    from novaha.specs import nova_evacuate as spec

    try:
        cloud = spec.CLOUD.parse(parameters.get(spec.CLOUD.name))
        path = spec.CLOUDS_YAML.parse(parameters.get(spec.CLOUDS_YAML.name))
        timeout_s = spec.NOVA_TIMEOUT.parse(parameters.get(spec.NOVA_TIMEOUT.name))
    except BadParameter as error:
        raise ConfigError(str(error)) from error
    checked = clouds.check(path, cloud)
    if checked.reason:
        raise ConfigError(checked.reason)
    return Access(cloud, path, min(timeout_s, PATIENCE_S))


class Eye(NamedTuple):
    """What a command sees with: the cluster as it is now, and a way to ask Nova."""

    view: View
    policy: Policy
    nova: "Nova"
    clock: "MonotonicClock"


def seen_by_a_person() -> Eye:
    """Look at the cluster, with Nova at hand; raises NovaHaError where that cannot be."""
    from novaha.adapters.clock import MonotonicClock
    from novaha.adapters.nova import Nova
    from novaha.adapters.pacemaker import Pacemaker
    from novaha.cli.explain import policy_of
    from novaha.core.explain import onlooker

    parameters = _parameters()
    policy, cluster, clock = policy_of(parameters), Pacemaker().observe(), MonotonicClock()
    now_s = clock.monotonic_s()
    view = View(now_s, cluster, onlooker(cluster, policy, now_s, time.time()))
    return Eye(view, policy, Nova(*access_of(parameters)), clock)


def _parameters() -> dict[str, str]:
    """Return the parameters of NovaEvacuate; raises ConfigError, ClusterUnavailable."""
    from novaha.adapters.resource import recovery_resource

    resource = recovery_resource()
    if resource is None:
        msg = "no NovaEvacuate is configured, so nobody knows which cloud"
        raise ConfigError(msg)
    return dict(resource.parameters)


def segments() -> frozenset[str]:
    """Return the names of Nova's segments; raises NovaHaError where nobody can tell."""
    from novaha.adapters.nova import Nova
    from novaha.core.segments import SEGMENT

    rules = Nova(*access_of(_parameters())).rules()
    return frozenset(a.metadata[SEGMENT] for a in rules.aggregates if SEGMENT in a.metadata)
