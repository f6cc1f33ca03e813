"""fence_nova_gate."""

from novaha.core.brake import Limits
from novaha.core.brakestate import parse_groups
from novaha.fencing.spec import FenceSpec, Option
from novaha.params import Values, integer, second, string
from novaha.specs.fence_nova import PLUG

__all__ = ["COMMON", "GRACE", "GROUPS", "PARAMS", "PLUG", "SPEC", "WAIT", "limits_of"]

CLUSTER_LIMIT = integer(
    "cluster_limit",
    "Hosts of the whole cluster that may be fenced within the window",
    "One more, and the brake holds all that want to be fenced. Hosts that the brake of a group"
    " holds are not counted. Give every gate of a cluster the same number.",
    default=4,
    between=(1, 1000),
)
GROUP_LIMIT = integer(
    "group_limit",
    "Hosts of one group that may be fenced within the window",
    "One more, and the brake holds all of the group that want to be fenced; other groups go on.",
    default=2,
    between=(1, 1000),
)
GROUPS = string(
    "groups",
    "Groups that the hosts of this device belong to, separated by blanks",
    "Whatever fails together: the rack, the switch, the aggregate. A device for each set of groups;"
    " its hosts are those of its pcmk_host_list.",
    default="",
    check=parse_groups,
)
WINDOW = second(
    "window",
    "Seconds for which a host that was let through is counted",
    "Hosts that are lost and not fenced yet are counted whatever the window is.",
    default=600,
    between=(60, 86400),
)
WAIT = second(
    "wait",
    "Seconds to wait for a storm to show before anything is let through",
    "What dies together is noticed one by one, within the monitor interval of the remote"
    " connections: make it a little longer than that. Every fencing takes so much longer, and while"
    " the brake holds, that of another host may, too.",
    default=6,
    between=(1, 30),
)
COOLDOWN = second(
    "cooldown",
    "Seconds for which the brake stays on after the last look that saw too many",
    "For hosts that come and go.",
    default=300,
    between=(60, 3600),
)
GRACE = second(
    "grace",
    "Seconds after the beginning of the cluster in which no host is fenced that has not come yet",
    "After a power cut of the whole site the slowest host boots last. How much later than the"
    " controllers the slowest may come: of a host that died with the site nothing is recovered"
    " before. 0 for none.",
    default=300,
    between=(0, 7200),
)

PARAMS = (CLUSTER_LIMIT, GROUP_LIMIT, GROUPS, WINDOW, WAIT, COOLDOWN, GRACE)

COMMON = (CLUSTER_LIMIT, GROUP_LIMIT, WINDOW, COOLDOWN, GRACE)
"""Those that have to be the same for every gate of a cluster."""

SPEC = FenceSpec(
    name="fence_nova_gate",
    shortdesc="Fence agent that holds fencings back while too many hosts are lost at once",
    longdesc="The storm brake of nova-ha: the first device of each fencing level of each compute"
    " node. A dead switch must not power off a rack of healthy hosts. off (and reboot) waits a"
    " little, counts the hosts that are lost or were let through within the window, and succeeds,"
    " so that the level goes on to the device that cuts the power, or fails when they are too many."
    " Hosts that have not come yet since the cluster began are not fenced for a while."
    " nova-ha release lets hosts through that a person knows to be dead; so does pcs stonith fence."
    " It fences nothing by itself and never talks to Nova. monitor has Pacemaker ask again for"
    " a host that did not come. on does nothing, and status is always"
    " on. list names the nodes whose fencing levels begin with it. Set pcmk_host_list to the"
    " compute nodes, pcmk_action_limit to -1 and pcmk_off_retries to 1.",
    vendor_url="https://www.openstack.org",
    options=(
        Option(PLUG, "n", keys=("nodename", "plug", "port")),
        Option(CLUSTER_LIMIT, "c", keys=("cluster_limit",)),
        Option(GROUP_LIMIT, "g", keys=("group_limit",)),
        Option(GROUPS, "G", keys=("groups",)),
        Option(WINDOW, "w", keys=("window",)),
        Option(WAIT, "W", keys=("wait",)),
        Option(COOLDOWN, "C", keys=("cooldown",)),
        Option(GRACE, "S", keys=("grace",)),
    ),
    actions=(
        "on", "off", "reboot", "status", "monitor", "list", "list-status", "metadata",
        "validate-all",
    ),
)  # fmt: skip


def limits_of(values: Values) -> Limits:
    """Return the limits that the parameters make; raises BadParameter."""
    names = (CLUSTER_LIMIT, GROUP_LIMIT, WINDOW, COOLDOWN, GRACE)
    return Limits(*(values[each] for each in names))
