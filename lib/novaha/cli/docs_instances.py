"""docs/instances.md: what becomes of which instances, in which order, drawn from the tables."""

from collections.abc import Iterator

from novaha.cli.docs_protection import protection_part
from novaha.core.order import KEYS
from novaha.core.phases import PHASES
from novaha.core.serverstates import RULES, UNKNOWN, Rule, Step

_HEAD = """\
<!-- Drawn by `nova-ha docs` from core/: serverstates.py, protection.py, disks.py, order.py. -->
# What becomes of an instance

## In each state

Its state is read from Nova before it is evacuated, and again before each new try. The first row
that fits counts; the state that stands there is Nova's `vm_state`, or its `task_state`. A lock
keeps its owner: Nova evacuates what is locked, and it stays locked.

An instance that is not touched is shown by itself (`stays` or `unsafe` in `pcs status` and
`nova-ha explain`), looked at again once a minute, and evacuated as soon as a person has mended its
state. Until then its host is held; once that is back, it is released with what can only go back to
it, but never with what is `unsafe`: nova-compute could start a second copy.

Nova refuses some others for what they are: with a vTPM, with some accelerators, with shares, never
launched. Those are `blocked` with Nova's own words, tried again ever more rarely, and go back to
their host, too.

| vm_state | task_state | is | in the end, or what a person can do |
| --- | --- | --- | --- |"""


_TRIES = """\
## Until it runs elsewhere

An evacuation is followed in Nova's migration records until its end, however long it takes; nothing
is sent beside it. The records of a host are read when its next evacuation should have ended, as the
last ones did, so that a free slot is soon used again; ever less often while none ends, and about as
often as there are evacuations. What fails is tried again after 30 s, then after twice as long each
time, up to half an hour, for ever, and `pcs status` and `nova-ha explain` show it with Nova's
words. As soon as a host takes instances again that did not before, all that failed is tried at
once. And while something waits, Placement is asked once a minute: what had no room by its last
answer and finds some by this one, the most important first, is tried at once, and not again for
that before its room was gone and is back. Nova's lists are read anew before each such try.

Before the first request Placement is asked what is free on the hosts that are left, and what will
find no room there is told at once (`no-room`): processors, memory and disk, in the order in which
the instances go. Filters and traits are not looked at, so nothing is kept back for it: the most
important go first, and what Nova refuses is tried again. A Placement that gives no answer within
five seconds is done without.

Where Nova leaves requests without an answer or says that it has too much to do (429, 502, 503,
504), half as many evacuations are in flight, down to one; after each half minute in which it
accepts, twice as many.
"""

_ORDER = """\
## In which order

Evacuations of all hosts share the free slots (`max_in_flight`, and `max_per_destination` for one
host). The higher priority goes first, of whatever host; inside a priority they go round the hosts,
and of one host those first that failed least, then the largest, so that they find room.

What is said is looked up where it is nearest to the instance: its metadata, its tags
(`nova_ha:priority=100`), its flavor's extra specs, its image's properties (where Nova shows them,
from Nova 31 on), the metadata of its host's aggregates in the order of their names.

| key | value | meaning |
| --- | --- | --- |"""

_WAITS = """\
An instance waits only for those that are being recovered, too, and for ten minutes at most: what is
blocked for long holds up nobody for ever. Where instances wait for each other in a circle that is
shown (`cycle`), and they go as if it were not said.

A port (`nova_ha:ready=tcp:5432`) is tried from the controller on which the recovery runs, at the
addresses that Nova shows of the instance, every few seconds, as long as somebody waits for it: the
first connection that is taken will do, and nothing is sent over it. So the controllers have to
reach those addresses; where they do not, it is the ten minutes that count. Where something between
them and the instances answers for every address (a transparent proxy), every port counts as open:
try one where nobody is. A value that nobody can
understand (`tcp:0`, `tcp:ssh`) counts as not said, and `nova-ha explain` shows it.

Members of one anti-affinity group are evacuated one by one: Nova looks at the group's policy once
more when an instance arrives, fails those that arrived together on one host, and does not choose
another one. Members of soft groups go together.

Members of one affinity group come to one host, where Nova can be brought to that. Its scheduler
lets a member go only where another one is: for the first to leave it finds no host, not even where
that is the only member. So the first goes alone, and past the scheduler (`force`, microversion
2.67), to a host that takes instances, is in the same aggregates as the lost one, and by Placement
has room for the whole group; the others follow it by the scheduler's own choice. What happens then
is up to Nova:

| members on the lost host | when the first arrives | in the end |
| --- | --- | --- |
| one | nothing stands against it | active |
| more, where nova-compute does not look | nothing is looked at | active on one host |
| more, where it does, as Nova has it | it fails the first, which is in ERROR then | all `blocked` |

Whether it looks is `[workarounds] disable_group_policy_check_upcall` of the destination. Nothing
that an evacuation can say changes the last row. One of the group is tried for all of them, in
turns, and ever more rarely; after three tries they go back to their host as soon as it returns.
What Nova has set to ERROR it does not start there: `openstack server reboot --hard` does. A person
who cannot wait for the host gives the group up (`openstack server group delete ID`, which the text
has; instances that exist cannot be put in a group again): within a minute all of it is evacuated
like any other instance.

An instance counts as being recovered until its lost host is released; where one on another host is
to be waited for longer than that (`delay`, `tcp`), that ends with the release.

    openstack server set --property nova_ha:priority=100 --property nova_ha:after=db-1 web-1
    openstack server set --property nova_ha:ready=tcp:5432 db-1"""


