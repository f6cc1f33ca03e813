"""What each container of the cluster is made of."""

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from . import corosync, inventory, openstack_conf
from .docker import CLUSTER_LABEL, SPEC_LABEL, ContainerSpec, File, tar_of
from .images import Stage
from .mirrors import NEXT_SUITE
from .names import Driver, Machine, Role
from .settings import CONTAINERS, Settings

_IMAGES = CONTAINERS / "images"
_NODES = CONTAINERS / "nodes"
_BOOT = "/usr/local/sbin/boot"

# Privileges of a compute with real guests: what libvirt, QEMU and Nova's privsep daemon ask for.
_HYPERVISOR = (
    "--cap-add=SYS_ADMIN",
    "--cap-add=DAC_READ_SEARCH",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
)
_CAPABILITIES: Mapping[Role, tuple[str, ...]] = {
    Role.CONTROLLER: ("NET_ADMIN", "SYS_NICE", "IPC_LOCK"),
    Role.COMPUTE: ("NET_ADMIN", "SYS_NICE", "IPC_LOCK"),
    Role.CLOUD: (),
    Role.BMC: (),
}
# The seed of the cloud is made by the cloud's own services, alone in a network of its own.
_ALONE = ("--network=none", "--hostname=cloud", "--add-host=cloud:127.0.0.1", "--tmpfs=/srv")
_DRIVERS = "/opt/openstack/lib/python3.11/site-packages/nova/virt"


def stages() -> tuple[Stage, ...]:
    """Return every image of the cluster."""
    pins = tuple(
        File(name, (_IMAGES / name).read_bytes())
        for name in ("requirements.txt", "constraints.txt")
    )
    seed = File("cloud.tar", tar_of(_cloud_files(Settings())))
    clock = _own(Role.CONTROLLER, "wrong_clock.c", "wrong_clock.c")
    return (
        Stage("base"),
        Stage("bmc", "base"),
        Stage("controller", "base", inputs=(clock,)),
        Stage("cibtools", "controller"),
        Stage("cibtools-next", suite=NEXT_SUITE),
        Stage("openstack", "base", inputs=pins),
        Stage("compute", "openstack"),
        Stage("cloud-services", "openstack"),
        Stage("cloud", "cloud-services", inputs=(seed,), options=_ALONE),
        Stage("masakari", "cloud"),
        Stage("race-masakari", "masakari"),
        Stage("race-classic", "controller"),
    )


def container_spec(settings: Settings, machine: Machine, image: str) -> ContainerSpec:
    """Return the container of a machine, labelled with a digest of all that makes it."""
    spec = ContainerSpec(
        name=settings.container(machine.name),
        image=image,
        command=(_BOOT,),
        options=_options(settings, machine),
        labels={CLUSTER_LABEL: settings.prefix},
        files=_files(settings, machine),
    )
    digest = hashlib.sha256(repr((spec.image, spec.options, spec.files)).encode()).hexdigest()
    return replace(spec, labels={**spec.labels, SPEC_LABEL: digest[:16]})


def state_folder(settings: Settings, node: str) -> Path:
    """Return the folder on this machine that a compute sees as /var/lib/nova."""
    return settings.state / "computes" / node


def instances_folder(settings: Settings) -> Path:
    """Return the folder that all computes share: the disks of real guests."""
    return settings.state / "instances"


def cloud_logs(settings: Settings) -> Path:
    """Return the folder with the logs of the OpenStack services."""
    return settings.state / "cloud-logs"


def _options(settings: Settings, machine: Machine) -> tuple[str, ...]:
    hosts = (f"--add-host={other.name}:{other.ip}" for other in settings.machines())
    return (
        f"--hostname={machine.name}",
        f"--network={settings.prefix}",
        f"--ip={machine.ip}",
        *hosts,
        "--tmpfs=/run:mode=755,size=64m",
        "--shm-size=256m",
        "--log-opt=max-size=20m",
        "--env=LC_ALL=C.UTF-8",
        *(f"--cap-add={name}" for name in _CAPABILITIES[machine.role]),
        *_volumes(settings, machine),
        *(_HYPERVISOR if _has_guests(settings, machine) else ()),
    )


