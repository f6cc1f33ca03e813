"""The agent's parameters as the recovery process takes them: one way from their texts to a policy.

The agent writes them on the command line of its process, which reads them here; who only looks on
(`nova-ha explain`) takes them from the CIB and reads them here, too.
"""

import argparse
from collections.abc import Mapping, Sequence

from novaha.core.canary import parse_recipe
from novaha.core.hostmap import parse_host_map
from novaha.core.phases import Phases
from novaha.core.policy import Policy
from novaha.core.selection import Mode, parse_names
from novaha.core.storage import Storage
from novaha.params import Param
from novaha.specs import nova_evacuate as spec

FOR_THE_AGENT = frozenset({spec.STALL_TIMEOUT.name})
"""Parameters that are none of the process's business."""


def flags_of(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the flags of a command line for the values of the parameters, by name."""
    names = (param.name for param in spec.SPEC.params if param.name not in FOR_THE_AGENT)
    return tuple(f"--{name.replace('_', '-')}={values[name]}" for name in names)


def arguments_of(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line that the agent makes; what has a default may be missing."""
    parser = argparse.ArgumentParser(prog="novaha.daemon", description="recovery process")
    parser.add_argument("--run-dir", required=True)
    for param in spec.SPEC.params:
        if param.name not in FOR_THE_AGENT:
            _add(parser, param)
    return parser.parse_args(argv)


def _add(parser: argparse.ArgumentParser, param: Param[object]) -> None:
    flag = f"--{param.name.replace('_', '-')}"
    parser.add_argument(flag, type=param.parse, default=param.default, required=param.required)


def policy_of(given: argparse.Namespace) -> Policy:
    """Return the policy that the arguments make."""
    return Policy(
        parse_host_map(given.host_map),
        storage=Storage(given.storage),
        protect=Mode(given.protect),
        phases=Phases(given.phases),
        exclude_names=parse_names(given.exclude_names),
        max_in_flight=given.max_in_flight,
        max_per_destination=given.max_per_destination,
        drain_in_flight=given.drain_in_flight,
        max_recoveries=given.max_recoveries,
        flap_limit=given.flap_limit,
        flap_window_s=float(given.flap_window),
        flap_wait_s=float(given.flap_wait),
        canary=parse_recipe(given.canary),
    )


def policy_in(parameters: Mapping[str, str]) -> Policy:
    """Return the policy that parameters in the CIB make; raises BadParameter.

    Where the storage is not said nothing runs, and nobody is to read that an instance would move.
    """
    told = {
        "cloud": "any",
        "storage": Storage.LOCAL.value,
        **{k: v for k, v in parameters.items() if v},
    }
    values = {param.name: param.parse(told.get(param.name)) for param in spec.SPEC.params}
    return policy_of(argparse.Namespace(**values))