_PHASES = """\

## In one phase, or in two

`phases` of NovaEvacuate says it:

{rows}

`one` is the default, also on a Nova that has the other, because of what such a Nova does (27.0 to
34.0, microversion 2.95; `_do_rebuild_instance` and `stop_instance` in nova/compute/manager.py): it
**boots the guest** on its new host like any other, waits until it runs, and switches it off at
once, hard, without asking the guest; then its record is `done`. That is what becomes of every
instance that was stopped, with any microversion. So with `two` every guest boots twice; one that is
to come after its database boots for a moment before it, and is switched off in the middle of that;
each costs two requests more; and a nova-compute or a message that is lost in that moment leaves a
guest that runs under a record that failed. With `one`, an instance that has to wait does not boot
before those that it waits for, and is evacuated when they are up, which takes it the seconds of one
evacuation longer. `two` is for whoever wants all to have their places before anything runs.

With `two`, of each lost host:

- Before the first request it is written in the CIB which of its instances run
  (`nova-ha-starts-NODE`): nothing of Nova tells them from those that their owners had stopped. Any
  controller goes on with that, and it is deleted when all of them were started or need it no more.
- All are placed, nobody waits for anybody; what was stopped stands stopped and is not started. One
  in ERROR, which Nova leaves running, is evacuated in its turn like with `one`.
- Once all are placed that can be they are started, in their order, as many at once as may be
  evacuated at once: each when those that it waits for are up. What is blocked holds up nobody, and
  after ten minutes nobody waits any more. The lost host does not wait for any of this.
- A start that comes to nothing is shown (`not-started`) and tried again like an evacuation. Before
  each, Nova's list of what was done to the instance is read: one that was stopped after its
  evacuation is left so, whoever did it.
- Where Nova's API has no 2.95, or refuses because a nova-compute is older than 27 (400), it is
  `one` for that recovery; nobody has to do anything when the last of them is upgraded.
"""


def _phases() -> str:
    rows = "\n".join(f"- `{word}`: {text}" for word, text in PHASES.items())
    return _PHASES.format(rows=rows)


def instances_page() -> str:
    """Return docs/instances.md."""
    keys = (f"| `{key}` | {value} | {text} |" for key, value, text in KEYS)
    states = (_HEAD, *map(_row, RULES), _row(UNKNOWN), "", *_not_listed(), "")
    whom = protection_part()
    return "\n".join((*states, *whom, _TRIES, _ORDER, *keys, "", _WAITS, _phases()))


def _row(rule: Rule) -> str:
    step = f"**{rule.step.value}**" if rule.step is Step.UNSAFE else rule.step.value
    any_other = "any other" if rule is UNKNOWN else "any"
    cells = (_words(rule.vm_states, any_other), _words(rule.task_states, "any"), step, rule.ends)
    return f"| {' | '.join(cells)} |"


def _words(states: tuple[str, ...], otherwise: str) -> str:
    return ", ".join(f"`{state}`" for state in states) or otherwise


def _not_listed() -> Iterator[str]:
    yield "Not on the host, and so not touched: what is shelved and offloaded, and what is being"
    yield "live-migrated *to* the host, which Nova has on its source until it has arrived."
