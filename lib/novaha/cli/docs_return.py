"""docs/return.md: all that a host which comes back waits for, with the numbers of the code."""

from collections.abc import Iterator
from typing import NamedTuple

from novaha.cib.profiles import PROFILES
from novaha.core.canary import DISABLED, FAILED, KEY, NAME, RUNS
from novaha.core.fates import TRIES_BEFORE_ITS_HOST
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.silence import LONGEST_WAIT_S, WAIT_S
from novaha.hold import LOOKS, MARGIN_S
from novaha.specs.nova_compute_unfence import NOVA_NAMES, SPEC

_DRAWN = "<!-- Drawn by `nova-ha docs` from lib/novaha/cli/docs_return.py: change it there. -->"
_POLICY = Policy()
_TURNS = (Reason.QUEUED, Reason.AFTER, Reason.APART, Reason.TOGETHER, Reason.NO_ROOM)
_START_S = SPEC.timeout_s("start")
_UNFENCE_AGAIN, _COMPUTE_AGAIN = "60 s", "120 s"  # failure-timeout, in cib/generate.py


class Wait(NamedTuple):
    """One thing that is waited for: why, how long at most, and what a person can do."""

    what: str
    shown: str
    why: str
    most: str
    person: str


def _coded(reason: Reason) -> str:
    return f"`{reason.code}`"


HELD: tuple[Wait, ...] = (
    Wait(
        "the fencing is proven",
        f"{_coded(Reason.FENCE_PENDING)}, then {_coded(Reason.FENCE_UNPROVEN)}",
        "evacuated is only what provably lost its power",
        f"{_POLICY.patience_s:g} s, then it is trouble",
        "`pcs stonith fence NODE`; it is held, so that costs nothing",
    ),
    Wait(
        "Nova and Keystone answer",
        _coded(Reason.CLOUD),
        "what is where is Nova's to say",
        f"asked again every {WAIT_S:g} s, without an end",
        "mend the cloud",
    ),
    Wait(
        "Nova answers what it is asked about this host",
        _coded(Reason.UNANSWERED),
        "it answers for others, who are gone on with; what is on this one nobody else can say",
        f"asked again after {WAIT_S:g} s, then ever more rarely, up to {LONGEST_WAIT_S:g} s",
        "mend what Nova's log shows for that request",
    ),
    Wait(
        "a place among the recoveries",
        _coded(Reason.RECOVERY_LIMIT),
        "too many at once are more likely a mistake than so many losses",
        "until another recovery is over",
        "`nova-ha release NODE`",
    ),
    Wait(
        "a person who has disarmed it",
        _coded(Reason.DISARMED),
        "they said so",
        "the time that they said",
        "`nova-ha arm`",
    ),
    Wait(
        "requests of a process that died",
        _coded(Reason.SETTLING),
        "one that is still on its way would be a second one",
        f"{_POLICY.settle_s:g} s",
        "nothing",
    ),
    Wait(
        "the turn of each instance",
        ", ".join(map(_coded, _TURNS)),
        "Nova is not to be flooded; an order; groups, of which one goes alone; no room",
        f"after others: {_POLICY.order_wait_s / 60:g} min; the rest as long as what it waits for",
        "what the text says",
    ),
    Wait(
        "evacuations in flight",
        f"{_coded(Reason.IN_FLIGHT)}, then {_coded(Reason.STUCK)}",
        "as long as Nova lists an instance on its old host, nova-compute there may start it",
        f"shown as trouble after {_POLICY.stuck_s / 60:g} min without a change, and gives its slot"
        " away; held without an end, for nobody but Nova can tell that it will not happen",
        "bring nova-compute of the destination back, which ends it; or evacuate the instance"
        " again; or let the host go",
    ),
    Wait(
        "an evacuation that failed",
        _coded(Reason.BLOCKED),
        "the next try may work; Nova has it nowhere else",
        f"a try after {_POLICY.retry_first_s:g} s, then twice as long each time, up to"
        f" {_POLICY.retry_last_s / 60:g} min. What Nova *refuses* does not hold a host that is"
        f" back, and what failed does so until its {TRIES_BEFORE_ITS_HOST}rd try",
        "mend what the text quotes; move or delete the instance; or let the host go",
    ),
    Wait(
        "an instance that is not evacuated: its state, its disks, not protected",
        ", ".join(map(_coded, (Reason.STAYS, Reason.LOCAL_DISK, Reason.UNPROTECTED))),
        "it exists on this host only",
        "until the host is back and nothing is in flight: it is released with it",
        "change its state, or consent (instances.md)",
    ),
    Wait(
        "an instance that may run elsewhere",
        _coded(Reason.UNSAFE),
        "nova-compute could start a second copy",
        "without an end",
        "look, then set its state (instances.md)",
    ),
    Wait(
        "Nova does not know it: it died before it registered, was removed, or was renamed",
        _coded(Reason.HOST_UNKNOWN),
        "nobody can tell what to evacuate",
        "until it is back, or where Nova knew it, until Nova shows no instance on it",
        "name it in host_map, if it has another name in Nova; or nothing: it registers",
    ),
    Wait(
        "what cannot be read, or proves nothing",
        f"{_coded(Reason.MALFORMED)}, {_coded(Reason.BY_HAND)}, {_coded(Reason.NO_REAL_DEVICE)}",
        "nobody knows what was fenced",
        "without an end",
        "what the text says; then fence the node again",
    ),
)
"""While the hold stands: Pacemaker starts neither NovaComputeUnfence nor nova-compute there."""

