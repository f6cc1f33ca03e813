"""Masakari's segments, through a real Masakari API, become aggregates of a real Nova."""

import json
import os
from collections.abc import Iterator

import pytest
from masakaricloud import PYTHONS, MasakariCloud
from testcloud import docker, engine, shell
from testcloud.images import Images
from testcloud.settings import Settings
from testcloud.topology import stages

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1200)]

C0, C1, C2 = "compute-0", "compute-1.example.org", "compute-2"
RACK = {
    "nova_ha:segment": "rack 1",
    "nova_ha:enabled": "true",
    "nova_ha:recovery_method": "rh_priority",
    f"nova_ha:reserved:{C1}": "true",
}
EAST = {"nova_ha:segment": "east", "nova_ha:enabled": "true", "nova_ha:recovery_method": "auto"}


@pytest.fixture(scope="module")
def booted() -> Iterator[MasakariCloud]:
    settings = Settings()
    engine.ensure(settings.state)
    image = Images(settings, stages()).ensure("masakari")
    name = f"nova-ha-masakari-{os.getpid()}"
    alone = ("--network=none", "--hostname=cloud", "--add-host=cloud:127.0.0.1")
    tmpfs = ("--tmpfs=/srv", "--tmpfs=/run:mode=755")
    shell.run(("docker", "run", "-d", "--name", name, *alone, *tmpfs, image, "sleep", "1h"))
    try:
        cloud = MasakariCloud(name)
        cloud.boot()
        yield cloud
    finally:
        docker.remove((name,))


@pytest.fixture
def cloud(booted: MasakariCloud) -> MasakariCloud:
    """Give the cloud with three segments, three hosts and no aggregate."""
    booted.sh(
        "mariadb --socket=/run/mysqld/mysqld.sock nova_api -e"
        " 'DELETE FROM aggregate_hosts; DELETE FROM aggregate_metadata; DELETE FROM aggregates'"
    )
    booted.fill(
        **{
            "rack 1": ("rh_priority", {C0: {}, C1: {"reserved": True}}),
            "east": ("auto", {C2: {"on_maintenance": True}}),
            "empty": ("auto", {}),
        }
    )
    return booted


def test_nothing_is_changed_without_yes(cloud: MasakariCloud) -> None:
    done = cloud.migrate("segments")
    assert done.code == 0
    assert done.out.endswith("16 changes\n")
    assert "nothing was changed" in done.err
    assert f"{C2} is on maintenance in Masakari" in done.err
    assert cloud.aggregates() == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_yes_makes_aggregates_of_segments_once(cloud: MasakariCloud, python: str) -> None:
    assert cloud.migrate("segments", "--yes", python=python).code == 0
    found = cloud.aggregates()
    assert found["rack 1"] == [[C0, C1], RACK]
    assert found["east"] == [[C2], EAST]
    assert found["empty"][0] == []
    again = cloud.migrate("segments", "--yes", python=python)
    assert (again.code, again.out) == (0, "0 changes\n")


def test_the_commands_do_the_same_and_are_undone_by_theirs(cloud: MasakariCloud) -> None:
    cloud.fill(**{"rack 1": ("rh_priority", {C0: {}, C1: {"reserved": True}})})
    steps = json.loads(cloud.migrate("segments", "--json").out)
    cloud.sh("\n".join(f"{step['command']} > /dev/null" for step in steps))
    assert cloud.aggregates() == {"rack 1": [[C0, C1], RACK]}
    assert cloud.migrate("segments").out == "0 changes\n"
    cloud.sh("\n".join(f"{step['undo']} > /dev/null" for step in reversed(steps)))
    assert cloud.aggregates() == {}


def test_only_what_changed_in_masakari_is_changed_again(cloud: MasakariCloud) -> None:
    assert cloud.migrate("segments", "--yes").code == 0
    cloud.fill(**{"rack 1": ("auto", {C0: {"reserved": True}, C1: {"reserved": True}})})
    steps = json.loads(cloud.migrate("segments", "--json").out)
    assert [(step["name"], step["before"], step["after"]) for step in steps] == [
        ("nova_ha:recovery_method", "rh_priority", "auto"),
        (f"nova_ha:reserved:{C0}", "", "true"),
    ]


def test_a_host_that_another_aggregate_has_is_refused(cloud: MasakariCloud) -> None:
    assert cloud.migrate("segments", "--yes").code == 0
    cloud.fill(west=("auto", {C0: {}, C2: {}}))
    before = cloud.aggregates()
    done = cloud.migrate("segments", "--yes")
    assert done.code == 2
    assert f"host {C0} of segment west is in segment rack 1 of Nova already" in done.err
    assert f"host {C2} of segment west is in segment east of Nova already" in done.err
    assert cloud.aggregates() == before


@pytest.mark.parametrize("python", PYTHONS)
def test_the_inventory_has_every_host_with_its_address(cloud: MasakariCloud, python: str) -> None:
    done = cloud.migrate("masakari", "--no-cluster", python=python)
    assert done.code == 1
    assert f'name = "compute-1"\naddress = "192.0.2.1"\nnova_host = "{C1}"' in done.out
    assert done.out.count("[[compute]]") == 3
    assert "to do: line 1: controller is missing" in done.err


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("stranger", 1, "Keystone refuses the account of cloud stranger (401)"),
        ("nowhere", 1, "of cloud nowhere gives no answer"),
        ("unknown", 2, "cloud 'unknown' in /etc/openstack/clouds.yaml"),
    ],
)
def test_a_cloud_that_cannot_be_used_is_one_line(
    cloud: MasakariCloud, name: str, code: int, words: str, python: str
) -> None:
    done = cloud.migrate("segments", "--yes", cloud=name, python=python)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert "Traceback" not in done.err
    assert "wrong-secret" not in done.err


def test_a_masakari_that_is_down_is_one_line(cloud: MasakariCloud) -> None:
    cloud.sh("kill -KILL -- -$(cat /run/masakari-api.pid)")
    done = cloud.migrate("segments", "--yes")
    assert (done.code, done.out) == (1, "")
    assert "Masakari of cloud admin gives no answer" in done.err
    assert "Traceback" not in done.err
