"""What an evacuation would lose of an instance's disks, and who may consent to it."""

from typing import Any

import pytest
from novaha.core.actions import Decision, Evacuate, Hold, Release
from novaha.core.decide import decide
from novaha.core.details import Details, Flavor
from novaha.core.disks import GRADES, MAY_LOSE, MEANINGS, Loss, unconsented
from novaha.core.model import Server
from novaha.core.names import NodeName
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.segments import STORAGE, Aggregate
from novaha.core.storage import Storage
from worlds import HOST, NODE, NOW_S, evacuating, memory, ours, server, view

LOCAL, SHARED = Policy(storage=Storage.LOCAL), Policy()
SCRATCH = Flavor("scratch", ephemeral_gib=10)


def rules(*metadata: dict[str, str]) -> Rules:
    pairs = enumerate(metadata, 1)
    return Rules(tuple(Aggregate(n, f"rack-{n}", frozenset({HOST}), said) for n, said in pairs))


def lost(of: Rules | None = None, policy: Policy = LOCAL, **details: Any) -> Loss | None:  # noqa: ANN401
    found = unconsented(Details(**details), of or Rules(), policy)
    return found.loss if found else None


@pytest.mark.parametrize(
    ("details", "loss"),
    [
        ({"image": "i-1"}, Loss.ROOT),
        ({"image": "i-1", "flavor": SCRATCH}, Loss.ROOT),
        ({}, None),
        ({"flavor": SCRATCH}, Loss.EPHEMERAL),
        ({"flavor": Flavor("swapping", swap_mib=512)}, Loss.EPHEMERAL),
        ({"flavor": Flavor("big", disk_gib=80)}, None),
    ],
)
def test_what_is_on_the_host_s_own_disks_is_not_lost_without_consent(
    details: dict[str, Any], loss: Loss | None
) -> None:
    assert lost(**details) is loss
    assert lost(policy=SHARED, **details) is None


@pytest.mark.parametrize(
    ("consent", "root", "ephemeral"),
    [
        ("nothing", Loss.ROOT, Loss.EPHEMERAL),
        ("ephemeral", Loss.ROOT, None),
        ("root", None, None),
        ("Root", None, None),
        ("all", Loss.ROOT, Loss.EPHEMERAL),
        ("", Loss.ROOT, Loss.EPHEMERAL),
        ("true", Loss.ROOT, Loss.EPHEMERAL),
    ],
)
def test_consent_is_graded_and_a_wrong_word_is_none(
    consent: str, root: Loss | None, ephemeral: Loss | None
) -> None:
    said = {MAY_LOSE: consent}
    assert lost(image="i-1", metadata=said) is root
    assert lost(flavor=SCRATCH, metadata=said) is ephemeral
    assert lost(rules(said), image="i-1") is root


def test_the_nearest_consent_counts_and_of_several_at_one_place_the_least() -> None:
    root, nothing = {MAY_LOSE: "root"}, {MAY_LOSE: "nothing"}
    assert lost(rules(root), image="i-1", metadata=nothing) is Loss.ROOT
    assert lost(rules(nothing), image="i-1", flavor=Flavor(specs=root)) is None
    assert lost(rules(root, nothing), image="i-1") is Loss.ROOT
    assert lost(rules(root, root), image="i-1") is None
    assert lost(rules(root, {MAY_LOSE: "x"}), image="i-1") is Loss.ROOT


@pytest.mark.parametrize(
    ("words", "policy", "loss"),
    [
        (["local"], SHARED, Loss.ROOT),
        (["shared"], LOCAL, None),
        (["shared", "local"], SHARED, Loss.ROOT),
        (["shared", "shared"], LOCAL, None),
        (["ceph"], SHARED, Loss.ROOT),
        (["Shared"], SHARED, Loss.ROOT),
    ],
)
def test_an_aggregate_says_what_storage_its_hosts_have_and_the_worse_word_counts(
    words: list[str], policy: Policy, loss: Loss | None
) -> None:
    assert lost(rules(*({STORAGE: word} for word in words)), policy, image="i-1") is loss


def decided(*servers: Server, online: frozenset[NodeName] = frozenset()) -> tuple[Decision, ...]:
    known = memory(services=(ours(),), servers=servers, migrations=(), detailed_s={HOST: NOW_S})
    return decide(view(evacuating(online=online), known), LOCAL)


def test_it_is_shown_with_what_would_be_lost_and_the_command_that_consents() -> None:
    root, scratch = decided(server(1, image="i-1"), server(2, flavor=SCRATCH))
    assert isinstance(root, Hold)
    assert isinstance(scratch, Hold)
    assert {root.reason, scratch.reason} == {Reason.LOCAL_DISK}
    assert root.reason.trouble
    assert "built again from its image" in root.text
    assert "openstack server set --property nova_ha:may_lose=root server-1" in root.text
    assert "NovaEvacuate says storage=local" in root.text
    assert "swap and ephemeral" in scratch.text
    assert "nova_ha:may_lose=ephemeral server-2" in scratch.text


def test_a_word_that_nobody_understands_is_shown_with_it() -> None:
    (hold,) = decided(server(image="i-1", metadata={MAY_LOSE: "rot"}))
    assert isinstance(hold, Hold)
    assert "nova_ha:may_lose=rot, none of nothing, ephemeral, root: it counts as nothing" in (
        hold.text
    )


def test_it_goes_back_with_its_host_and_holds_up_no_other_instance() -> None:
    decisions = decided(server(1, image="i-1"), server(2))
    assert [d.server for d in decisions if isinstance(d, Evacuate)] == ["server-2"]
    assert not [d for d in decisions if isinstance(d, Release)]
    back = decided(server(1, image="i-1"), online=frozenset({NODE}))
    assert [d for d in back if isinstance(d, Release)]


def test_with_consent_it_is_evacuated() -> None:
    (evacuate,) = decided(server(image="i-1", metadata={MAY_LOSE: "root"}))
    assert isinstance(evacuate, Evacuate)


def test_every_grade_is_explained() -> None:
    assert MEANINGS.keys() == set(GRADES) == set(Loss)
