"""docs/drain.md: planned work on a host that is well, drawn from the tables."""

from collections.abc import Iterator

from novaha.core.livestates import BUSY, LIVE_RULES, UNKNOWN, LiveRule
from novaha.core.reasons import Reason
from novaha.specs import nova_evacuate as spec

_HEAD = f"""\
<!-- Drawn by `nova-ha docs` from lib/novaha/cli/docs_drain.py and core/livestates.py. -->
# Planned work: draining a host

    nova-ha drain compute-7                              # what would leave and stay, and why
    nova-ha drain compute-7 --why "new RAM" --yes        # do it
    nova-ha explain compute-7                            # how far it is, what waits, and for what
    nova-ha undrain compute-7 --yes                      # serve again, as before

On any controller, as root. A drained host gets no new instances (its Nova service is disabled, with
a reason that begins `nova-ha:`), and what Nova can live-migrate leaves it, a few at a time
(`{spec.DRAIN_IN_FLIGHT.name}`, {spec.DRAIN_IN_FLIGHT.default} by default, off all hosts together; \
`{spec.MAX_PER_DESTINATION.name}` to one host), in the order in which
instances are evacuated, too ([instances.md](instances.md)). Nova's scheduler chooses where they go,
and Nova itself whether disks have to be copied. What Placement shows no room for is not begun; a
Placement that gives no answer is done without.

It goes on until the host is empty, whoever is killed meanwhile: what is wanted stands in the
cluster's properties, where it is done in Nova. A live migration that failed is tried again after
30 s, then after twice as long each time, up to half an hour. One that libvirt itself refuses (disks
that it does not take for shared, seen with 9.0) leaves its instance in ERROR in Nova 34.0, and so
on the host: it is shown, and a person mends both.

**It never competes with a recovery**: while instances of a lost host are evacuated, no live
migration begins; those under way go on. A host that dies in the middle of its drain is fenced and
recovered like any other. What was on its way just then is left alone and held (`unsafe`), for it
may run on the other host, until a person has looked. The host stays drained when it is back.
Nova never ends the migration record of such a one (34.0: it stays `running`), and Placement keeps
the room that it had claimed on the lost host, which looks that much fuller afterwards. It is the
allocation of a consumer with the migration's id; once the instance runs elsewhere it may go:
`openstack resource provider allocation delete MIGRATION`.

## What leaves, and what stays

The first row that fits counts; the states are Nova's `vm_state` and `task_state`. A lock keeps its
owner's hands off, not an administrator's. Whether an instance is protected makes no difference:
nothing is lost.

| vm_state | task_state | it is | and |
| --- | --- | --- | --- |"""

_BACK = """\
What stays is told by `nova-ha explain` and `pcs status` (`drain-stays`) and looked at again once a
minute: as soon as a person has mended it, it leaves. Nova may refuse others for what they are (with
a vTPM, passed-through devices, shares): `blocked`, in Nova's words.

## What is given back

Exactly what was taken, by the recovery process, once the drain is taken back:

- The service is enabled only if we had disabled it. What a person had disabled before, or has
  disabled since, stays so. A person who enables it during the drain is not contradicted, and told.
- The node is taken out of standby only if we had set it there, and the service is enabled when
  nova-compute is up again.
- Instances are not moved back. Live migrations under way go on to their end.
- A host on probation (`flap_limit`) that is undrained is enabled: a person has had it in hand.
- A host that died meanwhile is not enabled by its recovery while it is drained; undrained during
  its recovery, it is enabled at the end of that.

## Standby

    nova-ha drain compute-7 --standby --why "firmware" --yes

Once all that can leave has left, the node is set in Pacemaker's standby, which stops its
nova-compute. **Do not use `pcs node standby` on a host with instances**: it stops nova-compute at
once, and without it Nova live-migrates nothing. Pacemaker has no safe way to wait for a drain: an
operation in flight would delay the fencing of other hosts. So nothing is moved then; that is shown
(`standby`, with how many instances are left), and `pcs node unstandby`, then a drain, moves them.

Standby, Pacemaker's maintenance mode and a clean shutdown of a node are no failures: nothing is
fenced, and nothing evacuated, because of them.

## Health

A node attribute whose name begins `#health`, as Pacemaker's health agents and others set them
(`attrd_updater --node compute-7 --name '#health-smart' --update red`), asks for the same, for as
long as it says so; the worst of a node counts, and numbers say nothing:

| value | the host |
| --- | --- |
| `yellow` | gets no new instances; those on it stay |
| `red` | is drained |
| `green`, or none | serves, if nobody has drained it |

Keep Pacemaker's own `node-health-strategy` at `none`: any other stops nova-compute before anything
could leave (`nova-ha cib check`: health-stops-compute). A fencing erases the attributes that are
not for good.

## In the cluster's properties

| property | written by | means |
| --- | --- | --- |
| `nova-ha-drain-NODE` | `nova-ha drain` | it is to be emptied: who says so since when, and why |
| `nova-ha-withdrawn-NODE` | `NovaEvacuate` | what was taken of it, and is given back |

The first is a person's word by its name alone: one that nobody can read drains the node, too, and
`nova-ha undrain` takes it away.

## Reasons

| code | kind | meaning | what ends it |
| --- | --- | --- | --- |"""

_SHOWN = (
    Reason.DRAINING,
    Reason.DRAINED,
    Reason.DRAIN_STAYS,
    Reason.DRAIN_WAITS,
    Reason.DRAIN_BLOCKED,
    Reason.DRAIN_SLOW,
    Reason.GIVING_BACK,
    Reason.CLOSED,
    Reason.STANDBY,
)


def drain_page() -> str:
    """Return docs/drain.md."""
    return "\n".join((_HEAD, *_states(), "", _BACK, *_reasons(), ""))


def _states() -> Iterator[str]:
    first, rest = LIVE_RULES[:3], LIVE_RULES[3:]
    yield from map(_row, first)
    yield f"| any | any other | {BUSY.leave.value} | {BUSY.helps} |"
    yield from map(_row, rest)
    yield f"| any other | none | {UNKNOWN.leave.value} | {UNKNOWN.helps} |"


def _row(rule: LiveRule) -> str:
    task = ", ".join(f"`{state}`" for state in rule.task_states)
    vm = ", ".join(f"`{state}`" for state in rule.vm_states) or "any"
    either = "any" if rule in LIVE_RULES[:3] else "none"
    return f"| {vm} | {task or either} | {rule.leave.value} | {rule.helps} |"


def _reasons() -> Iterator[str]:
    for reason in _SHOWN:
        kind = "trouble" if reason.trouble else "passes"
        yield f"| `{reason.code}` | {kind} | {reason.sentence} | {reason.ends} |"
