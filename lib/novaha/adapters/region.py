"""A cloud's entry in clouds.yaml, read by openstacksdk."""

from typing import Any

import openstack.config
import openstack.exceptions
from openstack.config.cloud_region import CloudRegion
from yaml import YAMLError

from novaha.errors import ConfigError


def region_of(cloud: str, clouds_yaml: str, **options: Any) -> CloudRegion:  # noqa: ANN401
    """Return the entry of a cloud; nothing is sent. options: those of clouds.yaml, over its own.

    Raises ConfigError when the cloud cannot be found in the file.
    """
    try:
        config = openstack.config.OpenStackConfig(config_files=[clouds_yaml])
        return config.get_one(cloud=cloud, **options)
    except (openstack.exceptions.ConfigException, OSError) as error:
        msg = f"cloud {cloud!r} in {clouds_yaml}: {error}"
        raise ConfigError(msg) from error
    except (TypeError, AttributeError, ValueError, KeyError, YAMLError):
        # Their texts may quote the file, and so the password.
        msg = f"{clouds_yaml} is not a clouds.yaml that openstacksdk can read"
        raise ConfigError(msg) from None
