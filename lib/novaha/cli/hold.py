"""`nova-ha hold`: whether nova-compute may start on this node, for people and for systemd."""

import argparse
import os
import re
import sys

from novaha.cli.codes import DIFFERS, SAME
from novaha.cli.person import must_be_root, note, who, words
from novaha.held import Gate, own_name
from novaha.hold import MARGIN_S, wait_for_release
from novaha.ocf.codes import OK
from novaha.params import BadParameter
from novaha.rundir import RUN_ROOT
from novaha.specs.nova_compute_unfence import GUEST_NAMES, NOVA_NAMES

LONGEST_S = 50
"""systemd gives a start 90 s, of which the answers of the cluster's tools take up to 30."""

DESCRIPTION = """\
Tell, on a compute, whether something holds its nova-compute: an open receipt or evacuation in the
cluster, or guests of its life before. Exit code 0 when nothing does, 1 when something does, or when
the cluster gives no answer.

--let-go is a person's word that it may start in spite of all, until this node boots again or
--take-back. It is for a cluster that is stopped, not for a host that waits for its recovery:
started beside its own evacuations, nova-compute can start a second copy of an instance."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "hold", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    word = parser.add_mutually_exclusive_group()
    word.add_argument(
        "--wait",
        type=_seconds,
        metavar="SECONDS",
        help="before nova-compute is started: how long to wait for the cluster's answer",
    )
    word.add_argument("--let-go", type=words, metavar="WHY", help="let it start in spite of all")
    word.add_argument("--take-back", action="store_true", help="undo --let-go")
    parser.add_argument("--node", help="this node's name in the cluster, if not its host name")
    parser.add_argument(
        "--guest-names",
        type=_names,
        default=NOVA_NAMES,
        metavar="REGEX",
        help=f"what Nova's guests are called (default: {NOVA_NAMES})",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tell, wait, or take a person's word."""
    must_be_root()
    root = os.environ.get("NOVA_HA_RUN_ROOT", RUN_ROOT)
    gate = Gate(root, lambda: own_name(args.node), re.compile(args.guest_names))
    if args.let_go:
        return _let_go(gate, args.let_go)
    if args.take_back:
        gate.word.clear()
    return _told(gate, args.wait)


def _let_go(gate: Gate, reason: str) -> int:
    text = f"{who()}: {reason}"
    gate.word.set(text)
    note(f"nova-compute of this node was let go by {text}")
    sys.stdout.write("nova-compute may start here until the next boot, or --take-back\n")
    return SAME


def _told(gate: Gate, wait_s: int | None) -> int:
    """Say whether it is held; where nova-compute is about to start, remember that it was not."""
    outcome = wait_for_release(gate.why_held, 1.0, MARGIN_S + (wait_s or 0))
    if outcome != OK:
        sys.stderr.write(f"nova-ha: {outcome.reason}\n")
        return DIFFERS
    if wait_s is not None:
        gate.remember()
    word = gate.word.text()
    sys.stdout.write(f"let go by {word}\n" if word is not None else "nothing holds this node\n")
    return SAME


def _names(text: str) -> str:
    try:
        return GUEST_NAMES.parse(text)
    except BadParameter as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= LONGEST_S:
        msg = f"must be a whole number of seconds from 1 to {LONGEST_S}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
