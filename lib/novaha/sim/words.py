"""The words of a script: what can happen in a simulated world, each with its arguments.

One table: the parser checks against it, the generator of random schedules draws from it, the
documentation prints it, and the world has a method for each word.
"""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an argument must be."""

    COMPUTE = "a compute node of the world"
    CONTROLLER = "a controller of the world"
    INSTANCE = "an instance of the world"
    SECONDS = "a number of seconds, such as 2.5"
    OFFSET = "a number of seconds, such as -90"
    COUNT = "a whole number, 1 or more"
    CALL = "an external call of ours, such as evacuate or write-record"
    TEXT = "a word"


@dataclass(frozen=True)
class Choice:
    """An argument that is one of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Word:
    """A word, what follows it, and what it does in one sentence."""

    name: str
    arguments: tuple[Kind | Choice, ...]
    meaning: str


CALLS = (
    "observe", "write-record", "delete-receipt", "delete-record", "delete-hold", "services",
    "servers", "migrations", "rules", "rooms", "force-down", "force-up", "enable", "disable",
    "evacuate",
)  # fmt: skip
"""The external calls of every recovery that a fault can strike."""

RESERVE_CALLS = ("set-metadata", "add-host", "remove-host")
"""Those that ready a reserved host, or hand it back."""

START_CALLS = ("start", "write-starts", "delete-starts")
"""Those of the second phase."""
DRAIN_CALLS = (
    "write-withdrawn", "delete-withdrawn", "set-standby", "live-migrations", "live-migrate",
)  # fmt: skip
"""Those of a drain."""

CANARY_CALLS = ("canaries", "boot-canary", "delete-canary")
"""Those that try a returned host."""

FAULTS = ("unanswered", "reply-lost", "late", "conflict", "unauthorized", "slow", "stale")
"""unanswered: no answer, no effect. reply-lost: the effect is there, the answer is not. late: no
answer now, the effect comes up to 12 s later (evacuate only). conflict: 409, no effect.
unauthorized: 401. slow: the answer takes 2.5 s. stale: a read shows what was true 1 s before."""

NOVA_STATES = ("down", "up", "slow", "fast", "unauthorized", "old")
STATES = (
    "active", "paused", "suspended", "rescued", "error", "building", "resized", "shelved",
    "deleting", "rebooting", "resize_prep", "resize_finish",
)  # fmt: skip

