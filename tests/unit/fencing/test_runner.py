"""The fence agent runtime: FenceAgentAPI on stdin and on the command line."""

import io
from collections.abc import Callable, Iterable

import pytest
from lxml import etree
from novaha.errors import ClusterUnavailable
from novaha.fencing.runner import FenceHandlers, Plug, Power, parse_stdin, run
from novaha.params import Values
from novaha.specs.fence_nova import PLUG, SPEC


class Device:
    """A device that notes what it was asked to do."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done: list[tuple[str, str]] = []
        self._error = error

    def _does(self, action: str) -> Callable[[Values], None]:
        def act(values: Values) -> None:
            self.done.append((action, values[PLUG]))
            if self._error is not None:
                raise self._error

        return act

    def _status(self, values: Values) -> Power:
        self._does("status")(values)
        return Power.OFF if values[PLUG] == "dark" else Power.ON

    def _list(self, values: Values) -> Iterable[Plug]:
        self._does("list")(values)
        return (Plug("compute-1", Power.ON), Plug("compute-2", Power.OFF))

    def run(self, argv: list[str], stdin: str = "") -> int:
        handlers = FenceHandlers(
            self._does("off"), self._does("on"), self._status, self._does("monitor"), self._list
        )
        return run(SPEC, handlers, ["fence_nova", *argv], io.StringIO(stdin))


@pytest.mark.parametrize("action", ["off", "on", "monitor", "OFF"])
def test_an_action_on_stdin_is_done(action: str) -> None:
    device = Device()
    assert device.run([], f"action={action}\nplug=compute-1\n") == 0
    assert device.done == [(action.lower(), "compute-1")]


@pytest.mark.parametrize(
    "argv",
    [
        ["-o", "off", "-n", "compute-1"],
        ["-ooff", "-ncompute-1"],
        ["--action=off", "--plug=compute-1"],
        ["--action", "off", "--plug", "compute-1"],
        ["-o", "off", "--port", "compute-1"],
        ["-o", "off", "--nodename=compute-1"],
    ],
)
def test_the_command_line_says_the_same(argv: list[str]) -> None:
    device = Device()
    assert device.run(argv, "action=on\n") == 0
    assert device.done == [("off", "compute-1")]


@pytest.mark.parametrize(
    ("lines", "plug"),
    [
        ("plug=a", "a"),
        ("port=a", "a"),
        ("nodename=a", "a"),
        ("plug=7\nnodename=a", "a"),
        ("nodename=a\nplug=7\nport=8", "a"),
        ("port=8\nplug=a", "a"),
        ("plug=b\nplug=a", "a"),
        ("plug=a\nplug=", ""),
        ("# plug=b\nplug=a\n#plug=c", "a"),
        ("  plug=a\r", "a"),
        ("plug=a\nunknown=1\nlogin=root\npasswd==x=\nno equals sign here\n\n", "a"),
    ],
)
def test_the_plug_comes_from_the_first_key_that_has_a_value(lines: str, plug: str) -> None:
    device = Device()
    device.run([], f"action=monitor\n{lines}\n")
    assert device.done == [("monitor", plug)]


def test_only_the_last_of_a_doubled_key_counts() -> None:
    device = Device()
    assert device.run([], "action=off\naction=on\nplug=a\n") == 0
    assert device.done == [("on", "a")]


@pytest.mark.parametrize(
    ("stdin", "complaint"),
    [
        ("", "no action: on, off"),
        ("action=\nplug=a\n", "no action"),
        ("plug=a\n", "no action"),
        ("action=reboot\nplug=a\n", "action 'reboot' is not one of on, off"),
        ("action=explode\nplug=a\n", "'explode' is not one of"),
        ('action=off\nplug=<a>&"b"\n', "must be a node name"),
        ("action=off\nplug=../a\n", "must be a node name"),
        ("action=off\nplug=a b\n", "must be a node name"),
        ("action=off\nplug=-a\n", "must be a node name"),
        ("action=off\nplug=a\x00b\n", "control characters"),
        ("action=off\nplug=" + "a" * 256 + "\n", "at most 255"),
        ("action=off\nplug=" + "a" * 2_000_000, "at most 4096"),
        ("action=off\nplug=ä\n", "must be a node name"),
        ("\x00\xff" * 1000, "no action"),
    ],
)
def test_bad_input_fails_with_a_clear_line_and_does_nothing(
    stdin: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Device()
    assert device.run([], stdin) == 1
    assert device.done == []
    error = capsys.readouterr().err
    assert complaint in error
    assert "fence_nova --help" in error
    assert error.count("\n") == 1
    assert len(error) < 400


@pytest.mark.parametrize("argv", [["-x"], ["--nonsense=1"], ["off"], ["-o"], ["-"], ["--"]])
def test_a_bad_command_line_fails_and_does_nothing(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    device = Device()
    assert device.run(argv) == 1
    assert device.done == []
    assert "fence_nova --help" in capsys.readouterr().err


@pytest.mark.parametrize(("plug", "code"), [("bright", 0), ("dark", 2)])
def test_status_tells_the_power_by_its_exit_code(plug: str, code: int) -> None:
    assert Device().run(["-o", "status", "-n", plug]) == code


@pytest.mark.parametrize(
    ("action", "printed"),
    [
        ("list", "compute-1,\ncompute-2,\n"),
        ("list-status", "compute-1,,ON\ncompute-2,,OFF\n"),
    ],
)
def test_lists_are_printed_as_the_api_wants(
    action: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Device().run(["-o", action]) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("action", ["off", "status", "monitor", "list"])
def test_a_failure_is_exit_code_1_and_one_line(
    action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Device(ClusterUnavailable("cibadmin did not end\nwithin 5 s"))
    assert device.run([], f"action={action}\nplug=a\n") == 1
    assert capsys.readouterr().err == "fence_nova: cibadmin did not end within 5 s\n"


def test_a_surprise_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert Device(ZeroDivisionError("oh")).run([], "action=off\nplug=a\n") == 1
    assert capsys.readouterr().err == "fence_nova: ZeroDivisionError: oh\n"


def test_validate_all_looks_at_values_only(capsys: pytest.CaptureFixture[str]) -> None:
    device = Device(ClusterUnavailable("down"))
    assert device.run([], "action=validate-all\n") == 0
    assert device.run([], "action=validate-all\nplug=a b\n") == 1
    assert device.done == []
    assert "must be a node name" in capsys.readouterr().err


def test_metadata_is_printed_whatever_else_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert Device().run([], "action=metadata\nplug=a b\n") == 0
    root = etree.fromstring(capsys.readouterr().out.encode())
    assert root.get("name") == "fence_nova"
    assert [each.get("name") for each in root.iterfind("parameters/parameter")] == ["plug"]


def test_metadata_advertises_no_reboot_and_no_unfencing() -> None:
    root = etree.fromstring(SPEC.metadata().encode())
    actions = list(root.iterfind("actions/action"))
    assert "reboot" not in [action.get("name") for action in actions]
    assert [action.get("automatic") or action.get("on_target") for action in actions] == [
        None
    ] * len(actions)


def test_help_names_actions_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert Device().run(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "-n, --plug=[plug]" in printed
    assert "validate-all" in printed


def test_a_value_may_contain_equals_signs() -> None:
    assert parse_stdin("a=b=c\n=d\n") == {"a": "b=c", "": "d"}
