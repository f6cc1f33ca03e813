"""Runs one action of a fence agent: the only place that knows its exit codes and exceptions.

    stdin or command line --> Values --handler--> result --> exit code 0, 1, or 2 for "is off"

Source: fence-agents doc/FenceAgentAPI.md. Unknown keys are ignored, because Pacemaker sends more
than an agent asks for; of a key that is given twice the last value counts; actions are case
insensitive.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from io import TextIOWrapper
from typing import NamedTuple, TextIO

from novaha.fencing.spec import FenceSpec, Option
from novaha.params import BadParameter, Values

MAX_INPUT = 1_000_000
"""Characters of stdin that are read; Pacemaker sends a few hundred."""

ACTION = "action"


class Power(IntEnum):
    """State of a plug; the numbers are the exit codes of `status`."""

    ON = 0
    OFF = 2


class Plug(NamedTuple):
    """One line of `list`."""

    name: str
    power: Power


class FenceHandlers(NamedTuple):
    """What a fence agent does; whatever goes wrong is raised.

    list_plugs: all plugs the device can act on.
    """

    off: Callable[[Values], None]
    on: Callable[[Values], None]
    status: Callable[[Values], Power]
    monitor: Callable[[Values], None]
    list_plugs: Callable[[Values], Iterable[Plug]]


def main(spec: FenceSpec, handlers: FenceHandlers) -> int:
    """Run with the process's own arguments and standard input."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # refused by name later, not by a codec
    return run(spec, handlers, sys.argv, sys.stdin)


def run(spec: FenceSpec, handlers: FenceHandlers, argv: Sequence[str], stdin: TextIO) -> int:
    """Do what the command line, or else stdin, says and return the exit code."""
    if any(word in {"-h", "--help"} for word in argv[1:]):
        sys.stdout.write(usage(spec))
        return 0
    try:
        given = _from_argv(spec, argv[1:]) if len(argv) > 1 else parse_stdin(stdin.read(MAX_INPUT))
        return _act(spec, handlers, given)
    except (BadParameter, UsageError) as error:
        return _fail(spec, f"{error}; try: {spec.name} --help")
    except Exception as error:  # noqa: BLE001  (a traceback tells an operator nothing)
        ours = type(error).__module__.startswith("novaha.")
        return _fail(spec, str(error) if ours else f"{type(error).__name__}: {error}")


class UsageError(ValueError):
    """The command line or stdin asks for something that is not there."""


def parse_stdin(text: str) -> dict[str, str]:
    """Read key=value lines; comments and lines without "=" are no parameters."""
    lines = (line.strip() for line in text.split("\n"))
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value for key, _, value in pairs}


def usage(spec: FenceSpec) -> str:
    """Return the help text."""
    lines = [f"usage: {spec.name} -o ACTION [options], or key=value lines on stdin", ""]
    lines.append(f"  -o, --action=[action]   {', '.join(spec.actions)}")
    lines += [f"  {option.getopt:<23} {option.param.shortdesc}" for option in spec.options]
    return "\n".join([*lines, "", spec.longdesc, ""])


def _from_argv(spec: FenceSpec, words: Sequence[str]) -> dict[str, str]:
    names = {"-o": ACTION, "--action": ACTION}
    for option in spec.options:
        names |= {f"--{key}": key for key in option.keys}
        names[f"-{option.letter}"] = option.param.name
    given: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        if not word.startswith("--"):
            flag, value = word[:2], word[2:]
            equals = value
        if flag not in names:
            msg = f"unknown option {word[:80]!a}"
            raise UsageError(msg)
        given[names[flag]] = value if equals else next(rest, "")
    return given


def _act(spec: FenceSpec, handlers: FenceHandlers, given: Mapping[str, str]) -> int:
    action = given.get(ACTION, "").lower()
    if action not in spec.actions:
        known = ", ".join(spec.actions)
        msg = f"action {action[:80]!a} is not one of {known}" if action else f"no action: {known}"
        raise UsageError(msg)
    if action == "metadata":
        sys.stdout.write(spec.metadata())
        return 0
    raw = {option.param.name: _first(option, given) for option in spec.options}
    values = Values([option.param for option in spec.options], raw)
    if problems := values.problems():
        raise BadParameter("; ".join(problems))
    return _call(handlers, action, values)


def _first(option: Option, given: Mapping[str, str]) -> str:
    return next((given[key] for key in option.keys if given.get(key)), "")


def _call(handlers: FenceHandlers, action: str, values: Values) -> int:
    match action:
        case "off" | "reboot":  # a reboot is one where the agent says so
            handlers.off(values)
        case "on":
            handlers.on(values)
        case "status":
            return handlers.status(values)
        case "monitor":
            handlers.monitor(values)
        case "list":
            _print(f"{plug.name}," for plug in handlers.list_plugs(values))
        case "list-status":
            plugs = handlers.list_plugs(values)
            _print(f"{plug.name},,{plug.power.name}" for plug in plugs)
        case _:  # validate-all: the values have been looked at
            pass
    return 0


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _fail(spec: FenceSpec, reason: str) -> int:
    sys.stderr.write(f"{spec.name}: {' '.join(reason.split())}\n")
    return 1