WORDS = tuple(
    Word(*row)
    for row in (
        # nodes
        ("crash", (Kind.COMPUTE,), "the node dies at once, its instances with it"),
        ("isolate", (Kind.COMPUTE,), "nobody reaches the node any more, and its instances run on"),
        ("heal", (Kind.COMPUTE,), "the network of an isolated node is back"),
        ("power", (Kind.COMPUTE, Choice(("on", "off"))), "somebody uses the server's own button"),
        ("stay-off", (Kind.COMPUTE,), "from now on a fencing leaves the server switched off"),
        ("boot-time", (Kind.COMPUTE, Kind.SECONDS), "how long its next boots take"),
        ("autostart", (Kind.COMPUTE,), "nova-compute is started by the system, held or not"),
        # fencing
        ("bmc", (Kind.COMPUTE, Choice(("works", "dead", "lies"))), "the BMC: lies says off, is on"),
        ("power-on-fails", (Kind.COMPUTE,), "its next fencing is switched off well, but not on"),
        ("fence", (Kind.COMPUTE,), "an operator fences the node"),
        ("confirm-off", (Kind.COMPUTE,), "a person switches a lost node off, and confirms that"),
        ("level", (Kind.COMPUTE, Choice(("real", "kdump", "receipt-only"))), "its fencing level"),
        ("history", (Choice(("lost", "silent", "speaks")),), "of the fencer"),
        (
            "forge-receipt",
            (Kind.COMPUTE, Choice(("hand", "fenced", "person"))),
            "a receipt, no fencing",
        ),
        # the cloud
        ("nova", (Choice(NOVA_STATES),), "all of its API; old: some compute is older than 27"),
        ("outcome", (Kind.INSTANCE, Choice(("done", "failed", "error", "stuck"))), "next move's"),
        ("refuse", (Kind.INSTANCE, Kind.COUNT), "Nova answers its next evacuations with 409"),
        ("choke", (Kind.INSTANCE, Kind.COUNT), "Nova answers its next evacuations with 500"),
        ("start-fails", (Kind.INSTANCE, Kind.COUNT), "its next starts come to nothing"),
        ("slow-move", (Kind.INSTANCE, Kind.SECONDS), "how long its next evacuation takes"),
        ("state", (Kind.INSTANCE, Choice(STATES)), "Nova's vm_state of it, or its task_state"),
        ("live-migrate", (Kind.INSTANCE, Kind.COMPUTE), "it runs there once its host is dead"),
        ("live-outcome", (Kind.INSTANCE, Choice(("done", "error"))), "of its next live migration"),
        ("full", (Kind.COMPUTE,), "no instance fits on the node any more"),
        ("empty", (Kind.COMPUTE,), "instances fit again"),
        (
            "lists",
            (Kind.COMPUTE, Choice(("fail", "work"))),
            "Nova's, of what is on it or leaves",
        ),
        ("group-check", (Choice(("on", "off")),), "of what arrives, by the computes; on at first"),
        # ourselves
        ("fault", (Choice(FAULTS), Kind.CALL, Kind.COUNT), "strikes the next such calls"),
        ("kill", (Choice(("before", "after")), Kind.CALL), "kill -9 at the next such call"),
        ("kill-now", (), "kill -9 of the recovery process"),
        ("pause", (Kind.SECONDS,), "the recovery process gets no processor for a while"),
        ("stop-recovery", (), "an operator disables NovaEvacuate"),
        ("start-recovery", (), "an operator enables it again"),
        ("lose", (Kind.CONTROLLER,), "a controller dies"),
        ("return", (Kind.CONTROLLER,), "a controller is back"),
        ("skew", (Kind.CONTROLLER, Kind.OFFSET), "its clock is wrong by so much"),
        ("restart-cluster", (Kind.SECONDS,), "all controllers are off for so long"),
        ("power-cut", (Kind.SECONDS,), "the whole site has no power for so long, then all boot"),
        ("quorum", (Choice(("lost", "back")),), "of the partition in which we run"),
        # operators
        ("disable", (Kind.COMPUTE, Kind.TEXT), "a person disables the service, with a reason"),
        ("enable", (Kind.COMPUTE,), "a person enables the service"),
        ("reserve", (Kind.COMPUTE,), "a person keeps the host free: disabled as a reserved one"),
        ("set", (Kind.TEXT, Kind.TEXT), "a person sets KEY=VALUE of an aggregate; KEY= unsets it"),
        ("force-down", (Kind.COMPUTE,), "a person forces the service down"),
        ("force-up", (Kind.COMPUTE,), "a person takes a force-down back"),
        ("evacuate", (Kind.INSTANCE,), "a person evacuates an instance"),
        ("stop", (Kind.INSTANCE,), "its owner stops it"),
        ("start", (Kind.INSTANCE,), "its owner starts it"),
        ("say", (Kind.INSTANCE, Kind.TEXT), "its owner sets metadata of it: KEY=VALUE"),
        ("reset-state", (Kind.INSTANCE,), "a person looks for its guests, and sets it active"),
        ("delete", (Kind.INSTANCE,), "a user deletes an instance"),
        ("delete-group", (Kind.TEXT,), "a person deletes an affinity group"),
        ("release", (Kind.COMPUTE,), "a person releases the host from brake and limits"),
        ("disarm", (Kind.COMPUTE, Kind.SECONDS), "a person disarms the host for so long"),
        ("disarm-all", (Kind.SECONDS,), "a person disarms all hosts for so long"),
        ("disarm-segment", (Kind.TEXT, Kind.SECONDS), "a person disarms a segment for so long"),
        ("arm", (), "a person takes all disarms away"),
        ("drain", (Kind.COMPUTE,), "a person has the host emptied"),
        ("drain-to-standby", (Kind.COMPUTE,), "the same, and then set in standby"),
        ("undrain", (Kind.COMPUTE,), "a person takes that back"),
        ("health", (Kind.COMPUTE, Choice(("green", "yellow", "red"))), "its health attribute"),
        ("standby", (Kind.COMPUTE, Choice(("on", "off"))), "a person sets Pacemaker's standby"),
        ("delete-receipt", (Kind.COMPUTE,), "a person deletes the receipt"),
        ("delete-hold", (Kind.COMPUTE,), "a person deletes the hold constraint"),
        ("garble-receipt", (Kind.COMPUTE,), "the receipt becomes unreadable"),
    )
)
BY_NAME = {word.name: word for word in WORDS}
