"""Scenario folders and their world.toml."""

from dataclasses import replace
from pathlib import Path

import pytest
from novaha.core.names import NodeName, ServerId
from novaha.core.policy import Policy
from novaha.core.selection import Mode
from novaha.core.storage import Storage
from novaha.sim.scenario import Scenario, folders, load, save
from novaha.sim.script import Script, ScriptError
from novaha.sim.spec import AggregateSpec, Event, GateSpec, Instance, WorldSpec
from novaha.sim.worldfile import parse_world, render_world

PLAIN = 'computes = ["compute-1", "compute-2"]\n'
VM = PLAIN + '[instances]\ncompute-1 = ["vm-1"]\n'
WORLD = WorldSpec(
    computes=(NodeName("compute-1"), NodeName("compute-2")),
    instances=(
        Instance(ServerId("vm-1"), NodeName("compute-1"), "web"),
        Instance(ServerId("vm-2"), NodeName("compute-1"), "web"),
        Instance(ServerId("vm-3"), NodeName("compute-2"), together="db"),
    ),
    move_s=6.5,
    policy=Policy(max_in_flight=1, max_recoveries=3, settle_s=20.0),
)
SAID = replace(
    WORLD,
    instances=(
        Instance(ServerId("vm-1"), NodeName("compute-1"), image="cirros", metadata={"a:b": "c"}),
        Instance(ServerId("vm-2"), NodeName("compute-2"), metadata={"x.y": 'with "quotes" \\'}),
    ),
    policy=Policy(storage=Storage.LOCAL, protect=Mode.TAGGED, exclude_names=()),
    aggregates=(
        AggregateSpec("rack-1", (NodeName("compute-1"),), {"nova_ha:storage": "local"}),
        AggregateSpec("empty"),
    ),
)
BRAKED = GateSpec(cluster_limit=2, wait_s=3.5, racks={"r1": WORLD.computes[:1]})


def complaints(text: str) -> list[str]:
    with pytest.raises(ScriptError) as error:
        parse_world(text, "w")
    return str(error.value).splitlines()


def test_a_world_is_read_with_its_tables() -> None:
    text = """
        computes = ["compute-1", "compute-2"]
        move_s = 6.5
        [instances]
        compute-1 = ["vm-1", "vm-2"]
        compute-2 = ["vm-3"]
        [groups]
        web = ["vm-1", "vm-2"]
        [affinity]
        db = ["vm-3"]
        [policy]
        max_in_flight = 1
        max_recoveries = 3
        settle_s = 20
    """
    assert parse_world(text) == WORLD


def test_what_is_said_in_nova_and_to_the_agent_is_read() -> None:
    text = """
        computes = ["compute-1", "compute-2"]
        move_s = 6.5
        [instances]
        compute-1 = ["vm-1"]
        compute-2 = ["vm-2"]
        [images]
        cirros = ["vm-1"]
        [metadata.vm-1]
        "a:b" = "c"
        [metadata.vm-2]
        "x.y" = 'with "quotes" \\'
        [aggregates.rack-1]
        hosts = ["compute-1"]
        metadata = { "nova_ha:storage" = "local" }
        [aggregates.empty]
        [policy]
        storage = "local"
        protect = "tagged"
        exclude_names = "none"
    """
    assert parse_world(text) == SAID


