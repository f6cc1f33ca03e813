"""`nova-ha explain`: asks the cluster, Nova and the recovery process, and changes nothing.

What the process said after its last cycle is read from its status, on the controller that runs it:
it alone knows what is on the wire and when the next try is due. Anywhere else the shipped decisions
are asked what they would do, with what the cluster and Nova show.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from novaha.cli.asking import Access, access_of
from novaha.cli.codes import BAD_INPUT, SAME
from novaha.core.draining import drained_nodes
from novaha.core.explain import (
    Explanation,
    Said,
    SubjectAmbiguous,
    SubjectUnknown,
    explain,
)
from novaha.core.model import View
from novaha.core.policy import Policy
from novaha.errors import ConfigError, NovaHaError
from novaha.params import BadParameter
from novaha.rundir import RUN_ROOT, RunDir, Status

DESCRIPTION = """\
Tell where a compute node, a Nova host or an instance stands: the state, what it waits for and what
ends that, the evidence (receipt, record, levels, fencing history), and each instance with its
evacuation records. Without a subject: one line for each node of which anything is open. It runs on
any controller, as root, and changes nothing."""


@dataclass(frozen=True)
class Process:
    """The recovery process, as far as it can be seen from here.

    resource: "" where none is configured. nodes: where Pacemaker runs it. age_s: since its last
    report; None where it is not on this node.
    """

    resource: str
    nodes: tuple[str, ...] = ()
    health: str = ""
    summary: str = ""
    age_s: float | None = None


@dataclass(frozen=True)
class Sight:
    """All that was found out. missing: what could not be, and why."""

    view: View
    policy: Policy
    process: Process
    said: Said | None
    missing: tuple[str, ...]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the sub-command."""
    parser = subparsers.add_parser(
        "explain", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "subject", nargs="?", help="node, Nova host, or UUID or name of an instance"
    )
    parser.add_argument("--json", action="store_true", help="the same, for programs")
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="explain from a saved trace of a simulation"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain on the live cluster, or from a trace."""
    try:
        if arguments.trace is not None:
            from novaha.cli.trace import explain_trace

            try:
                text = explain_trace(arguments.trace, arguments.subject, as_json=arguments.json)
            except ConfigError as error:
                sys.stderr.write(f"nova-ha: {error}\n")
                return BAD_INPUT
        else:
            text = explain_live(arguments.subject, as_json=arguments.json)
    except (SubjectUnknown, SubjectAmbiguous) as error:
        sys.stderr.write(f"nova-ha: {error}\n")
        return BAD_INPUT
    sys.stdout.write(text)
    return SAME


def explain_live(subject: str | None, *, as_json: bool) -> str:
    """Return what is to be printed; raises ClusterUnavailable, ConfigError, SubjectUnknown."""
    from novaha.cli import printing
    from novaha.core.explain import overview

    if os.geteuid() != 0:
        msg = "only root may ask the cluster: run it as root"
        raise ConfigError(msg)
    sight = look_around(subject)
    if subject is None:
        found = overview(sight.view, sight.policy, sight.said)
    else:
        found = (_explained(sight, subject),)
    disarmed = sight.view.cluster.disarmed
    story = printing.Story(found, sight.process, sight.missing, disarmed)
    if as_json:
        return printing.as_json(story)
    return printing.overview(story) if subject is None else printing.in_full(story)


def _explained(sight: Sight, subject: str) -> Explanation:
    """Explain a subject; an unknown one may be one of which only the silent Nova knows."""
    try:
        return explain(sight.view, sight.policy, subject, sight.said)
    except SubjectUnknown as error:
        if not sight.missing:
            raise
        msg = f"{error}; not known: {'; '.join(sight.missing)}"
        raise NovaHaError(msg) from error


def look_around(subject: str | None) -> Sight:
    """Find out all that can be found out about a subject (None: about all that is open)."""
    from novaha.adapters.pacemaker import Pacemaker, history
    from novaha.adapters.resource import recovery_resource
    from novaha.core.explain import onlooker

    cluster = replace(Pacemaker().observe(), events=history())
    resource = recovery_resource()
    parameters = dict(resource.parameters) if resource else {}
    policy = policy_of(parameters)
    memory = onlooker(cluster, policy, time.monotonic(), time.time())
    view = View(time.monotonic(), cluster, memory)
    process, said = Process(""), None
    if resource is not None:
        process, said = process_of(resource.id, tuple(map(str, resource.nodes)))
    missing = [] if cluster.events is not None else ["the fencer gave no answer about its history"]
    if resource is not None and (said is None or subject is not None):
        view, trouble = ask_nova(view, policy, subject, parameters)
        missing += [f"what Nova knows: {trouble}"] if trouble else []
    return Sight(view, policy, process, said, tuple(missing))


def policy_of(parameters: dict[str, str]) -> Policy:
    """Return the policy that the agent's parameters make; raises ConfigError."""
    from novaha.saidpolicy import policy_in

    try:
        return policy_in(parameters)
    except BadParameter as error:
        msg = f"nova-evacuate has a wrong parameter: {error}"
        raise ConfigError(msg) from error


def process_of(resource: str, nodes: tuple[str, ...]) -> tuple[Process, Said | None]:
    """Return the process and what it said, where it runs on this node."""
    run_dir = RunDir(f"{os.environ.get('NOVA_HA_RUN_ROOT', RUN_ROOT)}/{resource}")
    status = run_dir.read_status()
    if status is None or run_dir.holder() != status.pid:
        return Process(resource, nodes), None
    age_s = time.monotonic() - status.progress_s
    process = Process(resource, nodes, status.health, status.summary, age_s)
    return process, said_in(status, age_s)


def said_in(status: Status, age_s: float) -> Said | None:
    """Return what a status says; None when it is of a version that has other words.

    age_s: of the status, by which every next try has come nearer.
    """
    from novaha.core.actions import Hold
    from novaha.core.instances import InstanceStanding
    from novaha.core.names import ComputeHost, NodeName, ServerId
    from novaha.core.reasons import Reason
    from novaha.core.states import InstanceState, RecoveryState

    reasons = {reason.code: reason for reason in Reason}
    try:
        return Said(
            tuple(Hold(row.subject, reasons[row.code], row.text) for row in status.held),
            tuple((NodeName(row.node), RecoveryState[row.state]) for row in status.nodes),
            tuple(
                InstanceStanding(
                    ServerId(row.id),
                    row.name,
                    ComputeHost(row.host),
                    InstanceState[row.state],
                    row.tries,
                    None if row.due_in_s is None else max(row.due_in_s - age_s, 0.0),
                    row.text,
                    row.note,
                )
                for row in status.instances
            ),
        )
    except KeyError:
        return None


def ask_nova(
    view: View, policy: Policy, subject: str | None, parameters: dict[str, str]
) -> tuple[View, str | None]:
    """Ask Nova what it takes; return what is then known, and why there is not more."""
    cluster = view.cluster
    if subject is None and not (cluster.receipts or cluster.records or drained_nodes(view)):
        return view, None
    try:
        return _asked(view, policy, subject, access_of(parameters))
    except ConfigError as error:
        return view, str(error)


def _asked(
    view: View, policy: Policy, subject: str | None, access: Access
) -> tuple[View, str | None]:
    from novaha.adapters.clock import MonotonicClock
    from novaha.adapters.nova import Nova
    from novaha.app.look import look
    from novaha.core.silence import unknown

    try:
        seen = look(view, policy, subject, Nova(*access), MonotonicClock())
    except NovaHaError as error:
        return view, str(error)
    return seen, unknown(seen.memory)
