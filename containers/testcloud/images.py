"""Images, made in stages; each stage is a shell script run in a container and committed.

`docker run` + `docker commit` instead of a Dockerfile: it works the same with every engine,
and the machine's package settings can be lent to a build without staying in the image.
"""

import hashlib
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import docker, engine, mirrors, shell
from .errors import CommandFailed, CommandTimedOut
from .settings import CONTAINERS, Settings
from .steps import say, step

REPOSITORY = "nova-ha"
"""Images are named so, whatever a cluster is called: clusters may share them."""

_SCRIPTS = CONTAINERS / "images"


@dataclass(frozen=True)
class Stage:
    """One image: what it stands on, and what is given to the script that makes it.

    inputs: files that the script sees in /build, beside itself.
    options: more `docker run` options of the build. suite: the Debian of one that stands on none.
    """

    name: str
    parent: str = ""
    inputs: tuple[docker.File, ...] = ()
    options: tuple[str, ...] = ("--network=host",)
    suite: str = mirrors.SUITE

    def script(self) -> bytes:
        """Return the text of the script that makes this image."""
        return (_SCRIPTS / f"{self.name}.sh").read_bytes()


class Images:
    """The images of a cluster, built when their inputs have changed, else found."""

    def __init__(self, settings: Settings, stages: Sequence[Stage]) -> None:
        """Know the stages; nothing is built yet."""
        self._settings = settings
        self._stages = {stage.name: stage for stage in stages}
        self._locks = {stage.name: threading.Lock() for stage in stages}

    def tag(self, name: str) -> str:
        """Return the image's tag: a digest of everything that goes into it."""
        stage = self._stages[name]
        digest = hashlib.sha256(self.tag(stage.parent).encode() if stage.parent else b"")
        digest.update(stage.script())
        for file in stage.inputs:
            digest.update(f"{file.path} {file.mode} {len(file.content)}\n".encode() + file.content)
        return f"{REPOSITORY}/{name}:{digest.hexdigest()[:12]}"

    def ensure(self, name: str) -> str:
        """Build the image, and first what it stands on, unless it exists; returns its tag."""
        tag = self.tag(name)
        with self._locks[name]:
            if not docker.image_exists(tag):
                stage = self._stages[name]
                parent = self.ensure(stage.parent) if stage.parent else self._debian(stage.suite)
                with step(f"image {tag} built"):
                    self._build(stage, parent, tag)
        return tag

    def _build(self, stage: Stage, parent: str, tag: str) -> None:
        state = self._settings.state
        folder, cache = state / "build" / stage.name, state / "cache" / "pip"
        shutil.rmtree(folder, ignore_errors=True)
        for path in (folder, cache):
            path.mkdir(parents=True, exist_ok=True)
        (folder / "stage.sh").write_bytes(stage.script())
        for file in stage.inputs:
            (folder / file.path).write_bytes(file.content)
        mirrors.write_settings(folder, stage.suite)
        name = build_container(self._settings, stage.name)
        docker.remove((name,))
        volumes = (f"--volume={folder}:/build:ro", f"--volume={cache}:/root/.cache/pip")
        command = ("bash", "-euo", "pipefail", "-c", ". /build/environment; . /build/stage.sh")
        docker_run = ("docker", "run", "--name", name, *stage.options, *volumes, parent, *command)
        shell.run(docker_run, timeout_s=1800, log=self._log(stage.name))
        shell.run(("docker", "commit", name, tag), timeout_s=300)
        docker.remove((name,))
        for old in docker.images(f"{REPOSITORY}/{stage.name}:"):
            if old != tag:
                docker.try_remove_image(old)

    def _debian(self, suite: str) -> str:
        """Return a plain Debian: pulled where a registry answers, else made by debootstrap."""
        public, own = f"debian:{suite}-slim", f"{REPOSITORY}/debian:{suite}"
        for tag in (public, own):
            if docker.image_exists(tag):
                return tag
        if _registry_answers(public):
            with step(f"{public} pulled"):
                shell.run(("docker", "pull", "--quiet", public), timeout_s=600)
            return public
        say(f"  {public} cannot be pulled here; making it with debootstrap.")
        with step(f"{own} made"):
            self._debootstrap(suite, own)
        return own

    def _debootstrap(self, suite: str, tag: str) -> None:
        if not shutil.which("debootstrap"):
            engine.install_packages(("debootstrap",))
        tree = self._settings.state / "build" / f"debian-{suite}"
        shutil.rmtree(tree, ignore_errors=True)
        tree.parent.mkdir(parents=True, exist_ok=True)
        mirror = next((uri for uri, own in mirrors.sources_of(suite) if own == suite), "")
        options = ("--variant=minbase", "--include=ca-certificates", f"--keyring={mirrors.KEYRING}")
        argv = ("debootstrap", *options, suite, str(tree), *([mirror] if mirror else []))
        shell.run(argv, timeout_s=900, log=self._log(f"debian-{suite}"))
        docker.import_tree(tree, tag)
        shutil.rmtree(tree)

    def _log(self, name: str) -> Path:
        folder = self._settings.state / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"build-{name}.log"


def build_container(settings: Settings, stage: str) -> str:
    """Return the name of the container in which an image is made."""
    return f"{settings.prefix}-build-{stage}"


def _registry_answers(image: str) -> bool:
    """Ask for the image's manifest only: a few kilobytes, so that a short limit is fair."""
    ask = ("docker", "manifest", "inspect", image)
    try:
        shell.run(ask, timeout_s=15)
    except (CommandFailed, CommandTimedOut):
        return False
    return True
