"""The recovery process: what `NovaEvacuate` starts on one controller, and nothing else does.

    alert hook --wake--> cycle: observe -> decide -> ask / apply --> status.json --> monitor

It keeps no state of its own: kill it at any instant, and the next goes on from the CIB and Nova.
"""

import argparse
import logging
import math
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from novaha import clouds
from novaha.adapters.clock import MonotonicClock
from novaha.adapters.journal import LogJournal
from novaha.adapters.nova import Nova
from novaha.adapters.pacemaker import Pacemaker, clean_up
from novaha.adapters.posts import ThreadedPosts
from novaha.app.cycle import Reconciler
from novaha.core.actions import Hold
from novaha.core.explain import Said, say
from novaha.errors import CloudRefused, CloudUnavailable, ClusterUnavailable, ConfigError
from novaha.ports import Ports
from novaha.rundir import HeldRow, InstanceRow, NodeRow, RunDir, Status, wait_for_wake
from novaha.saidpolicy import arguments_of, policy_of

LOG = logging.getLogger("novaha.daemon")
WARM_UP_RETRY_S = 60.0
EX_CONFIG = 78

BEAT_S = 5.0
"""So old a sign of life is when another one is given."""
SHOWN_S = 25.0
"""Two intervals of the monitor and some: so long a trouble is left on display before a change."""

NOT_LOOKED = "has not looked at the cluster yet"
"""What is said before the first cycle, which may have to wait for Nova."""

ALERT_S = 15.0
ALERT_INTERVAL_S = 0.5
"""After an alert the cluster is watched closely for a while: the loss of a node comes seconds
before its receipt, and what Nova is asked between receipt and end of the fencing is time won."""


