"""The few things we ask of Docker, each one command of its client."""

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import namespaces, shell
from .errors import CommandFailed

SPEC_LABEL = "testcloud.spec"
CLUSTER_LABEL = "testcloud.cluster"


@dataclass(frozen=True)
class File:
    """A file to be placed in a container."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True)
class ContainerSpec:
    """What `docker create` needs to know of a container."""

    name: str
    image: str
    command: tuple[str, ...]
    options: tuple[str, ...]
    labels: Mapping[str, str]
    files: tuple[File, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ContainerState:
    """What Docker says of a container that exists."""

    name: str
    running: bool
    booted: bool
    spec: str


def answers() -> bool:
    """Tell whether an engine answers the client."""
    done = shell.run(("docker", "version", "--format", "{{.Server.Version}}"), check=False)
    return done.code == 0 and bool(done.out.strip())


def containers(label: str) -> dict[str, ContainerState]:
    """Return every container with this label, running or not, by its name."""
    line = f'{{{{.Names}}}}\t{{{{.State}}}}\t{{{{.Label "{SPEC_LABEL}"}}}}'
    listing = shell.run(("docker", "ps", "-a", "--filter", f"label={label}", "--format", line))
    found = {}
    for row in listing.out.splitlines():
        name, state, spec = row.split("\t")
        found[name] = ContainerState(name, state == "running", state != "created", spec)
    return found


def create(spec: ContainerSpec) -> None:
    """Create a container with its files in place; it does not run yet."""
    labels = [f"--label={key}={value}" for key, value in spec.labels.items()]
    shell.run(
        ("docker", "create", "--name", spec.name, *labels, *spec.options, spec.image, *spec.command)
    )
    copy_in(spec.name, spec.files)


def copy_in(container: str, files: Iterable[File]) -> None:
    """Write files, owned by root, into a container, running or not."""
    copy_tar_in(container, tar_of(files))


def copy_tar_in(container: str, tar: bytes) -> None:
    """Unpack a tar archive at the root of a container."""
    shell.run(("docker", "cp", "-", f"{container}:/"), stdin=tar)


def tar_of(files: Iterable[File]) -> bytes:
    """Return a tar archive of files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode = len(file.content), file.mode
            tar.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def start(container: str) -> None:
    """Start a container that exists; starting a running one is no error."""
    shell.run(("docker", "start", container))


def kill(container: str) -> None:
    """End every process of a container at once, like a power loss; a dead one stays dead."""
    argv = ("docker", "kill", container)
    done = shell.run(argv, check=False)
    if done.code != 0 and "is not running" not in done.err:
        raise CommandFailed(argv, done.code, done.err)


def remove(names: Iterable[str]) -> None:
    """Remove containers, running or not; missing ones are no error."""
    for name in names:
        done = shell.run(("docker", "rm", "--force", "--volumes", name), check=False, timeout_s=180)
        if done.code != 0 and "No such container" not in done.err:
            raise CommandFailed(("docker", "rm", name), done.code, done.err)


def execute(
    container: str,
    argv: Sequence[str],
    *,
    check: bool = True,
    timeout_s: float = 60.0,
    stdin: bytes = b"",
) -> shell.Result:
    """Run a command inside a running container, as root.

    By its namespaces, as Docker's client and daemon take 0.1 s of CPU for each command, which is
    more than most of them. Docker says what is wrong with a container that does not run.
    """
    pid = pid_of(container)
    inside = namespaces.inside(pid) if pid else ("docker", "exec", "-i", container)
    return shell.run(
        (*inside, *argv),
        check=check,
        timeout_s=timeout_s,
        stdin=stdin,
        env=namespaces.environ_of(pid) if pid else None,
    )


_inits: dict[str, namespaces.Process] = {}


def pid_of(container: str) -> int:
    """Return the host's pid of the first process of a container, 0 if it does not run.

    Docker is asked only when the process that it told last has ended.
    """
    known = _inits.get(container)
    if known and namespaces.process(known.pid) == known:
        return known.pid
    done = shell.run(("docker", "inspect", "--format", "{{.State.Pid}}", container), check=False)
    pid = int(done.out.strip() or 0) if done.code == 0 else 0
    found = namespaces.process(pid) if pid else None
    if found is None:
        return 0
    _inits[container] = found
    return pid


def logs(container: str) -> str:
    """Return what a container printed, both outputs."""
    done = shell.run(("docker", "logs", container), check=False)
    return done.out + done.err


def image_exists(tag: str) -> bool:
    """Tell whether an image of this tag is here."""
    return shell.run(("docker", "image", "inspect", tag), check=False).code == 0


def images(repository_prefix: str) -> tuple[str, ...]:
    """Return all `repository:tag` whose repository starts so."""
    listing = shell.run(("docker", "images", "--format", "{{.Repository}}:{{.Tag}}"))
    return tuple(r for r in listing.out.splitlines() if r.startswith(repository_prefix))


def remove_images(tags: Iterable[str]) -> None:
    """Remove images, children before parents, whatever order they are given in."""
    targets = tuple(tags)
    if targets:
        shell.run(("docker", "rmi", "--force", *targets), timeout_s=300)


def try_remove_image(tag: str) -> None:
    """Remove an image unless a container or another image still needs it."""
    shell.run(("docker", "rmi", tag), check=False, timeout_s=300)


def ensure_network(name: str, subnet: str, gateway: str, label: str) -> None:
    """Create the bridge network if it is missing; made anew if its subnet differs."""
    shown = shell.run(
        ("docker", "network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", name),
        check=False,
    )
    if shown.code == 0 and shown.out.strip() == subnet:
        return
    remove_network(name)
    made = ("docker", "network", "create", "--driver", "bridge", "--label", label)
    shell.run((*made, "--subnet", subnet, "--gateway", gateway, name))


def remove_network(name: str) -> None:
    """Remove a network; a missing one is no error."""
    listing = shell.run(("docker", "network", "ls", "--format", "{{.Name}}"))
    if name in listing.out.split():
        shell.run(("docker", "network", "rm", name))


def import_tree(tree: Path, tag: str) -> None:
    """Make an image from a directory tree."""
    packed = tree.with_suffix(".tar")
    shell.run(("tar", "-C", str(tree), "-cf", str(packed), "."), timeout_s=300)
    shell.run(("docker", "import", str(packed), tag), timeout_s=300)
    packed.unlink()
