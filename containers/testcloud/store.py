"""What is remembered of a cluster between commands: its settings, in the state folder."""

import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from .errors import ClusterError
from .names import Driver
from .settings import Settings

_FILE = "cluster.json"
_LOCK = "lock"


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the state folder for one `up` or `down` at a time; a killed holder lets go by itself.

    Raises ClusterError at once where another holds it, or where we are not root: the nodes' packet
    filters need that, and so do the files that the nodes leave.
    """
    if os.geteuid() != 0:
        msg = "the test cluster is brought up and down by root only: repeat this as root"
        raise ClusterError(msg)
    state.mkdir(parents=True, exist_ok=True)
    with (state / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"another `cluster up` or `down` is at work in {state}: wait for its end"
            raise ClusterError(msg) from None
        yield


def save(settings: Settings) -> None:
    """Remember the settings of the cluster that is being brought up."""
    content = {**dataclasses.asdict(settings), "state": str(settings.state)}
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