@pytest.mark.parametrize(
    "spec",
    [
        WORLD,
        WorldSpec(computes=(NodeName("a"),)),
        replace(WORLD, controllers=(NodeName("c"),)),
        replace(WORLD, gate=BRAKED),
        replace(WORLD, gate=GateSpec()),
        SAID,
        replace(SAID, policy=Policy(exclude_names=("a-*", "b"))),
    ],
)
def test_a_world_that_was_rendered_is_read_back(spec: WorldSpec) -> None:
    assert parse_world(render_world(spec)) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "w: computes: found [], expected a list of 1 to 200 names"),
        ("computes = []", "w:1: computes: found [], expected a list of 1 to 200 names"),
        ('computes = "compute-1"', "w:1: computes: found 'compute-1', expected a list"),
        ('computes = ["a", "a"]', "w:1: computes: found 'a' twice, expected each name once"),
        ("computes = [1]", "w:1: computes: found 1, expected names of"),
        ('computes = ["A b"]', "w:1: computes: found 'A b', expected names of"),
        ('computes = ["a"\n', "w:1: is no TOML"),
        (PLAIN + "move =", "w:2: is no TOML: Invalid value"),
        (PLAIN + "move = 3", "w:2: move: found an unknown key"),
        (PLAIN + "mov_s = 3", "did you mean move_s?"),
        (PLAIN + "move_s = -1", "w:2: move_s: found -1, expected a number above 0"),
        (PLAIN + "move_s = nan", "w:2: move_s: found nan, expected a number above 0"),
        (PLAIN + "move_s = inf", "w:2: move_s: found inf"),
        (PLAIN + "move_s = true", "w:2: move_s: found True"),
        (PLAIN + 'move_s = "4"', "w:2: move_s: found '4'"),
        (PLAIN + "move_s = 1e9", "at most 86400"),
        (PLAIN + "instances = 3", "w:2: instances: found 3, expected a table: [instances]"),
        (PLAIN + 'controllers = ["compute-1"]', "expected no name that is also a compute's"),
        (PLAIN + "controllers = []", "w:2: controllers: found []"),
        (
            PLAIN + '[instances]\ncompute-3 = ["vm-1"]',
            "w:3: instances.compute-3: found an unknown node, expected one of compute-1 compute-2",
        ),
        (PLAIN + "[instances]\ncompute-1 = 3", "w:3: instances.compute-1: found 3"),
        (
            PLAIN + '[instances]\ncompute-1 = ["vm-1"]\ncompute-2 = ["vm-1"]',
            "w:2: instances: found 'vm-1' 2 times, expected each instance once",
        ),
        (PLAIN + '[groups]\nweb = ["vm-1", "vm-2"]', "w:3: groups.web: found 'vm-1', expected"),
        (PLAIN + '[instances]\ncompute-1 = ["vm-1"]\n[groups]\nweb = ["vm-1"]', "a list of 2 to"),
        (PLAIN + "[affinity]\nweb = []", "w:3: affinity.web: found [], expected a list of 1 to"),
        (VM + '[images]\nx = ["vm-9"]', "w:5: images.x: found 'vm-9', expected an instance: vm-1"),
        (VM + "[images]\nx = []", "w:5: images.x: found [], expected a list of 1 to"),
        (VM + '[images]\nx = ["vm-1"]\ny = ["vm-1"]', "found 'vm-1', which is in x, expected each"),
        (VM + "[metadata.vm-9]", "w:4: metadata.vm-9: found 'vm-9', expected an instance: vm-1"),
        (VM + "[metadata.vm-1]\na = 1", "w:5: metadata.vm-1.a: found 1, expected a text"),
        (VM + "[metadata]\nvm-1 = 3", "w:5: metadata.vm-1: found 3, expected a table"),
        (PLAIN + "metadata = 3", "w:2: metadata: found 3, expected a table: [metadata]"),
        (PLAIN + "[aggregates]\na = 3", "w:3: aggregates.a: found 3, expected a table"),
        (PLAIN + "[aggregates.a]\nhost = []", "w:3: aggregates.a.host: found an unknown key"),
        (PLAIN + '[aggregates.a]\nhosts = ["c"]', "w:3: aggregates.a.hosts: found 'c', expected a"),
        (PLAIN + "[aggregates.a]\nmetadata = { b = 1 }", "aggregates.a.metadata.b: found 1"),
        (PLAIN + '[policy]\nstorage = "ceph"', "w:3: policy.storage: found 'ceph'"),
        (PLAIN + "[policy]\nprotect = true", "w:3: policy.protect: found True"),
        (PLAIN + '[policy]\nexclude_names = "*"', "w:3: policy.exclude_names: found '*'"),
        (PLAIN + "[policy]\nmax_in_flight = 0", "w:3: policy.max_in_flight: found 0"),
        (PLAIN + "[policy]\nmax_in_flight = 1.5", "policy.max_in_flight: found 1.5"),
        (PLAIN + "gate = 3", "w:2: gate: found 3, expected a table: [gate]"),
        (PLAIN + "[gate]\nlimit = 3", "w:3: gate.limit: found an unknown key"),
        (PLAIN + "[gate]\nracks = 3", "w:3: gate.racks: found an unknown key"),
        (PLAIN + "[gate]\ncluster_limit = 0", "w:3: gate.cluster_limit: found 0"),
        (PLAIN + "[gate]\ngroup_limit = true", "w:3: gate.group_limit: found True"),
        (PLAIN + "[gate]\nwait_s = -1", "w:3: gate.wait_s: found -1"),
        (PLAIN + '[racks]\nr1 = ["compute-1"]', "w:2: racks: found no gate, expected a table"),
        (PLAIN + '[gate]\n[racks]\nr1 = ["c-9"]', "w:4: racks.r1: found 'c-9', expected a compute"),
        (PLAIN + "[gate]\n[racks]\nr1 = []", "w:4: racks.r1: found []"),
        (PLAIN + '[gate]\n[racks]\n"r.1" = ["compute-1"]', "'r.1' is no group"),
        (PLAIN + "[policy]\nmax_recoveries = 0", "w:3: policy.max_recoveries: found 0"),
        (PLAIN + "[policy]\nhost_map = 1", "w:3: policy.host_map: found an unknown key"),
        (PLAIN + "[policy]\nsettle_s = 0", "w:3: policy.settle_s: found 0"),
        (
            PLAIN + "[policy]\npoll_s = 60",
            "w:3: policy.poll_s: found 60, expected at most poll_last_s, which is 15",
        ),
    ],
)  # fmt: skip
def test_a_world_that_is_wrong_is_told_with_line_and_key(text: str, expected: str) -> None:
    assert any(expected in complaint for complaint in complaints(text))


