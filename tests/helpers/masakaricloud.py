"""A container with a real Masakari API, Keystone and Nova with three computes."""

import json
from pathlib import Path
from typing import Any

from testcloud import docker, shell

ROOT = Path(__file__).parents[2]
CLOUDS = """\
clouds:
  admin: &admin
    region_name: RegionOne
    identity_api_version: 3
    auth: &auth
      auth_url: http://cloud:5000/v3
      username: nova-ha
      password: testcloud
      project_name: service
      user_domain_name: Default
      project_domain_name: Default
  stranger:
    <<: *admin
    auth: {<<: *auth, password: wrong-secret}
  nowhere:
    <<: *admin
    auth: {<<: *auth, auth_url: "http://cloud:1/v3"}
"""
FILL = """\
import json, sys, openstack
ha = openstack.connect(cloud="admin").instance_ha
while segments := list(ha.segments()):  # a page at a time
    for segment in segments:
        while hosts := list(ha.hosts(segment.uuid)):
            for host in hosts:
                ha.delete_host(host.uuid, segment.uuid)
        ha.delete_segment(segment.uuid)
for name, (method, hosts) in json.loads(sys.argv[1]).items():
    made = ha.create_segment(name=name, recovery_method=method, service_type="COMPUTE")
    for host, flags in hosts.items():
        ha.create_host(made.uuid, name=host, type="C", control_attributes="SSH", **flags)
"""
LIST = """\
import json, openstack
found = openstack.connect(cloud="admin").compute.aggregates()
print(json.dumps({a.name: [sorted(a.hosts or ()), a.metadata] for a in found}))
"""
MAIN = "import sys; from novaha.cli.main import main; sys.exit(main(sys.argv[1:]))"
PYTHONS = {"debian": "/usr/bin/python3", "newest": "/opt/masakari/bin/python"}


class MasakariCloud:
    """Runs commands in the container."""

    def __init__(self, container: str) -> None:
        """Know its name."""
        self.container = container

    def boot(self) -> None:
        """Start everything; takes a minute and a half."""
        own = ROOT / "tests/cib"
        package = sorted((ROOT / "lib/novaha").rglob("*.py"))
        files = [
            docker.File("/etc/masakari/masakari.conf", (own / "masakari.conf").read_bytes()),
            docker.File("/etc/openstack/clouds.yaml", CLOUDS.encode(), 0o600),
            docker.File("/boot.sh", (own / "masakari-boot").read_bytes(), 0o755),
            *(
                docker.File(f"/opt/lib/{each.relative_to(ROOT / 'lib')}", each.read_bytes())
                for each in package
            ),
        ]
        docker.copy_in(self.container, files)
        docker.execute(self.container, ("bash", "/boot.sh"), timeout_s=600.0)

    def fill(self, **segments: tuple[str, dict[str, dict[str, bool]]]) -> None:
        """Have these segments only: by name the method and the hosts with their flags."""
        self.python(FILL, json.dumps(segments))

    def aggregates(self) -> dict[str, Any]:
        """Return hosts and metadata of each aggregate."""
        found: dict[str, Any] = json.loads(self.python(LIST))
        return found

    def python(self, script: str, *words: str) -> str:
        """Run a script with the newest openstacksdk."""
        argv = (PYTHONS["newest"], "-W", "ignore", "-c", script, *words)
        return docker.execute(self.container, argv, timeout_s=120.0).out

    def sh(self, script: str) -> str:
        """Run a script of the shell, the OpenStack client in its path."""
        setup = "set -e; export OS_CLOUD=admin PYTHONWARNINGS=ignore PATH=$PATH:/opt/masakari/bin; "
        argv = ("bash", "-c", setup + script)
        return docker.execute(self.container, argv, timeout_s=300.0).out

    def migrate(self, *words: str, cloud: str = "admin", python: str = "debian") -> shell.Result:
        """Run `nova-ha migrate`."""
        argv = ("env", "PYTHONPATH=/opt/lib", PYTHONS[python], "-c", MAIN, "migrate", *words)
        argv = (*argv, "--cloud", cloud)
        return docker.execute(self.container, argv, check=False, timeout_s=120.0)
