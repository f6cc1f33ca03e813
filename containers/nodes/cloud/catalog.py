"""Fill a new cloud: accounts, service catalogue, one image, one flavor.

Run once, when the image is made, with the environment's Python inside the cloud container.
"""
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, INP001
# openstacksdk is not installed where types are checked.

import os
import struct

import openstack

SERVICES = (
    ("placement", "placement", "http://cloud:8778"),
    ("glance", "image", "http://cloud:9292"),
    ("neutron", "network", "http://cloud:9696"),
    ("nova", "compute", "http://cloud:8774/v2.1"),
)
ACCOUNTS = {
    "nova": ("admin", "service"),
    "placement": ("admin", "service"),
    "glance": ("admin", "service"),
    "neutron": ("admin", "service"),
    "nova-ha": ("admin",),
}
# A disk that boots: its first sector halts the processor for good (cli; hlt; jump back), so a guest
# costs nothing. Glance refuses a boot sector without a partition: one from sector 1 to the end.
CODE = b"\xfa\xf4\xeb\xfd"
SECTORS = 2048
PARTITION = struct.pack("<B3sB3sII", 0x80, b"\0\2\0", 0x83, b"\xff\xff\xff", 1, SECTORS - 1)
BOOT_SECTOR = CODE.ljust(446, b"\0") + PARTITION.ljust(64, b"\0") + b"\x55\xaa"
DISK = BOOT_SECTOR.ljust(SECTORS * 512, b"\0")


def add_accounts(identity, password):
    """Create the services' accounts, and the one of nova-ha, in the project `service`."""
    project = identity.create_project(name="service", domain_id="default")
    roles = {role.name: role for role in identity.roles()}
    for name, wanted in ACCOUNTS.items():
        user = identity.create_user(name=name, password=password, domain_id="default")
        for role in wanted:
            identity.assign_project_role_to_user(project, user, roles[role])


def add_catalogue(identity):
    """Register where each service answers."""
    for name, kind, url in SERVICES:
        service = identity.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            identity.create_endpoint(
                service_id=service.id, interface=interface, url=url, region_id="RegionOne"
            )


def add_image_and_flavor(cloud):
    """Add what the instances are made of."""
    cloud.image.create_image(
        name="tiny",
        data=DISK,
        disk_format="raw",
        container_format="bare",
        visibility="public",
        wait=True,
    )
    cloud.compute.create_flavor(name="tiny", ram=64, vcpus=1, disk=1)


def connect(password):
    """Log in as the administrator that `keystone-manage bootstrap` made."""
    return openstack.connect(
        auth_url="http://cloud:5000/v3",
        username="admin",
        password=password,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
    )


def main():
    """Do it all; in two sessions, as a token carries the catalogue of when it was made."""
    password = os.environ["PASSWORD"]
    identity = connect(password).identity
    add_accounts(identity, password)
    add_catalogue(identity)
    add_image_and_flavor(connect(password))


if __name__ == "__main__":
    main()
