"""The files that make three containers one corosync cluster and the computes its remote nodes."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from .docker import File
from .names import Machine

_KEY_BYTES = 256

# One option per line: corosync 3.1.7 refuses `system { sched_rr: no }` on one line.
# No real-time scheduling: an engine without CAP_SYS_RESOURCE cannot grant it.
_CONF = """\
totem {{
  version: 2
  cluster_name: nova-ha
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
}}
nodelist {{
{nodes}}}
quorum {{
  provider: corosync_votequorum
}}
logging {{
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
  to_syslog: no
  timestamp: on
}}
system {{
  sched_rr: no
}}
"""

_NODE = """\
  node {{
    name: {name}
    nodeid: {number}
    ring0_addr: {ip}
  }}
"""


def key(state: Path, name: str) -> bytes:
    """Return a random key, made once per state folder."""
    file = state / "secrets" / name
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(secrets.token_bytes(_KEY_BYTES))
    return file.read_bytes()


def controller_files(state: Path, controllers: Sequence[Machine]) -> tuple[File, ...]:
    """Return corosync's configuration and both keys, for every controller the same."""
    nodes = "".join(
        _NODE.format(name=machine.name, number=i, ip=machine.ip)
        for i, machine in enumerate(controllers, start=1)
    )
    return (
        File("/etc/corosync/corosync.conf", _CONF.format(nodes=nodes).encode()),
        File("/etc/corosync/authkey", key(state, "corosync"), 0o400),
        remote_key(state),
    )


def remote_key(state: Path) -> File:
    """Return the key that pacemaker_remoted and the cluster share."""
    return File("/etc/pacemaker/authkey", key(state, "pacemaker"), 0o400)
