"""The configuration files of the OpenStack services, as text.

Everything is reached by the name `cloud`, so that what is baked into images holds at any address.
The passwords guard a throw-away cloud that only this machine can reach.
"""

from collections.abc import Mapping

from .docker import File
from .names import Driver, Machine
from .settings import Settings

PASSWORD = "testcloud"  # noqa: S105 - see above
KEYSTONE_PORT = 5000
NOVA_PORT = 8774
GLANCE_PORT = 9292
NEUTRON_PORT = 9696
_VENV = "/opt/openstack"
_KEYSTONE = f"http://cloud:{KEYSTONE_PORT}/v3"
_MEMCACHED = "cloud:11211"

Section = Mapping[str, object]


def _ini(sections: Mapping[str, Section]) -> bytes:
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {value}" for key, value in options.items()]
    return ("\n".join(lines) + "\n").encode()


def _database(user: str, name: str) -> str:
    return f"mysql+pymysql://{user}:{PASSWORD}@cloud/{name}?charset=utf8mb4"


def _account(user: str) -> Section:
    return {
        "auth_url": _KEYSTONE,
        "auth_type": "password",
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
    }


def _authtoken(user: str) -> Section:
    return {
        **_account(user),
        "www_authenticate_uri": _KEYSTONE,
        "service_token_roles": "service",
        "service_token_roles_required": True,
        "memcached_servers": _MEMCACHED,
        "token_cache_time": 300,
    }


def _cache() -> Section:
    return {
        "enabled": True,
        "backend": "dogpile.cache.pymemcache",
        "memcache_servers": _MEMCACHED,
    }


# A single broker that forgets everything with its container: no queue needs to be durable.
_MESSAGING: Mapping[str, Section] = {
    "oslo_messaging_rabbit": {
        "rabbit_quorum_queue": False,
        "rabbit_transient_quorum_queue": False,
        "amqp_durable_queues": False,
        "heartbeat_timeout_threshold": 60,
    },
    "oslo_messaging_notifications": {"driver": "noop"},
}
_TRANSPORT = f"rabbit://openstack:{PASSWORD}@cloud:5672/"


# Neutron's own mechanism driver for tests: ports without anything that would carry their packets.
_ML2: Section = {
    "type_drivers": "local,flat",
    "tenant_network_types": "local",
    "mechanism_drivers": "test",
    "extension_drivers": "",
}


def keystone() -> bytes:
    """Return keystone.conf; passwords are hashed with few rounds, CPU is scarce here."""
    return _ini(
        {
            "DEFAULT": {"log_file": "/var/log/openstack/keystone.log"},
            "database": {"connection": _database("keystone", "keystone")},
            "token": {"provider": "fernet", "expiration": 86400},
            "fernet_tokens": {"key_repository": "/srv/keystone/fernet"},
            "credential": {"key_repository": "/srv/keystone/credential"},
            "cache": _cache(),
            "identity": {"password_hash_rounds": 4},
            "oslo_messaging_notifications": {"driver": "noop"},
        }
    )


def placement() -> bytes:
    """Return placement.conf."""
    return _ini(
        {
            "DEFAULT": {"log_file": "/var/log/openstack/placement.log"},
            "placement_database": {"connection": _database("placement", "placement")},
            "api": {"auth_strategy": "keystone"},
            "keystone_authtoken": _authtoken("placement"),
        }
    )


def glance() -> bytes:
    """Return glance-api.conf: images are files."""
    return _ini(
        {
            "DEFAULT": {
                "enabled_backends": "files:file",
                "worker_self_reference_url": f"http://cloud:{GLANCE_PORT}",
                "log_file": "/var/log/openstack/glance.log",
            },
            "database": {"connection": _database("glance", "glance")},
            "glance_store": {"default_backend": "files"},
            "files": {"filesystem_store_datadir": "/srv/glance/images"},
            "os_glance_staging_store": {"filesystem_store_datadir": "/srv/glance/staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": "/srv/glance/tasks"},
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": f"{_VENV}/etc/glance/glance-api-paste.ini",
            },
            "oslo_concurrency": {"lock_path": "/run/lock/glance"},
            "oslo_messaging_notifications": {"driver": "noop"},
            "keystone_authtoken": _authtoken("glance"),
        }
    )


