"""`nova-ha explain` on a live cluster tells what Pacemaker and Nova say, and changes nothing."""

import json
import re
import time
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from losses import VICTIM, evacuations_in_flight, judged, reach, seeded
from novaha.core.names import NodeName
from novaha.core.receipt import parse_receipt
from novaha.core.recovery import parse_record
from rehearsal.follow import wait_for
from rehearsal.pacemaker import look
from rehearsal.verdict import requests_of_controllers
from testcloud.access_log import Request
from testcloud.cloudctl import CloudCtl, Migration
from testcloud.cluster import Cluster
from testcloud.shell import Result

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(480)]

INSTANCES = 3

Json = dict[str, Any]


def asked(cluster: Cluster, controller: str, *words: str) -> Result:
    """Ask on a controller, as its root."""
    return cluster.exec(controller, ("nova-ha", "explain", *words), check=False)


def answer(cluster: Cluster, controller: str, *words: str) -> str:
    """Return what is printed; nothing may be wrong."""
    result = asked(cluster, controller, *words)
    assert (result.code, result.err) == (0, "")
    return result.out


def told(cluster: Cluster, controller: str, subject: str) -> tuple[Json, Json]:
    """Return the explanation of one subject, and the whole JSON around it."""
    story = json.loads(answer(cluster, controller, subject, "--json"))
    (explanation,) = story["explanations"]
    return explanation, story


def epoch(cluster: Cluster) -> tuple[str | None, ...]:
    """Return what changes with every change of the cluster's configuration."""
    root = ET.fromstring(cluster.exec("controller-2", ("cibadmin", "--query")).out)  # noqa: S314
    return root.get("admin_epoch"), root.get("epoch")


def last_success(cluster: Cluster) -> Json:
    """Return the newest success of the victim in Pacemaker's history, by its own tool."""
    argv = ("stonith_admin", "--history", VICTIM, "--verbose", "--output-as=xml")
    events = ET.fromstring(cluster.exec("controller-2", argv).out).iter("fence_event")  # noqa: S314
    return max(
        (dict(event.attrib) for event in events if event.get("status") == "success"),
        key=lambda event: event["completed"],
    )


def in_flight(cloud: CloudCtl) -> dict[str, Migration]:
    """Return the evacuations in flight, by their instance."""
    ended = {"done", "completed", "failed", "error"}
    records = cloud.migrations(source=VICTIM)
    return {m.server: m for m in records if m.status not in ended}


def assert_evidence(cluster: Cluster, explanation: Json) -> None:
    """The evidence is what the CIB and the fencing history hold."""
    properties = look(cluster, "controller-2").properties
    receipt = parse_receipt(NodeName(VICTIM), properties[f"nova-ha-receipt-{VICTIM}"])
    record = parse_record(NodeName(VICTIM), properties[f"nova-ha-recovery-{VICTIM}"])
    evidence = explanation["evidence"]
    assert evidence["receipt"]["id"] == receipt.id == record.proof.receipt_id
    assert evidence["receipt"]["writer"] == receipt.writer
    proof, success = evidence["proof"], last_success(cluster)
    assert proof["receipt_id"] == receipt.id
    assert (proof["action"], proof["origin"]) == (success["action"], success["origin"])
    assert proof["ended_s"] == record.proof.ended_s
    assert proof["devices"] == [f"fence-ipmi-{VICTIM}"]
    assert (evidence["held"], evidence["record"]["phase"]) == (True, "evacuating")
    (level,) = evidence["levels"]
    agents = [(device["id"], device["agent"]) for device in level["devices"]]
    assert agents == [(f"fence-ipmi-{VICTIM}", "fence_ipmilan"), ("fence-nova", "fence_nova")]
    assert [e["origin"] for e in evidence["events"] if e["status"] == "success"][-1] == (
        success["origin"]
    )


def assert_service(cloud: CloudCtl, explanation: Json) -> None:
    """The service is told as Nova shows it."""
    shown, service = explanation["evidence"]["service"], cloud.service(VICTIM)
    assert shown["forced_down"] is service.forced_down is True
    assert shown["enabled"] is (service.status == "enabled")
    assert shown["disabled_reason"] == service.disabled_reason


