"""ocf:novaha:NovaEvacuate."""

import re

from novaha.core.canary import parse_recipe
from novaha.core.hostmap import parse_host_map
from novaha.core.phases import PHASES, Phases
from novaha.core.selection import EXCLUDED, MODES, NO_NAMES, Mode, parse_names
from novaha.core.storage import MEANINGS, Storage
from novaha.ocf.spec import AgentSpec, Operation
from novaha.params import choice, integer, second, string

_CLOUD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]*")


def _cloud_name(text: str) -> None:
    if not _CLOUD.fullmatch(text):
        msg = "must be the name of a cloud: letters, digits and any of _ . @ : + -"
        raise ValueError(msg)


def _absolute_path(text: str) -> None:
    if not text.startswith("/") or text.endswith("/"):
        msg = "must be an absolute path of a file"
        raise ValueError(msg)


CLOUD = string(
    "cloud",
    "Name of the cloud in clouds.yaml",
    "The entry of clouds.yaml whose credentials are used. They must be allowed to list and to"
    " evacuate all projects' instances and to change compute services.",
    check=_cloud_name,
)
CLOUDS_YAML = string(
    "clouds_yaml",
    "Path of clouds.yaml",
    "Must exist on every node that may run this resource, owned by root with mode 0600. It stays"
    " on the controllers: no compute node needs it.",
    default="/etc/openstack/clouds.yaml",
    check=_absolute_path,
)
STORAGE = choice(
    "storage",
    "Where the disks of instances lie",
    f"{'; '.join(f'{word}: {text}' for word, text in MEANINGS.items())}. It is asked for instances"
    " that were booted from an image: where their disks were on the lost host, Nova would build"
    " them again from the image, and their data would be gone. So with local they wait for their"
    " host, unless their owner or the operator consented; with shared they are evacuated. Instances"
    " that were booted from a volume do not depend on it. There is no default, because a wrong"
    " guess loses data. Hosts of an aggregate with the metadata nova_ha:storage have what that"
    " says; in a cloud with both, say local here and shared there.",
    Storage,
)
PROTECT = choice(
    "protect",
    "Which instances are protected",
    f"{'; '.join(f'{word}: {text}' for word, text in MODES.items())}. It is said with"
    " nova_ha:protect=true or false in an instance's metadata, its tags, its flavor's extra specs,"
    " its image's properties or an aggregate of its host, and what is nearest to the instance"
    " counts. HA_Enabled of Masakari and evacuable of InstanceHA are understood. What is not"
    " protected is left on its host, which is not held for it.",
    Mode,
    default=Mode.ALL,
)
EXCLUDE_NAMES = string(
    "exclude_names",
    "Names of instances that are not protected",
    "Shell patterns separated by blanks; they match the whole name, and small letters are not"
    " capitals. Such an instance is not protected, unless its metadata or its tags say that it is."
    f" The default are the load balancers of Octavia, which it builds anew by itself. {NO_NAMES}:"
    " no name is excluded.",
    default=EXCLUDED,
    check=parse_names,
)
PHASES_OF = choice(
    "phases",
    "In how many phases instances are recovered",
    f"{'; '.join(f'{word}: {text}' for word, text in PHASES.items())}. Nova boots an instance that"
    " it is to leave stopped, and switches it off as soon as it runs; so with two every guest boots"
    " twice, the first time for a moment and before those that it has to wait for.",
    Phases,
    default=Phases.ONE,
)
HOST_MAP = string(
    "host_map",
    "Nova hosts of nodes with another name",
    "Pairs node=novahost separated by blanks, for nodes whose Nova host is neither the node's name"
    " nor a host name that begins with it.",
    default="",
    check=parse_host_map,
)
MAX_IN_FLIGHT = integer(
    "max_in_flight",
    "Evacuations in flight at once",
    "How many evacuations may be under way at the same time, over all hosts.",
    default=8,
    between=(1, 64),
)
MAX_PER_DESTINATION = integer(
    "max_per_destination",
    "Evacuations to one host at once",
    "How many evacuations may be under way to the same destination, wherever Nova sends them: one"
    " that has no destination yet counts for every host. Rebuilding many instances at once can be"
    " more than a host's disks bear.",
    default=64,
    between=(1, 64),
)
DRAIN_IN_FLIGHT = integer(
    "drain_in_flight",
    "Live migrations in flight at once",
    "How many live migrations may be under way at the same time, off all hosts that are drained"
    " (nova-ha drain, #health attributes). They compete for the network between the hosts; none"
    " begins while a recovery evacuates. max_per_destination counts for them, too.",
    default=2,
    between=(1, 64),
)
MAX_RECOVERIES = integer(
    "max_recoveries",
    "Hosts in recovery at once",
    "Of more fenced hosts, those that were fenced later wait with their proof kept, and are shown,"
    " until a recovery is over or a person releases them (nova-ha release). A host aggregate may"
    " allow fewer of its hosts: metadata nova_ha:max_failures.",
    default=10,
    between=(1, 1000),
)
FLAP_LIMIT = integer(
    "flap_limit",
    "Fencings after which a host is not trusted at once",
    "A host that was fenced so often within flap_window stays disabled for flap_wait after its"
    " return, twice as long with each fencing more, at most 8 hours. nova-ha release ends that. 0:"
    " every host is enabled at once.",
    default=3,
    between=(0, 100),
)
FLAP_WINDOW = second(
    "flap_window",
    "Seconds within which the fencings of a host are counted",
    "Pacemaker's own history tells of them; it is lost when the whole cluster restarts.",
    default=86_400,
    between=(600, 604_800),
)
FLAP_WAIT = second(
    "flap_wait",
    "Seconds for which a host stays disabled at first",
    "See flap_limit.",
    default=600,
    between=(60, 28_800),
)
CANARY = string(
    "canary",
    "What a returned host has to run before it serves",
    "image=ID flavor=ID and, where it is to have a port, network=ID: before a returned host is"
    " enabled, a small instance of that kind is booted on it, in the project of the cloud's"
    " credentials, and deleted when it was seen to run. One that does not run within 2 minutes"
    " leaves the host disabled, and is tried again and again; nova-ha release enables the host"
    " without. Nothing is booted where this is empty.",
    default="",
    check=parse_recipe,
)
INTERVAL = second(
    "interval",
    "Seconds between two looks at cluster and cloud",
    "The end of a fencing starts a cycle at once where the alert nova_ha_alert is configured; this"
    " is how long everything else may wait.",
    default=5,
    between=(1, 60),
)
NOVA_TIMEOUT = second(
    "nova_timeout",
    "Seconds one request to Nova may take",
    "A request without an answer by then counts as failed with unknown effect.",
    default=30,
    between=(5, 300),
)
STALL_TIMEOUT = second(
    "stall_timeout",
    "Seconds without progress after which monitor fails",
    "The recovery process gives a sign of life after each question and each change; when it is"
    " silent for longer it hangs and Pacemaker restarts it. Keep it above nova_timeout.",
    default=120,
    between=(30, 3600),
)

SPEC = AgentSpec(
    name="NovaEvacuate",
    shortdesc="Evacuates the instances of fenced compute nodes",
    longdesc="Runs the recovery process of nova-ha. When a compute node has been fenced by a real"
    " device and fence_nova has left its receipt, the process forces the host's Nova service down,"
    " evacuates its instances, follows each one until it runs elsewhere, and returns the host to"
    " service when it is back. Run one, on a controller. Trouble shows as degraded, with a reason.",
    params=(
        CLOUD,
        CLOUDS_YAML,
        STORAGE,
        PROTECT,
        EXCLUDE_NAMES,
        PHASES_OF,
        HOST_MAP,
        MAX_IN_FLIGHT,
        MAX_PER_DESTINATION,
        DRAIN_IN_FLIGHT,
        MAX_RECOVERIES,
        FLAP_LIMIT,
        FLAP_WINDOW,
        FLAP_WAIT,
        CANARY,
        INTERVAL,
        NOVA_TIMEOUT,
        STALL_TIMEOUT,
    ),
    operations=(
        Operation("start", 60),
        Operation("stop", 30),
        Operation("monitor", 20, interval_s=10, depth=0),
        Operation("meta-data", 5),
        Operation("validate-all", 20),
    ),
)
