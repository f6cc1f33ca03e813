"""Bringing a cluster up and taking it down, whatever an earlier run left."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from . import docker, engine, inventory, store
from .cluster import Cluster
from .docker import CLUSTER_LABEL, SPEC_LABEL, ContainerSpec
from .images import REPOSITORY, Images, build_container
from .names import Machine, Role
from .settings import Settings
from .steps import in_parallel, say, step
from .topology import cloud_logs, container_spec, instances_folder, stages, state_folder


def up(settings: Settings) -> Cluster:
    """Bring the cluster up, or what of it is missing; returns when it is ready for use."""
    with store.locked(settings.state):
        return _up(settings)


def _up(settings: Settings) -> Cluster:
    engine.ensure(settings.state)
    specs = _specs(settings)
    store.save(settings)
    gateway = settings.address(1)
    docker.ensure_network(settings.prefix, settings.subnet, gateway, _label(settings))
    if not _can_go_on(settings, specs):
        _start_over(settings, specs)
    with step(f"{len(specs)} containers running"):
        in_parallel([partial(docker.start, spec.name) for _, spec in specs])
    (settings.state / "inventory.json").write_text(inventory.text(settings))
    cluster = Cluster(settings)
    _wait_ready(cluster)
    return cluster


def down(settings: Settings, *, images: bool = False, stop_engine: bool = False) -> None:
    """Remove everything that `up` made; images and their build cache only on demand."""
    with store.locked(settings.state):
        _down(settings, images=images, stop_engine=stop_engine)


def _down(settings: Settings, *, images: bool, stop_engine: bool) -> None:
    engine_was_ours = engine.ours(settings.state)
    if docker.answers():
        _remove_from_engine(settings, images=images)
    keep = {"cache", "engine.log", "engine.pid"}
    if stop_engine:
        engine.stop(settings.state)
        keep -= {"engine.log", "engine.pid"}
    if images:
        keep -= {"cache"}
    with step(f"state folder cleaned: {settings.state}"):
        store.clean(settings.state, keep)
    if engine_was_ours and not stop_engine:
        say("  The Docker engine that we started still runs; `down --engine` stops it too.")


def _specs(settings: Settings) -> list[tuple[Machine, ContainerSpec]]:
    """Build the images that are missing, then describe every container."""
    built = Images(settings, stages())
    roles = sorted({machine.role for machine in settings.machines()})
    in_parallel([partial(built.ensure, role) for role in roles])
    return [(m, container_spec(settings, m, built.tag(m.role))) for m in settings.machines()]


def _label(settings: Settings) -> str:
    return f"{CLUSTER_LABEL}={settings.prefix}"


def _can_go_on(settings: Settings, specs: Sequence[tuple[Machine, ContainerSpec]]) -> bool:
    """Tell whether the containers that exist are this very cluster, and its cloud still lives.

    The cloud keeps its data in memory: without it the computes' and the cluster's past means
    nothing, and a host that Nova has forgotten cannot register again under its old identity.
    """
    present = docker.containers(_label(settings))
    wanted = {spec.name: spec.labels[SPEC_LABEL] for _, spec in specs}
    cloud = present.get(settings.container(settings.cloud_machine().name))
    # One that was made but never booted may lack its files: `up` was ended in between.
    same = {name: seen.spec for name, seen in present.items() if seen.booted} == wanted
    return same and cloud is not None and cloud.running


def _start_over(settings: Settings, specs: Sequence[tuple[Machine, ContainerSpec]]) -> None:
    """Remove what is left of an earlier cluster and make every container anew, with empty disks."""
    present = tuple(docker.containers(_label(settings)))
    if present:
        with step(f"{len(present)} containers of an earlier cluster removed"):
            in_parallel([partial(docker.remove, (name,)) for name in present])
    for folder in _data_folders(settings):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with step(f"{len(specs)} containers made"):
        # The cloud takes longest to boot.
        first = sorted(specs, key=lambda item: item[0].role is not Role.CLOUD)
        in_parallel([partial(_make_and_start, spec) for _, spec in first], at_once=4)


def _data_folders(settings: Settings) -> tuple[Path, ...]:
    computes = (state_folder(settings, machine.name) for machine in settings.compute_machines())
    return (*computes, instances_folder(settings), cloud_logs(settings))


def _make_and_start(spec: ContainerSpec) -> None:
    docker.create(spec)
    docker.start(spec.name)


def _wait_ready(cluster: Cluster) -> None:
    def cloud() -> None:
        with step("cloud ready: every API answers"):
            cluster.wait_cloud()

    def controllers() -> None:
        with step("controllers quorate"):
            cluster.wait_quorate()

    in_parallel([cloud, controllers])


def _remove_from_engine(settings: Settings, *, images: bool) -> None:
    names = tuple(docker.containers(_label(settings)))
    builds = (build_container(settings, stage.name) for stage in stages())
    with step(f"{len(names)} containers and the network removed"):
        in_parallel([partial(docker.remove, (name,)) for name in (*names, *builds)])
        docker.remove_network(settings.prefix)
    if images:
        with step("images removed"):
            docker.remove_images(docker.images(f"{REPOSITORY}/"))