RELEASED: tuple[Wait, ...] = (
    Wait(
        "the host is off",
        _coded(Reason.HOST_OFF),
        "nothing waits for it: its instances run elsewhere",
        "without an end",
        "switch it on; or delete its record (below)",
    ),
    Wait(
        "Pacemaker reaches it again",
        "`pcs status`: the connection is stopped",
        "pacemaker_remote has to boot",
        "tried every " + ", ".join(f"{p.reconnect_s} s ({name})" for name, p in PROFILES.items()),
        "`pcs resource cleanup NODE` tries at once",
    ),
    Wait(
        "NovaComputeUnfence lets it go",
        "failed start of nova-compute-unfence, with the reason",
        "the second line: a receipt, or guests of its former life",
        f"{LOOKS} looks, and where the cluster gives no answer {_START_S - MARGIN_S:g} s; then the"
        f" start fails and is tried again after {_UNFENCE_AGAIN}",
        "end those guests (below); `pcs resource cleanup nova-compute-unfence` tries at once;"
        " `nova-ha hold --let-go`",
    ),
    Wait(
        "nova-compute starts",
        "failed start of nova-compute",
        "it connects to the message broker and to libvirt",
        f"60 s, then tried again after {_COMPUTE_AGAIN}",
        "its own log; `pcs resource cleanup nova-compute`",
    ),
    Wait(
        "its first heartbeat",
        f"{_coded(Reason.HOST_STARTING)}, then {_coded(Reason.NO_HEARTBEAT)}",
        "enabled before it, a host gets no instance for up to a minute",
        f"`report_interval` of Nova; trouble after {_POLICY.stuck_s / 60:g} min",
        "look at nova-compute's log, and ask `nova-ha hold` on the host",
    ),
    Wait(
        "its records are completed",
        f"{_coded(Reason.RECORDS_OPEN)}, then {_coded(Reason.BLOCKED)}",
        "Nova takes no force-down back before nova-compute has destroyed what was evacuated",
        f"asked every {_POLICY.return_poll_s:g} s; trouble after {_POLICY.stuck_s / 60:g} min",
        "restart nova-compute on it: it completes them when it starts, and never again",
    ),
    Wait(
        "its probation",
        _coded(Reason.PROBATION),
        f"it was fenced {_POLICY.flap_limit} times or more within"
        f" {_POLICY.flap_window_s / 3600:g} h",
        f"{_POLICY.flap_wait_s / 60:g} min, then twice as long with each fencing, up to"
        f" {_POLICY.flap_last_s / 3600:g} h",
        "`nova-ha release NODE`; or enable its service",
    ),
    Wait(
        "its canary",
        f"{_coded(Reason.CANARY)}, then {_coded(Reason.CANARY_FAILED)}",
        "where `canary` is set, a small instance has to run on it first (below)",
        f"{_POLICY.canary_s / 60:g} min for each; the next after {_POLICY.retry_first_s:g} s,"
        f" doubling to {_POLICY.retry_last_s / 60:g} min",
        "`nova-ha release NODE`; or enable its service",
    ),
)
"""Once the hold is gone."""

_HEAD = """\
# The way back of a fenced host

A host that was fenced boots again, and is held: nova-compute does not start on it before nothing of
its former life can hurt. `nova-ha explain NODE` on a controller says what it waits for, and
`nova-ha hold` on the compute whether nova-compute may start there.

## While it is held"""

