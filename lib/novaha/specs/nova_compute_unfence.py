"""ocf:novaha:NovaComputeUnfence."""

import re

from novaha.ocf.spec import AgentSpec, Operation
from novaha.params import second, string

NOVA_NAMES = "instance-[0-9a-f]{8}"
"""Names that Nova gives its guests; source: instance_name_template in nova/conf/compute.py."""


def _expression(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        msg = f"must be a regular expression: {error}"
        raise ValueError(msg) from error


POLL = second(
    "poll",
    "Seconds between two looks at the cluster while held",
    "A start that is held looks twice and fails; Pacemaker tries again.",
    default=1,
    between=(1, 5),
)
GUEST_NAMES = string(
    "guest_names",
    "Regular expression of the names of Nova's guests",
    "Guests of libvirt with such a name hold a node that comes back from a recovery, when they run"
    " before nova-compute was started, or are marked to be started by libvirt itself. The default"
    " is what Nova calls its guests; where instance_name_template says otherwise in nova.conf, say"
    " it here.",
    default=NOVA_NAMES,
    check=_expression,
)

SPEC = AgentSpec(
    name="NovaComputeUnfence",
    shortdesc="Holds a compute node back until its recovery is over",
    longdesc="Clone it on the compute nodes and order it before nova-compute. Its start succeeds"
    " only where the cluster holds no open receipt of a fencing of this node, and, when it comes"
    " back from a recovery, where no guest of Nova runs that nova-compute did not start. So"
    " nova-compute cannot start beside its own evacuated instances. Its monitor is degraded while"
    " guests of Nova are marked to be started by libvirt at boot. It reads the cluster only and"
    " needs no credentials of the cloud.",
    params=(POLL, GUEST_NAMES),
    operations=(
        Operation("start", 20),
        Operation("stop", 20),
        Operation("monitor", 20, interval_s=10, depth=0),
        Operation("meta-data", 5),
        Operation("validate-all", 20),
    ),
)
