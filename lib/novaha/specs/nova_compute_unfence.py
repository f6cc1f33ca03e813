"""ocf:novaha:NovaComputeUnfence."""

from novaha.ocf.spec import AgentSpec, Operation
from novaha.params import second

POLL = second(
    "poll",
    "Seconds between two looks at the cluster while held",
    "A start that is held looks twice and fails; Pacemaker tries again.",
    default=1,
    between=(1, 5),
)

SPEC = AgentSpec(
    name="NovaComputeUnfence",
    shortdesc="Holds a compute node back until its recovery is over",
    longdesc="Clone it on the compute nodes and order it before nova-compute. Its start succeeds"
    " only where the cluster holds no open receipt of a fencing of this node, so that nova-compute"
    " cannot start beside its own evacuated instances. It reads the cluster only and needs no"
    " credentials of the cloud.",
    params=(POLL,),
    operations=(
        Operation("start", 20),
        Operation("stop", 20),
        Operation("monitor", 20, interval_s=10, depth=0),
        Operation("meta-data", 5),
        Operation("validate-all", 20),
    ),
)
