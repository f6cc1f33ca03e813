"""docs/cib.md: the inventory's keys, the profiles and the rules, drawn from their tables."""

from collections.abc import Iterable, Iterator

from novaha.cib.profiles import PROFILES

_DRAWN = "<!-- Drawn by `nova-ha docs` from lib/novaha/cib: change it there. -->"
_HOW = """\
One inventory describes the cluster; `crm-config/examples/inventory.toml` is one.

    nova-ha cib generate inventory.toml                   # a CIB, held against the schema
    nova-ha cib generate --format pcs inventory.toml      # a script that pushes once
    nova-ha cib generate --format crmsh inventory.toml    # for: crm configure load update FILE
    nova-ha cib diff inventory.toml                       # what `apply` would change; 1 if anything
    nova-ha cib apply inventory.toml                      # the same; --yes does it
    nova-ha cib check                                     # what is wrong, and what mends it
    nova-ha cib what-if --down compute-7                  # what Pacemaker would do

`diff` and `apply` add what is missing and change what differs, property by property and object by
object. Everything else stays, and nothing is removed: a compute that left the inventory is removed
by hand. `check` and `diff` take a saved CIB with `--file`. The pcs script and the crmsh file are
for a cluster without nova-ha; crmsh replaces the whole fencing topology.

A password is refused where the agent reads it by a script (`password_script`), unless the kind says
`password_in_cib = true`; each secret that lands in the CIB is named on standard error. A wrong
inventory gets all its problems at once, each with its line, and exit code 2.

`storage` says where image-booted instances have their disks, which nobody but a person can know, so
there is no default. With `local` such an instance waits for its host, unless its owner or the
operator consented to its being built again from the image; with `shared` it is evacuated, and
loses its data if that was not so. In a cloud with both, say `local` and set the metadata
`nova_ha:storage=shared` on aggregates of hosts with shared storage (migrate.md). NovaEvacuate does
not start without it.

Which instances are protected is a parameter of NovaEvacuate (docs/instances.md), as all others:

    evacuate = { protect = "tagged", exclude_names = "amphora-* test-*" }

To rehearse a change, run the pcs script on a copy: `pcs cluster cib copy.xml`, then
`bash script copy.xml`, then `crm_simulate --simulate --xml-file copy.xml`.

## What if

    nova-ha cib what-if --down compute-7                   # the running cluster
    nova-ha cib what-if --down compute-7 compute-8 --json
    nova-ha cib what-if --standby controller-1 --fail nova-compute@compute-3
    nova-ha cib what-if --inventory inventory.toml --down controller-1   # before there is a cluster

It writes what happens into a copy of the CIB, asks `crm_simulate` what Pacemaker would do, and
says it in words; nothing is changed. The devices come from the fencing topology, which Pacemaker's
scheduler does not know. It is the first reaction only: what follows when a fencing has succeeded,
or failed, is another question. Exit code 0 is an answer, 1 a scheduler that gave none, 2 wrong
input: an unknown node or resource, one that is lost already, an instance of a clone that is not
named.

`crm-config/goldens/` has what Pacemaker 2.1.5 and 3.0.0 do with the configuration that we generate,
for a compute, two, a rack, controllers, standby, maintenance, broken devices, failing agents and a
return; `tests/helpers/cibscenarios.py` states for each what must hold whatever the golden says."""


def cib_page() -> str:
    """Return docs/cib.md."""
    from novaha.cib.check import table
    from novaha.cib.shapes import rows

    timings = (
        (each.name, f"{each.monitor_interval_s} s", f"{each.monitor_timeout_s} s",
         f"{each.detection_s} s", f"{each.off_s} s", f"{each.on_s} s", each.measured)
        for each in PROFILES.values()
    )  # fmt: skip
    head = ("profile", "monitor every", "timeout", "lost after at most", "off", "on", "measured")
    parts = (
        (_DRAWN, "# The cluster's configuration", "", _HOW, "", "## Inventory", ""),
        _table(("key", "value", "default", "meaning"), rows()),
        ("## Profiles", ""),
        _table(head, timings),
        ("## Rules of `nova-ha cib check`", ""),
        _table(("rule", "finds"), table()),
    )
    return "\n".join(line for part in parts for line in part)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""
