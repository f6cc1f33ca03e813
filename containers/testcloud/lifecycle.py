"""Bringing a cluster up and taking it down, whatever an earlier run left."""

import shutil
from collections.abc import Sequence

from . import docker, engine, inventory, store
from .cluster import Cluster
from .docker import CLUSTER_LABEL, SPEC_LABEL, ContainerSpec
from .images import Images
from .names import Machine, Role
from .settings import Settings
from .steps import in_parallel, say, step
from .topology import container_spec, stages, state_folder


def up(settings: Settings) -> Cluster:
    """Bring the cluster up, or what of it is missing; returns when it is ready for use."""
    settings.state.mkdir(parents=True, exist_ok=True)
    engine.ensure(settings.state)
    specs = _specs(settings)
    store.save(settings)
    gateway = settings.address(1)
    docker.ensure_network(settings.prefix, settings.subnet, gateway, _label(settings))
    _remove_what_does_not_fit(settings, specs)
    with step(f"{len(specs)} containers started"):
        in_parallel([lambda m=m, s=s: _ensure_running(settings, m, s) for m, s in specs])
    (settings.state / "inventory.json").write_text(inventory.text(settings))
    cluster = Cluster(settings)
    _wait_ready(cluster)
    return cluster


def down(settings: Settings, *, images: bool = False, stop_engine: bool = False) -> None:
    """Remove everything that `up` made; images and their build cache only on demand."""
    engine_was_ours = engine.ours(settings.state)
    if docker.answers():
        _remove_from_engine(settings, images)
    keep = {"cache", "log", "engine.log", "engine.pid"}
    if stop_engine:
        engine.stop(settings.state)
        keep -= {"engine.log", "engine.pid"}
    if images:
        keep -= {"cache", "log"}
    with step(f"state folder cleaned: {settings.state}"):
        store.clean(settings.state, keep)
    if engine_was_ours and not stop_engine:
        say("  The Docker engine that we started still runs; `down --engine` stops it too.")


def _specs(settings: Settings) -> list[tuple[Machine, ContainerSpec]]:
    """Build the images that are missing, then describe every container."""
    built = Images(settings, stages())
    roles = sorted({machine.role for machine in settings.machines()})
    in_parallel([lambda r=r: built.ensure(r) for r in roles])
    return [(m, container_spec(settings, m, built.tag(m.role))) for m in settings.machines()]


def _label(settings: Settings) -> str:
    return f"{CLUSTER_LABEL}={settings.prefix}"


def _remove_what_does_not_fit(
    settings: Settings, specs: Sequence[tuple[Machine, ContainerSpec]]
) -> None:
    """Remove containers of other settings or older files, and half-made ones."""
    wanted = {spec.name: spec.labels[SPEC_LABEL] for _, spec in specs}
    present = docker.containers(_label(settings))
    stale = [name for name, seen in present.items() if wanted.get(name) != seen.spec]
    if stale:
        with step(f"{len(stale)} containers of an earlier cluster removed"):
            docker.remove(stale)


def _ensure_running(settings: Settings, machine: Machine, spec: ContainerSpec) -> None:
    present = docker.containers(_label(settings)).get(spec.name)
    if present is None:
        if machine.role is Role.COMPUTE:
            folder = state_folder(settings, machine)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        docker.create(spec)
    if present is None or not present.running:
        docker.start(spec.name)


def _wait_ready(cluster: Cluster) -> None:
    with step("controllers quorate"):
        cluster.wait_quorate()


def _remove_from_engine(settings: Settings, images: bool) -> None:
    names = tuple(docker.containers(_label(settings)))
    with step(f"{len(names)} containers and the network removed"):
        docker.remove(names)
        docker.remove_network(settings.prefix)
    if images:
        with step("images removed"):
            docker.remove_images(docker.images(f"{settings.prefix}/"))