_GUESTS = f"""\
## Guests of a former life

A fencing cuts the power, so no guest runs when the host boots, and nothing but nova-compute starts
one. Two things of libvirt break that: a guest marked *autostart*, and `libvirt-guests`, which
starts what it suspended at an orderly shutdown (a fence device that only presses the power button
causes one). Nova may have such a guest on another host by then: two copies, before anybody looks.

- Nova marks no guest autostart; who does, sees it at once: NovaComputeUnfence is degraded on that
  host, with the name (`/etc/libvirt/qemu/autostart`; not seen where libvirt's folder is in a
  container). Set `ON_BOOT=ignore` for libvirt-guests, and let fence devices cut the power at once.
- On the way back NovaComputeUnfence, and the systemd drop-in, refuse while guests run or are marked
  that nova-compute did not start, and name them. Guests are found among the processes, by libvirt's
  `-name guest=`, and count when their name is one of Nova's (`guest_names`, `{NOVA_NAMES}`; say it
  where `instance_name_template` says otherwise). They are not destroyed: a compute has no
  credentials and does not know which of two copies is the right one.
- Then look where Nova has the instance (`openstack server show`). Elsewhere: `virsh destroy NAME`
  on this host, at once. Here: the same, and start it with Nova once nova-compute is up.
- Guests count once for each recovery, until nova-compute was let go: what runs later is its own. A
  host that is not on its way back from a recovery is not looked at.

While the cluster still holds the host, nobody but `nova-ha hold` looks at its guests. One that runs
has the lock on its disk where QEMU can lock it, and its evacuation fails with those words.

## resume_guests_state_on_host_boot

With this option of nova.conf, nova-compute starts, when it starts itself, every guest that Nova
lists on its host as running. It cannot start a second copy here. An evacuated instance is listed on
its old host until its evacuation is over, so a nova-compute that starts in the middle of it would
start the old one beside the new one; that is what the hold prevents. It goes when nothing is in
flight and Nova lists no instance on the host but those that exist nowhere else (not evacuated, or
refused by Nova): those it may start, and does. First of all nova-compute destroys what was
evacuated off its host (`_destroy_evacuated_instances`, before any guest is looked at).

`tests/cluster/test_real_guests.py` counts copies of real guests ten times a second, with the option
on, while a host returns in the middle of its evacuations.

## Where systemd starts nova-compute

Pacemaker starts nova-compute after NovaComputeUnfence, and then the unit must not be enabled: a
probe of Pacemaker that finds it starting waits for it, and fences nothing meanwhile. Where systemd
starts it, at boot or by a person's hand, a drop-in holds it the same way. On each compute, after
`make install`:

    install -D -m 0644 /usr/share/nova-ha/systemd/40-nova-ha.conf \\
        /etc/systemd/system/nova-compute.service.d/40-nova-ha.conf
    systemctl daemon-reload

The unit is `openstack-nova-compute.service` with RDO's packages, your own with containers. Before
each start it runs `nova-ha hold --wait 20`: held, that fails after two looks; while the cluster
gives no answer (at boot the connection of pacemaker_remote is not up yet) after 20 s. systemd tries
again 10 s later, for ever, and the journal has the reason of each try. It asks over
pacemaker_remote's connection and needs no credentials. The node is called as its host, as far as
the cluster has such a node, or by `--node`; what its name is not known for is held.

NovaComputeUnfence has to be there all the same: its hold is written together with the receipt.

**A cluster that is stopped** answers nothing, and a nova-compute that is restarted meanwhile would
stay down; one that runs is left alone. Before such a maintenance say on the computes

    nova-ha hold --let-go "cluster is being upgraded"      # until the next boot, or --take-back

A node that boots is held again: it may have been fenced just before the cluster went. To do without
for good, remove the drop-in."""

_CANARY = f"""\
## A canary

A host can boot, connect and beat, and still run nothing: its storage is not mounted, its ports are
not bound. With `canary` set, NovaEvacuate tries that before it enables the host:

    pcs resource update nova-evacuate canary="image=IMAGE_ID flavor=FLAVOR_ID network=NETWORK_ID"

Ids, not names; without `network` it has no port. It belongs to the project of the credentials in
clouds.yaml, is called `{NAME}HOST`, and has `{KEY}` in its metadata; what lacks that is never
touched. It is never evacuated. When Nova shows it {RUNS}, it is deleted, and the host is enabled
once it is gone. One in {FAILED}, or without a result, is deleted too, `pcs status` shows Nova's
words, and the next follows; the host stays disabled until one ran, or a person decides.

The service stays disabled meanwhile, so nothing else comes there. Nova boots on such a host for an
administrator who names it (`zone:host`), but Placement bars it by a trait, {DISABLED}: that
is taken off the host's resource provider for as long as the canary is there. This relies on Nova's
ComputeFilter, which is enabled unless `enabled_filters` says otherwise, and needs a host with one
hypervisor, and credentials that may change traits (Placement's default policy: admin)."""

_LET_GO = """\
## To let a host go in spite of all

First know why it is held. Started in the middle of an evacuation, nova-compute can start a second
copy of that instance. On a controller, where both are named as `pcs property config` shows them:

    crm_attribute --type crm_config --set-name nova-ha-state --name nova-ha-receipt-NODE --delete
    crm_attribute --type crm_config --set-name nova-ha-state --name nova-ha-recovery-NODE --delete

NovaEvacuate takes the hold away (`pcs constraint delete nova-ha-hold-NODE.RECEIPT` where it does
not run). The recovery is forgotten; what is in flight goes on. Nova's service stays as it was left,
so once nova-compute is up:

    openstack compute service set --up --enable NODE nova-compute"""


def return_page() -> str:
    """Return docs/return.md."""
    return "\n".join(
        (
            _DRAWN,
            _HEAD,
            "",
            *_table(HELD),
            "## Once it is released",
            "",
            *_table(RELEASED),
            _GUESTS,
            "",
            _CANARY,
            "",
            _LET_GO,
            "",
        )
    )


def _table(waits: tuple[Wait, ...]) -> Iterator[str]:
    head = ("it waits for", "shown as", "why", "at most", "what a person can do")
    for row in (head, ("---",) * len(head), *waits):
        yield "| " + " | ".join(row) + " |"
    yield ""
