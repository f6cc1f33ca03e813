"""How long one attempt to fence a node takes at most, where its devices give no answer.

Pacemaker computes nothing beside it. A lost connection whose controller lives is remembered until
the host was fenced. One that could not be moved from a lost controller is forgotten after
`reconnect_interval`, which has to outlast an attempt: else a host that was lost with its
controller, while another one is tried in vain, has to be noticed anew when its turn comes, beside
the next attempt (seen with 2.1.5: fenced after 68 to 88 s instead of 47).
"""

from collections.abc import Iterable, Mapping

from novaha.cib.facts import STONITH_TIMEOUT, Device, seconds
from novaha.core.policy import NOT_REAL
from novaha.specs.fence_nova_gate import SPEC as GATE
from novaha.specs.fence_nova_gate import WAIT

START = "20s"
"""How long an operation may take of which nothing is said (Pacemaker 2.1 and before)."""


def attempt_s(levels: Iterable[Iterable[Device]], usual: str = STONITH_TIMEOUT) -> float:
    """Return how long an attempt on a node takes, in seconds, if each level has a silent device.

    usual: the cluster's stonith-timeout.
    """
    return sum(_level_s(tuple(level), usual) for level in levels)


def _level_s(devices: tuple[Device, ...], usual: str) -> float:
    waits = (
        params.get(WAIT.name, f"{WAIT.default}s") for type_, params in devices if type_ == GATE.name
    )
    silent = (_silent_s(params, usual) for type_, params in devices if type_ not in NOT_REAL)
    return sum(seconds(wait) or 0.0 for wait in waits) + max(silent, default=0.0)


def _silent_s(params: Mapping[str, str], usual: str) -> float:
    """Return how long a device is tried in vain; what does one thing at a time starts after it."""
    off_s = seconds(params.get("pcmk_off_timeout", usual)) or 0.0
    alone = params.get("pcmk_action_limit", "1") == "1"
    start_s = seconds(params.get("pcmk_monitor_timeout", START)) or 0.0
    return off_s + start_s if alone else off_s
