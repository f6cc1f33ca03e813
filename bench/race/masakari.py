"""Masakari: its API and its engine in a container of their own, beside the cloud."""

import subprocess
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from testcloud import docker, rest
from testcloud.cloudctl import Server
from testcloud.docker import File
from testcloud.errors import ClusterError
from testcloud.images import Images
from testcloud.openstack_conf import PASSWORD
from testcloud.topology import stages
from testcloud.waiting import until

from . import procs
from .judge import sql
from .procs import Snapshot
from .results import Cost
from .stage import Stage

TUNED: Mapping[str, object] = {
    "wait_period_after_service_update": 1,
    "wait_period_after_evacuation": 600,
    "verify_interval": 1,
    "host_failure_recovery_threads": 4,
    "process_unfinished_notifications_interval": 10,
    "retry_notification_new_status_interval": 5,
    "notification_delay_max": 0,
}
HELPED: Mapping[str, object] = {**TUNED, "wait_period_after_service_update": 0}
MASAKARI = "masakari"
"""The host name of its container."""
_ADDRESS, _PORT = 30, 15868
_ENDED = frozenset({"finished", "failed", "ignored"})
_DAEMONS = ("masakari-api", "masakari-engine")
_BIN = "/opt/masakari/bin"
_CONF = "/etc/masakari/masakari.conf"
_CONF_TEXT = """\
[DEFAULT]
transport_url = rabbit://openstack:{password}@cloud:5672/
host = masakari
state_path = /srv/masakari
auth_strategy = keystone
os_privileged_user_name = nova-ha
os_privileged_user_password = {password}
os_privileged_user_tenant = service
os_privileged_user_auth_url = http://cloud:5000/v3
os_region_name = RegionOne
nova_catalog_admin_info = compute:nova:publicURL
masakari_api_listen = 0.0.0.0
masakari_api_listen_port = {port}
masakari_api_workers = 1
{settings}
[wsgi]
api_paste_config = /opt/masakari/etc/masakari/api-paste.ini
[database]
connection = mysql+pymysql://masakari:{password}@cloud/masakari?charset=utf8mb3
[taskflow]
connection = mysql+pymysql://masakari:{password}@cloud/masakari?charset=utf8mb3
[oslo_concurrency]
lock_path = /run
[oslo_messaging_rabbit]
rabbit_quorum_queue = false
rabbit_transient_quorum_queue = false
amqp_durable_queues = false
[oslo_messaging_notifications]
driver = noop
[keystone_authtoken]
auth_url = http://cloud:5000/v3
auth_type = password
username = nova-ha
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
service_token_roles_required = true
"""
_DATABASE = f"""
DROP DATABASE IF EXISTS masakari; CREATE DATABASE masakari CHARACTER SET utf8mb3;
GRANT ALL ON masakari.* TO 'masakari'@'%' IDENTIFIED BY '{PASSWORD}';
"""


