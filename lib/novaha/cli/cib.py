"""`nova-ha cib`: the cluster's configuration, from an inventory into a cluster."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from novaha.adapters import configuration as cluster
from novaha.cib import generate, inventory, merge, render_crmsh, render_pcs, render_xml
from novaha.cib.check import check
from novaha.cib.facts import Facts
from novaha.cib.xml import Element
from novaha.cli import what_if
from novaha.cli.codes import DIFFERS, SAME
from novaha.cli.reading import cib_of, inventory_of, run
from novaha.errors import ConfigError

FORMATS = ("xml", "pcs", "crmsh")
DESCRIPTION = """\
Generate the cluster's configuration from an inventory (docs/cib.md), and bring it into a cluster.

generate  print it, as a CIB, a script of pcs commands or crmsh commands
diff      show what `apply` would change; exit code 1 where there is something
apply     show the same; with --yes change the running cluster
check     say what is wrong with a configuration, and what mends it; exit code 1 where something is
what-if   say what Pacemaker would do if a node were lost, or something failed; changes nothing
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the sub-command; sets run, which takes the arguments and returns the exit code."""
    parser = subparsers.add_parser(
        "cib",
        help="generate the cluster's configuration",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    made = verbs.add_parser("generate", help="print the configuration of an inventory")
    made.add_argument("--format", choices=FORMATS, default="xml", help="default: xml")
    made.set_defaults(verb=_generate)
    for name, verb in (("diff", _diff), ("apply", _apply)):
        into = verbs.add_parser(name, help="an inventory against an existing cluster")
        into.add_argument("--json", action="store_true", help="print JSON")
        if name == "diff":
            into.add_argument("--file", type=Path, help="a CIB instead of the running cluster's")
        else:
            into.add_argument("--yes", action="store_true", help="do it, instead of showing it")
        into.set_defaults(verb=verb)
    for each in verbs.choices.values():
        each.add_argument("inventory", type=Path, help="the inventory, a TOML file")
    looked = verbs.add_parser("check", help="what is wrong with a configuration")
    looked.add_argument("--file", type=Path, help="a CIB instead of the running cluster's")
    looked.add_argument("--json", action="store_true", help="print JSON")
    looked.set_defaults(verb=_check, inventory=None)
    what_if.add_parser(verbs)
    parser.set_defaults(run=run)


def read_inventory(path: Path) -> inventory.Inventory:
    """Return the inventory of a file; raises ConfigError. Names each secret on standard error."""
    known = inventory_of(path)
    sys.stderr.writelines(f"note: {sentence}\n" for sentence in known.secrets())
    return known


def _generate(args: argparse.Namespace) -> int:
    made = generate.generate(read_inventory(args.inventory))
    if args.format == "pcs":
        sys.stdout.write(render_pcs.render(made))
    elif args.format == "crmsh":
        sys.stdout.write(render_crmsh.render(made))
    else:
        cib = render_xml.whole(made)
        validate(cib)
        sys.stdout.write(render_xml.as_text(cib))
    return SAME


def _diff(args: argparse.Namespace) -> int:
    made = generate.generate(read_inventory(args.inventory))
    before = cib_of(args.file)
    after, changes = merge.merge(before, render_xml.render(made))
    validate(after)
    _show(changes, as_json=args.json)
    return DIFFERS if changes else SAME


def _apply(args: argparse.Namespace) -> int:
    made = generate.generate(read_inventory(args.inventory))
    before = cib_of(None)
    after, changes = merge.merge(before, render_xml.render(made))
    validate(after)
    _show(changes, as_json=args.json)
    if changes and args.yes:
        cluster.write(before, after)
    elif changes:
        sys.stderr.write("nothing was changed; --yes changes the running cluster\n")
    return SAME


def _check(args: argparse.Namespace) -> int:
    cib = cib_of(args.file)
    known = cluster.known_options()
    if known is None:
        sys.stderr.write("note: option names are not judged, no Pacemaker daemons here\n")
    found = check(Facts(cib, known))
    if args.json:
        sys.stdout.write(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    else:
        for each in found:
            sys.stdout.write(f"{each.rule}: {each.place} {each.text}\n  {each.mend}\n")
        sys.stdout.write(f"{len(found)} problems\n")
    return DIFFERS if found else SAME


def validate(cib: Element) -> None:
    """Hold a CIB against the schema of this machine's Pacemaker; raises ConfigError."""
    rng = cluster.schema_of(cib)
    if rng is None:
        sys.stderr.write(f"note: not validated, no schema {cib.get('validate-with')} here\n")
        return
    wrong = render_xml.complaints(cib, rng)
    if wrong:
        raise ConfigError("this Pacemaker's schema refuses it:\n" + "\n".join(wrong))


def _show(changes: tuple[merge.Change, ...], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([asdict(change) for change in changes], indent=2) + "\n")
        return
    for change in changes:
        sys.stdout.write(f"{change.kind} {change.what}\n")
        sys.stdout.writelines(f"  - {line}\n" for line in change.before.splitlines())
        sys.stdout.writelines(f"  + {line}\n" for line in change.after.splitlines())
    sys.stdout.write(f"{len(changes)} changes\n")
