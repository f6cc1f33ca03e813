"""Chooses the sub-command, and turns what goes wrong into one line and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from novaha.errors import NovaHaError

COMMANDS = {
    "explain": "where a node or an instance stands, on which evidence, and what it waits for",
    "simulate": "run a scenario, or random schedules, against a simulated cluster and cloud",
    "cib": "generate the cluster's configuration from an inventory, and bring it into a cluster",
    "hold": "on a compute: whether something holds its nova-compute, and a person's word",
    "release": "which hosts the storm brake or a limit holds, and let them go on",
    "confirm-off": "say that a lost host is off, whose fencing fails, so that it is recovered",
    "disarm": "have lost hosts recorded and left alone for a while, and see what is disarmed",
    "arm": "take disarms away before their time is over",
    "drain": "have a host emptied, see before what would leave it, and what is drained",
    "undrain": "take a drain back, and give the host what was taken of it",
    "migrate": "come from classic InstanceHA or from Masakari",
    "docs": "draw the pages that show the tables of the code",
}
FAILED, INTERRUPTED = 1, 130

EPILOG = """\
exit codes: 0 done; 1 it could not be done, or something differs; 2 wrong input.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        arguments = _parser(argv).parse_args(argv)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except NovaHaError as error:
        sys.stderr.write(f"nova-ha: {error}\n")
        return FAILED
    except BrokenPipeError:
        _say_no_more()  # Whoever read us has enough.
        return FAILED
    except OSError as error:
        # A full disk behind our output, a folder that nobody may write to.
        _say_no_more()
        sys.stderr.write(f"nova-ha: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _say_no_more() -> None:
    """Lose what is still to be printed: the interpreter would fail on it again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def entry() -> int:
    """Run with the process's own arguments."""
    return main(sys.argv[1:])


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only the module of the sub-command that is asked for is imported."""
    parser = argparse.ArgumentParser(
        prog="nova-ha",
        description="Instance high availability for OpenStack, inside Pacemaker.",
        epilog=EPILOG,
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    wanted = next((word for word in argv if not word.startswith("-")), "")
    for name, text in COMMANDS.items():
        if name == wanted:
            import_module(f"novaha.cli.{name.replace('-', '_')}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=text)
    return parser