class Masakari:
    """Masakari with some settings; its database is new in every heat."""

    def __init__(self, stage: Stage, tuned: Mapping[str, object], *, helped: bool = False) -> None:
        """Know the stage; helped: force the host down before Masakari is told."""
        self._stage, self._tuned, self._helped = stage, tuned, helped
        self._address = stage.settings.address(_ADDRESS)
        self._name = f"{stage.settings.prefix}-{MASAKARI}"
        self._container: subprocess.Popen[bytes] | None = None
        self._notification, self._trouble = "", ""
        self.clients: tuple[str, ...] = (self._address,)

    def ready(self, servers: Sequence[Server]) -> None:
        """Start it with a new database, all hosts in one segment, its code loaded."""
        del servers
        self._stage.stand_down()
        self._run_container()
        sql(self._stage.cluster.container("cloud"), _DATABASE)
        manage = (f"{_BIN}/masakari-manage", "--config-file", _CONF, "db", "sync")
        docker.execute(self._name, manage, timeout_s=120.0)
        for daemon in _DAEMONS:
            command = f"exec {_BIN}/{daemon} --config-file {_CONF} > /var/log/{daemon}.log 2>&1"
            docker.execute(self._name, ("setsid", "-f", "sh", "-c", command))
        until("Masakari's API to answer", self._answers, 60.0, 0.5)
        self._register()

    def lost(self) -> None:
        """Notify it, from a thread: with defaults its API sleeps up to 5 s before it answers."""
        if self._helped:
            self._stage.cloud.set_service(self._stage.victim, forced_down=True)
        threading.Thread(target=self._notify, daemon=True).start()

    def over(self) -> bool:
        """Tell whether the notification has come to an end."""
        if self._trouble or not self._notification:
            return bool(self._trouble)
        found = self._call("GET", f"/notifications/{self._notification}")
        return found["notification"]["status"] in _ENDED

    def marks(self, since_s: float) -> Mapping[str, float]:
        """Return nothing more than the access log says."""
        del since_s
        return {}

    def cost(self, before: Snapshot, after: Snapshot) -> Cost | None:
        """Return what both daemons took."""
        each = {name: procs.cpu_of(before, after, name) for name in _DAEMONS}
        what = ", ".join(f"{name} {cpu_s:.1f} s" for name, cpu_s in each.items())
        peak_mb = procs.peak_mb_of(after, *_DAEMONS)
        return Cost(round(sum(each.values()), 2), round(peak_mb, 1), what)

    def settings(self) -> Mapping[str, object]:
        """Return what differs from the defaults, and what went wrong."""
        return {**self._tuned, **({"forced down by the race": True} if self._helped else {})}

    def leave(self) -> None:
        """End the container with all that runs in it."""
        if self._container:
            docker.remove((self._name,))
            self._container.communicate()

    def _run_container(self) -> None:
        """Start a container that ends with us, whatever ends us: its input does."""
        image = Images(self._stage.settings, stages()).ensure("race-masakari")
        docker.remove((self._name,))
        cloud = self._stage.settings.cloud_machine()
        options = (
            f"--name={self._name}",
            f"--hostname={MASAKARI}",
            f"--network={self._stage.settings.prefix}",
            f"--ip={self._address}",
            f"--add-host={cloud.name}:{cloud.ip}",
        )
        argv = ("docker", "run", "-i", "--rm", *options, image, "cat")
        self._container = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        until("Masakari's container", lambda: docker.pid_of(self._name), 30.0)
        lines = "\n".join(f"{key} = {value}" for key, value in self._tuned.items())
        text = _CONF_TEXT.format(password=PASSWORD, port=_PORT, settings=lines)
        docker.copy_in(self._name, (File(_CONF, text.encode(), 0o600),))

    def _register(self) -> None:
        """Put all computes into a segment; a notification for nobody loads the code for one."""
        segment = {"name": "race", "recovery_method": "auto", "service_type": "COMPUTE"}
        made = self._call("POST", "/segments", {"segment": segment})
        for host in self._stage.cluster.computes():
            body = {"host": {"name": host, "type": "COMPUTE", "control_attributes": "SSH"}}
            self._call("POST", f"/segments/{made['segment']['uuid']}/hosts", body)
        try:
            self._call("POST", "/notifications", _notification_of("nobody"))
        except rest.ApiError as error:
            if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
                raise

    def _notify(self) -> None:
        body = _notification_of(self._stage.victim)
        try:
            made = self._call("POST", "/notifications", body)
        except ClusterError as error:
            self._trouble = str(error)
        else:
            self._notification = made["notification"]["notification_uuid"]

    def _answers(self) -> bool:
        try:
            self._call("GET", "/segments")
        except rest.ApiError as error:
            return error.status not in {0, HTTPStatus.SERVICE_UNAVAILABLE}
        return True

    def _call(self, method: str, path: str, body: rest.Json | None = None) -> rest.Json:
        url = f"http://{self._address}:{_PORT}/v1{path}"
        return self._stage.cloud.call_url(method, url, body)


def _notification_of(host: str) -> rest.Json:
    """Return what masakari-hostmonitor sends when a host is lost."""
    payload = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
    generated = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    body = {"type": "COMPUTE_HOST", "hostname": host, "generated_time": generated}
    return {"notification": {**body, "payload": payload}}
