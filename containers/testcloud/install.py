"""Installing nova-ha from the checkout into every node, as `make install` would on each."""

import io
import tarfile
import tempfile
from functools import partial
from pathlib import Path

from . import docker, shell
from .cluster import Cluster
from .names import NodeName
from .settings import REPOSITORY
from .steps import in_parallel, say, step

_MANIFEST = "/var/lib/testcloud/installed"
# What an earlier install put there and this one did not is removed: a stale module would still be
# imported. Only afterwards: an agent that Pacemaker runs meanwhile must be there, for a `stop` that
# is "not installed" gets the node fenced.
_NOTE_OLD = (
    f"mkdir -p $(dirname {_MANIFEST}) && touch {_MANIFEST} && sort {_MANIFEST} > {_MANIFEST}.before"
)
_REMOVE_STALE = f"sort {_MANIFEST} | comm -13 - {_MANIFEST}.before | xargs -d '\\n' -r rm -f"


def everywhere(cluster: Cluster, repository: Path = REPOSITORY) -> bool:
    """Install into all controllers and computes; False where the checkout has no such target."""
    if not _has_target(repository):
        say(f"  {repository} has no Makefile with a target `install`: nothing installed.")
        return False
    nodes = (*cluster.controllers(), *cluster.computes())
    with step(f"nova-ha installed in {len(nodes)} nodes"):
        with tempfile.TemporaryDirectory() as folder:
            content = archive(Path(folder), repository)
        in_parallel([partial(_into, cluster, node, content) for node in nodes])
    return True


def archive(folder: Path, repository: Path = REPOSITORY) -> bytes:
    """Install into a folder, and return that as a tar archive in root's name."""
    shell.run(("make", "-C", str(repository), "install", f"DESTDIR={folder}"))
    return _archive(folder)


def _has_target(repository: Path) -> bool:
    makefile = repository / "Makefile"
    return makefile.exists() and "\ninstall:" in makefile.read_text()


def _into(cluster: Cluster, node: NodeName, content: bytes) -> None:
    cluster.exec(node, ("sh", "-c", _NOTE_OLD))
    docker.copy_tar_in(cluster.container(node), content)
    cluster.exec(node, ("sh", "-c", _REMOVE_STALE))


def _archive(tree: Path) -> bytes:
    """Return the tree as a tar archive in root's name, with a list of its files."""
    buffer = io.BytesIO()
    paths = sorted(tree.rglob("*"))
    files = "".join(f"/{path.relative_to(tree)}\n" for path in paths if path.is_file()).encode()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in paths:
            tar.add(path, f"{path.relative_to(tree)}", recursive=False, filter=_as_root)
        entry = tarfile.TarInfo(_MANIFEST.lstrip("/"))
        entry.size = len(files)
        tar.addfile(entry, io.BytesIO(files))
    return buffer.getvalue()


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    if entry.isdir():
        entry.mode = 0o755
    return entry
