"""Runs one operation of an OCF agent: the only place that knows exit codes and exceptions.

    argv, environment --> Call --handler--> Outcome --> exit reason on stderr, exit code

`stop` and `meta-data` never look at parameters: an edit that went wrong must not turn into a failed
stop, which fences the node. `monitor` reads only those it needs, when it needs them, so a probe
tells what is there before anything is configured.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from novaha.errors import ConfigError
from novaha.ocf.codes import Outcome, Rc
from novaha.ocf.log import log
from novaha.ocf.spec import AgentSpec
from novaha.params import BadParameter, Values

_PARAMETER = "OCF_RESKEY_"
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9_.:-]")


class Call(NamedTuple):
    """One operation as the cluster asked for it.

    instance: the resource's name, safe as a file name. timeout_s: seconds the operation has.
    check_level: OCF_CHECK_LEVEL; at 0 validate-all must not look at the host.
    """

    action: str
    instance: str
    timeout_s: float
    check_level: int
    environ: Mapping[str, str]
    values: Values


Handler = Callable[[Call], Outcome]


class Handlers(NamedTuple):
    """What an agent does. validate_all is called with valid values, for all else it wants."""

    start: Handler
    stop: Handler
    monitor: Handler
    validate_all: Handler


def main(spec: AgentSpec, handlers: Handlers) -> int:
    """Run with the process's own arguments and environment."""
    return run(spec, handlers, sys.argv, os.environ)


def run(
    spec: AgentSpec, handlers: Handlers, argv: Sequence[str], environ: Mapping[str, str]
) -> int:
    """Do what argv[1] says and return the exit code; further arguments are ignored (OCF 1.1)."""
    action = argv[1] if len(argv) > 1 else ""
    if action == "meta-data":
        sys.stdout.write(spec.metadata())
        return Rc.SUCCESS
    if action in {"usage", "help"}:
        sys.stdout.write(_usage(spec))
        return Rc.SUCCESS
    outcome = _outcome(spec, handlers, action, environ)
    _report(spec, action, outcome, environ)
    return outcome.rc


def _outcome(
    spec: AgentSpec, handlers: Handlers, action: str, environ: Mapping[str, str]
) -> Outcome:
    handler = {
        "start": handlers.start,
        "stop": handlers.stop,
        "monitor": handlers.monitor,
        "status": handlers.monitor,
        "validate-all": handlers.validate_all,
    }.get(action)
    if handler is None:
        rc = Rc.UNIMPLEMENTED if action else Rc.ARGS
        return Outcome(rc, f"{action or 'no operation'}: not one of {_names(spec)}")
    call = _call(spec, action, environ)
    if action in {"start", "validate-all"} and (problems := call.values.problems()):
        return Outcome(Rc.CONFIGURED, "; ".join((*problems, *_mend(call))))
    try:
        return handler(call)
    except (BadParameter, ConfigError) as error:
        return Outcome(Rc.CONFIGURED, str(error))
    except Exception as error:  # noqa: BLE001  (a traceback tells an operator nothing)
        return Outcome(Rc.GENERIC, _told(error))


def _call(spec: AgentSpec, action: str, environ: Mapping[str, str]) -> Call:
    timeout_ms = _number(environ.get(f"{_PARAMETER}CRM_meta_timeout"))
    raw = {
        name.removeprefix(_PARAMETER): value
        for name, value in environ.items()
        if name.startswith(_PARAMETER)
    }
    return Call(
        action=action,
        instance=_file_name(environ.get("OCF_RESOURCE_INSTANCE", ""), spec.name),
        timeout_s=timeout_ms / 1000 if timeout_ms else spec.timeout_s(action),
        check_level=_number(environ.get("OCF_CHECK_LEVEL")),
        environ=environ,
        values=Values(spec.params, raw),
    )


def _mend(call: Call) -> tuple[str, ...]:
    """Return the command that gives a value to what has none."""
    given = (
        " or ".join(f"{param.name}={word}" for word in param.words or ("...",))
        for param in call.values.missing()
    )
    command = " ".join(("pcs resource update", call.instance, *given))
    return (command,) if call.values.missing() else ()


def _number(text: str | None) -> int:
    """Read what Pacemaker sends; what is no number is as good as not sent."""
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _file_name(instance: str, fallback: str) -> str:
    name = _NO_FILE_NAME.sub("_", instance)[:200]
    return name if name.strip(".") else fallback


def _told(error: Exception) -> str:
    """Say what happened: in our own words, or with the place where nobody expected it."""
    module = type(error).__module__
    if module.startswith("novaha."):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'system call'}: {error.strerror or error}"
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "unknown place"
    return f"bug in the agent, please report it: {type(error).__name__}: {error} at {where}"


def _report(spec: AgentSpec, action: str, outcome: Outcome, environ: Mapping[str, str]) -> None:
    if outcome.reason:
        prefix = environ.get("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:")
        sys.stderr.write(f"{prefix}{' '.join(outcome.reason.split())}\n")
    if action in {"start", "stop"}:  # Pacemaker itself logs what a monitor finds, once
        level = "info" if outcome.rc == Rc.SUCCESS else "error"
        log(environ, spec.name, level, f"operation={action} rc={outcome.rc:d} {outcome.reason}")


def _names(spec: AgentSpec) -> str:
    return ", ".join(operation.name for operation in spec.operations)


def _usage(spec: AgentSpec) -> str:
    return (
        f"usage: {spec.name} {{{_names(spec).replace(', ', '|')}}}\n"
        "Parameters come as OCF_RESKEY_<name> in the environment; meta-data lists them.\n"
    )
