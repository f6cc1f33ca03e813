"""What is remembered of a cluster between commands: its settings, in the state folder."""

import dataclasses
import json
import shutil
from collections.abc import Set as AbstractSet
from pathlib import Path

from .errors import ClusterError
from .names import Driver
from .settings import Settings

_FILE = "cluster.json"


def save(settings: Settings) -> None:
    """Remember the settings of the cluster that is being brought up."""
    content = {**dataclasses.asdict(settings), "state": str(settings.state)}
    settings.state.mkdir(parents=True, exist_ok=True)
    (settings.state / _FILE).write_text(json.dumps(content, indent=2) + "\n")


def load(state: Path) -> Settings:
    """Return the settings that the cluster in this folder was brought up with.

    Raises ClusterError if there is none.
    """
    try:
        content = json.loads((state / _FILE).read_text())
    except FileNotFoundError:
        msg = f"no cluster in {state}: bring one up with `cluster up`"
        raise ClusterError(msg) from None
    return Settings(**{**content, "state": state, "driver": Driver(content["driver"])})


def clean(state: Path, keep: AbstractSet[str]) -> None:
    """Empty a state folder except for some entries; the folder itself goes when nothing is left."""
    if not state.exists():
        return
    for entry in state.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if not any(state.iterdir()):
        state.rmdir()
