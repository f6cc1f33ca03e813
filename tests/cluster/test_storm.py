"""More computes are lost at once than may be fenced: the storm brake, until a person decides."""

import json
from collections.abc import Iterator

import pytest
from losses import VICTIM, judged, seeded
from novaha.adapters.brakestate import BRAKE_PREFIX, PASSED_PREFIX, RELEASE_PREFIX
from novaha.specs.fence_nova_gate import SPEC
from rehearsal.configure import wait_ready
from rehearsal.fencings import fencings
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.story import Story
from rehearsal.verdict import assert_each_tried_in_turn, changes
from testcloud.cloudctl import CloudCtl
from testcloud.cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

HOME = "controller-1"
GATE = "fence-nova-gate"
WAIT_S = 8
"""Longer than it takes to kill four containers one after the other."""
SHOWN_S = 60.0
OURS = (BRAKE_PREFIX, PASSED_PREFIX, RELEASE_PREFIX)


def levels(cluster: Cluster, *before: str) -> str:
    """Return the commands that give every compute its level anew, with devices before the BMC."""
    lines = []
    for node in cluster.computes():
        devices = " ".join((*before, f"fence-ipmi-{node}", "fence-nova"))
        lines.append(f"pcs -f cib stonith level remove 1 target {node}")
        lines.append(f"pcs -f cib stonith level add 1 {node} {devices}")
    return "\n".join(lines)


def push(cluster: Cluster, commands: str) -> None:
    """Change the configuration by pcs commands on a copy of the CIB, in one change."""
    script = f"set -e\ncd $(mktemp -d)\npcs cluster cib cib\ncp cib old\n{commands}\n"
    script += "pcs cluster cib-push cib diff-against=old"
    cluster.exec(HOME, ("bash", "-c", script), timeout_s=120.0)


@pytest.fixture
def gate(cluster: Cluster) -> Iterator[None]:
    """Put a gate for two hosts before every compute's power device, and take it away again."""
    options = f"cluster_limit=2 wait={WAIT_S} cooldown=60 pcmk_action_limit=-1 pcmk_off_retries=1"
    hosts = f'pcmk_host_list="{" ".join(cluster.computes())}" pcmk_host_check=static-list'
    create = f"pcs -f cib stonith create {GATE} {SPEC.name} {options} {hosts}"
    timeout = f"pcmk_off_timeout={WAIT_S + 30}s op monitor interval=60s timeout=20s"
    push(cluster, f"{create} {timeout} meta requires=nothing\n{levels(cluster, GATE)}")
    try:
        yield
    finally:
        cluster.undo_faults()
        push(cluster, f"{levels(cluster)}\npcs -f cib stonith delete {GATE}")
        for name in look(cluster).properties:
            if name.startswith(OURS):
                xpath = f"//nvpair[@id='{name}']"
                argv = ("cibadmin", "--delete-all", "--force", "--xpath", xpath)
                cluster.exec(HOME, argv)


def brake_is_shown(cluster: Cluster) -> bool:
    """Tell whether pcs status shows the brake as the trouble of NovaEvacuate."""
    return any("storm brake" in reason for reason in look(cluster).failures)


def released(cluster: Cluster, *argv: str) -> dict[str, object]:
    """Run `nova-ha release` and return what it tells."""
    told = cluster.exec("controller-2", ("nova-ha", "release", "--json", *argv)).out
    found: dict[str, object] = json.loads(told)
    return found


@pytest.mark.usefixtures("gate")
def test_four_computes_lost_at_once_are_held_until_a_person_says_that_they_are_dead(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    # With every host off the first evacuations find no place; the empty hosts are back soon.
    with judged(cluster, cloud, story, verdict=assert_each_tried_in_turn, fenced_s=None):
        for node in cluster.computes():
            cluster.kill(node)
        wait_for("pcs status to show the brake", lambda: brake_is_shown(cluster), SHOWN_S, story)
        everyone_is_held_and_the_rest_goes_on(cluster)
        assert not changes(cluster, story.crash_s)
        assert fencings(cluster, story.crash_s) == ()
        shown = released(cluster)
        assert (shown["release"], shown["changed"]) == (list(cluster.computes()), False)
        assert fencings(cluster, story.crash_s) == ()
        released(cluster, "--yes", "--why", "rehearsal: they are dead")
    wait_ready(cluster)
    assert fenced(cluster, story) == set(cluster.computes())
    assert f"{RELEASE_PREFIX}{VICTIM}" in look(cluster).properties


def everyone_is_held_and_the_rest_goes_on(cluster: Cluster) -> None:
    """Kill the recovery process: it must be started again while every compute is held."""
    home = look(cluster).where("NovaEvacuate")
    assert home is not None
    pid = cluster.exec(home, ("pgrep", "-f", "novaha.daemon")).out.split()[0]
    cluster.exec(home, ("kill", "-KILL", pid))

    def again() -> bool:
        where = look(cluster).where("NovaEvacuate")
        if where is None:
            return False
        found = cluster.exec(where, ("pgrep", "-f", "novaha.daemon"), check=False).out.split()
        return bool(found) and found[0] != pid and brake_is_shown(cluster)

    wait_for("NovaEvacuate to be started again, the brake still shown", again, 120.0)
    states = look(cluster).nodes
    assert {states[node] for node in cluster.computes()} == {"unclean"}


@pytest.mark.long
@pytest.mark.usefixtures("gate")
def test_one_host_that_a_person_releases_is_fenced_and_the_others_stay_held(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, 2)
    others = [node for node in cluster.computes() if node != VICTIM]
    with judged(cluster, cloud, story, verdict=assert_each_tried_in_turn, fenced_s=None):
        for node in cluster.computes():
            cluster.kill(node)
        wait_for("pcs status to show the brake", lambda: brake_is_shown(cluster), SHOWN_S, story)
        released(cluster, VICTIM, "--yes", "--why", "rehearsal: it is dead")
        wait_for("the host to be fenced", lambda: bool(fenced(cluster, story)), 120.0, story)
        assert fenced(cluster, story) == {VICTIM}
        released(cluster, *others, "--yes", "--why", "rehearsal: they are dead")
    wait_ready(cluster)


def fenced(cluster: Cluster, story: Story) -> set[str]:
    """Return the hosts that were fenced since the loss."""
    return {fencing.node for fencing in fencings(cluster, story.crash_s)}