def neutron() -> bytes:
    """Return neutron.conf: Nova asks for ports even where an instance has no network."""
    default = {
        "core_plugin": "ml2",
        "service_plugins": "",
        "transport_url": _TRANSPORT,
        "auth_strategy": "keystone",
        "state_path": "/srv/neutron",
        "api_paste_config": f"{_VENV}/etc/neutron/api-paste.ini",
        "notify_nova_on_port_status_changes": False,
        "notify_nova_on_port_data_changes": False,
        "dhcp_agent_notification": False,
        "rpc_workers": 0,
        "rpc_state_report_workers": 0,
        "log_file": "/var/log/openstack/neutron.log",
    }
    return _ini(
        {
            "DEFAULT": default,
            "database": {"connection": _database("neutron", "neutron")},
            "oslo_concurrency": {"lock_path": "/run/lock/neutron"},
            "ml2": _ML2,
            "keystone_authtoken": _authtoken("neutron"),
            "nova": _account("nova"),
            **_MESSAGING,
        }
    )


def _nova_common(settings: Settings, default: Section) -> dict[str, Section]:
    return {
        "DEFAULT": {
            "transport_url": _TRANSPORT,
            "service_down_time": settings.service_down_time_s,
            "report_interval": settings.report_interval_s,
            "use_cow_images": False,
            "graceful_shutdown_timeout": 5,
            **default,
        },
        "glance": {"api_servers": f"http://cloud:{GLANCE_PORT}"},
        "cache": _cache(),
        "service_user": {**_account("nova"), "send_service_user_token": True},
        "placement": _account("nova"),
        "neutron": _account("nova"),
        "keystone_authtoken": _authtoken("nova"),
        "vnc": {"enabled": False},
        **_MESSAGING,
    }


def nova_control(settings: Settings) -> bytes:
    """Return nova.conf of API, scheduler and conductor."""
    common = _nova_common(settings, {"state_path": "/srv/nova", "host": "cloud"})
    return _ini(
        {
            **common,
            "api": {"auth_strategy": "keystone"},
            "wsgi": {"api_paste_config": f"{_VENV}/etc/nova/api-paste.ini"},
            "database": {"connection": _database("nova", "nova")},
            "api_database": {"connection": _database("nova", "nova_api")},
            "oslo_concurrency": {"lock_path": "/run/lock/nova"},
            "quota": {"instances": -1, "cores": -1, "ram": -1},
            # Computes register when Pacemaker starts them, at times nobody knows beforehand.
            "scheduler": {"workers": 1, "max_attempts": 3, "discover_hosts_in_cells_interval": 5},
            "conductor": {"workers": 2},
            "filter_scheduler": {"host_subset_size": 1},
        }
    )


def nova_compute(settings: Settings, machine: Machine) -> bytes:
    """Return nova.conf of one compute."""
    libvirt = settings.driver is Driver.LIBVIRT
    default: Section = {
        "host": machine.name,
        "my_ip": machine.ip,
        "state_path": "/var/lib/nova",
        "instances_path": "/var/lib/nova/instances",
        "log_file": "/var/log/nova/nova-compute.log",
        "max_concurrent_builds": 0,
        "compute_driver": (
            "sharedlibvirt.SharedLibvirtDriver" if libvirt else "testcloud.PersistentFakeDriver"
        ),
    }
    helper = "privsep-helper --config-file /etc/nova/nova.conf"
    return _ini(
        {
            **_nova_common(settings, default),
            "oslo_concurrency": {"lock_path": "/run/nova"},
            # One shared folder for all computes: no compute may tidy away what others use.
            "image_cache": {"manager_interval": -1},
            # Emulated even where there is KVM: a guest that halts in its boot sector costs 0.14 s
            # of CPU emulated and 1.95 s under nested KVM (measured).
            "libvirt": {"virt_type": "qemu", "cpu_mode": "none"},
            "nova_sys_admin": {"helper_command": helper},
        }
    )


def cloud_files(settings: Settings) -> tuple[File, ...]:
    """Return the configuration of every service in the cloud container."""
    secret = 0o600
    return (
        File("/etc/keystone/keystone.conf", keystone(), secret),
        File("/etc/placement/placement.conf", placement(), secret),
        File("/etc/glance/glance-api.conf", glance(), secret),
        File("/etc/neutron/neutron.conf", neutron(), secret),
        File("/etc/nova/nova.conf", nova_control(settings), secret),
    )


def clouds_yaml() -> File:
    """Return the service account's credentials, for controllers only."""
    text = f"""\
clouds:
  nova-ha:
    region_name: RegionOne
    identity_api_version: 3
    auth:
      auth_url: {_KEYSTONE}
      username: nova-ha
      password: {PASSWORD}
      project_name: service
      user_domain_name: Default
      project_domain_name: Default
"""
    return File("/etc/openstack/clouds.yaml", text.encode(), 0o600)