def test_all_problems_of_a_world_are_told_at_once() -> None:
    assert len(complaints(PLAIN + "move_s = 0\nboot_s = 0\nfoo = 1\n")) == 3


SCENARIO = Scenario(
    "sample",
    "A compute dies; nothing is lost.",
    WORLD,
    Script((Event(10.0, "crash", ("compute-1",), 1),), 300.0),
    "the trace\n",
)


def test_a_scenario_that_was_saved_is_loaded_again(tmp_path: Path) -> None:
    save(SCENARIO, tmp_path / "sample")
    assert load(tmp_path / "sample") == SCENARIO


def test_a_missing_trace_is_an_empty_one(tmp_path: Path) -> None:
    save(SCENARIO, tmp_path / "sample")
    (tmp_path / "sample" / "trace").unlink()
    assert load(tmp_path / "sample").trace == ""


@pytest.mark.parametrize("part", ["README", "world.toml", "script"])
def test_a_missing_part_is_named(tmp_path: Path, part: str) -> None:
    save(SCENARIO, tmp_path / "sample")
    (tmp_path / "sample" / part).unlink()
    with pytest.raises(ScriptError, match=f"{part}: No such file or directory; expected a text"):
        load(tmp_path / "sample")


@pytest.mark.parametrize("text", ["", "\n", "one\ntwo\n"])
def test_a_readme_is_one_line(tmp_path: Path, text: str) -> None:
    save(SCENARIO, tmp_path / "sample")
    (tmp_path / "sample" / "README").write_text(text)
    with pytest.raises(ScriptError, match=r"README: found . lines, expected one"):
        load(tmp_path / "sample")


def test_problems_of_several_files_are_told_together(tmp_path: Path) -> None:
    save(SCENARIO, tmp_path / "sample")
    (tmp_path / "sample" / "README").write_text("")
    (tmp_path / "sample" / "script").write_text("1s crahs compute-1\n2s crash vm-1\n")
    with pytest.raises(ScriptError) as error:
        load(tmp_path / "sample")
    files = [(Path(problem.file).name, problem.line) for problem in error.value.problems]
    assert files == [("README", 0), ("script", 1), ("script", 2)]


def test_a_script_that_is_no_text_is_told(tmp_path: Path) -> None:
    save(SCENARIO, tmp_path / "sample")
    (tmp_path / "sample" / "script").write_bytes(b"\xff\xfe")
    with pytest.raises(ScriptError, match="script: is not UTF-8"):
        load(tmp_path / "sample")


def test_folders_are_found_by_name_and_none_is_an_error(tmp_path: Path) -> None:
    for name in ("b", "a", "__pycache__"):
        (tmp_path / name).mkdir()
    assert [path.name for path in folders(tmp_path)] == ["a", "b"]
    with pytest.raises(ScriptError, match="found no scenario"):
        folders(tmp_path / "a")