@dataclass
class WarmUp:
    """A thread that fetches a token before it is needed, and tells when that does not work."""

    nova: Nova
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Try until it worked once."""
        while not self.stop.is_set():
            try:
                self.nova.warm_up()
            except (CloudUnavailable, CloudRefused) as error:
                self.error = str(error)
                LOG.warning("warm-up failed: %s", error)
                self.stop.wait(WARM_UP_RETRY_S)
            else:
                self.error = ""
                return


@dataclass
class Waker:
    """Ends the wait of the loop: the alert hook, a sender in vain, or a signal."""

    hook: socket.socket
    pipe: tuple[int, int] = field(default_factory=os.pipe)

    def notify(self) -> None:
        """Wake the loop; from any thread or signal handler."""
        os.write(self.pipe[1], b".")

    def wait(self, timeout_s: float) -> bool:
        """Wait until woken, or for the given time; tell whether the alert hook woke us."""
        pipe = self.pipe[0]
        ready, _, _ = select.select([self.hook.fileno(), pipe], [], [], timeout_s)
        if pipe in ready:
            os.read(pipe, 4096)
        return wait_for_wake(self.hook, 0.0)


@dataclass
class Shown:
    """What `pcs status` shows as our trouble, which Pacemaker does not renew by itself.

    codes: the kinds of trouble that the monitor reports there. clear: whether Pacemaker was seen to
    show none, since there is none.
    """

    resource: str
    codes: frozenset[str] = frozenset()
    changed_s: float = -math.inf
    clear: bool = False

    def update(self, codes: frozenset[str], now_s: float) -> None:
        """Have the failure shown anew when the kind of trouble changed, or gone when it ended.

        Not before the monitor had the time to report what is there now. Once there is none, that is
        looked at again: a monitor may have reported it in the moment of its end, or when another
        process had it.
        """
        if codes == self.codes and (codes or self.clear):
            return
        if codes and not self.codes:
            self.codes, self.changed_s, self.clear = codes, now_s, False
        elif now_s - self.changed_s >= SHOWN_S:
            self._show_anew(codes, now_s)

    def _show_anew(self, codes: frozenset[str], now_s: float) -> None:
        self.changed_s = now_s
        try:
            cleaned = clean_up(self.resource)
        except ClusterUnavailable as error:
            LOG.warning("pcs status may show an old trouble: %s", error)
            return
        self.clear = not (codes or self.codes or cleaned)
        self.codes = codes


@dataclass
class Pulse:
    """What the process says of itself, and that it lives, in the middle of a long cycle, too.

    A Nova that takes its time for each of many questions must not have Pacemaker restart us.
    """

    run_dir: RunDir
    said: Status | None = None

    def say(self, status: Status) -> None:
        """Write a status."""
        self.said = status
        self.run_dir.write_status(status)

    def beat(self) -> None:
        """Write the last one again, as of now, if it has some age."""
        now_s = time.monotonic()
        if self.said is not None and now_s - self.said.progress_s >= BEAT_S:
            self.say(self.said._replace(progress_s=now_s))


@dataclass
class Daemon:
    """The loop and what it reports."""

    reconciler: Reconciler
    pulse: Pulse
    waker: Waker
    warm_up: WarmUp
    interval_s: float
    shown: Shown
    stopping: bool = False

    def run(self) -> None:
        """Cycle until stopped."""
        alert_until_s = 0.0
        while not self.stopping:
            holds = self.cycle()
            alert = time.monotonic() < alert_until_s
            interval_s = min(self.interval_s, ALERT_INTERVAL_S) if alert else self.interval_s
            if self.waker.wait(self.reconciler.wait_s(holds, interval_s)):
                alert_until_s = time.monotonic() + ALERT_S

    def cycle(self) -> tuple[Hold, ...]:
        """Do one cycle and report it; a cluster without an answer is tried again."""
        try:
            holds = self.reconciler.cycle()
        except ClusterUnavailable as error:
            LOG.warning("cluster gave no answer: %s", error)
            self.report(Said(), f"the cluster gave no answer: {error}")
            return ()
        view = self.reconciler.view
        self.report(say(view, self.reconciler.policy, holds) if view else Said(holds), "")
        return holds

    def report(self, said: Said, trouble: str) -> None:
        """Write what `monitor` and the operator read."""
        holds = said.holds
        troubles = [trouble] if trouble else []
        troubles += [f"{hold.subject} {hold.text}" for hold in holds if hold.reason.trouble]
        if not troubles and self.warm_up.error:
            troubles = [self.warm_up.error]
        summary = "; ".join(f"{hold.subject} {hold.text}" for hold in holds) or "nothing to recover"
        status = Status(
            os.getpid(),
            time.monotonic(),
            "degraded" if troubles else "ok",
            _shortened(troubles),
            summary,
            *rows(said),
        )
        self.pulse.say(status)
        codes = {hold.reason.code for hold in holds if hold.reason.trouble}
        codes |= {"cluster"} if trouble else set()
        codes |= {"warm-up"} if troubles and not codes else set()
        self.shown.update(frozenset(codes), status.progress_s)

    def stop(self, *_: object) -> None:
        """End after the present cycle."""
        self.stopping = True
        self.waker.notify()


def rows(
    said: Said,
) -> tuple[tuple[HeldRow, ...], tuple[NodeRow, ...], tuple[InstanceRow, ...]]:
    """Return what was said as the rows of a status."""
    held = (HeldRow(hold.subject, hold.reason.code, hold.text) for hold in said.holds)
    nodes = (NodeRow(node, state.name) for node, state in said.states)
    instances = (
        InstanceRow(i.id, i.name, i.host, i.state.name, i.tries, i.due_in_s, i.text, i.note)
        for i in said.instances
        if i.state is not None
    )
    return tuple(held), tuple(nodes), tuple(instances)


def _shortened(troubles: Sequence[str]) -> str:
    if not troubles:
        return ""
    more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
    return troubles[0][:300] + more


def check_clouds(path: str, cloud: str) -> None:
    """Refuse a clouds.yaml that others could read (L8) or that lacks the cloud: ConfigError."""
    checked = clouds.check(path, cloud)
    if checked.reason:
        raise ConfigError(checked.reason)


def _build(arguments: argparse.Namespace, run_dir: RunDir) -> Daemon:
    check_clouds(arguments.clouds_yaml, arguments.cloud)
    policy = policy_of(arguments)
    nova = Nova(arguments.cloud, arguments.clouds_yaml, arguments.nova_timeout)
    waker = Waker(run_dir.bind_wake())
    senders = policy.max_in_flight + policy.drain_in_flight
    posts = ThreadedPosts(nova.post, waker.notify, senders)
    pulse = Pulse(run_dir)
    ports = Ports(Pacemaker(), nova, posts, MonotonicClock(), LogJournal(), pulse.beat)
    reconciler = Reconciler(ports, policy)
    shown = Shown(Path(run_dir.path).name)
    return Daemon(reconciler, pulse, waker, WarmUp(nova), arguments.interval, shown)


def main(argv: Sequence[str]) -> int:
    """Run until TERM; returns 0 then, EX_CONFIG when a person must change something first."""
    arguments = arguments_of(argv)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s.%(msecs)03d %(message)s", datefmt="%F %T"
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger("keystoneauth").setLevel(logging.ERROR)
    run_dir = RunDir(arguments.run_dir)
    with run_dir.hold_lock():
        try:
            daemon = _build(arguments, run_dir)
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
            return EX_CONFIG
        signal.signal(signal.SIGTERM, daemon.stop)
        threading.Thread(target=daemon.warm_up.run, daemon=True).start()
        daemon.pulse.say(Status(os.getpid(), time.monotonic(), "ok", "", NOT_LOOKED))
        daemon.run()
        daemon.warm_up.stop.set()
    # A sender may hang in a request for as long as its timeout: nothing waits for it.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
