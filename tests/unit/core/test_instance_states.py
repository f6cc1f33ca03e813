"""What becomes of an instance in each state that Nova knows, and what that makes of its host."""

from typing import Any

import pytest
from novaha.core import memory as remember
from novaha.core.actions import AskServers, Decision, Evacuate, Hold, Release
from novaha.core.decide import decide
from novaha.core.details import Details
from novaha.core.eligibility import kept, needs_reset
from novaha.core.model import Server
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import Policy
from novaha.core.reasons import Reason
from novaha.core.rules import Rules
from novaha.core.serverstates import RULES
from worlds import HOST, NODE, NOW_S, evacuating, memory, ours, server, view

VM = ServerId("server-1")
POLICY = Policy()
VM_STATES = (
    "active", "building", "paused", "suspended", "stopped", "rescued", "resized", "soft-delete",
    "deleted", "error", "shelved", "shelved_offloaded",
)  # fmt: skip
"""Source: nova/compute/vm_states.py, 34.0."""


def decided(*servers: Server, online: frozenset[NodeName] = frozenset()) -> tuple[Decision, ...]:
    """Return what is decided on servers that were just listed with all their details."""
    known = memory(services=(ours(),), servers=servers, migrations=(), detailed_s={HOST: NOW_S})
    return decide(view(evacuating(online=online), known), POLICY)


@pytest.mark.parametrize("vm_state", VM_STATES)
def test_every_state_of_nova_has_its_rule(vm_state: str) -> None:
    assert any(vm_state in rule.vm_states for rule in RULES)


@pytest.mark.parametrize("vm_state", ["active", "stopped", "error"])
@pytest.mark.parametrize("task", ["", "rebooting", "powering-off", "image_uploading", "rebuilding"])
def test_what_nova_evacuates_is_evacuated_whatever_task_died_with_its_host(
    vm_state: str, task: str
) -> None:
    one = server(vm_state=vm_state, task_state=task)
    assert decided(one) == (Evacuate(VM, HOST),)


@pytest.mark.parametrize("vm_state", ["paused", "suspended", "rescued"])
def test_what_nova_would_refuse_for_its_memory_is_set_active_first(vm_state: str) -> None:
    assert decided(server(vm_state=vm_state)) == (Evacuate(VM, HOST, reset=True),)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"vm_state": "building", "task_state": "spawning"}, "delete it and create it anew"),
        ({"vm_state": "resized"}, "resize confirm"),
        ({"vm_state": "shelved"}, "openstack server set --state active"),
        ({"vm_state": "shelved_offloaded", "task_state": "spawning"}, "shelved"),
        ({"vm_state": "soft-delete"}, "restore"),
        ({"task_state": "deleting"}, "its user has deleted it"),
        ({"vm_state": "error", "task_state": "deleting"}, "its user has deleted it"),
        ({"task_state": "resize_finish"}, "openstack server set --state active"),
        ({"vm_state": "made-up"}, "openstack server set --state active"),
    ],
)
def test_what_nova_cannot_evacuate_is_shown_and_goes_back_with_its_host(
    details: dict[str, Any], words: str
) -> None:
    one = server(**details)
    (hold,) = decided(one)
    assert isinstance(hold, Hold)
    assert (hold.subject, hold.reason) == (VM, Reason.STAYS)
    assert words in hold.text
    assert "vm-1" in hold.text
    assert any(isinstance(d, Release) for d in decided(one, online=frozenset({NODE})))


@pytest.mark.parametrize("vm_state", VM_STATES)
def test_what_may_run_elsewhere_is_never_evacuated_and_holds_its_host(vm_state: str) -> None:
    one = server(vm_state=vm_state, task_state="migrating")
    decisions = decided(one, server(2), online=frozenset({NODE}))
    assert [d.server for d in decisions if isinstance(d, Evacuate)] == ["server-2"]
    assert [d.reason for d in decisions if isinstance(d, Hold)] == [Reason.UNSAFE]
    alone = decided(one, online=frozenset({NODE}))
    assert not [d for d in alone if isinstance(d, Release)]


def test_a_host_is_not_released_while_anything_else_of_it_can_still_be_evacuated() -> None:
    decisions = decided(server(1, vm_state="resized"), server(2), online=frozenset({NODE}))
    assert not [d for d in decisions if isinstance(d, Release)]


def test_the_state_is_looked_at_again_after_a_minute_and_a_mended_one_is_evacuated() -> None:
    known = memory(services=(ours(),), migrations=())
    seen = remember.saw_servers(known, HOST, (server(vm_state="resized"),), NOW_S, details=True)
    early, due = NOW_S + POLICY.look_again_s - 1, NOW_S + POLICY.look_again_s
    assert not asked(decide(view(evacuating(), seen, early), POLICY))
    assert asked(decide(view(evacuating(), seen, due), POLICY)) == [AskServers(HOST, details=True)]
    mended = remember.saw_servers(seen, HOST, (server(),), due, details=True)
    assert decide(view(evacuating(), mended, due), POLICY) == (Evacuate(VM, HOST),)


def asked(decisions: tuple[Decision, ...]) -> list[AskServers]:
    return [d for d in decisions if isinstance(d, AskServers)]


def test_nothing_is_evacuated_before_its_state_is_known_and_a_short_list_forgets_none() -> None:
    short = Server(VM, "vm-1")
    decisions = decided(short)
    assert asked(decisions) == [AskServers(HOST, details=True)]
    assert not [d for d in decisions if isinstance(d, Evacuate | Hold)]
    detailed = remember.saw_servers(memory(), HOST, (server(vm_state="paused"),), 1.0, details=True)
    kept_one, new = (
        remember.saw_servers(detailed, HOST, (short, Server(ServerId("new"), "new")), 2.0)
        .servers[HOST]
        .value
    )
    assert kept_one.details == Details("paused")
    assert new.details is None


def test_no_state_is_both_kept_and_reset() -> None:
    for rule in RULES:
        for vm_state in rule.vm_states or VM_STATES:
            for task in rule.task_states or ("",):
                one = server(vm_state=vm_state, task_state=task)
                details = Details(vm_state, task)
                assert not (kept(one, details, Rules(), POLICY) and needs_reset(details))
