"""How the commands reach Nova: with what NovaEvacuate is configured with, and not for long."""

from collections.abc import Mapping
from typing import NamedTuple

from novaha.errors import ConfigError
from novaha.params import BadParameter

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


def segments() -> frozenset[str]:
    """Return the names of Nova's segments; raises NovaHaError where nobody can tell."""
    from novaha.adapters.nova import Nova
    from novaha.adapters.resource import recovery_resource
    from novaha.core.segments import SEGMENT

    resource = recovery_resource()
    if resource is None:
        msg = "no NovaEvacuate is configured, so nobody knows which cloud"
        raise ConfigError(msg)
    rules = Nova(*access_of(dict(resource.parameters))).rules()
    return frozenset(a.metadata[SEGMENT] for a in rules.aggregates if SEGMENT in a.metadata)
