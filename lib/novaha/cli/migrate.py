"""`nova-ha migrate`: from classic InstanceHA or Masakari to ours, and back."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from novaha.adapters import configuration as cluster
from novaha.adapters.classic import evacuating, wait_stopped
from novaha.cib import inventory
from novaha.cib.xml import Element
from novaha.cli.cib import read_inventory, validate
from novaha.cli.codes import DIFFERS, SAME
from novaha.cli.reading import cib_of, run
from novaha.errors import ConfigError, NovaHaError
from novaha.migrate import draft, leave, rollback, secrets, units
from novaha.specs.nova_evacuate import CLOUD

DESCRIPTION = """\
Come from classic InstanceHA (fence_compute, NovaEvacuate) or from Masakari; docs/migrate.md.

classic   print the inventory of a cluster with classic InstanceHA
masakari  print the inventory of the hosts in Masakari's segments
segments  show what makes host aggregates of Masakari's segments; --yes does it
diff      show what makes a cluster ours; exit code 1 where there is something
apply     show the same; with --yes save what must be undone, and change the running cluster
rollback  show how to undo it; with --yes change the running cluster
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the sub-command; sets run, which takes the arguments and returns the exit code."""
    parser = subparsers.add_parser(
        "migrate",
        help="come from classic InstanceHA or from Masakari",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_inventories(verbs)
    for name, verb, text in (
        ("diff", _diff, "an inventory against a cluster with classic InstanceHA"),
        ("apply", _apply, "bring an inventory into a cluster with classic InstanceHA"),
        ("rollback", _rollback, "undo a migration"),
    ):
        made = verbs.add_parser(name, help=text)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(verb=verb)
        if name != "apply":
            made.add_argument("--file", type=Path, help="a CIB instead of the running cluster's")
        if name != "diff":
            made.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    for name in ("diff", "apply"):
        verbs.choices[name].add_argument("inventory", type=Path, help="the inventory, a TOML file")
    text = "where to keep what must be undone: a new file"
    verbs.choices["apply"].add_argument("--save", type=Path, help=text)
    verbs.choices["rollback"].add_argument("saved", type=Path, help="the file of apply's --save")
    parser.set_defaults(run=run)


def _add_inventories(verbs: "argparse._SubParsersAction[Any]") -> None:
    """Add the verbs that do not need an inventory, because they make one, or none."""
    classic = verbs.add_parser("classic", help="the inventory of a classic cluster")
    text = "write the passwords that leave the CIB into a new folder"
    classic.add_argument("--secrets", type=Path, metavar="FOLDER", help=text)
    classic.set_defaults(verb=_classic)
    masakari = verbs.add_parser("masakari", help="the inventory of Masakari's hosts")
    text = "do not look for a cluster: hosts and addresses only"
    masakari.add_argument("--no-cluster", action="store_true", help=text)
    masakari.set_defaults(verb=_masakari)
    segments = verbs.add_parser("segments", help="host aggregates of Masakari's segments")
    segments.add_argument("--yes", action="store_true", help="do it, instead of showing it")
    segments.set_defaults(verb=_segments)
    for each in (classic, masakari):
        each.add_argument("--file", type=Path, help="a CIB instead of the running cluster's")
    for each in (classic, masakari, segments):
        each.add_argument("--json", action="store_true", help="print JSON")
        each.add_argument("--cloud", required=True, help="name of the cloud in clouds.yaml")
    for each in (masakari, segments):
        path = "/etc/openstack/clouds.yaml"
        each.add_argument("--clouds-yaml", default=path, metavar="FILE", help=f"default: {path}")


def _masakari(args: argparse.Namespace) -> int:
    from novaha.cli.migrate_masakari import masakari  # imports openstacksdk

    return masakari(args, None if args.no_cluster else _cib(args))


def _segments(args: argparse.Namespace) -> int:
    from novaha.cli.migrate_masakari import segments

    return segments(args)


def _classic(args: argparse.Namespace) -> int:
    check_cloud(args.cloud)
    cib = _cib(args)
    made = draft.of_classic(cib, args.cloud)
    if args.secrets is not None:
        _write_secrets(args.secrets, secrets.files(cib, args.cloud, made.secrets))
    return print_draft(made, as_json=args.json)


def check_cloud(name: str) -> None:
    """Raise ConfigError for what cannot be the name of a cloud."""
    try:
        CLOUD.parse(name)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def print_draft(made: draft.Draft, *, as_json: bool) -> int:
    """Print an inventory, and on standard error what is left to do; returns the exit code."""
    try:
        inventory.parse(made.text)
        open_ = []
    except inventory.BadInventory as error:
        open_ = [f"to do: {problem}" for problem in error.problems]
    if as_json:
        content = {"inventory": made.text, "notes": made.notes, "to_do": open_}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        sys.stdout.write(made.text)
        sys.stderr.writelines(f"note: {note}\n" for note in made.notes)
        sys.stderr.writelines(f"{line}\n" for line in open_)
    return DIFFERS if open_ else SAME


def _write_secrets(folder: Path, files: Iterable[tuple[str, str, int]]) -> None:
    try:
        folder.mkdir(mode=0o700)
        for name, text, mode in files:
            write_new(folder / name, text, mode)
    except OSError as error:
        msg = f"--secrets wants a new folder, and {folder} cannot be made: {error.strerror}"
        raise ConfigError(msg) from error


def write_new(path: Path, text: str, mode: int) -> None:
    """Write a file that is not there yet, to the disk; raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _cib(args: argparse.Namespace) -> Element:
    """Return the CIB that is asked about, known to be one."""
    cib = cib_of(getattr(args, "file", None))
    units.configuration(cib)
    return cib


