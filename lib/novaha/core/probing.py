"""Which ports of instances are tried now, because others wait until they answer."""

from novaha.core.actions import AskPorts
from novaha.core.model import View
from novaha.core.order import Waits
from novaha.core.policy import Policy

MOST = 16
"""So many are tried at once; of more, those that were not tried for the longest time."""


def ask_ports(view: View, policy: Policy, waiting: Waits) -> tuple[AskPorts, ...]:
    """Return the question for the ports that are awaited and due."""
    probed, due_s = view.memory.probed, view.now_s - policy.return_poll_s
    due = [one for one in waiting.silent if probed.get(one.server, due_s) <= due_s]
    due.sort(key=lambda one: probed.get(one.server, float("-inf")))
    return (AskPorts(tuple(due[:MOST])),) if due else ()
