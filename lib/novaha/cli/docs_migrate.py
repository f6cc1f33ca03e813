"""docs/migrate.md: how to come from elsewhere."""

_HOW = """\
<!-- Drawn by `nova-ha docs` from lib/novaha/cli/docs_migrate.py. -->
# Coming from elsewhere

Nothing is changed without `--yes`, and what is shown is what is done. Secrets are masked.

## From classic InstanceHA

The cluster has `fence_compute` in its fencing levels, `NovaEvacuate` on a controller, and
`compute-unfence-trigger`, `nova-compute-wait` or `NovaCompute` on its computes. They are recognised
by their agents; what they are called does not matter. On a controller, after `make install` there
and on the computes:

    nova-ha migrate classic --cloud my-cloud --secrets secrets > inventory.toml
    nova-ha migrate diff inventory.toml                       # what would change; 1 if anything
    nova-ha migrate apply inventory.toml --yes --save before.json
    nova-ha cib check
    nova-ha migrate rollback before.json --yes                # gives all of it back

`classic`, `diff` and `rollback` take a saved CIB with `--file`. What a person has to know stands
above the inventory as comments; what is still missing is named with its line, with exit code 1.

- **Secrets.** Passwords of fence devices leave the CIB. `--secrets` writes a folder with a script
  for each, to be copied to `/etc/nova-ha/secrets` on every controller, and with a `clouds.yaml` of
  the classic agents' account. A password may stay in the CIB: give `password` and say
  `password_in_cib = true` (docs/cib.md).
- **Fence devices** that fence nothing but nodes of the inventory are replaced by those that it
  describes. `external/ipmi` becomes `fence_ipmilan`. All others stay.
- **Storage.** nova-ha wants to know where image-booted instances have their disks (`storage`,
  docs/cib.md). It is `local` where a classic agent has `no_shared_storage` switched on, which some
  installers do whatever there is, and `shared` where NovaEvacuate has it switched off: read the
  comment. Otherwise `storage` is left empty, and the inventory is refused until it is filled in.
- **Constraints** that name a resource that goes, go with it, also where ours has the same name:
  classic starts `nova-evacuate` after nova-compute, and ours must not wait for it. What stood
  before nova-compute still does. A nova-compute in a group has to be taken out of it first.
- **What is restarted.** nova-compute, once on every compute: it is stopped first where its resource
  is called otherwise today. The remote connections, where their parameters change. Instances run
  on, and no node is fenced. `apply` refuses while classic InstanceHA evacuates a host.
- **Rollback.** The file of `--save` is written before anything else, holds all that the CIB held,
  passwords too, and has mode 0600. What others changed since stays. A rollback refuses, and names
  every reason at once: where a part of ours was changed since, where something of others names a
  part that goes, while a recovery is not over, and in another cluster.

## From Masakari

    nova-ha migrate segments --cloud my-cloud                 # what would change, as commands too
    nova-ha migrate segments --cloud my-cloud --yes
    nova-ha migrate masakari --cloud my-cloud > inventory.toml

The account needs an administrator's rights in Masakari and Nova. Each segment becomes a host
aggregate of its name, without a zone, with its metadata (docs/segments.md). An aggregate that has
the name already is used when it has no other hosts, and when no host would change its zone by it.
Nothing is removed. A host in two segments, a host without a compute service, an unknown recovery
method: all are named at once, and nothing is done.

A reserved host has to be disabled with a reason that says so before it is used; the commands are
named. `add_reserved_host_to_aggregate` stands in a file of Masakari's engine: where it is true, set
`nova_ha:add_reserved` of the segments.

A host's maintenance flag is only named, because Masakari sets it after a failure and never takes it
away. Description, service type, control attributes and notifications have no counterpart.

The inventory has the hosts of all segments. `storage` is left empty, because Masakari does not know
it: fill it in (docs/cib.md). With `evacuate_all_instances = false` in Masakari, say
`evacuate = { protect = "tagged" }`; `HA_Enabled` is understood. What fences them is read from the
cluster's CIB, or with `--no-cluster` left to a person: Masakari does not know. Switch Masakari's
monitors off before nova-ha is applied: two that evacuate one host ruin its instances.
"""


def migrate_page() -> str:
    """Return docs/migrate.md."""
    return _HOW