def _plan(args: argparse.Namespace) -> leave.Plan:
    plan = leave.plan(_cib(args), read_inventory(args.inventory))
    validate(plan.after)
    _show(plan.changes, plan.notes, as_json=args.json)
    return plan


def _diff(args: argparse.Namespace) -> int:
    return DIFFERS if _plan(args).changes else SAME


def _apply(args: argparse.Namespace) -> int:
    if args.yes and args.save is None:
        msg = "--yes needs --save FILE: what must be undone is kept there"
        raise ConfigError(msg)
    plan = _plan(args)
    if not plan.changes:
        return SAME
    if not args.yes:
        sys.stderr.write("nothing was changed; --yes --save FILE changes the running cluster\n")
        return SAME
    busy = evacuating()
    if busy:
        msg = f"classic InstanceHA is evacuating {', '.join(busy)}: nothing was changed, wait"
        raise ConfigError(msg)
    between = leave.stopped_first(plan.before, plan.after)
    saved = rollback.Saved(plan.before, between, plan.after)
    try:
        write_new(args.save, rollback.write(saved), 0o600)
    except OSError as error:
        msg = f"nothing was changed: {args.save} must be a new file, and: {error.strerror}"
        raise ConfigError(msg) from error
    try:
        _write(plan.before, between, plan.after)
    except NovaHaError:
        sys.stderr.write(f"not done; undo it with: nova-ha migrate rollback {args.save} --yes\n")
        raise
    sys.stderr.write(f"done; undo it with: nova-ha migrate rollback {args.save} --yes\n")
    return SAME


def _write(before: Element, between: Element, after: Element) -> None:
    """Change the running cluster, by way of what lets go of nova-compute where that is needed."""
    leaving = leave.leaving(before, after)
    if leaving:
        cluster.write(before, between)
        wait_stopped(leaving)
    cluster.write(between, after)


def _rollback(args: argparse.Namespace) -> int:
    if args.yes and args.file is not None:
        msg = "--yes changes the running cluster: leave --file out"
        raise ConfigError(msg)
    try:
        saved = rollback.read(args.saved.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{args.saved} cannot be read: {error}"
        raise ConfigError(msg) from error
    live = _cib(args)
    after = rollback.back(live, saved)
    validate(after)
    changes = units.differences(live, after)
    _show(changes, (), as_json=args.json)
    if changes and args.yes:
        _write(live, leave.stopped_first(live, after), after)
    elif changes:
        sys.stderr.write("nothing was changed; --yes changes the running cluster\n")
    return SAME


def _show(changes: tuple[units.Change, ...], notes: Iterable[str], *, as_json: bool) -> None:
    sys.stderr.writelines(f"note: {note}\n" for note in notes)
    if as_json:
        sys.stdout.write(json.dumps([asdict(change) for change in changes], indent=2) + "\n")
        return
    for change in changes:
        sys.stdout.write(f"{change.kind} {change.what}\n")
        sys.stdout.writelines(f"  - {line}\n" for line in change.before.splitlines())
        sys.stdout.writelines(f"  + {line}\n" for line in change.after.splitlines())
    sys.stdout.write(f"{len(changes)} changes\n")
