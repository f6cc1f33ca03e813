"""The configuration that an inventory gives."""

from pathlib import Path

import pytest
from novaha.cib.configuration import Configuration, Operation
from novaha.cib.generate import generate
from novaha.cib.inventory import parse
from novaha.cib.profiles import OVERHEAD_S, PAUSE_S, PROFILES
from novaha.specs import nova_evacuate

EXAMPLE = (Path(__file__).parents[3] / "crm-config/examples/inventory.toml").read_text()


def made(text: str = EXAMPLE) -> Configuration:
    return generate(parse(text))


def params(configuration: Configuration, id_: str) -> dict[str, str]:
    return dict(next(each.params for each in configuration.primitives if each.id == id_))


def test_each_level_of_a_compute_ends_with_the_receipt_and_no_controllers_does() -> None:
    levels = {(level.node, level.index): level.devices for level in made().levels}
    assert levels["compute-1", 1] == ("fence-ipmi-compute-1", "fence-nova")
    assert levels["compute-1", 2] == ("fence-pdu", "fence-nova")
    assert levels["controller-1", 1] == ("fence-ipmi-controller-1",)


def test_a_shared_device_maps_nodes_to_plugs() -> None:
    pdu = params(made(), "fence-pdu")
    assert pdu["pcmk_host_map"] == "compute-1:1;compute-2:2"
    assert pdu["pcmk_host_list"] == "compute-1 compute-2"


def test_kdump_may_stand_in_front_of_power() -> None:
    text = EXAMPLE.replace('levels = [["ipmi"], ["pdu"]]', 'levels = [["kdump", "ipmi"], ["ipmi"]]')
    text = text.replace(
        "[fence.pdu]", '[fence.kdump]\nagent = "fence_kdump"\nshared = true\n[fence.pdu]'
    )
    levels = [level.devices for level in made(text).levels if level.node == "compute-1"]
    assert levels[0] == ("fence-kdump", "fence-ipmi-compute-1", "fence-nova")


def test_one_sick_host_holds_up_nobody() -> None:
    configuration = made()
    properties = dict(configuration.properties)
    assert properties["concurrent-fencing"] == "true"
    assert properties["stonith-max-attempts"] == "INFINITY"
    assert properties["load-threshold"] == "1000%"
    requires = {each.id: dict(each.meta).get("requires") for each in configuration.primitives}
    assert requires["compute-1"] == requires["fence-ipmi-compute-1"] == "nothing"
    assert requires["fence-nova"] == requires["fence-pdu"] == "nothing"
    assert requires["nova-evacuate"] == "quorum"
    assert params(configuration, "fence-ipmi-compute-1")["pcmk_action_limit"] == "2"


def test_a_host_that_cannot_be_reached_leaves_pauses_for_all_others() -> None:
    for profile in PROFILES.values():
        for controllers in (1, 3, 5, 7):
            pause_s = profile.pause_s(controllers) - controllers * (profile.start_s + OVERHEAD_S)
            assert pause_s >= PAUSE_S
    (remote,) = (each for each in made().primitives if each.id == "compute-1")
    assert Operation("start", 0, PROFILES["default"].start_s) in remote.operations


@pytest.mark.parametrize(
    ("levels", "more", "wanted_s"),
    [
        ('[["ipmi"]]', "", 30 + 5),
        ('[["ipmi"], ["pdu"]]', "", 30 + 40 + 5),
        ('[["ipmi", "pdu"]]', "", 40 + 5),
        ('[["ipmi"]]', "gate = {}\n", 6 + 30 + 5),
        ('[["ipmi"]]', 'gate = { wait = "20s" }\n', 20 + 30 + 5),
    ],
)
def test_a_loss_is_remembered_for_longer_than_silent_devices_are_tried(
    levels: str, more: str, wanted_s: int
) -> None:
    text = more + EXAMPLE.replace('levels = [["ipmi"], ["pdu"]]', f"levels = {levels}")
    assert params(made(text), "compute-1")["reconnect_interval"] == f"{wanted_s}s"


def test_the_monitor_of_the_gate_has_a_task_and_is_left_to_it() -> None:
    configuration = made("fail_counts = false\ngate = {}\n" + EXAMPLE)
    asked = {
        each.id: "pcmk_monitor_action" in dict(each.params) for each in configuration.primitives
    }
    assert asked["fence-pdu"]
    assert not asked["fence-nova-gate"]
    assert not asked["fence-nova"]


def test_names_that_differ_in_nova_are_mapped() -> None:
    assert params(made(), "nova-evacuate")["host_map"] == "compute-2=cmp2.example.org"


def test_the_supervisor_is_told_what_storage_there_is() -> None:
    assert params(made(), "nova-evacuate")["storage"] == "local"
    shared = made(EXAMPLE.replace('storage = "local"', 'storage = "shared"'))
    assert params(shared, "nova-evacuate")["storage"] == "shared"


