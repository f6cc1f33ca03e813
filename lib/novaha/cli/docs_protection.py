"""The part of docs/instances.md about who is protected, and whose data an evacuation would lose."""

from collections.abc import Iterator

from novaha.core.disks import MEANINGS
from novaha.core.protection import KEYS
from novaha.core.selection import EXCLUDED, MODES, NO_NAMES, Mode

_PROTECTED = f"""\
## Who is protected

What is not protected is left on its host: it is not evacuated, its host is released without it, and
it runs there again when the host is back. (Only what may run elsewhere is `unsafe` all the same.)
One line tells how many they are (`unprotected`, no trouble), `nova-ha explain INSTANCE` of each one
who says so, also in peace.

Where nothing is said of an instance, the parameter `protect` of NovaEvacuate decides:

- `{Mode.ALL}`: {MODES[Mode.ALL]} (the default)
- `{Mode.TAGGED}`: {MODES[Mode.TAGGED]}

What is said is looked up where it is nearest to the instance: its metadata, its tags
(`nova_ha:protect=false`), its name, its flavor's extra specs, its image's properties, its host's
aggregates. The nearest word counts, in both modes; keys and names have to match wholly.

| key | counts in | value | says of an instance |
| --- | --- | --- | --- |"""

_PROTECTED_MORE = f"""\
- A value that is neither true nor false, and tags or aggregates that contradict each other, leave
  nobody behind: the instance counts as protected, and `nova-ha explain` shows the wrong word.
- `exclude_names`: shell patterns separated by blanks, `{EXCLUDED}` by default: Octavia builds a
  lost load balancer anew by itself, and an evacuation gets in its way. Who excludes others, too,
  says it again (`exclude_names="{EXCLUDED} test-*"`); `{NO_NAMES}` excludes no name; `?` stands for
  a blank in a name.
- Image properties are what Nova shows of an instance's image from 31 on; before, and of one that
  boots from a volume, it shows none. An image's own tags it never shows.
- All of it is read after the host was fenced, and what is missing selects nothing: while Nova does
  not answer, nothing is evacuated and no host is released. As long as anything of the host waits it
  is read again once a minute. What is said once a host was released comes too late, and so does a
  `false` after the evacuation was asked for.

    openstack server set --property nova_ha:protect=false vm-1
    openstack flavor set --property nova_ha:protect=true m1.important
    pcs resource update nova-evacuate protect=tagged"""

_DISKS = """\
## Whose data would be lost

An evacuation builds an instance again from its image where its root disk was on the lost host, and
makes its swap and ephemeral disks anew: Nova does that without a word. Where the hosts' disks are
their own (`storage` of NovaEvacuate, or `nova_ha:storage` of an aggregate; docs/cib.md), such an
instance waits for its host (`local-disk`, trouble) and goes back with it, unless that was consented
to with `nova_ha:may_lose`, looked up at the same places, the nearest word first:

| nova_ha:may_lose | may be lost |
| --- | --- |"""

_DISKS_MORE = """\
An instance that boots from a volume loses swap and ephemeral disks only, and without these nothing.
Another word counts as `nothing`, and is shown; of tags, or aggregates, that contradict each other
the least counts. A person who evacuates it by hand has consented.

    openstack server set --property nova_ha:may_lose=root vm-1
    openstack flavor set --property nova_ha:may_lose=ephemeral m1.swapping"""


def protection_part() -> Iterator[str]:
    """Yield the paragraphs and tables."""
    yield _PROTECTED
    for key, where, value, text in KEYS:
        yield f"| `{key}` | {where} | {value or '-'} | {text} |"
    yield from ("", _PROTECTED_MORE, "", _DISKS)
    for grade, text in MEANINGS.items():
        yield f"| {grade} | {text} |"
    yield from ("", _DISKS_MORE, "")
