"""NovaEvacuate as Pacemaker runs it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agentnode import ROOT, Node, Result
from novaha.rundir import RunDir

AGENT = "agents/NovaEvacuate"


def _configured(node: Node, **changes: str) -> dict[str, str]:
    values = {"cloud": "prod", "clouds_yaml": str(node.clouds), "storage": "shared"} | changes
    return {f"OCF_RESKEY_{name}": value for name, value in values.items()}


def _run(node: Node, operation: str, **changes: str) -> Result:
    return node.run(AGENT, operation, environ=_configured(node, **changes))


def _command_line(node: Node) -> list[str]:
    return Path(f"/proc/{_pid(node)}/cmdline").read_text().split("\0")[:-1]


def _pid(node: Node) -> int:
    ask = "import sys; from novaha.rundir import RunDir; print(RunDir(sys.argv[1]).holder())"
    argv = [sys.executable, "-c", ask, str(node.run_root / "sample")]
    return int(subprocess.check_output(argv, text=True, env=node.environ))


def test_a_life_from_probe_to_stop(node: Node) -> None:
    assert node.run(AGENT, "monitor").rc == 7, "a probe before anything is configured"
    assert _run(node, "validate-all").rc == 0
    assert _run(node, "start").rc == 0
    assert _run(node, "monitor").rc == 0
    assert _run(node, "start").rc == 0, "start of a started resource"
    assert _run(node, "stop").rc == 0
    assert _run(node, "monitor").rc == 7
    assert _run(node, "stop").rc == 0, "stop of a stopped resource"


def test_all_parameters_but_the_agent_s_own_reach_the_process(node: Node) -> None:
    started = _run(
        node,
        "start",
        host_map="compute-1=nova-1.example compute-2=nova-2.example",
        max_in_flight="4",
        interval="2s",
        nova_timeout="60",
        storage="local",
        protect="tagged",
        exclude_names="amphora-* test-?",
        stall_timeout="90",
    )
    assert started.rc == 0
    assert _command_line(node) == [
        "/usr/bin/python3",
        "-m",
        "novaha.daemon",
        f"--run-dir={node.run_root}/sample",
        "--cloud=prod",
        f"--clouds-yaml={node.clouds}",
        "--storage=local",
        "--protect=tagged",
        "--exclude-names=amphora-* test-?",
        "--phases=one",
        "--host-map=compute-1=nova-1.example compute-2=nova-2.example",
        "--max-in-flight=4",
        "--max-per-destination=64",
        "--drain-in-flight=2",
        "--max-recoveries=10",
        "--flap-limit=3",
        "--flap-window=86400",
        "--flap-wait=600",
        "--canary=",
        "--interval=2",
        "--nova-timeout=60",
    ]


def test_the_process_does_not_get_the_agent_s_environment(node: Node) -> None:
    _run(node, "start")
    assert "OCF_" not in Path(f"/proc/{_pid(node)}/environ").read_text()


@pytest.mark.parametrize("operation", ["start", "validate-all"])
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"cloud": ""}, "cloud is missing: Name of the cloud in clouds.yaml"),
        ({"cloud": "--evil"}, "cloud='--evil': must be the name of a cloud"),
        ({"cloud": "a\nb"}, "line ends"),
        ({"cloud": '<a>&"'}, "must be the name of a cloud"),
        ({"clouds_yaml": "clouds.yaml"}, "must be an absolute path"),
        ({"clouds_yaml": "/etc/openstack/"}, "must be an absolute path of a file"),
        ({"storage": "ceph"}, "storage='ceph': must be shared or local"),
        ({"storage": "Shared"}, "must be shared or local"),
        ({"protect": "none"}, "protect='none': must be all or tagged"),
        ({"exclude_names": "amphora-*,x"}, "without commas"),
        ({"exclude_names": "*"}, "must not exclude every name"),
        ({"host_map": "compute-1"}, "'compute-1' is not node=host"),
        ({"host_map": "a=b a=c"}, "for the second time"),
        ({"host_map": "a=b;rm -rf /"}, "is not node=host"),
        ({"host_map": "a=b " * 2000}, "at most 4096"),
        ({"max_in_flight": "0"}, "from 1 to 64"),
        ({"max_in_flight": "many"}, "from 1 to 64"),
        ({"max_recoveries": "0"}, "from 1 to 1000"),
        ({"interval": "61"}, "from 1 to 60"),
        ({"nova_timeout": "1"}, "from 5 to 300"),
        ({"stall_timeout": "5"}, "from 30 to 3600"),
    ],
)
def test_a_bad_value_is_refused_and_nothing_happens(
    node: Node, operation: str, changes: dict[str, str], complaint: str
) -> None:
    result = _run(node, operation, **changes)
    assert result.rc == 6
    assert complaint in result.reason
    assert not node.run_root.exists()


@pytest.mark.parametrize("operation", ["start", "validate-all"])
def test_it_refuses_until_a_person_says_what_storage_there_is(node: Node, operation: str) -> None:
    environ = _configured(node, storage="") | {"OCF_RESOURCE_INSTANCE": "nova-evacuate"}
    result = node.run(AGENT, operation, environ=environ)
    assert result.rc == 6
    assert result.reason == (
        "storage is missing: Where the disks of instances lie;"
        " pcs resource update nova-evacuate storage=shared or storage=local"
    )
    assert len(result.reason) < 127, "pcs status shows no more"
    assert not node.run_root.exists()


def test_a_process_that_runs_is_watched_though_nobody_says_what_storage_there_is(
    node: Node,
) -> None:
    _run(node, "start")
    assert _run(node, "monitor", storage="").rc == 0
    assert _run(node, "monitor", storage="x").rc == 0


@pytest.mark.parametrize("operation", ["start", "validate-all"])
@pytest.mark.parametrize(
    ("host", "rc", "step"),
    [
        (("prod", 0o644), 4, "chmod 600"),
        (("absent", 0o600), 2, "has no cloud 'absent'; it has: prod"),
    ],
)
def test_a_host_that_cannot_use_the_cloud_is_told_what_to_do(
    node: Node, operation: str, host: tuple[str, int], rc: int, step: str
) -> None:
    cloud, mode = host
    node.clouds.chmod(mode)
    environ = _configured(node, cloud=cloud) | {"OCF_CHECK_LEVEL": "10"}
    result = node.run(AGENT, operation, environ=environ)
    assert result.rc == rc
    assert step in result.reason
    assert "hunter2" not in result.err + result.out
    assert not node.run_root.exists()


def test_a_missing_clouds_yaml_is_not_installed(node: Node) -> None:
    node.clouds.unlink()
    result = _run(node, "start")
    assert result.rc == 5
    assert f"{node.clouds}: No such file or directory; copy it" in result.reason


def test_validate_all_does_not_look_at_the_host_unless_told_to(node: Node) -> None:
    node.clouds.unlink()
    assert _run(node, "validate-all").rc == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"cloud": ""},
        {"cloud": "\n"},
        {"storage": ""},
        {"storage": "x"},
        {"max_in_flight": "x", "stall_timeout": "x"},
    ],
)
def test_stop_works_whatever_is_configured(node: Node, changes: dict[str, str]) -> None:
    _run(node, "start")
    assert _run(node, "stop", **changes).rc == 0
    assert node.run(AGENT, "monitor").rc == 7


def test_stop_works_with_nothing_at_all(node: Node) -> None:
    assert node.run(AGENT, "stop", environ={"OCF_RESOURCE_INSTANCE": ""}).rc == 0
    assert not node.run_root.exists()


def test_the_end_of_a_process_that_cannot_start_is_the_end_of_start(node: Node) -> None:
    environ = _configured(node) | {"STANDIN": "exit:5:openstacksdk is not installed"}
    result = node.run(AGENT, "start", environ=environ)
    assert result.rc == 5
    assert "openstacksdk is not installed" in result.reason
    assert f"{node.folder}/log/sample.log" in result.reason


def test_trouble_is_degraded_and_not_failed(node: Node) -> None:
    environ = _configured(node) | {"STANDIN": "degraded"}
    assert node.run(AGENT, "start", environ=environ).rc == 0
    result = node.run(AGENT, "monitor", environ=environ)
    assert result.rc == 190
    assert result.reason == "vm-1 blocked: no valid host"


@pytest.mark.parametrize(("stall_timeout", "rc"), [("30", 1), ("60", 0)])
def test_silence_longer_than_stall_timeout_fails_the_monitor(
    node: Node, stall_timeout: str, rc: int
) -> None:
    environ = _configured(node, stall_timeout=stall_timeout) | {"STANDIN": "stuck"}
    node.run(AGENT, "start", environ=environ)
    run_dir = RunDir(str(node.run_root / "sample"))
    status = run_dir.read_status()
    assert status is not None
    run_dir.write_status(status._replace(progress_s=time.monotonic() - 40))
    result = node.run(AGENT, "monitor", environ=environ)
    assert result.rc == rc
    assert result.reason.startswith("no progress for 4") is (rc == 1)


def test_a_killed_process_is_seen_and_replaced(node: Node) -> None:
    _run(node, "start")
    pid = _pid(node)
    os.kill(pid, signal.SIGKILL)
    assert _run(node, "monitor").rc == 7
    assert _run(node, "start").rc == 0
    assert _pid(node) != pid


@pytest.mark.parametrize(("operation", "rc"), [("promote", 3), ("reload", 3), ("", 2)])
def test_what_it_does_not_do_is_said_with_the_right_code(
    node: Node, operation: str, rc: int
) -> None:
    result = node.run(AGENT, operation)
    assert result.rc == rc
    assert "start, stop, monitor, meta-data, validate-all" in result.reason


def test_it_runs_by_its_first_line_as_pacemaker_runs_it(node: Node) -> None:
    result = node.run_by_path(AGENT, "meta-data", environ={})
    assert result.rc == 0
    assert result.out.startswith('<?xml version="1.0"')
    assert result.err == ""


def test_monitor_loads_neither_openstack_nor_sockets(node: Node) -> None:
    _run(node, "start")
    argv = [sys.executable, "-X", "importtime", str(ROOT / AGENT), "monitor"]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env=node.environ | _configured(node)
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "novaha.rundir" in loaded
    heavy = {"openstack", "yaml", "dataclasses", "socket", "subprocess", "logging", "pathlib"}
    assert loaded & heavy == set()


def test_a_monitor_is_quick(node: Node) -> None:
    _run(node, "start")
    begin = time.monotonic()
    assert _run(node, "monitor").rc == 0
    assert time.monotonic() - begin < 2, "it must not wait for anything"
