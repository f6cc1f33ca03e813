"""A host is emptied by live migrations, in the face of deaths, and given back as it was found."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from losses import FENCED_S, RECOVERED_S, SERVING_S, VICTIM
from novaha.adapters.drain import DRAIN_PREFIX
from novaha.core.policy import in_flight
from novaha.core.properties import WITHDRAWN_PREFIX
from novaha.core.recovery import OUR_REASON
from observing import Observer
from rehearsal.configure import wait_ready
from rehearsal.follow import begin, following, wait_for
from rehearsal.pacemaker import look
from testcloud.cloudctl import CloudCtl, Server
from testcloud.cluster import Cluster
from testcloud.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
ELSEWHERE = "controller-2"
HEALTH = "#health-smart"
EMPTY_S = 180.0
WHY = "rehearsal: <new> RAM"


@pytest.fixture(autouse=True)
def undrained(cluster: Cluster) -> Iterator[None]:
    """Leave nothing drained, in standby or sick behind."""
    yield
    cluster.exec(HOME, ("nova-ha", "undrain", VICTIM, "--yes"), check=False)
    cluster.exec(HOME, ("pcs", "node", "unstandby", VICTIM), check=False)
    health(cluster, "green")


def drain(cluster: Cluster, *words: str) -> str:
    argv = ("nova-ha", "drain", VICTIM, "--why", WHY, *words)
    return cluster.exec(HOME, argv).out


def undrain(cluster: Cluster) -> None:
    cluster.exec(ELSEWHERE, ("nova-ha", "undrain", VICTIM, "--yes"))


def health(cluster: Cluster, colour: str) -> None:
    argv = ("attrd_updater", "--node", VICTIM, "--name", HEALTH, "--update", colour)
    cluster.exec(HOME, argv, check=False)


def on_victim(cloud: CloudCtl) -> list[Server]:
    return [server for server in cloud.servers() if server.host == VICTIM]


def waits(cluster: Cluster, controller: str = ELSEWHERE) -> dict[str, str]:
    """Return what the victim waits for, by its code, as a controller tells it."""
    told = json.loads(cluster.exec(controller, ("nova-ha", "explain", VICTIM, "--json")).out)
    holds: list[dict[str, Any]] = told["explanations"][0]["waits"]
    return {hold["reason"]["code"]: hold["text"] for hold in holds}


def is_serving(cluster: Cluster, cloud: CloudCtl) -> bool:
    """Tell whether the victim serves as ever, and nothing is kept of the drain."""
    service, properties = cloud.service(VICTIM), look(cluster).properties
    kept = {f"{DRAIN_PREFIX}{VICTIM}", f"{WITHDRAWN_PREFIX}{VICTIM}"}
    return service.status == "enabled" and service.state == "up" and not kept & properties.keys()


def moves(cloud: CloudCtl, since: int) -> list[str]:
    """Return how the live migrations off the victim stand, those of before left out."""
    return [m.status for m in cloud.live_migrations(VICTIM) if m.id > since]


def newest(cloud: CloudCtl) -> int:
    return max((m.id for m in cloud.live_migrations(VICTIM)), default=0)


def kill_the_process(cluster: Cluster) -> None:
    home = look(cluster).where("NovaEvacuate")
    assert home is not None
    pid = cluster.exec(home, ("pgrep", "-f", "novaha.daemon")).out.split()[0]
    cluster.exec(home, ("kill", "-KILL", pid))


def test_a_host_is_emptied_and_given_back_although_the_process_is_killed(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    mine = {server.id for server in cloud.boot(4, [VICTIM], "leaver")}
    cluster.set_faults(VICTIM, live_delay=4.0)
    before, evacuations = newest(cloud), len(cloud.migrations())
    observer = Observer(cluster)
    with observer.watching():
        foretold = drain(cluster)
        assert all(f"leaver-{n:03d}" in foretold for n in range(4))
        assert cloud.service(VICTIM).status == "enabled", "it was only asked"
        drain(cluster, "--yes")
        until("one to be on its way", lambda: moves(cloud, before), 60.0)
        kill_the_process(cluster)
        until("the host to be empty", lambda: not on_victim(cloud), EMPTY_S)
        until("that to be shown", lambda: "drained" in waits(cluster), 60.0)
        assert "4 of 4 instances have left" in waits(cluster)["drained"]
        service = cloud.service(VICTIM)
        assert (service.status, service.state) == ("disabled", "up")
        assert str(service.disabled_reason).startswith(OUR_REASON)
        assert moves(cloud, before) == ["completed"] * 4, "one each"
        undrain(cluster)
        until("the host to serve as before", lambda: is_serving(cluster, cloud), 60.0)
    moved = [server for server in cloud.servers() if server.id in mine]
    assert [server.status for server in moved] == ["ACTIVE"] * 4
    assert len(cloud.migrations()) == evacuations, "nothing was evacuated"
    assert not observer.count.doubles
    assert observer.count.seen >= mine


@pytest.mark.long
def test_a_host_that_dies_in_the_middle_is_fenced_and_recovered(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    cloud.boot(4, [VICTIM], "victim")
    story = begin(cluster, cloud, VICTIM)
    cluster.set_faults(VICTIM, live_delay=30.0)
    before = newest(cloud)
    observer = Observer(cluster)
    observer.allowed_s = FENCED_S
    with observer.watching(), following(cluster, cloud, story, "controller-3"):
        drain(cluster, "--yes")
        until("one to be on its way", lambda: "running" in moves(cloud, before), 60.0)
        cluster.kill(VICTIM)
        story.crash()
        observer.lost[VICTIM] = story.crash_s
        until("the others to be evacuated", lambda: only_migrating(cloud), RECOVERED_S)
        held = on_victim(cloud)
        assert held, "one at least was on its way"
        until("that to be shown", lambda: "unsafe" in waits(cluster), 60.0)
        assert cloud.service(VICTIM).status == "disabled"
        for server in held:  # a person has looked: no guest of it runs anywhere else
            body = {"os-resetState": {"state": "active"}}
            cloud.call("POST", f"/servers/{server.id}/action", body)
        wait_for("its instances to be ACTIVE elsewhere", story.recovered, RECOVERED_S, story)
        until("the recovery to be over", lambda: is_drained_again(cluster), SERVING_S)
        service = cloud.service(VICTIM)
        assert (service.status, service.forced_down) == ("disabled", False), "it is drained still"
        undrain(cluster)
        until("the host to serve as before", lambda: is_serving(cluster, cloud), 60.0)
        print(f"\n{story.timeline()}")  # noqa: T201  (the figures are part of the result)
    assert not observer.count.doubles
    wait_ready(cluster)


def only_migrating(cloud: CloudCtl) -> bool:
    """Tell whether nothing is left on the victim but what Nova believes to be on its way."""
    left = on_victim(cloud)
    flying = [m for m in cloud.migrations(VICTIM) if in_flight(m.status)]
    return all(server.task_state == "migrating" for server in left) and not flying


def is_drained_again(cluster: Cluster) -> bool:
    ours = look(cluster).properties
    return f"nova-ha-recovery-{VICTIM}" not in ours and "drained" in waits(cluster)


@pytest.mark.long
def test_health_asks_for_less_as_long_as_it_is_not_green(cluster: Cluster, cloud: CloudCtl) -> None:
    cloud.boot(2, [VICTIM], "patient")
    with Observer(cluster).watching():
        health(cluster, "yellow")
        until("its service to be disabled", lambda: "yellow" in reason(cloud), 60.0)
        until("that to be shown", lambda: "closed" in waits(cluster), 60.0)
        assert len(on_victim(cloud)) == 2, "those that are there stay"
        health(cluster, "red")
        until("the host to be empty", lambda: not on_victim(cloud), EMPTY_S)
        health(cluster, "green")
        until("the host to serve as before", lambda: is_serving(cluster, cloud), 60.0)
    assert {server.status for server in cloud.servers()} == {"ACTIVE"}


def reason(cloud: CloudCtl) -> str:
    return cloud.service(VICTIM).disabled_reason or ""


@pytest.mark.long
def test_standby_comes_after_the_last_instance_and_raw_standby_is_shown(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    cloud.boot(1, [VICTIM], "sleeper")
    drain(cluster, "--standby", "--yes")
    until("nova-compute to be stopped", lambda: not serves(cluster), EMPTY_S)
    assert not on_victim(cloud)
    assert not look(cluster).failures
    undrain(cluster)
    until("the host to serve as before", lambda: serves(cluster), 120.0)
    until("its service to be enabled", lambda: is_serving(cluster, cloud), 60.0)
    cloud.boot(1, [VICTIM], "forgotten")
    cluster.exec(HOME, ("pcs", "node", "standby", VICTIM))
    until("that to be told", lambda: "standby" in waits(cluster), 120.0)
    assert "1 instances" in waits(cluster)["standby"]
    cluster.exec(HOME, ("pcs", "node", "unstandby", VICTIM))
    until("nova-compute to be back", lambda: serves(cluster), 120.0)
    until("that to be over", lambda: "standby" not in waits(cluster), 60.0)


def serves(cluster: Cluster) -> bool:
    return look(cluster).runs("nova-compute", VICTIM)
