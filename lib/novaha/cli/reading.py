"""What `cib` and `migrate` read alike, and how they end when that makes no sense."""

import argparse
import sys
from pathlib import Path

from novaha.adapters import configuration as cluster
from novaha.cib import inventory
from novaha.cib.xml import Element
from novaha.cli.codes import BAD_INPUT
from novaha.errors import ConfigError


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    try:
        return int(args.verb(args))
    except inventory.BadInventory as error:
        sys.stderr.writelines(f"{args.inventory}: {problem}\n" for problem in error.problems)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    return BAD_INPUT


def inventory_of(path: Path) -> inventory.Inventory:
    """Return the inventory of a file; raises ConfigError, BadInventory."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise ConfigError(msg) from error
    return inventory.parse(text)


def cib_of(path: Path | None) -> Element:
    """Return the CIB of a file, without one the running cluster's; raises ConfigError."""
    return cluster.live() if path is None else cluster.from_file(path)
