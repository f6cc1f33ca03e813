"""A cloud's entry in clouds.yaml, read by openstacksdk."""

from typing import Any

import openstack.config
import openstack.exceptions
from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter
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
    except (openstack.exceptions.ConfigException, ksa.ClientException, OSError) as error:
        msg = f"cloud {cloud!r} in {clouds_yaml}: {error}"
        raise ConfigError(msg) from error
    except (TypeError, AttributeError, ValueError, KeyError, YAMLError):
        # Their texts may quote the file, and so the password.
        msg = f"{clouds_yaml} is not a clouds.yaml that openstacksdk can read"
        raise ConfigError(msg) from None


def adapter_of(region: CloudRegion, service: str, **options: Any) -> Adapter:  # noqa: ANN401
    """Return what reaches a service of a cloud; nothing is sent. options: of the Adapter.

    Raises ConfigError where the entry of the cloud cannot be used.
    """
    try:
        return Adapter(
            region.get_session(),
            service_type=service,
            interface=region.get_interface(service),
            region_name=region.get_region_name(service),
            endpoint_override=region.get_endpoint(service),
            **options,
        )
    except (openstack.exceptions.SDKException, ksa.ClientException) as error:
        msg = f"cloud {region.name!r} in clouds.yaml cannot be used: {error}"
        raise ConfigError(msg) from error
    except (OSError, TypeError, AttributeError, ValueError, KeyError) as error:
        # Here, too, the text may quote a password.
        msg = f"cloud {region.name!r} in clouds.yaml cannot be used: {type(error).__name__}"
        raise ConfigError(msg) from None