def _has_guests(settings: Settings, machine: Machine) -> bool:
    return machine.role is Role.COMPUTE and settings.driver is Driver.LIBVIRT


def _volumes(settings: Settings, machine: Machine) -> tuple[str, ...]:
    match machine.role:
        case Role.CONTROLLER:
            return ()
        case Role.COMPUTE:
            return (
                f"--volume={state_folder(settings, machine.name)}:/var/lib/nova",
                f"--volume={instances_folder(settings)}:/var/lib/nova/instances",
            )
        case Role.CLOUD:
            return (f"--volume={cloud_logs(settings)}:/var/log/openstack", "--tmpfs=/srv:mode=755")
        case Role.BMC:
            return (f"--volume={_engine_socket()}:/run/docker.sock",)


def _engine_socket() -> str:
    """Return the path of the engine's socket, which the BMCs use to switch power."""
    return os.environ.get("DOCKER_HOST", "").removeprefix("unix://") or "/var/run/docker.sock"


def _files(settings: Settings, machine: Machine) -> tuple[File, ...]:
    boot = _own(machine.role, "boot", _BOOT)
    match machine.role:
        case Role.CONTROLLER:
            keys = corosync.controller_files(settings.state, settings.controller_machines())
            return (boot, *keys, inventory.file(settings), openstack_conf.clouds_yaml())
        case Role.COMPUTE:
            return (boot, corosync.remote_key(settings.state), *_nova_compute(settings, machine))
        case Role.CLOUD:
            return (boot, *_cloud_files(settings))
        case Role.BMC:
            return (boot, _own(Role.BMC, "bmcd", "/usr/local/sbin/bmcd"), _bmc_list(settings))


def _nova_compute(settings: Settings, machine: Machine) -> tuple[File, ...]:
    conf = openstack_conf.nova_compute(settings, machine)
    return (
        *(_libvirt(machine) if _has_guests(settings, machine) else ()),
        File("/etc/nova/nova.conf", conf, 0o600),
        _own(Role.COMPUTE, "nova-compute", "/etc/init.d/nova-compute"),
        _own(Role.COMPUTE, "virt_driver.py", f"{_DRIVERS}/testcloud.py", 0o644),
        _own(Role.COMPUTE, "shared_libvirt.py", f"{_DRIVERS}/sharedlibvirt.py", 0o644),
    )


def _libvirt(machine: Machine) -> tuple[File, ...]:
    # The firmware's host uuid is the same in all containers, and libvirt wants it unique.
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, machine.name)
    text = (
        f'host_uuid = "{identity}"\nlog_outputs = "2:file:/var/log/libvirt/libvirtd.log"\n'
        'listen_tls = 0\nlisten_tcp = 1\nauth_tcp = "none"\n'
    )
    return (
        _own(Role.COMPUTE, "boot-libvirt", "/usr/local/sbin/boot-libvirt"),
        _own(Role.COMPUTE, "qemu.conf", "/etc/libvirt/qemu.conf", 0o600),
        File("/etc/libvirt/libvirtd.conf", text.encode()),
    )


def _cloud_files(settings: Settings) -> tuple[File, ...]:
    library = "/usr/local/lib/testcloud"
    return (
        *openstack_conf.cloud_files(settings),
        _own(Role.CLOUD, "svc", "/usr/local/sbin/svc"),
        _own(Role.CLOUD, "catalog.py", f"{library}/catalog.py", 0o644),
        _own(Role.CLOUD, "neutron_application.py", f"{library}/neutron_application.py", 0o644),
    )


def _own(role: Role, name: str, path: str, mode: int = 0o755) -> File:
    """Return a file of ours, kept in nodes/ROLE, at its place in the container."""
    return File(path, (_NODES / role / name).read_bytes(), mode)


def _bmc_list(settings: Settings) -> File:
    lines = (
        f"{bmc.port} {settings.container(node)} {bmc.user} {bmc.password}\n"
        for node, bmc in settings.bmcs().items()
    )
    return File("/etc/testcloud/bmcs", "".join(lines).encode(), 0o600)
