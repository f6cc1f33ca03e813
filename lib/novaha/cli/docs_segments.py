"""docs/segments.md: the keys of a segment, where instances go, and what a reserved host is."""

from novaha.core.recovery import RESERVED_REASON
from novaha.core.segments import ADD_RESERVED, KEYS, METHOD, METHODS, RESERVED, RecoveryMethod

_HEAD = """\
<!-- Drawn by `nova-ha docs` from lib/novaha/cli/docs_segments.py and core/segments.py. -->
# Segments

A segment is a host aggregate with metadata of ours: nothing else is configured anywhere. Who may
change aggregates may change segments, and what is written there counts from the next recovery on.

    openstack aggregate create rack-1
    openstack aggregate add host rack-1 compute-1              # and the others, the reserved too
    openstack aggregate set --property nova_ha:segment=rack-1 rack-1

A host that is in more than one segment belongs to the first by name. What nobody understands, such
as an unknown method, is shown (`segment`), and counts as if it were not there. `nova_ha:storage`
counts on other aggregates, too.

| key | value | meaning |
| --- | --- | --- |"""

_METHODS = """\
## Where instances go

| recovery method | instances go |
| --- | --- |"""

_RESERVED = f"""\
An evacuation has failed when Nova refused it, or when its record ended in failure. The next try
comes when it always would, and goes the other way.

## Reserved hosts

A reserved host has a key in the segment, and is kept free by being disabled with a reason that
begins `{RESERVED_REASON}`:

    openstack aggregate set --property {RESERVED}spare-1=true \\
        --property {METHOD}=reserved_host rack-1
    openstack compute service set --disable \\
        --disable-reason '{RESERVED_REASON}' spare-1 nova-compute

Disabled for any other reason, or for none, it is a person's matter: it is not used, and that is
shown. One that is enabled is used as it is.

A failed host gets the first one, by name, that is free, up and not lost itself: one for each failed
host, never a second one, also when it turns out to be full. Nova's scheduler checks every instance
that is sent there. The value of its key tells, and survives whatever happens to nova-ha:

| value | the reserved host |
| --- | --- |
| `true` | is free |
| `taking:HOST…` | is being readied for HOST: enabled, and added to aggregates |
| `used:HOST…` | takes the instances of HOST; behind it stands what will be undone |
| anything else | is not used, such as `no` |

With `{ADD_RESERVED}` it joins the other aggregates of the failed host that are no segments. One
that Nova keeps it out of (another availability zone) is left out; the log tells.

When the failed host is back, and enabled, its reserved host is handed back: disabled as reserved,
out of the aggregates that it had joined, its key `true`. Its instances stay there until somebody
moves them. One that was lost itself meanwhile waits for the end of its own recovery (`hand-back`).
Nova does not let a host with instances out of an availability zone's aggregate: then
that is shown (`blocked`) until they are moved.

What a person does meanwhile stands. A reserved host that is disabled while it is used stays so,
also when it is handed back, and what is left waits for its own host (`no-reserved-host`). One whose
key is set to `true`, or unset, is not handed back, and another one may be taken. A failed host that
never returns keeps its reserved host: unset the key, and reserve another one.

A change that Nova refuses (403, 409) or does not answer (500, a timeout) holds up nobody but the
host that needs it. It is shown (`blocked`), and tried again, ever more rarely; with `rh_priority`
and `auto_priority` the scheduler places the instances meanwhile.

Where instances may go to a reserved host only and there is none, they wait, which is shown, and it
is looked for again each minute. When their own host is back before, they start there again.

A process that has just started waits half a minute before it takes or hands back a reserved host:
a request of the one before may still be on its way."""


def segments_page() -> str:
    """Return docs/segments.md."""
    values = " or ".join(method.value for method in RecoveryMethod)
    keys = (f"| `{key}` | {values if key == METHOD else v} | {text} |" for key, v, text in KEYS)
    methods = (f"| {method.value} | {text} |" for method, text in METHODS.items())
    return "\n".join((_HEAD, *keys, "", _METHODS, *methods, "", _RESERVED, ""))
