"""docs/storm-brake.md: drawn from the specification of fence_nova_gate and its reasons."""

from collections.abc import Iterable, Iterator

from novaha.core.brake import Because
from novaha.params import as_text
from novaha.specs.fence_nova_gate import PARAMS

_DRAWN = (
    "<!-- Drawn by `nova-ha docs` from lib/novaha/specs/fence_nova_gate.py and"
    " lib/novaha/core/brake.py: change it there. -->"
)
_HOW = """\
Hosts that die on their own die one by one. Many at once are most likely healthy, behind a switch or
a cable that is dead. `fence_nova_gate` is the first device of each fencing level of a compute: it
cuts nothing, and lets the level go on to the device that does, or fails it. Pacemaker asks again a
second later, for ever.

    gate = { cluster_limit = 4, group_limit = 2 }      # in the inventory of `nova-ha cib`
    groups = { rack-1 = ["compute-1", "compute-2"] }

The gate waits for `wait` seconds, and then counts the hosts that Pacemaker has lost (its own word:
unclean) and those that gates have let through within `window`, each host once. Where there are more
than the limit in a group of the host, or in the cluster, none of those that want to be fenced is
fenced: the brake is on. Hosts that the brake of a group holds do not count for the cluster, so a
dead rack holds up no other rack. It stays on for `cooldown` after the last gate that saw too many.

What is held shows in `pcs status` as the trouble of NovaEvacuate (`storm-brake`), in
`nova-ha explain`, and as failed fencing actions. Then look. If the hosts live, mend the switch, and
have Pacemaker forget that it lost them, which it does not by itself:

    pcs resource cleanup NODE                          # of each; it joins again, and is not fenced

If they are dead, say so:

    nova-ha release                                    # what is held; changes nothing
    nova-ha release --yes --why "no power in rack 1"   # all that are held; or name them, or --group

A host that was released is recovered whatever the limits of recoveries ([limits.md](limits.md)).
`nova-ha release NODE` lets one host through. `pcs stonith fence NODE` does, too, where Pacemaker
does not join it with an attempt of its own; with four hosts held on the test cluster it always did,
for two minutes, and the brake held: release the host.

While a rack is held, Nova may still take its hosts for living (`service_down_time`, 60 s): what is
evacuated off another host meanwhile may be sent there, and is then shown as stuck.

While the brake is on, Pacemaker computes nothing new for as long as a gate waits, so that the
fencing of another host may take up to `wait` longer.

What a gate knows is kept in the cluster's properties (`nova-ha-passed-NODE`, `nova-ha-brake-SCOPE`,
`nova-ha-release-NODE`), so gates on all controllers, and one that was killed, agree; the fencing
history is asked for nothing that has to be remembered. Times are compared between controllers:
where clocks are apart by more than the window, hosts that were let through are not counted, and
those that are lost now still are. A cluster that gives no answer lets nothing through. The gate
never talks to Nova.

Tried by hand on Pacemaker 2.1.5, one busy controller and four remote nodes, a limit of 2, `wait` 6:
all four killed at once, and no power command in 130 s; a released host off 5 s after its release,
one that a person fenced after 3 s; all four cut off for 35 s, their network back, cleaned up: back
in the cluster, and none was fenced. With `load-threshold` at its default the busy controller tried
one of the four again and again and never the others, released or not; `nova-ha cib` raises it."""

_COLD = """\
When the whole site comes back from a power cut, the controllers are up before the slowest compute
has booted. Pacemaker wants a host fenced as soon as its first try to connect to it has failed, some
seconds after the cluster began. The gate refuses that for `grace` seconds after the beginning, for
hosts that have not been seen since: they boot, join and get their nova-compute by themselves,
nothing is fenced, and nothing is evacuated. One that was there and is lost again is fenced at once,
by the rules above, and a storm of those counts none that is merely late. When the grace is over,
those still missing are lost like all others, and too many of them are a storm.

They show as `cold-start` in `pcs status`, `nova-ha explain` and `nova-ha release`. A host that is
known to be dead need not be waited for: `nova-ha release NODE --yes --why ...`.

Whether a cluster has just begun is told by Pacemaker's status section, which lives in the memory of
the controllers: it outlives each of them and not all, so a controller that restarts alone begins
nothing. The oldest operation that it shows, or the start of the pacemakerd that runs the gate if
that was earlier (`pcs resource refresh` forgets operations), is the beginning. Seen is a host that
joined since, or was fenced since. Evidence that is wrong costs no more than the grace, in both
directions: with a clock that is wrong by more the hosts are fenced as without one.

Refused once, Pacemaker may never ask again for such a host: the stop of its connection makes it one
that is known to be offline (seen with two controllers; with three and pauses between the tries it
asked every few seconds). So the monitor of the gate, every 60 s, has it ask anew once the grace is
over: it deletes the entry of the host in the status section, and the host is unseen again. A host
that answers then joins; one that does not is fenced, and its instances are recovered.

Tried on the test cluster (Pacemaker 2.1.5, three controllers, four computes, `grace` 150, a busy
machine), all nodes killed at once, one compute switched on 62 s after the rest, one not at all: the
others served after 51 s, the late one after 90 s, with its instances and never fenced; the one that
did not come was fenced after 172 s, its instances ran elsewhere after 183 s
(`tests/cluster/test_cold_start.py`).

One host that is off must not keep all others waiting. As long as Pacemaker tries to connect to it,
it starts nova-compute and NovaEvacuate nowhere, for it wants to look for them on that host first.
Where each try may take 15 s and they are 10 s apart there never is a moment without one, and no
host of the site got its nova-compute until the last one was up (seen with 2.1.5). So `nova-ha cib`
gives a try 3 to 10 s, and makes `reconnect_interval` longer than one try from each controller."""


def brake_page() -> str:
    """Return docs/storm-brake.md."""
    params = (
        (f"`{p.name}`", p.type, as_text(p.default) or "none", f"{p.shortdesc}. {p.longdesc}")
        for p in PARAMS
    )
    reasons = ((f"`{b.code}`", _does(b), b.sentence, b.ends) for b in Because)
    parts: tuple[Iterable[str], ...] = (
        (
            _DRAWN,
            "# The storm brake",
            "",
            _HOW,
            "",
            "## Cold start",
            "",
            _COLD,
            "",
            "## Parameters",
            "",
        ),
        _table(("parameter", "type", "default", "meaning"), params),
        ("## Why a gate opens or stays shut", ""),
        _table(("code", "the gate", "meaning", "what ends it"), reasons),
    )
    return "\n".join(line for part in parts for line in part)


def _does(because: Because) -> str:
    return {True: "opens", False: "stays shut", None: "waits"}[because.opens]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(row) + " |"
    yield ""
