"""Who takes part, and what each one's time includes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A contender: its name on the command line, in tables, its colour, what its time includes."""

    name: str
    title: str
    colour: str
    includes: str


LINEUP = (
    Entry(
        "floor",
        "floor",
        "#888888",
        "the host is forced down and its instances are evacuated by a loop that keeps a number of"
        " evacuations in flight and looks at the migration records; it is told of the loss at"
        " once, knows the instances beforehand, and decides nothing. No detection, no fencing, no"
        " retry, no return of the host.",
    ),
    Entry(
        "nova-ha",
        "nova-ha",
        "#1b7837",
        "everything: Pacemaker notices the loss, fences the host by its BMC (off, receipt, on),"
        " the recovery process proves that, forces the host down, evacuates and follows; requests"
        " and CPU also include the return of the host to service. CPU is that of the recovery"
        " process and of all agents that Pacemaker called on the controllers, the stock"
        " `fence_ipmilan` included; memory is the recovery process alone.",
    ),
    Entry(
        "classic",
        "classic InstanceHA",
        "#2166ac",
        "`fence_compute` and `fence_evacuate` as the package fence-agents ships them. A driver of"
        " our own calls them as Pacemaker and the agent NovaEvacuate would: at the loss"
        " `fence_ipmilan -o off`, then `fence_compute -o off`, which sets the attribute; a loop"
        " that looks at the attribute, 10 s after it ended last, calls `fence_evacuate -o status`"
        " and `-o off`. No detection (it is told of the loss at once), no power on, no return."
        " `fence_evacuate` follows nothing: it is done when Nova has accepted the requests.",
    ),
    Entry(
        "masakari",
        "Masakari, default",
        "#b2182b",
        "masakari-api and masakari-engine with default settings; it is told by the documented"
        " notification right after the kill, in place of masakari-hostmonitor, which wants systemd"
        " and would add the rest of its 60 s interval. No detection, no fencing, no return.",
    ),
    Entry(
        "masakari-tuned",
        "Masakari, tuned",
        "#e08214",
        "the same with its waits as short as they go. Masakari never forces a service down: it"
        " cannot evacuate before Nova itself counts the host as lost (`service_down_time`, 60 s),"
        " and its first call, which disables the service, waits for the dead host until Nova's"
        " RPC timeout (60 s).",
    ),
    Entry(
        "masakari-helped",
        "Masakari, tuned and helped",
        "#c51b7d",
        "the same; and the race forces the host down in Nova before it notifies Masakari, which no"
        " part of Masakari does.",
    ),
)
NAMES = tuple(entry.name for entry in LINEUP)
