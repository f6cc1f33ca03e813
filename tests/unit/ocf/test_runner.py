"""The OCF runtime: whatever comes in, an exit code of OCF 1.1 and one clear line come out."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lxml import etree
from novaha.errors import ClusterUnavailable, ConfigError
from novaha.ocf.codes import OK, Outcome, Rc
from novaha.ocf.runner import Call, Handlers, run
from novaha.ocf.spec import AgentSpec, Operation
from novaha.params import integer, string

NAME = string("name", 'A "name" & <more>', "A longer name")
LIMIT = integer("limit", "A limit", "A longer limit", default=8, between=(1, 64))
SPEC = AgentSpec(
    name="Sample",
    shortdesc="A sample",
    longdesc="A <longer> sample",
    params=(NAME, LIMIT),
    operations=(
        Operation("start", 60),
        Operation("stop", 30),
        Operation("monitor", 20, interval_s=10, depth=0),
        Operation("meta-data", 5),
        Operation("validate-all", 20),
    ),
)
GOOD = {"OCF_RESKEY_name": "n", "OCF_RESOURCE_INSTANCE": "r"}

Answer = Callable[[Call], Outcome]


class Recorder:
    """Handlers that note each call."""

    def __init__(self, answer: Answer = lambda _: OK) -> None:
        self.calls: list[Call] = []
        self._answer = answer

    def __call__(self, call: Call) -> Outcome:
        self.calls.append(call)
        return self._answer(call)

    def run(self, argv: list[str], environ: Mapping[str, str]) -> int:
        return run(SPEC, Handlers(self, self, self, self), ["Sample", *argv], environ)


def _raising(error: Exception) -> Answer:
    def answer(_: Call) -> Outcome:
        raise error

    return answer


@pytest.mark.parametrize("action", ["start", "stop", "monitor", "status", "validate-all"])
def test_each_operation_reaches_its_handler(action: str) -> None:
    recorder = Recorder()
    assert recorder.run([action], GOOD) == Rc.SUCCESS
    assert [call.values[NAME] for call in recorder.calls] == ["n"]


def test_further_arguments_are_ignored() -> None:
    recorder = Recorder()
    assert recorder.run(["monitor", "stop", "--nonsense"], GOOD) == Rc.SUCCESS
    assert [call.action for call in recorder.calls] == ["monitor"]


@pytest.mark.parametrize(
    ("argv", "rc"), [(["promote"], 3), (["reload-agent"], 3), (["\x00<&"], 3), ([], 2), ([""], 2)]
)
def test_an_unknown_operation_is_refused_and_nothing_is_done(
    argv: list[str], rc: int, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    assert recorder.run(argv, GOOD) == rc
    assert recorder.calls == []
    assert "start, stop, monitor" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["start", "validate-all"])
@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({}, "name is missing"),
        ({"OCF_RESKEY_name": ""}, "name is missing"),
        ({"OCF_RESKEY_name": "a\nb"}, "line ends"),
        ({"OCF_RESKEY_name": "n", "OCF_RESKEY_limit": "many"}, "limit='many'"),
        ({"OCF_RESKEY_limit": "0"}, "name is missing: A \"name\" & <more>; limit='0'"),
    ],
)
def test_bad_parameters_are_misconfiguration_and_the_handler_is_not_called(
    action: str, environ: dict[str, str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    assert recorder.run([action], environ) == Rc.CONFIGURED
    assert recorder.calls == []
    error = capsys.readouterr().err
    assert complaint in error
    assert error.startswith("ocf-exit-reason:")
    assert "Traceback" not in error


def test_what_is_missing_comes_with_the_command_that_says_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Recorder().run(["start"], {"OCF_RESOURCE_INSTANCE": "r"}) == Rc.CONFIGURED
    assert capsys.readouterr().err.endswith("; pcs resource update r name=...\n")
    assert Recorder().run(["start"], GOOD | {"OCF_RESKEY_limit": "x"}) == Rc.CONFIGURED
    assert "pcs" not in capsys.readouterr().err


@pytest.mark.parametrize("action", ["stop", "monitor"])
@pytest.mark.parametrize(
    "environ", [{}, {"OCF_RESKEY_name": "\n"}, {"OCF_RESKEY_limit": "x", "OCF_CHECK_LEVEL": "y"}]
)
def test_stop_and_monitor_do_not_care_about_parameters(
    action: str, environ: dict[str, str]
) -> None:
    recorder = Recorder()
    assert recorder.run([action], environ) == Rc.SUCCESS
    assert len(recorder.calls) == 1


def test_meta_data_does_not_care_about_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert Recorder().run(["meta-data"], {"OCF_RESKEY_limit": "x"}) == Rc.SUCCESS
    assert etree.fromstring(capsys.readouterr().out.encode()).get("name") == "Sample"


def test_usage_names_the_operations(capsys: pytest.CaptureFixture[str]) -> None:
    assert Recorder().run(["usage"], {}) == Rc.SUCCESS
    assert "{start|stop|monitor|meta-data|validate-all}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "rc", "text"),
    [
        (ClusterUnavailable("cibadmin did not end"), 1, "cibadmin did not end"),
        (ConfigError("set cloud"), 6, "set cloud"),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: Permission denied"),
        (ZeroDivisionError("division"), 1, "bug in the agent, please report it: ZeroDivision"),
    ],
)
def test_an_exception_becomes_an_exit_code_and_one_line(
    error: Exception, rc: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Recorder(_raising(error)).run(["monitor"], GOOD) == rc
    printed = capsys.readouterr().err
    assert text in printed
    assert printed.count("\n") == 1
    assert "Traceback" not in printed


def test_a_parameter_that_monitor_needs_is_complained_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = Recorder(lambda call: Outcome(Rc(call.values[LIMIT])))
    assert recorder.run(["monitor"], {"OCF_RESKEY_limit": "x"}) == Rc.CONFIGURED
    assert "limit='x'" in capsys.readouterr().err


def test_the_exit_reason_is_one_line_with_the_cluster_s_prefix(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = Recorder(lambda _: Outcome(Rc.DEGRADED, "vm-1 is\nblocked"))
    assert recorder.run(["monitor"], {"OCF_EXIT_REASON_PREFIX": "reason="}) == 190
    assert capsys.readouterr().err == "reason=vm-1 is blocked\n"


@pytest.mark.parametrize(
    ("environ", "timeout_s"),
    [
        ({"OCF_RESKEY_CRM_meta_timeout": "90000"}, 90.0),
        ({}, 60.0),
        ({"OCF_RESKEY_CRM_meta_timeout": "soon"}, 60.0),
        ({"OCF_RESKEY_CRM_meta_timeout": "0"}, 60.0),
        ({"OCF_RESKEY_CRM_meta_timeout": "-1"}, 60.0),
    ],
)
def test_the_timeout_is_pacemaker_s_or_the_advertised_one(
    environ: dict[str, str], timeout_s: float
) -> None:
    recorder = Recorder()
    recorder.run(["start"], GOOD | environ)
    assert recorder.calls[0].timeout_s == timeout_s


@pytest.mark.parametrize(
    ("instance", "name"),
    [
        ("evac", "evac"),
        ("evac:0", "evac:0"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "Sample"),
        ("", "Sample"),
        ("a" * 300, "a" * 200),
    ],
)
def test_the_instance_is_safe_as_a_file_name(instance: str, name: str) -> None:
    recorder = Recorder()
    recorder.run(["stop"], {"OCF_RESOURCE_INSTANCE": instance})
    assert recorder.calls[0].instance == name


def test_start_and_stop_are_logged_and_a_monitor_is_not(tmp_path: Path) -> None:
    environ = GOOD | {"HA_LOGFILE": str(tmp_path / "log")}
    recorder = Recorder(lambda call: Outcome(Rc.GENERIC, f"{call.action} failed"))
    for action in ("start", "monitor", "stop"):
        recorder.run([action], environ)
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split("error: ")[1] for line in lines] == [
        "operation=start rc=1 start failed",
        "operation=stop rc=1 stop failed",
    ]


def test_metadata_carries_the_specification() -> None:
    root = etree.fromstring(SPEC.metadata().encode())
    assert root.findtext("version") == "1.1"
    assert root.findtext("longdesc") == "A <longer> sample"
    params = {each.get("name"): each for each in root.iterfind("parameters/parameter")}
    assert params["name"].get("required") == "1"
    assert params["name"].findtext("shortdesc") == 'A "name" & <more>'
    content = params["limit"].find("content")
    assert content is not None
    assert (content.get("type"), content.get("default")) == ("integer", "8")
    actions = [dict(each.items()) for each in root.iterfind("actions/action")]
    assert actions[2] == {"name": "monitor", "timeout": "20s", "interval": "10s", "depth": "0"}


def test_metadata_advertises_nothing_that_ocf_tester_refuses() -> None:
    text = SPEC.metadata()
    assert "reload" not in text
    assert '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">' in text