def assert_instances(explanation: Json, records: dict[str, Migration]) -> None:
    """Every instance is told with its state and its record, as Nova numbers it."""
    instances = {instance["id"]: instance for instance in explanation["instances"]}
    assert instances.keys() == records.keys()
    for id_, instance in instances.items():
        assert instance["state"] == "IN_FLIGHT"
        assert [record["id"] for record in instance["records"]] == [records[id_].id]
    assert "in-flight" in {hold["reason"]["code"] for hold in explanation["waits"]}


def assert_words(cluster: Cluster, home: str, explanation: Json, server: str) -> None:
    """What people read has the same facts."""
    receipt_id = explanation["evidence"]["receipt"]["id"]
    (instance,) = (each for each in explanation["instances"] if each["id"] == server)
    number = instance["records"][0]["id"]

    of_node = answer(cluster, home, VICTIM)
    assert of_node.startswith(f"{VICTIM}: EVACUATING\n")
    for words in (receipt_id, f"cut by fence-ipmi-{VICTIM}", "fence_ipmilan: real", "in-flight:"):
        assert words in of_node

    of_instance = answer(cluster, home, server)
    assert of_instance.startswith(f"{instance['name']} ({server}) on {VICTIM}: IN_FLIGHT\n")
    assert re.search(rf"evacuations: {number} \S+ from {VICTIM}", of_instance)

    of_all = answer(cluster, home)
    assert of_all.startswith(f"{VICTIM} EVACUATING")
    assert f"{INSTANCES} IN_FLIGHT" in of_all


def window(cluster: Cluster, since_s: float) -> tuple[Request, ...]:
    """Return what all controllers have asked of Nova since a moment."""
    return requests_of_controllers(cluster, "nova-api", since_s)


def test_a_recovery_is_explained_from_every_controller_and_nothing_is_changed_by_it(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    story = seeded(cluster, cloud, INSTANCES)
    home = look(cluster).where("NovaEvacuate")
    assert home is not None
    elsewhere = next(name for name in cluster.controllers() if name != home)
    with judged(cluster, cloud, story), evacuations_in_flight(cluster):
        cluster.kill(VICTIM)
        reach(story, "first evacuation accepted")
        wait_for(
            "the process to have seen every record",
            lambda: f"{INSTANCES} IN_FLIGHT" in answer(cluster, home),
            30.0,
            story,
        )
        before, since_s = epoch(cluster), time.time()
        records = in_flight(cloud)

        explanation, whole = told(cluster, home, VICTIM)
        assert (explanation["node"], explanation["state"]) == (VICTIM, "EVACUATING")
        assert_evidence(cluster, explanation)
        assert_service(cloud, explanation)
        assert_instances(explanation, records)
        assert whole["process"]["nodes"] == [home]
        assert whole["process"]["age_s"] is not None
        assert_words(cluster, home, explanation, next(iter(records)))

        onlooker, its_whole = told(cluster, elsewhere, VICTIM)
        assert onlooker["state"] == "EVACUATING"
        assert onlooker["evidence"]["proof"] == explanation["evidence"]["proof"]
        assert_instances(onlooker, records)
        assert its_whole["process"]["age_s"] is None
        assert in_flight(cloud).keys() == records.keys()

        assert epoch(cluster) == before
        requests = window(cluster, since_s)
        assert {request.method for request in requests} == {"GET"}
        asker = cluster.settings.machine(elsewhere).ip
        assert asker in {request.client for request in requests}


def test_a_calm_cluster_has_nothing_to_recover_and_an_unknown_subject_is_told_so(
    cluster: Cluster, cloud: CloudCtl
) -> None:
    (server,) = cloud.boot(1, [VICTIM], "calm")
    since_s, before = time.time(), epoch(cluster)
    assert answer(cluster, "controller-1").startswith("nothing to recover\n")
    assert answer(cluster, "controller-1", VICTIM).startswith(f"{VICTIM}: OVER\n")
    of_server, _ = told(cluster, "controller-1", server.name)
    assert (of_server["instance"]["id"], of_server["instance"]["host"]) == (server.id, VICTIM)

    for words in (("ghost",), ("ghost", "--json")):
        unknown = asked(cluster, "controller-1", *words)
        assert (unknown.code, unknown.out) == (2, "")
        assert unknown.err.startswith("nova-ha: nothing known is called ghost; nodes: compute-1,")
        assert server.name in unknown.err
    assert epoch(cluster) == before
    assert {request.method for request in window(cluster, since_s)} == {"GET"}