def test_the_supervisor_is_told_who_is_protected() -> None:
    table = 'evacuate = { protect = "tagged", exclude_names = "amphora-* test-*" }'
    assert f"# {table}" in EXAMPLE
    told = params(made(EXAMPLE.replace(f"# {table}", table)), "nova-evacuate")
    assert (told["protect"], told["exclude_names"]) == ("tagged", "amphora-* test-*")


def test_timeouts_are_those_that_the_agent_advertises() -> None:
    evacuate = next(each for each in made().primitives if each.id == "nova-evacuate")
    start = nova_evacuate.SPEC.timeout_s("start")
    assert Operation("start", 0, int(start)) in evacuate.operations


def test_a_profile_sets_the_detection() -> None:
    fast = made(EXAMPLE.replace('"default"', '"fast"'))
    remote = next(each for each in fast.primitives if each.id == "compute-1")
    assert Operation("monitor", 2, 3) in remote.operations


def test_the_password_script_lands_where_the_agent_reads_it() -> None:
    assert "password_script" in params(made(), "fence-ipmi-compute-1")


GATE = """gate = { cluster_limit = 3, window = 900 }
groups = { rack-1 = ["compute-1"], ssd = ["compute-1", "compute-2"] }
[fence.ipmi]"""
GATED = EXAMPLE.replace("[fence.ipmi]", GATE, 1)


def test_there_is_no_gate_where_none_was_asked_for() -> None:
    assert not [each for each in made().primitives if "gate" in each.id]


def test_each_level_of_a_compute_begins_with_its_gate_and_no_controllers_does() -> None:
    levels = {(level.node, level.index): level.devices for level in made(GATED).levels}
    gate = "fence-nova-gate.rack-1.ssd"
    assert levels["compute-1", 1] == (gate, "fence-ipmi-compute-1", "fence-nova")
    assert levels["compute-1", 2] == (gate, "fence-pdu", "fence-nova")
    assert levels["compute-2", 1][0] == "fence-nova-gate.ssd"
    assert levels["controller-1", 1] == ("fence-ipmi-controller-1",)


def test_a_gate_has_its_groups_hosts_and_limits() -> None:
    gate = params(made(GATED), "fence-nova-gate.rack-1.ssd")
    assert gate["groups"] == "rack-1 ssd"
    assert gate["pcmk_host_list"] == "compute-1"
    assert (gate["cluster_limit"], gate["window"]) == ("3", "900")
    other = params(made(GATED), "fence-nova-gate.ssd")
    assert other == {**gate, "groups": "ssd", "pcmk_host_list": "compute-2"}


def test_a_gate_is_asked_for_all_hosts_at_once_and_not_given_up_while_it_waits() -> None:
    gate = params(made(GATED), "fence-nova-gate.ssd")
    assert (gate["pcmk_action_limit"], gate["pcmk_off_retries"]) == ("-1", "1")
    assert (gate["wait"], gate["pcmk_off_timeout"]) == ("6", "36s")
    slow = params(made(GATED.replace("window = 900", "wait = 20")), "fence-nova-gate.ssd")
    assert (slow["wait"], slow["pcmk_off_timeout"]) == ("20", "50s")


def test_a_gate_waits_longer_than_the_losses_of_one_moment_take_to_be_noticed() -> None:
    fast = params(made(GATED.replace('"default"', '"fast"')), "fence-nova-gate.ssd")
    assert fast["wait"] == "3"
    calm = params(made(GATED.replace('"default"', '"calm"')), "fence-nova-gate.ssd")
    assert calm["wait"] == "21"


def test_a_gate_without_groups_is_one_for_all() -> None:
    configuration = made(EXAMPLE.replace("[fence.ipmi]", "gate = {}\n[fence.ipmi]", 1))
    gate = params(configuration, "fence-nova-gate")
    assert gate["pcmk_host_list"] == "compute-1 compute-2"
    assert "groups" not in gate


def test_without_fail_counts_only_what_there_is_one_of_is_counted() -> None:
    counted, uncounted = made(), made("fail_counts = false\n" + EXAMPLE)
    zero = {
        each.id
        for each in uncounted.primitives
        if dict(each.meta).get("migration-threshold") == "0"
    }
    assert zero == {each.id for each in counted.primitives} - {"nova-evacuate"}
    assert not any("migration-threshold" in dict(each.meta) for each in counted.primitives)


def test_a_device_that_bans_nothing_cannot_fail() -> None:
    uncounted = made("fail_counts = false\n" + EXAMPLE)
    assert params(uncounted, "fence-ipmi-compute-1")["pcmk_monitor_action"] == "metadata"
    assert "pcmk_monitor_action" not in params(uncounted, "fence-nova")
    assert "pcmk_monitor_action" not in params(made(), "fence-ipmi-compute-1")
