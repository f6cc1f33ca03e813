"""The closed list of reasons for doing nothing: what an operator reads, and what ends each."""

from enum import Enum


class Reason(Enum):
    """Why nothing is done now.

    code: as logs and `--json` show it. trouble: a person should look; else it passes by itself.
    sentence: what it means. ends: what makes it go away.
    """

    NO_QUORUM = (
        "no-quorum",
        True,
        "This partition of the cluster has no quorum, so nothing is touched.",
        "Quorum is back, or the recovery runs in the partition that has it.",
    )
    MALFORMED = (
        "malformed",
        True,
        "The CIB holds a receipt or a record of this node that cannot be read.",
        "It is deleted (the text gives the command); then fence the node again.",
    )
    BY_HAND = (
        "receipt-by-hand",
        True,
        "The receipt was written by a person and not by Pacemaker's fencer: it proves nothing.",
        "The node is fenced: pcs stonith fence NODE.",
    )
    NO_REAL_DEVICE = (
        "no-real-device",
        True,
        "A fencing level of the node writes receipts without a device that cuts power or storage.",
        "The topology is mended (pcs stonith level) and the node is fenced again.",
    )
    HISTORY_UNKNOWN = (
        "history-unknown",
        True,
        "Pacemaker's fencer gave no answer about its history.",
        "The fencer answers.",
    )
    STORM_BRAKE = (
        "storm-brake",
        True,
        "The node is lost and not fenced: fence_nova_gate holds it, for too many are lost at once.",
        "It is reachable again and cleaned up (pcs resource cleanup NODE), or nova-ha release.",
    )
    COLD_START = (
        "cold-start",
        True,
        "The cluster began a moment ago, and the host has not come yet: it is not fenced so soon.",
        "It joins; or the gate's `grace` is over, and it is fenced; or nova-ha release NODE.",
    )
    FENCE_FAILED = (
        "fence-failed",
        True,
        "The node is lost, and every fencing of it fails: it may run, so nothing is evacuated.",
        "A fence device answers, or a person who saw that it is off says nova-ha confirm-off NODE.",
    )
    FENCE_PENDING = (
        "fence-pending",
        False,
        "The receipt is written, the fencing has not ended yet.",
        "Pacemaker reports the end of the fencing.",
    )
    FENCE_UNPROVEN = (
        "fence-unproven",
        True,
        "There is a receipt, but no successful fencing newer than it in Pacemaker's history.",
        "The node is fenced again: pcs stonith fence NODE.",
    )
    RECEIPT_VOID = (
        "receipt-void",
        True,
        "The hold of the fencing was deleted: what runs on the node now may not have been fenced.",
        "The node is fenced again, or the receipt and record are deleted because it serves.",
    )
    DISARMED = (
        "disarmed",
        False,
        "A person has disarmed recoveries here: what is lost is fenced, recorded, and left alone.",
        "The time that the text tells is over, or nova-ha arm.",
    )
    RECOVERY_LIMIT = (
        "recovery-limit",
        True,
        "The fencing is proven and kept; as many hosts as may be are in recovery.",
        "One of those recoveries is over, the limit is raised, or nova-ha release NODE.",
    )
    HOST_UNKNOWN = (
        "host-unknown",
        True,
        "Nova knows no nova-compute service for the node.",
        "host_map names it; or it is back, or has no instance any more, and is let go.",
    )
    HOST_AMBIGUOUS = (
        "host-ambiguous",
        True,
        "More than one nova-compute service could belong to the node.",
        "host_map says which one.",
    )
    CLOUD = (
        "cloud-unavailable",
        True,
        "Nova or Keystone gives no usable answer.",
        "They answer; nothing is lost meanwhile.",
    )
    UNANSWERED = (
        "unanswered",
        True,
        "Nova answers, but not what it is asked about this host, or about this one thing.",
        "It answers; what is known meanwhile is gone on with, and all other hosts are.",
    )
    CELL_DOWN = (
        "cell-down",
        True,
        "Nova's cell with the host gives it no answer, so Nova does not see what is on the host.",
        "The cell's database answers Nova; nothing is lost meanwhile.",
    )
    ASKING = (
        "asking-nova",
        False,
        "The host is evacuated, and Nova's list of its instances does not show it yet.",
        "The list is read again.",
    )
    IN_FLIGHT = (
        "in-flight",
        False,
        "Nova is moving instances, or requests are on their way.",
        "Their migration records come to an end.",
    )
    STUCK = (
        "stuck",
        True,
        "An evacuation has moved nothing for long, and a second one could make a second copy.",
        "Its destination's nova-compute is brought back and ends it, or a person evacuates it.",
    )
    SETTLING = (
        "settling",
        False,
        "A process before this one may have requests on their way to Nova.",
        "They had the time to arrive, and the records were read after it.",
    )
    QUEUED = (
        "queued",
        False,
        "As many evacuations as allowed are in flight, in all or to one destination.",
        "One of them ends.",
    )
    NO_ROOM = (
        "no-room",
        True,
        "By what Placement shows, the hosts that are left have no room for all that failed.",
        "There is room (hosts, quotas, other instances), and they are evacuated.",
    )
    APART = (
        "anti-affinity",
        False,
        "Members of one anti-affinity group are evacuated one by one: Nova fails them together.",
        "The member before it has arrived.",
    )
    TOGETHER = (
        "affinity",
        False,
        "The first of an affinity group is evacuated alone; Nova has the others follow it.",
        "The one that is on its way has arrived, or failed.",
    )
    AFTER = (
        "after",
        False,
        "An instance waits until those are up that its metadata name (nova_ha:after).",
        "They are up, or ten minutes have passed.",
    )
    STARTING = (
        "starting",
        False,
        "Instances of the host were placed stopped, and are started one after the other.",
        "They run; the host does not wait for it.",
    )
    NOT_STARTED = (
        "not-started",
        True,
        "The instance was evacuated and left stopped, and Nova does not start it.",
        "The next try succeeds, or a person starts or deletes it.",
    )
    CYCLE = (
        "cycle",
        True,
        "Instances wait for each other in a circle, so that none of them waits for the others.",
        "Their nova_ha:after is mended; they are evacuated all the same.",
    )
    BLOCKED = (
        "blocked",
        True,
        "Nova refused or failed, in the words that the text quotes.",
        "The next try succeeds, or a person moves or deletes the instance.",
    )
    STAYS = (
        "stays",
        True,
        "The instance is in a state in which Nova does not evacuate it; the text says what helps.",
        "A person changes its state, or its host comes back with it.",
    )
    NO_RESERVED = (
        "no-reserved-host",
        True,
        "Instances may go to a reserved host of their segment only, and none can be used.",
        "One is free, up and disabled as reserved (the text tells of each), or the host is back.",
    )
    HAND_BACK = (
        "hand-back",
        False,
        "The host serves again, and its reserved host, lost meanwhile, is being recovered itself.",
        "That recovery is over: then it is handed back.",
    )
    SEGMENT = (
        "segment",
        True,
        "The metadata of a segment says what nobody understands; the text tells what counts.",
        "It is mended: openstack aggregate set --property.",
    )
    UNSAFE = (
        "unsafe",
        True,
        "The instance may run on another host already: a second copy would destroy its disk.",
        "A person has looked, and set its state; until then its host is held, too.",
    )
    LOCAL_DISK = (
        "local-disk",
        True,
        "The instance has disks on its host that an evacuation would lose, and nobody consented.",
        "Its host comes back with it, or its owner or the operator consents; the text says how.",
    )
    UNPROTECTED = (
        "unprotected",
        False,
        "Instances of the host are not protected: they stay on it, and it is not held for them.",
        "The host is released; nova-ha explain INSTANCE tells who says so.",
    )
    HOST_OFF = (
        "host-off",
        False,
        "The host is evacuated and may return; it is still off.",
        "The node joins the cluster.",
    )
    HOST_STARTING = (
        "host-starting",
        False,
        "The host may start nova-compute, which gave no sign of life yet.",
        "Its first heartbeat reaches Nova.",
    )
    NO_HEARTBEAT = (
        "no-heartbeat",
        True,
        "The host was let go and is in the cluster, and its nova-compute gives no sign of life.",
        "It beats: see its log, and `nova-ha hold` on the host for what may hold it there.",
    )
    PROBATION = (
        "probation",
        True,
        "The host was fenced again and again; it is up, and gets no new instances for a while.",
        "The time is over, or nova-ha release NODE, or a person enables its service.",
    )
    CANARY = (
        "canary",
        False,
        "The host is up, and runs a small instance of ours before it is enabled.",
        "That was seen to run, and is deleted.",
    )
    CANARY_FAILED = (
        "canary-failed",
        True,
        "The small instance of ours does not run on the host, which therefore stays disabled.",
        "One runs: they are tried again and again; or nova-ha release NODE enables it without.",
    )
    CLOSED = (
        "closed",
        False,
        "The host gets no new instances, because its health is yellow; those on it stay.",
        "The attribute is green again, or gone: then its service is enabled, if it was.",
    )
    DRAINING = (
        "draining",
        False,
        "The host is being emptied: what can be is live-migrated, a few at a time.",
        "All that can leave has left.",
    )
    DRAINED = (
        "drained",
        False,
        "The host is empty and gets no new instances.",
        "nova-ha undrain NODE; or its health is green again, where that was why.",
    )
    DRAIN_STAYS = (
        "drain-stays",
        True,
        "The host is emptied as far as Nova can; the text tells what stays on it, and what helps.",
        "A person moves, starts or deletes those instances, or undrains the host.",
    )
    DRAIN_WAITS = (
        "drain-waits",
        False,
        "Live migrations wait for recoveries, which never have to compete with a drain.",
        "Nothing is evacuated any more, and the host's own recovery is over.",
    )
    DRAIN_BLOCKED = (
        "drain-blocked",
        True,
        "Instances cannot leave: Nova live-migrates only where nova-compute serves.",
        "It serves again (the text tells what it lacks), or nova-ha undrain NODE.",
    )
    DRAIN_SLOW = (
        "drain-slow",
        True,
        "A live migration goes on for long; others are begun beside it.",
        "It ends; or openstack server migration abort, or force complete, ends it.",
    )
    GIVING_BACK = (
        "giving-back",
        False,
        "The host is no longer to be drained, and what was taken of it is being given back.",
        "Its nova-compute is up.",
    )
    STANDBY = (
        "standby",
        True,
        "The node is in Pacemaker's standby with instances on it: its nova-compute is stopped.",
        "pcs node unstandby NODE, then nova-ha drain NODE --standby; or they are moved otherwise.",
    )
    RECORDS_OPEN = (
        "records-open",
        False,
        "Nova does not take back the force-down while the host has evacuations to clean up.",
        "nova-compute on the host has cleaned up and marked them completed.",
    )

    def __init__(self, code: str, trouble: bool, sentence: str, ends: str) -> None:  # noqa: FBT001
        """Name the columns of the table above (an Enum has no keywords)."""
        self.code = code
        self.trouble = trouble
        self.sentence = sentence
        self.ends = ends
